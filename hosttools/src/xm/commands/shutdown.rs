//! `shutdown` and `reboot`.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::fd::AsFd;
use std::time::Duration;

use xendless_core::config::{Action, Actions, DomainConfig};
use xendless_core::life::Wish;
use xendless_core::protocol::{Answer, Failure, Request, RequestId, Until, What};

use super::managed::ending;
use super::wait::number;
use crate::client::{self, Client, Event};
use crate::shown::Shown;
use crate::xm::error::Error;
use crate::xm::listener::Listener;
use crate::xm::options::Given;
use crate::xm::session::{Session, act, explain, find, is_control, rows};
use crate::xm::table::Outcome;
use crate::xm::timer::Timer;

/// What is said of a domain that does not run.
const CANNOT: &str = "Domain cannot be shutdown";

/// Domains that are waited for at once.
const AT_ONCE: usize = 8;

/// How long domains may take to end, when nobody says otherwise: as long as xend took to call one unresponsive.
const PATIENCE: u64 = 300;

/// How long a domain may take to be back.
const RETURN: Duration = Duration::from_secs(30);

/// A domain that is to end.
#[derive(Clone, Debug)]
struct Target {
    /// What messages call it.
    shown: String,
    domid: u16,
    name: String,
    actions: Actions,
}

/// `shutdown`.
pub(in crate::xm) fn shutdown(session: &mut Session, given: &Given) -> Outcome {
    let wish = match (given.has("halt"), given.has("reboot")) {
        (true, true) => return Err(Error::Plain("Can't specify halt and reboot".to_owned())),
        (true, false) => Wish::Halt,
        (false, true) => Wish::Reboot,
        (false, false) => Wish::Poweroff,
    };
    let whom = if given.has("on-xend-stop") { Whom::OnXendStop } else { Whom::of(given)? };
    run(session, &whom, patience(given)?, wish)
}

/// `reboot`.
pub(in crate::xm) fn reboot(session: &mut Session, given: &Given) -> Outcome {
    run(session, &Whom::of(given)?, patience(given)?, Wish::Reboot)
}

/// For how many seconds to wait, if at all.
fn patience(given: &Given) -> Result<Option<u64>, Error> {
    let seconds = given.value("timeout").map_or(Ok(PATIENCE), |seconds| number(seconds, "timeout"))?;
    Ok(given.has("wait").then_some(seconds))
}

/// Who is to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Whom<'a> {
    /// The domain that a person means by this.
    One(&'a str),
    /// All but those that manage.
    All,
    /// Those whose definitions say that they end with the control plane.
    OnXendStop,
}

impl<'a> Whom<'a> {
    fn of(given: &'a Given) -> Result<Self, Error> {
        match given.operands.as_slice() {
            _ if given.has("all") => Ok(Self::All),
            [] => Err(Error::Plain("No domain parameter given".to_owned())),
            [one] if is_control(one) => Err(Error::Usage("Domain 0 cannot be shutdown".to_owned())),
            [one] => Ok(Self::One(one)),
            _ => Err(Error::Plain("No multiple domain parameters allowed".to_owned())),
        }
    }
}

fn run(session: &mut Session, whom: &Whom<'_>, patience: Option<u64>, wish: Wish) -> Outcome {
    let mut client = session.connect()?;
    if let Whom::One(domain) = *whom
        && patience.is_none()
    {
        act(&mut client, domain, Request::Shutdown { domain, wish }, CANNOT)?;
        return Ok(0);
    }
    let targets = targets(session, &mut client, whom)?;
    for Target { domid, .. } in &targets {
        let request = Request::Shutdown { domain: &domid.to_string(), wish };
        match client.ask(request) {
            Ok(_) => {}
            // One of several may have ended by itself.
            Err(client::Error::Failed(Failure::NoSuchDomain | Failure::NotRunning))
                if !matches!(whom, Whom::One(_)) => {}
            Err(client::Error::Failed(Failure::NotRunning)) => return Err(Error::Usage(CANNOT.to_owned())),
            Err(error) => return Err(error.into()),
        }
    }
    if let Some(seconds) = patience {
        wait(session, &mut client, &targets, wish, seconds)?;
    }
    Ok(0)
}

/// The domains that are meant, and what is to be known to wait for them.
fn targets(session: &Session, client: &mut Client, whom: &Whom<'_>) -> Result<Vec<Target>, Error> {
    let found = match *whom {
        Whom::One(domain) => match find(client, domain) {
            Ok(row) => vec![row],
            Err(error) => return Err(explain(client, domain, error, CANNOT)),
        },
        // The control domain cannot end, and whoever asks would end before the others have.
        Whom::All => {
            let own = client.welcome()?.domid;
            rows(client)?.into_iter().filter(|row| row.domid != 0 && row.domid != own).collect()
        }
        Whom::OnXendStop => {
            let names = ending(session, client)?;
            rows(client)?.into_iter().filter(|row| names.contains(&row.name)).collect()
        }
    };
    let mut targets = Vec::new();
    for row in found {
        let shown = if let Whom::One(domain) = *whom { domain.to_owned() } else { row.name.clone() };
        let actions = actions(client, row.domid)?;
        targets.push(Target { shown, domid: row.domid, name: row.name, actions });
    }
    Ok(targets)
}

/// What happens when a domain ends.
fn actions(client: &mut Client, domid: u16) -> Result<Actions, Error> {
    match client.ask(Request::Config { domain: &domid.to_string() }) {
        Ok(Answer::Config(bytes)) => {
            Ok(DomainConfig::decode(bytes).map(|config| config.actions).unwrap_or_default())
        }
        Ok(_) => Err(client::Error::Unexpected.into()),
        Err(client::Error::Failed(_)) => Ok(Actions::default()),
        Err(error) => Err(error.into()),
    }
}

/// Waits for the ends of domains as they come, for so many seconds in all.
fn wait(
    session: &mut Session,
    client: &mut Client,
    targets: &[Target],
    wish: Wish,
    seconds: u64,
) -> Result<(), Error> {
    let limit = Timer::start(Duration::from_secs(seconds))?;
    let mut waiting: BTreeMap<RequestId, &Target> = BTreeMap::new();
    let mut ended = Vec::new();
    let mut rest = targets.iter();
    loop {
        for target in rest.by_ref().take(AT_ONCE.saturating_sub(waiting.len())) {
            let request = Request::Wait { domain: &target.domid.to_string(), until: until(target, wish) };
            waiting.insert(client.start(request)?, target);
        }
        if waiting.is_empty() {
            break;
        }
        if !client.wait([Some(limit.as_fd())], false)?.message {
            return Err(stubborn(waiting.into_values().chain(rest), seconds));
        }
        let (id, Event::Answer(result)) = client.next_of_any()? else {
            return Err(client::Error::Unexpected.into());
        };
        let Some(target) = waiting.remove(&id) else { continue };
        match result {
            Ok(_) | Err(Failure::NoSuchDomain) => {}
            Err(failure) => return Err(failure.into()),
        }
        if wish == Wish::Reboot {
            ended.push(target);
        } else {
            say(session, format_args!("Domain {} terminated", Shown(&target.shown)))?;
        }
    }
    for target in &ended {
        let text =
            if is_back(session, client, target)? { "rebooted" } else { "destroyed for failing to reboot" };
        say(session, format_args!("Domain {} {text}", Shown(&target.shown)))?;
    }
    let done = if wish == Wish::Reboot { "rebooted" } else { "terminated" };
    say(session, format_args!("All domains {done}"))
}

/// What to say of domains that do not do as they are asked.
fn stubborn<'a>(left: impl Iterator<Item = &'a Target>, seconds: u64) -> Error {
    let names: Vec<String> = left.map(|target| Shown(&target.shown).to_string()).collect();
    let (names, plural) = (names.join(", "), if names.len() == 1 { "" } else { "s" });
    Error::Plain(format!(
        "Domain{plural} {names} did not end in {seconds} seconds: 'xm destroy' does not ask."
    ))
}

/// A domain that is kept when it ends is never gone.
fn until(target: &Target, wish: Wish) -> Until {
    let action = if wish == Wish::Reboot { target.actions.reboot } else { target.actions.poweroff };
    if matches!(action, Action::Preserve | Action::RenameRestart) { Until::Stopped } else { Until::Gone }
}

/// Whether the domain runs again, as another one of the same name.
fn is_back(session: &Session, client: &mut Client, target: &Target) -> Result<bool, Error> {
    let mut listener = Listener::to_new(session)?;
    match find(client, &target.name) {
        Ok(row) if row.domid != target.domid => return Ok(true),
        // Between two lives it is known, but does not run.
        Ok(_) | Err(client::Error::Failed(Failure::NoSuchDomain | Failure::NotRunning)) => {}
        Err(error) => return Err(error.into()),
    }
    if !matches!(target.actions.reboot, Action::Restart | Action::RenameRestart) {
        return Ok(false);
    }
    let limit = Timer::start(RETURN)?;
    while let Some(happening) = listener.next(Some(&limit))? {
        match happening.what {
            What::Created if happening.name == target.name => return Ok(true),
            What::Failed { .. } if happening.name == target.name => return Ok(false),
            // What was missed may have been that.
            What::Missed { .. } => return Ok(find(client, &target.name).is_ok()),
            _ => {}
        }
    }
    Ok(false)
}

/// Prints a line at once: the next may be long in coming.
fn say(session: &mut Session, line: std::fmt::Arguments<'_>) -> Result<(), Error> {
    session.out.line(line)?;
    Ok(session.out.flush()?)
}
