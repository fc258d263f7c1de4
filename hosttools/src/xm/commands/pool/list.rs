//! `cpupool-list`.

use xendless_core::config::{CpuSet, PoolConfig};
use xendless_core::protocol::{Pool, Row};

use super::{all, kept};
use crate::config::sxp::Sxp;
use crate::shown::Shown;
use crate::xm::commands::json;
use crate::xm::commands::list::uuid;
use crate::xm::error::{Error, FAILED};
use crate::xm::options::Given;
use crate::xm::session::{Session, rows};
use crate::xm::table::Outcome;

/// A pool as it is listed.
struct Entry {
    name: String,
    uuid: String,
    scheduler: String,
    /// The pool, and the domains in it, when it is there.
    there: Option<(Pool, Vec<Row>)>,
    /// How it is defined, when it is.
    config: Option<PoolConfig>,
}

/// `cpupool-list`.
pub(in crate::xm) fn run(session: &mut Session, given: &Given) -> Outcome {
    let wanted = match given.operands.as_slice() {
        [] => None,
        [name] => Some(name),
        _ => return Err(Error::Usage("Only one cpupool name for selection allowed".to_owned())),
    };
    let mut client = session.connect()?;
    let mut configs = kept(&mut client)?;
    let domains = rows(&mut client)?;
    let mut entries: Vec<Entry> = Vec::new();
    for pool in all(&mut client)? {
        let at = configs.iter().position(|config| config.name.as_str() == pool.name);
        let inside = domains.iter().filter(|row| row.cpupool == pool.id).cloned().collect();
        entries.push(Entry::active(pool, inside, at.map(|at| configs.remove(at))));
    }
    entries.extend(configs.into_iter().map(Entry::dormant));
    entries.retain(|entry| wanted.is_none_or(|wanted| entry.name == *wanted));
    if let Some(wanted) = wanted.filter(|_| entries.is_empty()) {
        return Err(Error::Status(format!("Pool '{}' does not exist.", Shown(wanted)), FAILED));
    }
    show(session, given, &entries)
}

fn show(session: &mut Session, given: &Given, entries: &[Entry]) -> Outcome {
    if given.has("json") {
        let entries: Vec<_> = entries.iter().map(Entry::json).collect();
        session.out.line(json::text(&entries.into()))?;
    } else if given.has("long") {
        for entry in entries {
            session.out.line(entry.record().pretty().trim_end())?;
        }
    } else if given.has("cpus") {
        session.out.line(format_args!("{:<16} CPU list", "Name"))?;
        for entry in entries {
            let cpus: Vec<String> = entry.cpus().iter().map(u32::to_string).collect();
            let cpus = if cpus.is_empty() { "-".to_owned() } else { cpus.join(",") };
            session.out.line(format_args!("{:<16} {cpus}", Shown(&entry.name).to_string()))?;
        }
    } else {
        session.out.line("Name               CPUs   Sched     Active   Domain count")?;
        for entry in entries {
            session.out.line(entry.line())?;
        }
    }
    Ok(0)
}

/// The CPUs of a pool, rising.
pub(super) fn cpus(pool: &Pool) -> Vec<u32> {
    // A pool without any has no set of them.
    CpuSet::try_from(pool.cpus.clone()).map(|set| set.iter().collect()).unwrap_or_default()
}

impl Entry {
    fn active(pool: Pool, inside: Vec<Row>, config: Option<PoolConfig>) -> Self {
        let (name, scheduler) = (pool.name.clone(), pool.scheduler.clone());
        Self { name, uuid: uuid(pool.uuid), scheduler, there: Some((pool, inside)), config }
    }

    fn dormant(config: PoolConfig) -> Self {
        Self {
            name: config.name.to_string(),
            uuid: config.uuid.to_string(),
            scheduler: config.scheduler.to_string(),
            there: None,
            config: Some(config),
        }
    }

    fn cpus(&self) -> Vec<u32> {
        self.there.as_ref().map(|(pool, _)| cpus(pool)).unwrap_or_default()
    }

    /// How many CPUs it has, or will get.
    fn count(&self) -> usize {
        match (&self.there, &self.config) {
            (None, Some(config)) => usize::try_from(config.count.get()).unwrap_or(usize::MAX),
            _ => self.cpus().len(),
        }
    }

    fn domains(&self) -> &[Row] {
        self.there.as_ref().map(|(_, domains)| domains.as_slice()).unwrap_or_default()
    }

    fn line(&self) -> String {
        let (name, scheduler) = (Shown(&self.name).to_string(), Shown(&self.scheduler).to_string());
        let active = if self.there.is_some() { 'y' } else { 'n' };
        let domains = self.domains().len();
        format!("{name:<16}   {:>3}  {scheduler:>8}       {active}          {domains}", self.count())
    }

    fn record(&self) -> Sxp {
        let atoms = |words: Vec<String>| words.into_iter().map(Sxp::atom);
        let numbers = |cpus: &[u32]| cpus.iter().map(u32::to_string).collect::<Vec<_>>();
        let wanted: Vec<u32> =
            self.config.iter().flat_map(|config| config.wanted.iter()).map(|cpu| cpu.get()).collect();
        let domains = |what: fn(&Row) -> String| self.domains().iter().map(what).collect::<Vec<_>>();
        Sxp::List(vec![
            Sxp::atom(&self.uuid),
            Sxp::pair("uuid", &self.uuid),
            Sxp::pair("name_label", &self.name),
            Sxp::pair("name_description", &self.name),
            Sxp::pair("activated", u8::from(self.there.is_some()).to_string()),
            Sxp::pair("auto_power_on", "0"),
            Sxp::pair("sched_policy", &self.scheduler),
            Sxp::pair("ncpu", self.count().to_string()),
            Sxp::named("proposed_CPUs", atoms(numbers(&wanted))),
            Sxp::named("host_CPU_numbers", atoms(numbers(&self.cpus()))),
            Sxp::named("started_VMs", atoms(domains(|row| uuid(row.uuid)))),
            Sxp::named("started_VM_names", atoms(domains(|row| row.name.clone()))),
            Sxp::named("other_config", self.remarks().into_iter().map(|(word, text)| Sxp::pair(&word, text))),
        ])
    }

    fn remarks(&self) -> Vec<(String, String)> {
        match (&self.there, &self.config) {
            (Some((pool, _)), _) => pool.remarks.to_vec(),
            (None, Some(config)) => {
                config.remarks.iter().map(|(word, text)| (word.to_string(), text.to_string())).collect()
            }
            (None, None) => Vec::new(),
        }
    }

    fn json(&self) -> serde_json::Value {
        let domains: Vec<_> = self.domains().iter().map(|row| row.name.as_str()).collect();
        serde_json::json!({
            "name": self.name,
            "id": self.there.as_ref().map(|(pool, _)| pool.id),
            "uuid": self.uuid,
            "scheduler": self.scheduler,
            "active": self.there.is_some(),
            "managed": self.config.is_some(),
            "cpu_count": self.count(),
            "cpus": self.cpus(),
            "domains": domains,
            "other_config": self.remarks().into_iter().collect::<std::collections::BTreeMap<_, _>>(),
        })
    }
}
