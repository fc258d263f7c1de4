//! `list`.

mod long;
pub(super) mod state;

use std::collections::{BTreeMap, btree_map};

use xendless_core::config::DomainConfig;
use xendless_core::protocol::{Answer, Failure, Pool, Request, Row};

pub(in crate::xm::commands) use self::long::uuid;
use self::state::State;
use super::{json, pool, security, vcpu_list};
use crate::client::{self, Client};
use crate::shown::Shown;
use crate::xm::error::Error;
use crate::xm::options::Given;
use crate::xm::session::{Dormant, Session, defined, definitions, explain, find, known};
use crate::xm::table::Outcome;

/// A domain as it is listed.
#[derive(Clone, Debug)]
pub(in crate::xm::commands) struct Entry {
    pub(in crate::xm::commands) name: String,
    pub(super) state: State,
    /// What it does, when it is there.
    pub(in crate::xm::commands) row: Option<Row>,
    /// What it would be, when it is only defined.
    pub(in crate::xm::commands) config: Option<DomainConfig>,
    /// The name of its CPU pool, when it is there and that was asked.
    pool: Option<String>,
    /// Its security label, when it is there, and has one, and that was asked.
    label: Option<String>,
}

/// `list`.
pub(in crate::xm) fn run(session: &mut Session, given: &Given) -> Outcome {
    for (option, what) in [("state", "state"), ("pool", "pool")] {
        if given.value(option).is_some() && !given.operands.is_empty() {
            let text = format!("You may specify either a {what} or a particular VM, but not both");
            return Err(Error::Usage(text));
        }
    }
    if given.has("vcpus") {
        eprintln!("xm list -v is deprecated.  Please use xm vcpu-list.");
        return vcpu_list::run(session, given);
    }
    let mut client = session.connect()?;
    let mut entries = entries(&mut client, &given.operands)?;
    for entry in entries.iter_mut().filter(|entry| entry.row.is_none()) {
        if session.suspended.holds(entry.config.as_ref()) {
            entry.state = State::SUSPENDED;
        }
    }
    if given.value("pool").is_some() || given.has("json") || given.has("long") {
        let pools = pool::all(&mut client)?;
        for entry in &mut entries {
            entry.name_pool(&pools);
        }
    }
    if given.has("label") || given.has("json") || given.has("long") {
        label_all(&mut client, &mut entries)?;
    }
    entries.retain(|entry| {
        given.value("state").is_none_or(|wanted| entry.state.is(wanted))
            && given.value("pool").is_none_or(|wanted| entry.is_in(wanted))
    });
    if given.has("json") {
        let all: Vec<_> = entries.iter().map(Entry::json).collect();
        session.out.line(json::text(&all.into()))?;
    } else if given.has("long") {
        for entry in &entries {
            let config = current(&mut client, entry)?;
            session.out.line(long::record(entry, config.as_ref()).pretty().trim_end())?;
        }
    } else {
        table(session, entries, given.has("label"))?;
    }
    Ok(0)
}

/// The domains with these names, in that order; without names all of them, sorted.
pub(in crate::xm::commands) fn entries(client: &mut Client, names: &[String]) -> Result<Vec<Entry>, Error> {
    if names.is_empty() {
        let (rows, definitions) = known(client)?;
        let mut all: Vec<Entry> = rows.into_iter().map(Entry::running).collect();
        let dormant: Vec<Dormant> =
            definitions.into_iter().filter(|found| !all.iter().any(|entry| entry.is(found))).collect();
        all.extend(dormant.into_iter().map(Entry::dormant));
        all.sort_by(|a, b| a.name.cmp(&b.name));
        return Ok(all);
    }
    names.iter().map(|name| entry(client, name)).collect()
}

/// The domain that a person means, also one that is only defined.
pub(in crate::xm::commands) fn entry(client: &mut Client, name: &str) -> Result<Entry, Error> {
    match find(client, name) {
        Ok(row) => Ok(Entry::running(row)),
        Err(client::Error::Failed(Failure::NoSuchDomain)) => match defined(&definitions(client)?, name) {
            Some(found) => Ok(Entry::dormant(found.clone())),
            None => Err(explain(client, name, client::Error::Failed(Failure::NoSuchDomain), "")),
        },
        Err(error) => Err(error.into()),
    }
}

/// The configuration of a listed domain, if the server has one.
fn current(client: &mut Client, entry: &Entry) -> Result<Option<DomainConfig>, Error> {
    let Some(row) = &entry.row else { return Ok(entry.config.clone()) };
    match client.ask(Request::Config { domain: &row.domid.to_string() }) {
        Ok(Answer::Config(bytes)) => Ok(DomainConfig::decode(bytes).ok()),
        Ok(_) => Err(client::Error::Unexpected.into()),
        // The control domain has none, and a domain may have ended meanwhile.
        Err(client::Error::Failed(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Finds the security labels of those that have one.
fn label_all(client: &mut Client, entries: &mut [Entry]) -> Result<(), Error> {
    let mut known: BTreeMap<u32, String> = BTreeMap::new();
    for entry in entries {
        let Some(number) = entry.row.as_ref().map(|row| row.ssid).filter(|number| *number != 0) else {
            continue;
        };
        if let btree_map::Entry::Vacant(place) = known.entry(number) {
            place.insert(security::text(client, number)?);
        }
        entry.label = known.get(&number).cloned();
    }
    Ok(())
}

fn table(session: &mut Session, mut entries: Vec<Entry>, label: bool) -> Result<(), Error> {
    let header =
        format!("{:<40} {:>5} {:>5} {:>5} {:>10} {:>9}", "Name", "ID", "Mem", "VCPUs", "State", "Time(s)");
    if !label {
        session.out.line(header)?;
        for entry in &entries {
            session.out.line(entry.line())?;
        }
        return Ok(());
    }
    session.out.line(format_args!("{header} {:<10}", "Label"))?;
    entries.sort_by_key(|entry| entry.label().to_lowercase());
    for entry in &entries {
        session.out.line(format_args!("{} {:>10}", entry.line(), entry.label()))?;
    }
    Ok(())
}

impl Entry {
    fn running(row: Row) -> Self {
        Self {
            name: row.name.clone(),
            state: State::of(&row),
            row: Some(row),
            config: None,
            pool: None,
            label: None,
        }
    }

    fn dormant(found: Dormant) -> Self {
        Self {
            name: found.name,
            state: State::DORMANT,
            row: None,
            config: found.config,
            pool: None,
            label: None,
        }
    }

    /// Whether this is the running domain of a definition.
    fn is(&self, definition: &Dormant) -> bool {
        let uuid = self.row.as_ref().map(|row| row.uuid);
        let defined = definition.config.as_ref().map(|config| config.uuid.handle());
        self.name == definition.name || (uuid.is_some() && uuid == defined)
    }

    fn is_in(&self, pool: &str) -> bool {
        self.pool() == pool
    }

    /// Finds the name of its CPU pool.
    fn name_pool(&mut self, pools: &[Pool]) {
        let Some(row) = &self.row else { return };
        self.pool = pools.iter().find(|pool| pool.id == row.cpupool).map(|pool| pool.name.clone());
    }

    /// The name of its CPU pool.
    fn pool(&self) -> String {
        let named = self.config.as_ref().and_then(|config| config.platform.pool.as_ref());
        match (&self.row, &self.pool, named) {
            (Some(_), Some(name), _) => name.clone(),
            (Some(row), None, _) => format!("Pool-{}", row.cpupool),
            (None, _, Some(name)) => name.to_string(),
            (None, _, None) => "Pool-0".to_owned(),
        }
    }

    /// Its security label; empty without one.
    fn label(&self) -> String {
        let configured = self.config.as_ref().and_then(|config| config.platform.label.as_ref());
        match (&self.row, &self.label, configured) {
            (Some(_), Some(label), _) => Shown(label).to_string(),
            (None, _, Some(label)) => Shown(label).to_string(),
            _ => String::new(),
        }
    }

    /// Its id, or nothing.
    pub(in crate::xm::commands) fn id(&self) -> String {
        self.row.as_ref().map_or_else(String::new, |row| row.domid.to_string())
    }

    fn memory_mib(&self) -> u64 {
        match (&self.row, &self.config) {
            (Some(row), _) => row.memory_kib / 1024,
            (None, Some(config)) => config.memory.initial().mib(),
            (None, None) => 0,
        }
    }

    fn vcpus(&self) -> u32 {
        match (&self.row, &self.config) {
            (Some(row), _) => row.vcpus,
            (None, Some(config)) => config.vcpus.max(),
            (None, None) => 0,
        }
    }

    fn seconds(&self) -> f64 {
        self.row.as_ref().map_or(0.0, |row| seconds(row.cpu_ns))
    }

    fn line(&self) -> String {
        format!(
            "{:<40} {:>5} {:>5} {:>5} {:>10} {:>8.1}",
            Shown(&self.name).to_string(),
            self.id(),
            self.memory_mib(),
            self.vcpus(),
            self.state.letters(),
            self.seconds()
        )
    }

    fn json(&self) -> serde_json::Value {
        let row = self.row.as_ref();
        let uuid = row.map(|row| long::uuid(row.uuid));
        serde_json::json!({
            "name": self.name,
            "id": row.map(|row| row.domid),
            "uuid": uuid.or_else(|| self.config.as_ref().map(|config| config.uuid.to_string())),
            "memory_mib": self.memory_mib(),
            "max_memory_mib": row.map(|row| row.max_kib / 1024),
            "vcpus": self.vcpus(),
            "max_vcpus": row.map(|row| row.max_vcpus),
            "state": self.state.letters(),
            "power_state": self.state.power(),
            "cpu_seconds": self.seconds(),
            "uptime_seconds": row.and_then(|row| row.age_ns).map(|age| age / 1_000_000_000),
            "restarts": row.map(|row| row.restarts),
            "pool": self.pool(),
            "label": self.label(),
        })
    }
}

/// Nanoseconds as seconds.
pub(super) fn seconds(ns: u64) -> f64 {
    std::time::Duration::from_nanos(ns).as_secs_f64()
}

#[cfg(test)]
pub(in crate::xm::commands) mod tests {
    use xendless_core::hyper::DomainFlags;

    use super::*;

    pub(in crate::xm::commands) fn row(domid: u16, name: &str, flags: DomainFlags) -> Row {
        Row {
            domid,
            uuid: [7; 16],
            name: name.into(),
            flags: flags.bits(),
            shutdown: flags.contains(DomainFlags::SHUTDOWN).then_some(0),
            memory_kib: 512 << 10,
            max_kib: 1024 << 10,
            cpu_ns: 123_456_000_000,
            vcpus: 2,
            max_vcpus: 4,
            cpupool: 0,
            ssid: 0,
            age_ns: Some(90_061_000_000_000),
            restarts: 1,
            booted: true,
        }
    }

    #[test]
    fn rows_to_the_letter() {
        let guest = Entry::running(row(7, "guest", DomainFlags::BLOCKED));
        let wanted = "guest                                        7   512     2     -b----    123.5";
        assert_eq!(guest.line(), wanted);
        let dormant = Entry { row: None, state: State::DORMANT, ..guest };
        let wanted = "guest                                              0     0     ---s--      0.0";
        assert_eq!(dormant.line(), wanted);
    }

    #[test]
    fn attack_e06_names_are_shown_escaped() {
        let hostile = Entry::running(row(7, "a\u{1b}[2J\n", DomainFlags::PAUSED));
        let wanted = "a\\u{1b}[2J\\n                                 7   512     2     --p---    123.5";
        assert_eq!(hostile.line(), wanted);
    }
}
