//! `vcpu-list`.

use xendless_core::config::{CpuSet, DomainConfig};
use xendless_core::hyper::CpuMap;
use xendless_core::protocol::resources::VcpuRow;
use xendless_core::protocol::{Answer, Failure, Request};

use super::json;
use super::list::{Entry, entries, seconds};
use crate::client::{self, Client};
use crate::shown::Shown;
use crate::xm::error::Error;
use crate::xm::options::Given;
use crate::xm::session::{Session, host, pages};
use crate::xm::table::Outcome;

/// A virtual CPU as it is listed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Vcpu {
    pub(super) number: u32,
    /// What it does, when its domain is there.
    pub(super) row: Option<VcpuRow>,
    /// The physical CPUs on which it may run.
    cpus: Vec<u32>,
}

/// `vcpu-list`.
pub(in crate::xm) fn run(session: &mut Session, given: &Given) -> Outcome {
    let mut client = session.connect()?;
    let host = host(&mut client)?.cpus;
    let mut found = Vec::new();
    for entry in entries(&mut client, &given.operands)? {
        let vcpus = vcpus(&mut client, &entry, host)?;
        found.push((entry, vcpus));
    }
    let all = found.iter().flat_map(|(entry, vcpus)| vcpus.iter().map(move |vcpu| (entry, vcpu)));
    if given.has("json") {
        let all: Vec<_> = all.map(|(entry, vcpu)| vcpu.json(entry)).collect();
        session.out.line(json::text(&all.into()))?;
        return Ok(0);
    }
    session.out.line(format_args!(
        "{:<32} {:>5} {:>5} {:>5} {:>5} {:>9} {}",
        "Name", "ID", "VCPU", "CPU", "State", "Time(s)", "CPU Affinity"
    ))?;
    for (entry, vcpu) in all {
        session.out.line(vcpu.line(entry, host))?;
    }
    Ok(0)
}

/// The virtual CPUs of a listed domain.
fn vcpus(client: &mut Client, entry: &Entry, host: u32) -> Result<Vec<Vcpu>, Error> {
    let Some(row) = &entry.row else {
        return Ok(entry.config.as_ref().map(|config| defined(config, host)).unwrap_or_default());
    };
    let rows = rows(client, row.domid)?;
    Ok(rows.into_iter().map(|row| Vcpu::running(row, host)).collect())
}

/// All virtual CPUs of a domain; none when it ended meanwhile.
pub(super) fn rows(client: &mut Client, domid: u16) -> Result<Vec<VcpuRow>, Error> {
    let domain = domid.to_string();
    let found = pages(|from| match client.ask(Request::Vcpus { domain: &domain, from })? {
        Answer::Vcpus(page) => Ok((page.rows.to_vec(), page.next)),
        _ => Err(client::Error::Unexpected),
    });
    match found {
        Err(client::Error::Failed(Failure::NoSuchDomain | Failure::NotRunning)) => Ok(Vec::new()),
        found => Ok(found?),
    }
}

/// What a domain would have that is only defined.
fn defined(config: &DomainConfig, host: u32) -> Vec<Vcpu> {
    let of = |number: u32| {
        config
            .affinity
            .of(number)
            .map_or_else(|| (0..host).collect(), |set| set.iter().filter(|cpu| *cpu < host).collect())
    };
    (0..config.vcpus.max()).map(|number| Vcpu { number, row: None, cpus: of(number) }).collect()
}

impl Vcpu {
    fn running(row: VcpuRow, host: u32) -> Self {
        let map = CpuMap::from_bytes(&row.affinity).unwrap_or(CpuMap::EMPTY);
        let cpus = map.iter().filter(|cpu| *cpu < host).collect();
        Self { number: row.vcpu, row: Some(row), cpus }
    }

    /// The physical CPU, and letters for what it does.
    fn state(&self) -> (String, String) {
        match &self.row {
            None => (String::new(), String::new()),
            Some(row) if !row.online => ("-".to_owned(), "--p".to_owned()),
            Some(row) => {
                let letter = |set, letter| if set { letter } else { '-' };
                let letters = [letter(row.running, 'r'), letter(row.blocked, 'b'), '-'];
                (row.cpu.to_string(), letters.iter().collect())
            }
        }
    }

    fn seconds(&self) -> f64 {
        self.row.as_ref().map_or(0.0, |row| seconds(row.cpu_ns))
    }

    fn line(&self, entry: &Entry, host: u32) -> String {
        let (cpu, state) = self.state();
        format!(
            "{:<32} {:>5} {:>5} {cpu:>5} {state:>5}  {:>8.1} {}",
            Shown(&entry.name).to_string(),
            entry.id(),
            self.number,
            self.seconds(),
            affinity(&self.cpus, host)
        )
    }

    fn json(&self, entry: &Entry) -> serde_json::Value {
        let row = self.row.as_ref();
        serde_json::json!({
            "name": entry.name,
            "id": entry.row.as_ref().map(|row| row.domid),
            "vcpu": self.number,
            "online": row.map(|row| row.online),
            "cpu": row.filter(|row| row.online).map(|row| row.cpu),
            "state": self.state().1,
            "cpu_seconds": self.seconds(),
            "affinity": self.cpus,
        })
    }
}

/// Where it may run, in words.
fn affinity(cpus: &[u32], host: u32) -> String {
    if u32::try_from(cpus.len()).is_ok_and(|count| count == host) {
        return "any cpu".to_owned();
    }
    CpuSet::new(cpus.iter().copied()).map_or_else(|_| "no cpus".to_owned(), |set| set.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_it_may_run_is_said_in_ranges() {
        assert_eq!(affinity(&[0, 1, 2, 3], 4), "any cpu");
        assert_eq!(affinity(&[], 4), "no cpus");
        assert_eq!(affinity(&[0, 2, 3], 4), "0,2-3");
    }
}
