//! Who may ask: root, the user who runs the daemon, and the members of one group.
//!
//! The socket's owner and mode keep others out already. This is the second look, by the kernel's word on who is at the
//! other end.

use std::fs;

use rustix::net::UCred;
use rustix::process::{Pid, getuid};

use super::mux::Peer;

/// Who may ask.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Access {
    /// The group whose members may.
    pub group: Option<u32>,
}

impl Access {
    /// What the one who connected is here.
    #[must_use]
    pub fn of(self, peer: &UCred) -> Peer {
        let trusted = peer.uid.is_root()
            || peer.uid == getuid()
            || self.group.is_some_and(|group| peer.gid.as_raw() == group || is_member(peer.pid, group));
        if trusted { Peer::Trusted } else { Peer::Stranger }
    }
}

/// Whether the process is in the group besides its first one.
fn is_member(pid: Pid, group: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero()));
    status.is_ok_and(|status| lists(&status, group))
}

fn lists(status: &str, group: u32) -> bool {
    let groups = status.lines().find_map(|line| line.strip_prefix("Groups:"));
    groups.is_some_and(|groups| groups.split_whitespace().any(|word| word.parse() == Ok(group)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{Gid, Uid, getpid};

    #[test]
    fn attack_e03_only_root_the_owner_and_the_group_may_ask() {
        let peer = |uid, gid| UCred { pid: getpid(), uid: Uid::from_raw(uid), gid: Gid::from_raw(gid) };
        let (closed, open) = (Access { group: None }, Access { group: Some(77) });
        let other = getuid().as_raw() + 1000;
        for access in [closed, open] {
            assert_eq!(access.of(&peer(0, 5)), Peer::Trusted);
            assert_eq!(access.of(&peer(getuid().as_raw(), 5)), Peer::Trusted);
            assert_eq!(access.of(&peer(other, 5)), Peer::Stranger);
        }
        assert_eq!(open.of(&peer(other, 77)), Peer::Trusted);
        assert_eq!(closed.of(&peer(other, 77)), Peer::Stranger);
        assert_eq!(closed.of(&peer(other, 0)), Peer::Stranger, "root's group is not root");
    }

    #[test]
    fn further_groups_are_found_in_the_kernels_word_on_a_process() {
        let status = "Name:\tsh\nGid:\t5\t5\t5\t5\nGroups:\t5 77 1000 \nVmSize:\t77 kB\n";
        assert!(lists(status, 77) && lists(status, 1000));
        assert!(!lists(status, 7) && !lists(status, 100));
        assert!(!lists("Name:\tGroups: 77\n", 77));
    }
}
