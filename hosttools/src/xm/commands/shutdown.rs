//! `shutdown` and `reboot`.

use std::collections::BTreeMap;
use std::io::Write;
use std::thread::sleep;
use std::time::Duration;

use xendless_core::config::{Action, Actions, DomainConfig};
use xendless_core::life::Wish;
use xendless_core::protocol::{Answer, Failure, Request, RequestId, Until};

use crate::client::{self, Client, Event};
use crate::shown::Shown;
use crate::xm::error::Error;
use crate::xm::options::Given;
use crate::xm::session::{Session, act, explain, find, is_control, rows};
use crate::xm::table::Outcome;

/// Domains that are waited for at once.
const AT_ONCE: usize = 8;

/// How often it is looked whether a domain is back, once a second.
const LOOKS: u32 = 30;

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
    run(session, given, wish)
}

/// `reboot`.
pub(in crate::xm) fn reboot(session: &mut Session, given: &Given) -> Outcome {
    run(session, given, Wish::Reboot)
}

fn run(session: &mut Session, given: &Given, wish: Wish) -> Outcome {
    let all = given.has("all");
    let domain = match given.operands.as_slice() {
        _ if all => None,
        [] => return Err(Error::Plain("No domain parameter given".to_owned())),
        [one] => Some(one.as_str()),
        _ => return Err(Error::Plain("No multiple domain parameters allowed".to_owned())),
    };
    if domain.is_some_and(is_control) {
        return Err(Error::Usage("Domain 0 cannot be shutdown".to_owned()));
    }
    let mut client = session.connect()?;
    let targets = targets(&mut client, domain, given.has("wait"))?;
    for target in &targets {
        let id = target.domid.to_string();
        let asked = domain.unwrap_or(&id);
        ask(&mut client, asked, wish, all)?;
    }
    if given.has("wait") {
        wait(session, &mut client, &targets, wish)?;
    }
    Ok(0)
}

/// Who is to end. Nothing is looked up when it is one and nobody waits for it.
fn targets(client: &mut Client, domain: Option<&str>, waits: bool) -> Result<Vec<Target>, Error> {
    let found = match domain {
        Some(domain) if !waits => {
            let (shown, name) = (domain.to_owned(), domain.to_owned());
            return Ok(vec![Target { shown, domid: 0, name, actions: Actions::default() }]);
        }
        Some(domain) => match find(client, domain) {
            Ok(row) => vec![row],
            Err(error) => return Err(explain(client, domain, error, "Domain cannot be shutdown")),
        },
        // The control domain cannot end, and whoever asks would end before the others have.
        None => {
            let own = client.welcome().domid;
            rows(client)?.into_iter().filter(|row| row.domid != 0 && row.domid != own).collect()
        }
    };
    let mut targets = Vec::new();
    for row in found {
        let shown = domain.map_or_else(|| row.name.clone(), str::to_owned);
        let actions = if waits { actions(client, row.domid)? } else { Actions::default() };
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

fn ask(client: &mut Client, domain: &str, wish: Wish, all: bool) -> Result<(), Error> {
    let request = Request::Shutdown { domain, wish };
    if !all {
        return act(client, domain, request, "Domain cannot be shutdown");
    }
    match client.ask(request) {
        // One of all may have ended by itself.
        Ok(_) | Err(client::Error::Failed(Failure::NoSuchDomain | Failure::NotRunning)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Waits for the ends of domains as they come.
fn wait(session: &mut Session, client: &mut Client, targets: &[Target], wish: Wish) -> Result<(), Error> {
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
        let text = if is_back(client, target)? { "rebooted" } else { "destroyed for failing to reboot" };
        say(session, format_args!("Domain {} {text}", Shown(&target.shown)))?;
    }
    let done = if wish == Wish::Reboot { "rebooted" } else { "terminated" };
    say(session, format_args!("All domains {done}"))
}

/// A domain that is kept when it ends is never gone.
fn until(target: &Target, wish: Wish) -> Until {
    let action = if wish == Wish::Reboot { target.actions.reboot } else { target.actions.poweroff };
    if matches!(action, Action::Preserve | Action::RenameRestart) { Until::Stopped } else { Until::Gone }
}

/// Whether the domain runs again, as another one of the same name.
fn is_back(client: &mut Client, target: &Target) -> Result<bool, Error> {
    let restarts = matches!(target.actions.reboot, Action::Restart | Action::RenameRestart);
    for look in 0..if restarts { LOOKS } else { 1 } {
        if look > 0 {
            sleep(Duration::from_secs(1));
        }
        match find(client, &target.name) {
            Ok(row) if row.domid != target.domid => return Ok(true),
            // Between two lives it is known, but does not run.
            Ok(_) | Err(client::Error::Failed(Failure::NoSuchDomain | Failure::NotRunning)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(false)
}

/// Prints a line at once: the next may be long in coming.
fn say(session: &mut Session, line: std::fmt::Arguments<'_>) -> Result<(), Error> {
    session.out.line(line)?;
    Ok(session.out.flush()?)
}
