//! One look at all domains, and what it means beside the one before.

use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::time::Instant;

use xendless_core::protocol::resources::VcpuRow;
use xendless_core::protocol::{Answer, Host, Request, Row};

use super::super::list::seconds;
use super::super::list::state::State;
use super::devices::{self, Network, Vbd};
use crate::client::{self, Client, Event};
use crate::xm::error::Error;
use crate::xm::session::pages;
use crate::xm::signals::{Signals, status};

/// Where samples come from. A signal ends the wait for an answer.
pub(super) struct Source<'a> {
    client: &'a mut Client,
    signals: Option<&'a mut Signals>,
}

impl<'a> Source<'a> {
    /// Nothing but answers is waited for.
    pub(super) fn plain(client: &'a mut Client) -> Self {
        Self { client, signals: None }
    }

    /// Signals are heeded, too.
    pub(super) fn heeding(client: &'a mut Client, signals: &'a mut Signals) -> Self {
        Self { client, signals: Some(signals) }
    }

    fn ask(&mut self, request: Request<'_>) -> Result<Answer<'_>, Error> {
        let id = self.client.start(request)?;
        if let Some(signals) = &mut self.signals {
            loop {
                let fd: Option<BorrowedFd<'_>> = Some(std::os::fd::AsFd::as_fd(&**signals));
                let woken = self.client.wait([fd], false)?;
                if woken.others == [true]
                    && let Some(signal) = signals.take()
                {
                    return Err(Error::Silent(status(signal)));
                }
                if woken.message {
                    break;
                }
            }
        }
        match self.client.next(id)? {
            Event::Answer(result) => Ok(result?),
            _ => Err(client::Error::Unexpected.into()),
        }
    }

    fn host(&mut self) -> Result<Host, Error> {
        match self.ask(Request::Host)? {
            Answer::Host(host) => Ok(*host),
            _ => Err(client::Error::Unexpected.into()),
        }
    }

    fn rows(&mut self) -> Result<Vec<Row>, Error> {
        pages(|from| match self.ask(Request::List { from })? {
            Answer::Rows { rows, next } => Ok((rows.to_vec(), next)),
            _ => Err(client::Error::Unexpected.into()),
        })
    }

    fn vcpus(&mut self, domid: u16) -> Result<Vec<VcpuRow>, Error> {
        let domain = domid.to_string();
        let found = pages(|from| match self.ask(Request::Vcpus { domain: &domain, from })? {
            Answer::Vcpus(page) => Ok((page.rows.to_vec(), page.next)),
            _ => Err(client::Error::Unexpected.into()),
        });
        match found {
            // It ended meanwhile.
            Err(Error::Usage(_) | Error::Plain(_)) => Ok(Vec::new()),
            found => found,
        }
    }
}

/// What a domain does.
pub(super) struct Domain {
    pub(super) row: Row,
    pub(super) state: State,
    /// Its part of one CPU since the look before, in percent.
    pub(super) cpu_percent: f64,
    pub(super) vcpus: Vec<VcpuRow>,
    pub(super) networks: Vec<Network>,
    pub(super) vbds: Vec<Vbd>,
}

/// One look.
pub(super) struct Sample {
    at: Instant,
    pub(super) host: Host,
    pub(super) domains: Vec<Domain>,
}

impl Sample {
    /// Looks, at virtual CPUs only if they are wanted. `before` is what was seen the last time.
    ///
    /// # Errors
    ///
    /// When nothing can be seen.
    pub(super) fn take(source: &mut Source<'_>, before: Option<&Self>, vcpus: bool) -> Result<Self, Error> {
        let (at, host) = (Instant::now(), source.host()?);
        let passed = before.map(|before| at.duration_since(before.at).as_secs_f64());
        let used: BTreeMap<u16, u64> = before.map(Self::used).unwrap_or_default();
        let mut domains = Vec::new();
        for row in source.rows()? {
            let more = used.get(&row.domid).map(|used| row.cpu_ns.saturating_sub(*used));
            let cpu_percent = more.zip(passed).map_or(0.0, |(ns, passed)| percent(seconds(ns), passed));
            let vcpus = if vcpus { source.vcpus(row.domid)? } else { Vec::new() };
            domains.push(Domain {
                state: State::of(&row),
                cpu_percent,
                vcpus,
                networks: devices::networks(Path::new("/sys"), row.domid),
                vbds: devices::vbds(Path::new("/sys"), row.domid),
                row,
            });
        }
        Ok(Self { at, host, domains })
    }

    fn used(&self) -> BTreeMap<u16, u64> {
        self.domains.iter().map(|domain| (domain.row.domid, domain.row.cpu_ns)).collect()
    }

    /// All of it, for scripts.
    pub(super) fn json(&self) -> serde_json::Value {
        let domains: Vec<_> = self.domains.iter().map(|domain| domain.json(&self.host)).collect();
        serde_json::json!({
            "total_memory_kib": self.host.total_kib,
            "free_memory_kib": self.host.free_kib,
            "nr_cpus": self.host.cpus,
            "cpu_mhz": self.host.cpu_khz / 1000,
            "domains": domains,
        })
    }
}

impl Domain {
    /// Its part of the machine's memory, in percent.
    pub(super) fn memory_percent(&self, host: &Host) -> f64 {
        percent(mib(self.row.memory_kib), mib(host.total_kib))
    }

    fn json(&self, host: &Host) -> serde_json::Value {
        let vcpus: Vec<f64> = self.vcpus.iter().map(|vcpu| seconds(vcpu.cpu_ns)).collect();
        let sum = |of: fn(&Network) -> u64| self.networks.iter().map(of).sum::<u64>();
        let ops = |of: fn(&Vbd) -> u64| self.vbds.iter().map(of).sum::<u64>();
        serde_json::json!({
            "name": self.row.name,
            "id": self.row.domid,
            "state": self.state.letters(),
            "cpu_seconds": seconds(self.row.cpu_ns),
            "cpu_percent": self.cpu_percent,
            "memory_kib": self.row.memory_kib,
            "memory_percent": self.memory_percent(host),
            "max_memory_kib": self.row.max_kib,
            "vcpus": self.row.vcpus,
            "vcpu_seconds": vcpus,
            "networks": self.networks.len(),
            "network_sent_bytes": sum(|network| network.sent),
            "network_received_bytes": sum(|network| network.received),
            "vbds": self.vbds.len(),
            "vbd_reads": ops(|vbd| vbd.reads),
            "vbd_writes": ops(|vbd| vbd.writes),
            "ssid": self.row.ssid,
        })
    }
}

/// KiB as MiB, as a number that divides.
fn mib(kib: u64) -> f64 {
    f64::from(u32::try_from(kib / 1024).unwrap_or(u32::MAX))
}

pub(super) fn percent(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part * 100.0 / whole } else { 0.0 }
}
