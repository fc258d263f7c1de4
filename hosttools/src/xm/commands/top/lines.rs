//! A sample as lines of text.

use xendless_core::protocol::Host;

use super::super::list::seconds;
use super::super::uptime::time_of_day;
use super::sample::{Domain, Sample, percent};
use crate::shown::Shown;

/// A column: its title, its width, and what comes first when it is sorted by.
#[derive(Clone, Copy)]
struct Column {
    title: &'static str,
    width: usize,
    text: fn(&Domain, &Host) -> String,
    /// Large first, but names in their order.
    rank: fn(&Domain, &Host) -> f64,
}

/// Nothing but the name decides.
fn by_name(_: &Domain, _: &Host) -> f64 {
    0.0
}

/// A count as a number that can be compared with others; those beyond 2^32 are equal.
fn count(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

fn networks(domain: &Domain, sent: bool) -> u64 {
    domain.networks.iter().map(|network| if sent { network.sent } else { network.received }).sum::<u64>()
        / 1024
}

fn vbds(domain: &Domain, of: fn(&super::devices::Vbd) -> u64) -> u64 {
    domain.vbds.iter().map(of).sum()
}

macro_rules! columns {
    ($($title:literal $width:literal $text:expr, $rank:expr;)*) => {
        &[$(Column { title: $title, width: $width, text: $text, rank: $rank }),*]
    };
}

#[rustfmt::skip]
const COLUMNS: &[Column] = columns! {
    "NAME" 10 |domain, _| Shown(&domain.row.name).to_string(), by_name;
    "STATE" 6 |domain, _| domain.state.letters(), by_name;
    "CPU(sec)" 10 |domain, _| (domain.row.cpu_ns / 1_000_000_000).to_string(), |domain, _| seconds(domain.row.cpu_ns);
    "CPU(%)" 6 |domain, _| format!("{:.1}", domain.cpu_percent), |domain, _| domain.cpu_percent;
    "MEM(k)" 10 |domain, _| domain.row.memory_kib.to_string(), |domain, _| count(domain.row.memory_kib);
    "MEM(%)" 6 |domain, host| format!("{:.1}", domain.memory_percent(host)), Domain::memory_percent;
    "MAXMEM(k)" 10 |domain, host| limit(domain, host).map_or_else(|| "no limit".to_owned(), |kib| kib.to_string()),
        |domain, _| count(domain.row.max_kib);
    "MAXMEM(%)" 9 |domain, host| limit(domain, host).map_or_else(|| "n/a".to_owned(), |kib| {
        format!("{:.1}", percent(count(kib), count(host.total_kib)))
    }), |domain, _| count(domain.row.max_kib);
    "VCPUS" 5 |domain, _| domain.row.vcpus.to_string(), |domain, _| f64::from(domain.row.vcpus);
    "NETS" 4 |domain, _| domain.networks.len().to_string(), |domain, _| count(domain.networks.len() as u64);
    "NETTX(k)" 8 |domain, _| networks(domain, true).to_string(), |domain, _| count(networks(domain, true));
    "NETRX(k)" 8 |domain, _| networks(domain, false).to_string(), |domain, _| count(networks(domain, false));
    "VBDS" 4 |domain, _| domain.vbds.len().to_string(), |domain, _| count(domain.vbds.len() as u64);
    "VBD_OO" 8 |domain, _| vbds(domain, |vbd| vbd.full).to_string(), |domain, _| count(vbds(domain, |vbd| vbd.full));
    "VBD_RD" 8 |domain, _| vbds(domain, |vbd| vbd.reads).to_string(), |domain, _| count(vbds(domain, |vbd| vbd.reads));
    "VBD_WR" 8 |domain, _| vbds(domain, |vbd| vbd.writes).to_string(), |domain, _| count(vbds(domain, |vbd| vbd.writes));
    "VBD_RSECT" 10 |domain, _| vbds(domain, |vbd| vbd.sectors_read).to_string(),
        |domain, _| count(vbds(domain, |vbd| vbd.sectors_read));
    "VBD_WSECT" 10 |domain, _| vbds(domain, |vbd| vbd.sectors_written).to_string(),
        |domain, _| count(vbds(domain, |vbd| vbd.sectors_written));
    "SSID" 4 |domain, _| domain.row.ssid.to_string(), |domain, _| f64::from(domain.row.ssid);
};

/// How much memory a domain may have, unless that is more than the machine has.
fn limit(domain: &Domain, host: &Host) -> Option<u64> {
    Some(domain.row.max_kib).filter(|kib| *kib <= host.total_kib)
}

/// How a line looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// About all domains.
    Summary,
    /// The titles of columns.
    Titles,
    /// A domain.
    Domain,
    /// More about it.
    Detail,
}

/// A line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Line {
    pub(super) kind: Kind,
    pub(super) text: String,
}

/// What a person wants to see.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct View {
    /// Seconds between two looks.
    pub(super) delay: u64,
    /// The column that is sorted by.
    pub(super) sort: usize,
    pub(super) vcpus: bool,
    pub(super) networks: bool,
    pub(super) vbds: bool,
    /// Titles stand above every domain.
    pub(super) repeat: bool,
    /// So many domains above are out of sight.
    pub(super) skipped: usize,
}

impl Default for View {
    fn default() -> Self {
        let (vcpus, networks, vbds, repeat) = (false, false, false, false);
        Self { delay: super::DELAY, sort: 0, vcpus, networks, vbds, repeat, skipped: 0 }
    }
}

impl View {
    /// Sorts by the next column.
    pub(super) fn sort_next(&mut self) {
        self.sort = (self.sort + 1) % COLUMNS.len();
    }

    /// The title of the column that is sorted by.
    pub(super) fn sorted_by(&self) -> &'static str {
        COLUMNS.get(self.sort).map_or("", |column| column.title)
    }

    /// About the machine and all domains.
    pub(super) fn summary(&self, sample: &Sample, now: u64) -> [Line; 3] {
        let host = &sample.host;
        let version = format!("{}.{}{}", host.xen_major, host.xen_minor, Shown(&host.xen_extra));
        let letter = |letter: char| {
            sample.domains.iter().filter(|domain| domain.state.letters().contains(letter)).count()
        };
        let (total, used) = (host.total_kib, host.total_kib.saturating_sub(host.free_kib));
        let texts = [
            format!("xm top - {}   Xen {version}", time_of_day(now)),
            format!(
                "{} domains: {} running, {} blocked, {} paused, {} crashed, {} dying, {} shutdown",
                sample.domains.len(),
                letter('r'),
                letter('b'),
                letter('p'),
                letter('c'),
                letter('d'),
                letter('s')
            ),
            format!(
                "Mem: {total}k total, {used}k used, {}k free    CPUs: {} @ {}MHz",
                host.free_kib,
                host.cpus,
                host.cpu_khz / 1000
            ),
        ];
        texts.map(|text| Line { kind: Kind::Summary, text })
    }

    /// Titles, and all domains that are not out of sight.
    pub(super) fn table(&self, sample: &Sample) -> Vec<Line> {
        let titles = Line { kind: Kind::Titles, text: row(|column| column.title.to_owned()) };
        let mut lines = vec![titles.clone()];
        for (index, domain) in self.sorted(sample).into_iter().skip(self.skipped).enumerate() {
            if self.repeat && index > 0 {
                lines.push(titles.clone());
            }
            let text = row(|column| (column.text)(domain, &sample.host));
            lines.push(Line { kind: Kind::Domain, text });
            self.details(domain, &mut lines);
        }
        lines
    }

    fn sorted<'a>(&self, sample: &'a Sample) -> Vec<&'a Domain> {
        let rank = COLUMNS.get(self.sort).map_or(by_name as fn(&Domain, &Host) -> f64, |column| column.rank);
        let mut domains: Vec<&Domain> = sample.domains.iter().collect();
        domains.sort_by(|a, b| {
            let by_rank = rank(b, &sample.host).total_cmp(&rank(a, &sample.host));
            by_rank.then_with(|| a.row.name.cmp(&b.row.name)).then_with(|| a.row.domid.cmp(&b.row.domid))
        });
        domains
    }

    fn details(&self, domain: &Domain, lines: &mut Vec<Line>) {
        let mut add = |text| lines.push(Line { kind: Kind::Detail, text });
        if self.vcpus {
            for four in domain.vcpus.chunks(4) {
                let each =
                    four.iter().map(|vcpu| format!("{:>5}: {:>10}s", vcpu.vcpu, vcpu.cpu_ns / 1_000_000_000));
                add(format!("VCPUs(sec):{}", each.collect::<String>()));
            }
        }
        if self.networks {
            for network in &domain.networks {
                add(format!(
                    "Net{} RX: {:>12}bytes  TX: {:>12}bytes",
                    network.id, network.received, network.sent
                ));
            }
        }
        if self.vbds {
            for vbd in &domain.vbds {
                add(format!(
                    "VBD {:>6}  OO: {:>8}   RD: {:>8}   WR: {:>8}  RSECT: {:>10}  WSECT: {:>10}",
                    vbd.id, vbd.full, vbd.reads, vbd.writes, vbd.sectors_read, vbd.sectors_written
                ));
            }
        }
    }
}

/// Columns side by side, each at the right end of its place.
fn row(text: impl Fn(&Column) -> String) -> String {
    let cells: Vec<String> = COLUMNS
        .iter()
        .map(|column| {
            let text: String = text(column).chars().take(column.width.max(column.title.len())).collect();
            format!("{text:>width$}", width = column.width)
        })
        .collect();
    cells.join(" ")
}
