//! The console, time, sleeping, and what Xen says about the machine.

use xendless_core::hyper::{
    Call, Console, Host, HostInfo, Result, Scheduler, SchedulerKind, ShutdownReason, Virq, XenBuild,
    XenVersion,
};

use super::machine::Machine;
use super::{SimDomain, SimHypervisor};

/// Typed bytes that Xen keeps until a domain takes them (`SERIAL_RX_SIZE` of `drivers/char/console.c`).
const TYPED: usize = 128;

/// Bytes in Xen's console ring.
const RING: usize = 16 << 10;

/// What became of the machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Power {
    /// It runs.
    On,
    /// The initial domain powered it off.
    Halted,
    /// The initial domain crashed or asked for a restart.
    Restarted,
}

impl Machine {
    pub(super) fn advance(&mut self, ns: u64) {
        let end = self.now + ns;
        loop {
            let timers = self.domains.iter().filter_map(|(domid, domain)| Some((domain.timer?, *domid)));
            let Some((deadline, domid)) = timers.min().filter(|(deadline, _)| *deadline <= end) else {
                break;
            };
            self.now = self.now.max(deadline);
            if let Ok(domain) = self.domain_mut(domid) {
                domain.timer = None;
            }
            self.raise_virq(domid, Virq::Timer);
        }
        self.now = end;
    }

    /// `__serial_rx`: what finds no room is lost, and the domain is told every time.
    pub(super) fn type_in(&mut self, bytes: &[u8]) -> usize {
        let kept = bytes.len().min(TYPED - self.console_in.len());
        self.console_in.extend(&bytes[..kept]);
        self.raise_virq(SimHypervisor::INITIAL, Virq::Console);
        kept
    }

    pub(super) fn xen_says(&mut self, text: &str) {
        self.console_out.extend(text.as_bytes());
        self.ring.extend(text.as_bytes());
        self.ring_end = self.ring_end.wrapping_add(text.len() as u32);
        let excess = self.ring.len().saturating_sub(RING);
        self.ring.drain(..excess);
        self.raise_virq(SimHypervisor::INITIAL, Virq::ConsoleRing);
    }
}

impl Console for SimDomain {
    fn console_write(&self, text: &[u8]) -> Result<()> {
        self.call(Call::ConsoleWrite, |machine, me| {
            machine.require_privilege(me)?;
            machine.console_out.extend(text);
            Ok(())
        })
    }

    fn console_read(&self, buffer: &mut [u8]) -> Result<usize> {
        self.call(Call::ConsoleRead, |machine, me| {
            machine.require_privilege(me)?;
            let count = buffer.len().min(machine.console_in.len());
            for (to, from) in buffer.iter_mut().zip(machine.console_in.drain(..count)) {
                *to = from;
            }
            Ok(count)
        })
    }
}

impl Scheduler for SimDomain {
    fn block(&self) -> Result<()> {
        self.call(Call::Block, |machine, me| {
            let domain = machine.domain_mut(me)?;
            domain.blocked = !domain.events.upcall_pending.load(std::sync::atomic::Ordering::SeqCst);
            Ok(())
        })
    }

    fn set_timer(&self, deadline: Option<u64>) -> Result<()> {
        self.call(Call::SetTimer, |machine, me| {
            machine.domain_mut(me)?.timer = deadline;
            // A deadline that has passed fires at once.
            machine.advance(0);
            Ok(())
        })
    }

    fn shutdown(&self, reason: ShutdownReason) -> Result<()> {
        self.call(Call::Shutdown, |machine, me| {
            machine.shut_down(me, reason);
            Ok(())
        })
    }
}

impl Host for SimDomain {
    fn xen_version(&self) -> Result<XenVersion> {
        self.call(Call::XenVersion, |machine, _| Ok(machine.config.version))
    }

    fn xen_build(&self) -> Result<XenBuild> {
        self.call(Call::XenVersion, |_, _| {
            Ok(XenBuild {
                extra: ".7".into(),
                capabilities: "xen-3.0-x86_64 hvm-3.0-x86_64 ".into(),
                changeset: "simulated".into(),
                command_line: "loglvl=all".into(),
                compiler: "a compiler".into(),
                compile_by: "nobody".into(),
                compile_domain: "nowhere".into(),
                compile_date: "never".into(),
                virt_start: 0xffff_8000_0000_0000,
            })
        })
    }

    fn host_info(&self) -> Result<HostInfo> {
        self.call(Call::PhysInfo, |machine, me| {
            machine.sysctl(me)?;
            let control = machine.config.control_pages;
            Ok(HostInfo {
                threads_per_core: 1,
                cores_per_socket: 1,
                cpus: machine.config.cpus,
                cpu_ids: machine.config.cpus,
                nodes: 1,
                cpu_khz: 1_000_000,
                total_pages: machine.config.pages as u64 + control,
                free_pages: machine.free.len() as u64,
                scrub_pages: 0,
                hw_cap: [0; 8],
                hvm: machine.config.hvm,
                pv: true,
                hap: machine.config.hvm,
            })
        })
    }

    fn scheduler(&self) -> Result<SchedulerKind> {
        self.call(Call::SchedulerId, |machine, me| {
            machine.sysctl(me)?;
            Ok(SchedulerKind::Credit2)
        })
    }

    fn read_console_ring(&self, index: u32, buffer: &mut [u8]) -> Result<(usize, u32)> {
        self.call(Call::ReadConsoleRing, |machine, me| {
            machine.sysctl(me)?;
            let held = machine.ring.len();
            let start = machine.ring_end.wrapping_sub(held as u32);
            // `read_console_ring`: an index outside of what is held starts at the oldest byte.
            let skip = held.saturating_sub(machine.ring_end.wrapping_sub(index) as usize);
            let count = buffer.len().min(held - skip);
            for (to, from) in buffer.iter_mut().zip(machine.ring.iter().skip(skip)) {
                *to = *from;
            }
            Ok((count, start.wrapping_add((skip + count) as u32)))
        })
    }

    fn clear_console_ring(&self, index: u32) -> Result<()> {
        self.call(Call::ReadConsoleRing, |machine, me| {
            machine.sysctl(me)?;
            let kept = machine.ring_end.wrapping_sub(index) as usize;
            let forgotten = machine.ring.len().saturating_sub(kept);
            machine.ring.drain(..forgotten);
            Ok(())
        })
    }
}
