//! Which version of Xen's control interface to speak: the one place that knows how releases differ.
//!
//! Everything a domain may use is stable. What only control software uses (`domctl`, `sysctl`) changes between
//! releases, and Xen refuses a call that states another number than its own. The running release is asked
//! first and the choice is then confirmed by a call that changes nothing, because distributions carry changes
//! from one release to another.
//!
//! What the public headers of later releases change, for when they join [`INTERFACES`]:
//!
//! | release | domctl | sysctl | layouts this project uses |
//! | --- | --- | --- | --- |
//! | 4.17 | 0x15 | 0x15 | as declared here |
//! | 4.18 | 0x16 | 0x15 | the same |
//! | 4.19, 4.20 | 0x17 | 0x15 | `createdomain` has 32 bits of altp2m options before `vmtrace_size` |
//! | 4.21 | 0x17 | 0x16 | as 4.20 |
//! | 4.22 | 0x18 | 0x16 | as 4.20 |

use core::fmt;

use super::table::{Header, abi_constants};
use super::version::XenVersion;

pub(super) const HEADER: Header = Header { path: "xen/sysctl.h", structs: &[], constants: CONSTANTS };

abi_constants! {
    /// The number of Xen 4.17.
    const DOMCTL_4_17: u32 = 0x15 => "XEN_DOMCTL_INTERFACE_VERSION";
    /// The number of Xen 4.17.
    const SYSCTL_4_17: u32 = 0x15 => "XEN_SYSCTL_INTERFACE_VERSION";
}

/// The control interface of one release.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interface {
    /// The first release that has it.
    pub release: XenVersion,
    /// What `domctl` has to state.
    pub domctl: u32,
    /// What `sysctl` has to state.
    pub sysctl: u32,
}

/// Every interface this project speaks, oldest first.
pub const INTERFACES: &[Interface] =
    &[Interface { release: XenVersion { major: 4, minor: 17 }, domctl: DOMCTL_4_17, sysctl: SYSCTL_4_17 }];

/// Xen accepted none of [`INTERFACES`]. It answers the same to an unknown number and to a caller without
/// rights, so the two cannot be told apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoInterface {
    /// The running release.
    pub running: XenVersion,
}

impl fmt::Display for NoInterface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Xen {} refused every control interface this program knows: an unknown release (known:",
            self.running
        )?;
        for interface in INTERFACES {
            write!(f, " {}", interface.release)?;
        }
        f.write_str(") or no control privilege")
    }
}

impl core::error::Error for NoInterface {}

impl Interface {
    /// Chooses the interface of the running release.
    ///
    /// `accepts` tries one on Xen with calls that change nothing (`sysctl sched_id` and `domctl getdomaininfo`
    /// will do) and is false when Xen answers [`Errno::EACCES`](super::errno::Errno::EACCES). The newest interface that is not newer than `running` is tried
    /// first, then the others from the newest on.
    pub fn select(
        running: XenVersion,
        accepts: impl FnMut(&Self) -> bool,
    ) -> Result<&'static Self, NoInterface> {
        choose(INTERFACES, running, accepts).ok_or(NoInterface { running })
    }
}

fn choose(
    table: &[Interface],
    running: XenVersion,
    mut accepts: impl FnMut(&Interface) -> bool,
) -> Option<&Interface> {
    let not_newer = |interface: &&Interface| interface.release <= running;
    let newest_first = || table.iter().rev();
    let likely = newest_first().filter(not_newer);
    let unlikely = newest_first().filter(|interface| !not_newer(interface));
    likely.chain(unlikely).find(|interface| accepts(interface))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec::Vec;

    const fn xen(minor: u16) -> XenVersion {
        XenVersion { major: 4, minor }
    }

    const TABLE: &[Interface] = &[
        Interface { release: xen(17), domctl: 0x15, sysctl: 0x15 },
        Interface { release: xen(19), domctl: 0x17, sysctl: 0x15 },
        Interface { release: xen(21), domctl: 0x17, sysctl: 0x16 },
    ];

    fn tried(
        running: XenVersion,
        accepted: Option<&Interface>,
    ) -> (Vec<XenVersion>, Option<&'static Interface>) {
        let mut order = Vec::new();
        let chosen = choose(TABLE, running, |interface| {
            order.push(interface.release);
            Some(interface) == accepted
        });
        (order, chosen)
    }

    #[test]
    fn the_running_release_is_tried_first() {
        assert_eq!(tried(xen(19), Some(&TABLE[1])), (Vec::from([xen(19)]), Some(&TABLE[1])));
        assert_eq!(tried(xen(20), Some(&TABLE[1])), (Vec::from([xen(19)]), Some(&TABLE[1])));
    }

    #[test]
    fn all_others_are_tried_when_xen_refuses_that() {
        let order = Vec::from([xen(19), xen(17), xen(21)]);
        assert_eq!(tried(xen(20), None), (order, None));
    }

    #[test]
    fn a_release_older_than_all_is_still_tried() {
        assert_eq!(tried(xen(16), Some(&TABLE[0])).1, Some(&TABLE[0]));
    }

    #[test]
    fn refusal_names_the_release_and_both_causes() {
        let error = Interface::select(XenVersion::from_code(0x0004_0014), |_| false).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Xen 4.20 refused every control interface this program knows: an unknown release (known: 4.17) \
             or no control privilege"
        );
    }
}
