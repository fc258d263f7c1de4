//! Shares under credit and credit2.

use xendless_core::config::{DomainConfig, Invalid, Settings, Weight};
use xendless_core::hyper::Share;
use xendless_core::protocol::{Answer, Failure, Request, Sched, Sharing};

use super::{domain, refused, require};
use crate::client::{self, Client};
use crate::shown::Shown;
use crate::xm::commands::list::{Entry, entries};
use crate::xm::commands::target::{Target, invalid, target};
use crate::xm::commands::{definition, json};
use crate::xm::error::Error;
use crate::xm::options::Given;
use crate::xm::session::Session;
use crate::xm::table::Outcome;

/// What a domain has that was never given anything else.
const USUAL: Share = Share { weight: 256, cap: 0 };

/// What is to change of a share.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Change {
    weight: Option<u16>,
    cap: Option<u16>,
}

/// Shows or sets shares.
pub(super) fn run(session: &mut Session, given: &Given, scheduler: Sharing) -> Outcome {
    let domain = domain(given)?;
    let (weight, cap) = (number(given, "weight")?, number(given, "cap")?);
    let mut client = session.connect()?;
    require(&mut client, name(scheduler))?;
    if weight.is_none() && cap.is_none() {
        return show(session, &mut client, given, domain, scheduler);
    }
    let Some(domain) = domain else { return Err(Error::Usage("No domain given.".to_owned())) };
    let found = target(&mut client, domain)?;
    let change = Change { weight: weight_of(weight, scheduler)?, cap: cap_of(cap, found.max_vcpus())? };
    set(&mut client, domain, &found, scheduler, change)?;
    Ok(0)
}

const fn name(scheduler: Sharing) -> &'static str {
    match scheduler {
        Sharing::Credit => "credit",
        Sharing::Credit2 => "credit2",
    }
}

fn number(given: &Given, option: &str) -> Result<Option<i64>, Error> {
    let number = given.value(option).map(|text| text.trim().parse().map_err(|_| text));
    number.transpose().map_err(|_| invalid())
}

fn weight_of(weight: Option<i64>, scheduler: Sharing) -> Result<Option<u16>, Error> {
    let Some(weight) = weight else { return Ok(None) };
    let text = match scheduler {
        Sharing::Credit => "Cpu weight out of range, valid values are within range from 1 to 65535",
        Sharing::Credit2 => "weight is out of range",
    };
    let weight = u16::try_from(weight).ok().filter(|weight| *weight > 0);
    weight.map(Some).ok_or_else(|| Error::Usage(text.to_owned()))
}

fn cap_of(cap: Option<i64>, vcpus: u32) -> Result<Option<u16>, Error> {
    let most = i64::from(vcpus) * 100;
    let Some(cap) = cap else { return Ok(None) };
    let text = format!("Cpu cap out of range, valid range is from 0 to {most} for specified number of vcpus");
    u16::try_from(cap).ok().filter(|_| cap <= most).map(Some).ok_or(Error::Usage(text))
}

fn show(
    session: &mut Session,
    client: &mut Client,
    given: &Given,
    domain: Option<&str>,
    scheduler: Sharing,
) -> Outcome {
    let names: Vec<String> = domain.into_iter().map(str::to_owned).collect();
    let found = entries(client, &names).map_err(|error| match error {
        // A listing tells how it is used, too.
        Error::NoDomain { domain, .. } => {
            Error::Usage(format!("Domain '{}' does not exist.", Shown(&domain)))
        }
        other => other,
    })?;
    let mut shares = Vec::new();
    for entry in found {
        let share = share(client, &entry, scheduler)?;
        shares.push((entry, share));
    }
    if given.has("json") {
        let all: Vec<_> = shares.iter().map(|(entry, share)| object(entry, *share, scheduler)).collect();
        session.out.line(json::text(&all.into()))?;
        return Ok(0);
    }
    let caps = scheduler == Sharing::Credit;
    let header = format!("{:<33} {:>4} {:>6}", "Name", "ID", "Weight");
    session.out.line(if caps { format!("{header} {:>4}", "Cap") } else { header })?;
    for (entry, share) in &shares {
        session.out.line(line(entry, *share, caps))?;
    }
    Ok(0)
}

/// What a domain has; nothing when it is under another scheduler, or gone by now.
fn share(client: &mut Client, entry: &Entry, scheduler: Sharing) -> Result<Option<Share>, Error> {
    let Some(row) = &entry.row else { return Ok(Some(configured(entry.config.as_ref()))) };
    match client.ask(Request::Sched(Sched::Share { domain: &row.domid.to_string(), scheduler })) {
        Ok(Answer::Share(share)) => Ok(Some(share)),
        Ok(_) => Err(client::Error::Unexpected.into()),
        Err(client::Error::Failed(
            Failure::OtherScheduler(_) | Failure::NoSuchDomain | Failure::NotRunning,
        )) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What a domain that is only defined will have.
fn configured(config: Option<&DomainConfig>) -> Share {
    let Some(config) = config else { return USUAL };
    let weight = config.scheduling.weight.as_ref().and_then(|weight| u16::try_from(weight.get()).ok());
    let cap = config.scheduling.cap.and_then(|cap| u16::try_from(cap).ok());
    Share { weight: weight.unwrap_or(USUAL.weight), cap: cap.unwrap_or(USUAL.cap) }
}

fn line(entry: &Entry, share: Option<Share>, caps: bool) -> String {
    let number = |value: Option<u16>| value.map_or(-1, i32::from);
    let (weight, cap) = (number(share.map(|share| share.weight)), number(share.map(|share| share.cap)));
    let name = Shown(&entry.name).to_string();
    let line = format!("{name:<32} {:>5} {weight:>6}", entry.id());
    if caps { format!("{line} {cap:>4}") } else { line }
}

fn object(entry: &Entry, share: Option<Share>, scheduler: Sharing) -> serde_json::Value {
    serde_json::json!({
        "name": entry.name,
        "id": entry.row.as_ref().map(|row| row.domid),
        "scheduler": share.map(|_| name(scheduler)),
        "weight": share.map(|share| share.weight),
        "cap": share.map(|share| share.cap),
    })
}

/// Changes a domain that runs, and what is kept of it.
fn set(
    client: &mut Client,
    name: &str,
    found: &Target,
    scheduler: Sharing,
    change: Change,
) -> Result<(), Error> {
    let keep =
        |settings: &mut Settings| change.keep(settings).map_err(|error| Error::Usage(error.to_string()));
    match found {
        Target::Running(row) => {
            let domain = row.domid.to_string();
            let Change { weight, cap } = change;
            let request = Request::Sched(Sched::SetShare { domain: &domain, scheduler, weight, cap });
            definition::along(client, row, keep, |client| match client.ask(request) {
                Ok(_) => Ok(()),
                Err(error) => Err(refused(client, name, error)),
            })
        }
        Target::Defined(found) => definition::change(client, found, keep),
    }
}

impl Change {
    /// Makes the change in a definition.
    fn keep(self, settings: &mut Settings) -> Result<(), Invalid> {
        if let Some(weight) = self.weight {
            settings.scheduling.weight = Some(Weight::new("cpu_weight", weight.into())?);
        }
        if let Some(cap) = self.cap {
            settings.scheduling.cap = Some(cap.into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_out_of_range_are_refused_in_the_classic_words() {
        let text = |error: Error| error.report(true).text;
        for weight in [0, -1, 65_536, i64::MAX] {
            let wanted = "Error: Cpu weight out of range, valid values are within range from 1 to 65535";
            assert_eq!(text(weight_of(Some(weight), Sharing::Credit).unwrap_err()), wanted, "{weight}");
            let wanted = "Error: weight is out of range";
            assert_eq!(text(weight_of(Some(weight), Sharing::Credit2).unwrap_err()), wanted, "{weight}");
        }
        for weight in [1, 65_535] {
            let found = weight_of(Some(weight), Sharing::Credit).unwrap();
            assert_eq!(found.map(i64::from), Some(weight));
        }
        for cap in [-1, 201, 65_736] {
            let wanted =
                "Error: Cpu cap out of range, valid range is from 0 to 200 for specified number of vcpus";
            assert_eq!(text(cap_of(Some(cap), 2).unwrap_err()), wanted, "{cap}");
        }
        assert_eq!(cap_of(Some(200), 2).unwrap(), Some(200));
    }
}
