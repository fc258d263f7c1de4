//! Promises under rtds.

use xendless_core::config::Reservation;
use xendless_core::hyper::Promise;
use xendless_core::protocol::{Answer, Failure, Request, Sched};

use super::{domain, refused, require};
use crate::client::{self, Client};
use crate::shown::Shown;
use crate::xm::commands::list::{Entry, entries};
use crate::xm::commands::target::{Target, invalid, not_started, target};
use crate::xm::commands::{definition, json, pool};
use crate::xm::error::Error;
use crate::xm::options::Given;
use crate::xm::session::{Session, pages};
use crate::xm::table::Outcome;

/// A virtual CPU and what it is promised.
type Row = (u32, Promise);

/// What is to be set: nothing, or for each of these virtual CPUs one of each that is given. No numbers are all.
struct Wanted {
    vcpus: Option<Vec<u32>>,
    periods: Vec<u32>,
    budgets: Vec<u32>,
    extras: Vec<bool>,
}

/// Shows or sets what virtual CPUs are promised.
pub(in crate::xm) fn run(session: &mut Session, given: &Given) -> Outcome {
    let domain = domain(given)?;
    let chosen = given.values("vcpuid");
    let wanted = wanted(given)?;
    let sets = wanted.sets();
    let usage = |text: &str| Err(Error::Usage(text.to_owned()));
    if given.value("cpupool").is_some() && (domain.is_some() || sets || !chosen.is_empty()) {
        return usage("Specifying a cpupool is not allowed with other options.");
    }
    if domain.is_none() && sets {
        return usage("Missing parameters.");
    }
    if sets && chosen.is_empty() {
        return usage("Must specify VCPU.");
    }
    if !wanted.fits() {
        return usage("Incorrect number of period, budget and extratime.");
    }
    let mut client = session.connect()?;
    require(&mut client, "rtds")?;
    match domain {
        Some(domain) if sets => set(&mut client, domain, &wanted),
        _ => show(session, &mut client, given, domain, &wanted),
    }
}

fn wanted(given: &Given) -> Result<Wanted, Error> {
    let numbers = |option| -> Result<Vec<u32>, Error> {
        given.values(option).into_iter().map(|text| text.parse().map_err(|_| invalid())).collect()
    };
    let vcpus = if given.values("vcpuid") == ["all"] { None } else { Some(numbers("vcpuid")?) };
    let extras = numbers("extratime")?.into_iter().map(|number| match number {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Error::Usage("Invalid extratime.".to_owned())),
    });
    Ok(Wanted {
        periods: numbers("period")?,
        budgets: numbers("budget")?,
        extras: extras.collect::<Result<_, _>>()?,
        vcpus,
    })
}

impl Wanted {
    /// Whether something is to be set.
    fn sets(&self) -> bool {
        !(self.periods.is_empty() && self.budgets.is_empty() && self.extras.is_empty())
    }

    /// Whether each virtual CPU has one of each that is given.
    fn fits(&self) -> bool {
        let count = self.vcpus.as_ref().map_or(1, Vec::len);
        let given = [self.periods.len(), self.budgets.len(), self.extras.len()];
        given.into_iter().all(|given| given == 0 || given == count)
    }

    /// What each virtual CPU that is meant is to be promised, when it has what `old` says.
    fn orders(&self, old: &[Row]) -> Result<Vec<Row>, Error> {
        let chosen: Vec<u32> = match &self.vcpus {
            Some(vcpus) => vcpus.clone(),
            None => old.iter().map(|(vcpu, _)| *vcpu).collect(),
        };
        let mut orders = Vec::new();
        for (at, vcpu) in chosen.into_iter().enumerate() {
            let Some((_, promise)) = old.iter().find(|(other, _)| *other == vcpu) else {
                return Err(Error::Usage(format!("VCPU {vcpu} does not exist.")));
            };
            let at = if self.vcpus.is_some() { at } else { 0 };
            let promise = Promise {
                period_us: self.periods.get(at).copied().unwrap_or(promise.period_us),
                budget_us: self.budgets.get(at).copied().unwrap_or(promise.budget_us),
                extra: self.extras.get(at).copied().unwrap_or(promise.extra),
            };
            if promise.budget_us == 0 || promise.budget_us > promise.period_us {
                let text = "Budget out of range, valid range is from 1 to the period";
                return Err(Error::Usage(text.to_owned()));
            }
            orders.push((vcpu, promise));
        }
        Ok(orders)
    }
}

/// What all virtual CPUs of a domain are promised.
fn promises(client: &mut Client, domain: &str) -> Result<Vec<Row>, client::Error> {
    pages(|from| match client.ask(Request::Sched(Sched::Promises { domain, from }))? {
        Answer::Promises { rows, next } => Ok(((from..).zip(rows.iter().copied()).collect(), next)),
        _ => Err(client::Error::Unexpected),
    })
}

fn set(client: &mut Client, domain: &str, wanted: &Wanted) -> Outcome {
    let Target::Running(row) = target(client, domain)? else {
        return Err(Error::Usage(not_started(domain)));
    };
    let id = row.domid.to_string();
    let old = match promises(client, &id) {
        Ok(old) => old,
        Err(error) => return Err(refused(client, domain, error)),
    };
    // All is known to be right before anything is changed.
    let orders = wanted.orders(&old)?;
    let act = |client: &mut Client| {
        for (vcpu, promise) in &orders {
            let (vcpu, promise) = (*vcpu, *promise);
            let request = Request::Sched(Sched::SetPromise { domain: &id, vcpu, promise });
            if let Err(error) = client.ask(request) {
                return Err(refused(client, domain, error));
            }
        }
        Ok(())
    };
    let after = old.iter().map(|row| orders.iter().find(|order| order.0 == row.0).unwrap_or(row).1);
    match alike(after) {
        Some(reservation) => definition::along(
            client,
            &row,
            |settings| {
                settings.scheduling.reservation = Some(reservation);
                Ok(())
            },
            act,
        )?,
        // A definition has no words for it.
        None => act(client)?,
    }
    Ok(0)
}

/// What all virtual CPUs have alike, if they do: that much can be kept of a domain.
fn alike(mut promises: impl Iterator<Item = Promise>) -> Option<Reservation> {
    let Promise { period_us, budget_us, .. } = promises.next()?;
    promises
        .all(|other| (other.period_us, other.budget_us) == (period_us, budget_us))
        .then(|| Reservation::new(period_us, budget_us).ok())?
}

fn show(
    session: &mut Session,
    client: &mut Client,
    given: &Given,
    domain: Option<&str>,
    wanted: &Wanted,
) -> Outcome {
    let names: Vec<String> = domain.into_iter().map(str::to_owned).collect();
    let mut shown = Vec::new();
    let pool = given.value("cpupool").map(|word| pool::number(client, word)).transpose()?;
    // What does not run has no promise yet.
    for found in entries(client, &names)? {
        let Some(row) = &found.row else { continue };
        if pool.is_some_and(|pool| pool != row.cpupool) {
            continue;
        }
        let rows = match promises(client, &found.id()) {
            Ok(rows) => rows,
            Err(client::Error::Failed(Failure::OtherScheduler(_) | Failure::NoSuchDomain)) => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        shown.push((found, rows));
    }
    let by_vcpu = !given.values("vcpuid").is_empty();
    if by_vcpu && let Some(vcpus) = &wanted.vcpus {
        for (_, rows) in &mut shown {
            if let Some(missing) = vcpus.iter().find(|vcpu| !rows.iter().any(|(other, _)| other == *vcpu)) {
                return Err(Error::Usage(format!("VCPU {missing} does not exist.")));
            }
            rows.retain(|(vcpu, _)| vcpus.contains(vcpu));
        }
    }
    if given.has("json") {
        let all: Vec<_> = shown.iter().map(|(found, rows)| object(found, rows)).collect();
        session.out.line(json::text(&all.into()))?;
        return Ok(0);
    }
    table(session, &shown, by_vcpu)
}

/// A row for each domain, with what its first virtual CPU has; or one for each virtual CPU.
fn table(session: &mut Session, shown: &[(Entry, Vec<Row>)], by_vcpu: bool) -> Outcome {
    let titles = format!("{:>9} {:>9} {:>10}", "Period", "Budget", "Extratime");
    let first = format!("{:<33} {:>4}", "Name", "ID");
    session.out.line(if by_vcpu {
        format!("{first} {:>4} {titles}", "VCPU")
    } else {
        format!("{first} {titles}")
    })?;
    for (found, rows) in shown {
        let name = format!("{:<32} {:>5}", Shown(&found.name).to_string(), found.id());
        if by_vcpu {
            for (vcpu, promise) in rows {
                session.out.line(format_args!("{name} {vcpu:>4} {}", columns(Some(promise))))?;
            }
        } else {
            session.out.line(format_args!("{name} {}", columns(rows.first().map(|(_, promise)| promise))))?;
        }
    }
    Ok(0)
}

fn columns(promise: Option<&Promise>) -> String {
    match promise {
        Some(Promise { period_us, budget_us, extra }) => {
            format!("{period_us:>9} {budget_us:>9} {:>10}", if *extra { "yes" } else { "no" })
        }
        None => format!("{:>9} {:>9} {:>10}", -1, -1, "-"),
    }
}

fn object(found: &Entry, rows: &[Row]) -> serde_json::Value {
    let vcpus: Vec<_> = rows
        .iter()
        .map(|(vcpu, promise)| {
            serde_json::json!({
                "vcpu": vcpu,
                "period_us": promise.period_us,
                "budget_us": promise.budget_us,
                "extratime": promise.extra,
            })
        })
        .collect();
    let id = found.row.as_ref().map(|row| row.domid);
    serde_json::json!({ "name": found.name, "id": id, "vcpus": vcpus })
}
