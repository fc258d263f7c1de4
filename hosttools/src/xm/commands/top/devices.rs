//! What the devices of domains did whose backends are in this domain, as its kernel counts.

use std::fs;
use std::path::Path;

/// A network device of a domain. The domain's view: what it sent, its backend received.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Network {
    pub(super) id: u32,
    /// Bytes.
    pub(super) sent: u64,
    /// Bytes.
    pub(super) received: u64,
}

/// A block device of a domain.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Vbd {
    pub(super) id: u32,
    /// Requests that had to wait for room.
    pub(super) full: u64,
    pub(super) reads: u64,
    pub(super) writes: u64,
    /// Sectors.
    pub(super) sectors_read: u64,
    /// Sectors.
    pub(super) sectors_written: u64,
}

/// The network devices of a domain, in order of their numbers.
pub(super) fn networks(sys: &Path, domid: u16) -> Vec<Network> {
    let folder = sys.join("class/net");
    let mut found: Vec<Network> = numbers(&folder, &format!("vif{domid}."))
        .map(|id| {
            let count = |name| number(&folder.join(format!("vif{domid}.{id}/statistics/{name}")));
            Network { id, sent: count("rx_bytes"), received: count("tx_bytes") }
        })
        .collect();
    found.sort_by_key(|network| network.id);
    found
}

/// The block devices of a domain, in order of their numbers.
pub(super) fn vbds(sys: &Path, domid: u16) -> Vec<Vbd> {
    let folder = sys.join("bus/xen-backend/devices");
    let mut found: Vec<Vbd> = numbers(&folder, &format!("vbd-{domid}-"))
        .map(|id| {
            let count = |name| number(&folder.join(format!("vbd-{domid}-{id}/statistics/{name}")));
            Vbd {
                id,
                full: count("oo_req"),
                reads: count("rd_req"),
                writes: count("wr_req"),
                sectors_read: count("rd_sect"),
                sectors_written: count("wr_sect"),
            }
        })
        .collect();
    found.sort_by_key(|vbd| vbd.id);
    found
}

/// What stands behind `prefix` in the names of a folder. A folder that is not there has none.
fn numbers(folder: &Path, prefix: &str) -> impl Iterator<Item = u32> {
    let names = fs::read_dir(folder).into_iter().flatten().flatten();
    let prefix = prefix.to_owned();
    names.filter_map(move |entry| entry.file_name().to_str()?.strip_prefix(&prefix)?.parse().ok())
}

/// A count; nothing while the device goes.
fn number(path: &Path) -> u64 {
    fs::read_to_string(path).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_from_the_kernels_files() {
        let sys = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = sys.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("class/net/vif7.1/statistics/rx_bytes", "5000\n");
        write("class/net/vif7.0/statistics/tx_bytes", "70");
        write("class/net/vif77.0/statistics/tx_bytes", "1");
        write("bus/xen-backend/devices/vbd-7-51712/statistics/rd_req", "12\n");
        write("bus/xen-backend/devices/vbd-7-51712/statistics/wr_sect", "nonsense");
        let [first, second] =
            [(0, 0, 70), (1, 5000, 0)].map(|(id, sent, received)| Network { id, sent, received });
        assert_eq!(networks(sys.path(), 7), [first, second]);
        assert_eq!(vbds(sys.path(), 7), [Vbd { id: 51712, reads: 12, ..Vbd::default() }]);
        assert_eq!(vbds(sys.path(), 8), []);
    }
}
