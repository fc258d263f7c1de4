//! The `cpupool-…` sub-commands.

mod list;
mod source;

use xendless_core::config::{Affinity, CpuNumber, List, PoolConfig, Ranged, Text};
use xendless_core::protocol::{Answer, Failure, Pool, PoolFailure, Pools, Request};

use super::definition;
use super::list::entry;
use super::managed::too_long;
use super::target::number as number_of;
use crate::client::{self, Client};
use crate::config::quoted;
use crate::shown::Shown;
use crate::xm::error::Error;
use crate::xm::options::Given;
use crate::xm::session::{Session, defined, definitions};
use crate::xm::table::Outcome;

pub(in crate::xm) use list::run as list;

/// `cpupool-create`.
pub(in crate::xm) fn create(session: &mut Session, given: &Given) -> Outcome {
    let Some(config) = source::load(session, given)? else { return Ok(0) };
    let mut client = session.connect()?;
    if kept(&mut client)?.iter().any(|found| found.name == config.name) {
        return Err(name_taken(config.name.as_str()));
    }
    start_of(&mut client, &config).map(|()| 0)
}

/// `cpupool-new`.
pub(in crate::xm) fn new(session: &mut Session, given: &Given) -> Outcome {
    let Some(config) = source::load(session, given)? else { return Ok(0) };
    let mut client = session.connect()?;
    let name = config.name.as_str();
    if find(&mut client, name)?.is_some() || kept(&mut client)?.iter().any(|found| found.name == config.name)
    {
        return Err(name_taken(name));
    }
    let encoded = config.encode().ok_or_else(too_long)?;
    client.ask(Request::Pools(Pools::Define { config: &encoded })).map_err(|error| refused(error, name))?;
    Ok(0)
}

/// `cpupool-start`.
pub(in crate::xm) fn start(session: &mut Session, given: &Given) -> Outcome {
    let word = given.operand(0);
    let mut client = session.connect()?;
    let known = kept(&mut client)?;
    if find(&mut client, word)?.is_some() {
        return Err(state("activated"));
    }
    let config = known.iter().find(|found| found.name.as_str() == word).ok_or_else(|| unknown(word))?;
    start_of(&mut client, config).map(|()| 0)
}

/// `cpupool-destroy`.
pub(in crate::xm) fn destroy(session: &mut Session, given: &Given) -> Outcome {
    let word = given.operand(0);
    let mut client = session.connect()?;
    if find(&mut client, word)?.is_none()
        && kept(&mut client)?.iter().any(|found| found.name.as_str() == word)
    {
        return Err(state("deactivated"));
    }
    done(&mut client, Pools::Destroy { pool: word }, word)
}

/// `cpupool-delete`.
pub(in crate::xm) fn delete(session: &mut Session, given: &Given) -> Outcome {
    let word = given.operand(0);
    let mut client = session.connect()?;
    if find(&mut client, word)?.is_some() {
        return Err(state("activated"));
    }
    done(&mut client, Pools::Undefine { pool: word }, word)
}

/// `cpupool-cpu-add`.
pub(in crate::xm) fn add(session: &mut Session, given: &Given) -> Outcome {
    let (pool, cpu) = (given.operand(0), cpu(given)?);
    change(session, pool, Pools::AddCpu { pool, cpu })
}

/// `cpupool-cpu-remove`.
pub(in crate::xm) fn remove(session: &mut Session, given: &Given) -> Outcome {
    let (pool, cpu) = (given.operand(0), cpu(given)?);
    change(session, pool, Pools::RemoveCpu { pool, cpu })
}

/// `cpupool-migrate`.
pub(in crate::xm) fn migrate(session: &mut Session, given: &Given) -> Outcome {
    let (domain, word) = (given.operand(0), given.operand(1));
    let mut client = session.connect()?;
    let pool = find(&mut client, word)?.map(|pool| pool.name);
    let is_kept = |client: &mut Client| -> Result<bool, Error> {
        Ok(kept(client)?.iter().any(|found| found.name.as_str() == word))
    };
    let Some(name) = pool else {
        return Err(if is_kept(&mut client)? { state("deactivated") } else { unknown(word) });
    };
    let found = match entry(&mut client, domain) {
        Ok(found) => found,
        Err(Error::NoDomain { .. }) => {
            return Err(Error::Usage(format!("unknown domain {}", Shown(domain))));
        }
        Err(error) => return Err(error),
    };
    if let Some(row) = &found.row {
        if row.domid == 0 {
            return Err(Error::Usage("could not move Domain-0".to_owned()));
        }
        let domid = row.domid.to_string();
        match client.ask(Request::Pools(Pools::Migrate { domain: &domid, pool: word })) {
            Ok(_) => {}
            Err(client::Error::Failed(Failure::Refused { .. })) => {
                return Err(Error::Usage("could not move domain".to_owned()));
            }
            Err(error) => return Err(refused(error, word)),
        }
    }
    keep_pool(&mut client, &found.name, &name).map(|()| 0)
}

/// Has the definition of a domain, if there is one, name its pool.
fn keep_pool(client: &mut Client, domain: &str, pool: &str) -> Result<(), Error> {
    let all = definitions(client)?;
    let Some(found) = defined(&all, domain).filter(|found| found.config.is_some()) else { return Ok(()) };
    definition::change(client, found, |settings| {
        let pool = Text::new("pool", pool).map_err(|error| Error::Usage(error.to_string()))?;
        settings.platform.pool = Some(pool);
        // Xen forgets what it was pinned to, which may not be in that pool.
        settings.affinity = Affinity::Any;
        Ok(())
    })
}

/// Makes a pool of a configuration.
fn start_of(client: &mut Client, config: &PoolConfig) -> Result<(), Error> {
    let encoded = config.encode().ok_or_else(too_long)?;
    let name = config.name.as_str();
    match client.ask(Request::Pools(Pools::Create { config: &encoded })) {
        Ok(_) => Ok(()),
        Err(error) => Err(refused(error, name)),
    }
}

/// Changes the CPUs of a pool, and how many of them its definition says.
fn change(session: &mut Session, word: &str, request: Pools<'_>) -> Outcome {
    let mut client = session.connect()?;
    let found = find(&mut client, word)?;
    let all = kept(&mut client)?;
    if found.is_none() && all.iter().any(|other| other.name.as_str() == word) {
        return Err(state("deactivated"));
    }
    done(&mut client, request, word)?;
    let Some(pool) = find(&mut client, word)? else { return Ok(0) };
    let Some(config) = all.into_iter().find(|other| other.name.as_str() == pool.name) else { return Ok(0) };
    let cpus = list::cpus(&pool);
    let number = |cpu: u32| CpuNumber::new("cpus", cpu).ok();
    let wanted: Vec<_> = cpus.iter().copied().filter_map(number).collect();
    let count = u32::try_from(cpus.len()).unwrap_or(u32::MAX);
    let count = Ranged::new("cpus", count).unwrap_or(config.count);
    let wanted = List::new("cpus", wanted).unwrap_or_default();
    let config = PoolConfig { count, wanted, ..config };
    if let Some(encoded) = config.encode() {
        client.ask(Request::Pools(Pools::Define { config: &encoded }))?;
    }
    Ok(0)
}

fn cpu(given: &Given) -> Result<u32, Error> {
    let number: i64 = number_of(given.operand(1))?;
    u32::try_from(number).map_err(|_| listed(&["INVAILD_CPU", "CPU unknown"]))
}

fn done(client: &mut Client, request: Pools<'_>, word: &str) -> Outcome {
    client.ask(Request::Pools(request)).map_err(|error| refused(error, word))?;
    Ok(0)
}

/// All pools of the machine, in order of their numbers.
pub(super) fn all(client: &mut Client) -> Result<Vec<Pool>, Error> {
    let mut pools: Vec<Pool> = Vec::new();
    loop {
        let from = pools.last().map_or(Some(0), |last| last.id.checked_add(1));
        let Some(from) = from else { return Ok(pools) };
        match client.ask(Request::Pools(Pools::Next { from }))? {
            Answer::Pool(Some(pool)) if pool.id >= from => pools.push(*pool),
            Answer::Pool(None) => return Ok(pools),
            _ => return Err(client::Error::Unexpected.into()),
        }
    }
}

/// The pool that a person means: by its number, else by its name.
fn find(client: &mut Client, word: &str) -> Result<Option<Pool>, Error> {
    let pools = all(client)?;
    let number = word.parse().ok();
    let by_number = pools.iter().find(|pool| Some(pool.id) == number);
    Ok(by_number.or_else(|| pools.iter().find(|pool| pool.name == word)).cloned())
}

/// The number of the pool that a person means.
pub(super) fn number(client: &mut Client, word: &str) -> Result<u32, Error> {
    find(client, word)?.map(|pool| pool.id).ok_or_else(|| unknown(word))
}

/// All definitions of pools.
fn kept(client: &mut Client) -> Result<Vec<PoolConfig>, Error> {
    let (mut found, mut last) = (Vec::new(), String::new());
    loop {
        match client.ask(Request::Pools(Pools::Definition { after: &last })) {
            Ok(Answer::Definition(Some(definition))) if definition.name > last.as_str() => {
                definition.name.clone_into(&mut last);
                // One that another version kept cannot be used.
                found.extend(PoolConfig::decode(definition.config).ok());
            }
            Ok(Answer::Definition(None)) | Err(client::Error::Failed(Failure::Unsupported(_))) => {
                return Ok(found);
            }
            Ok(_) => return Err(client::Error::Unexpected.into()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// What to say about an error of a request about a pool, as ever: as a Python list.
fn refused(error: client::Error, word: &str) -> Error {
    let client::Error::Failed(Failure::Pool(why)) = error else { return error.into() };
    match why {
        PoolFailure::Unknown => unknown(word),
        PoolFailure::NameTaken => name_taken(word),
        PoolFailure::InUse | PoolFailure::First => state("in use"),
        PoolFailure::Ending => state("deactivated"),
        PoolFailure::Scheduler => listed(&["UNKOWN_SCHED_POLICY"]),
        PoolFailure::TooFewCpus { wanted, free } => {
            listed(&["INSUFFICIENT_CPUS", &wanted.to_string(), &free.to_string()])
        }
        PoolFailure::NoSuchCpu => listed(&["INVAILD_CPU", "CPU unknown"]),
        PoolFailure::CpuTaken(pool) => {
            listed(&["INVAILD_CPU", &format!("cpu already assigned to pool \"{pool}\"")])
        }
        PoolFailure::CpuElsewhere => listed(&["INVAILD_CPU", "CPU not assigned to pool"]),
        PoolFailure::LastCpu => listed(&["LAST_CPU_NOT_REMOVEABLE", "could not remove last cpu"]),
    }
}

fn unknown(word: &str) -> Error {
    Error::Usage(format!("unknown pool {}", Shown(word)))
}

fn name_taken(name: &str) -> Error {
    listed(&["PARAMETER_ERROR", &format!("Pool name \"{name}\" already exists")])
}

fn state(what: &str) -> Error {
    listed(&["POOL_BAD_STATE", what])
}

/// Words as a printed Python list.
fn listed(words: &[&str]) -> Error {
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    Error::Usage(format!("[{}]", words.join(", ")))
}
