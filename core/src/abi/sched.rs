//! Scheduling of oneself, and why domains shut down. Source: `xen/sched.h`.

use super::table::{Header, abi_constants, abi_structs};

pub(super) const HEADER: Header = Header { path: "xen/sched.h", structs: STRUCTS, constants: CONSTANTS };

abi_structs! {
    /// The argument of [`SCHEDOP_SHUTDOWN`].
    struct SchedShutdown = "struct sched_shutdown", 4 {
        /// `SHUTDOWN_*`.
        @0 reason: u32,
    }

    /// The argument of [`SCHEDOP_POLL`].
    struct SchedPoll = "struct sched_poll", 24 {
        /// The address of `nr_ports` port numbers of 32 bits.
        @0 ports: u64,
        @8 nr_ports: u32,
        @12 _pad: [u8; 4],
        /// Nanoseconds since boot; 0 waits for ever.
        @16 timeout: u64,
    }

    /// The argument of [`SCHEDOP_REMOTE_SHUTDOWN`].
    struct SchedRemoteShutdown = "struct sched_remote_shutdown", 8 {
        @0 domain_id: u16,
        @2 _pad: [u8; 2],
        /// `SHUTDOWN_*`.
        @4 reason: u32,
    }
}

abi_constants! {
    const SCHEDOP_YIELD: u32 = 0 => "SCHEDOP_yield";
    const SCHEDOP_BLOCK: u32 = 1 => "SCHEDOP_block";
    const SCHEDOP_SHUTDOWN: u32 = 2 => "SCHEDOP_shutdown";
    const SCHEDOP_POLL: u32 = 3 => "SCHEDOP_poll";
    const SCHEDOP_REMOTE_SHUTDOWN: u32 = 4 => "SCHEDOP_remote_shutdown";

    const SHUTDOWN_POWEROFF: u8 = 0 => "SHUTDOWN_poweroff";
    const SHUTDOWN_REBOOT: u8 = 1 => "SHUTDOWN_reboot";
    const SHUTDOWN_SUSPEND: u8 = 2 => "SHUTDOWN_suspend";
    const SHUTDOWN_CRASH: u8 = 3 => "SHUTDOWN_crash";
    const SHUTDOWN_WATCHDOG: u8 = 4 => "SHUTDOWN_watchdog";
    const SHUTDOWN_SOFT_RESET: u8 = 5 => "SHUTDOWN_soft_reset";
}
