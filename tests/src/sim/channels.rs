//! Event channels and virtual interrupts. Refusals follow `common/event_channel.c` of Xen.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use xendless_core::abi::errno::Errno;
use xendless_core::events::{Bitmaps, PORTS, WORDS};
use xendless_core::hyper::{Call, DomId, EventChannels, Port, PortState, Result, Virq};

use super::machine::{Domain, Life, Machine};
use super::{Answer, SimDomain};

/// Slots that Xen adds to a domain's table at a time (`EVTCHNS_PER_BUCKET`).
const BUCKET: u32 = 64;

/// Where one domain's events show up: the event part of shared info and of virtual CPU 0.
#[derive(Debug)]
pub struct EventMemory {
    /// `evtchn_upcall_pending`: some event came; the domain clears it before it looks.
    pub upcall_pending: AtomicBool,
    selector: AtomicU64,
    pending: [AtomicU64; WORDS],
    mask: [AtomicU64; WORDS],
}

impl Default for EventMemory {
    fn default() -> Self {
        let zero = || [const { AtomicU64::new(0) }; WORDS];
        Self { upcall_pending: AtomicBool::new(false), selector: 0.into(), pending: zero(), mask: zero() }
    }
}

impl EventMemory {
    /// The bitmaps, for a scanner.
    #[must_use]
    pub fn bits(&self) -> Bitmaps<'_> {
        Bitmaps { selector: &self.selector, pending: &self.pending, mask: &self.mask }
    }

    /// Masks `port`, as a guest does by itself.
    pub fn mask(&self, port: Port) {
        let (word, bit) = position(port.0);
        self.mask[word].fetch_or(bit, Ordering::SeqCst);
    }

    /// `evtchn_2l_set_pending`; tells whether the domain is to be woken.
    fn set(&self, port: u32) -> bool {
        let (word, bit) = position(port);
        let was = self.pending[word].fetch_or(bit, Ordering::SeqCst) & bit != 0;
        let masked = self.mask[word].load(Ordering::SeqCst) & bit != 0;
        !was && !masked && self.select(word)
    }

    /// `evtchn_2l_unmask`; tells whether the domain is to be woken.
    fn unmask(&self, port: u32) -> bool {
        let (word, bit) = position(port);
        let was_masked = self.mask[word].fetch_and(!bit, Ordering::SeqCst) & bit != 0;
        was_masked && self.pending[word].load(Ordering::SeqCst) & bit != 0 && self.select(word)
    }

    fn clear(&self, port: u32) {
        let (word, bit) = position(port);
        self.pending[word].fetch_and(!bit, Ordering::SeqCst);
    }

    fn select(&self, word: usize) -> bool {
        let fresh = self.selector.fetch_or(1 << word, Ordering::SeqCst) & (1 << word) == 0;
        if fresh {
            self.upcall_pending.store(true, Ordering::SeqCst);
        }
        fresh
    }
}

fn position(port: u32) -> (usize, u64) {
    ((port / u64::BITS) as usize, 1 << (port % u64::BITS))
}

/// One channel in use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Channel {
    Unbound(DomId),
    Interdomain(DomId, u32),
    Virq(Virq),
}

impl Domain {
    /// `get_free_port`: the lowest free one.
    fn free_port(&mut self) -> Answer<u32> {
        if self.life != Life::Alive {
            return Err(Errno::EINVAL);
        }
        let last = self.max_port.min(PORTS - 1);
        let port = (1..=last).find(|port| !self.ports.contains_key(port)).ok_or(Errno::ENOSPC)?;
        while port >= self.valid_ports {
            self.valid_ports += BUCKET;
        }
        Ok(port)
    }

    /// `_evtchn_from_port`: a slot of the table, in use or not.
    fn check_port(&self, port: Port) -> Answer<u32> {
        if port.0 < self.valid_ports { Ok(port.0) } else { Err(Errno::EINVAL) }
    }

    fn channel(&self, port: Port) -> Answer<Channel> {
        self.check_port(port)?;
        self.ports.get(&port.0).copied().ok_or(Errno::EINVAL)
    }

    fn wake(&mut self, woken: bool) {
        self.blocked &= !woken;
    }
}

impl Machine {
    fn set_pending(&mut self, domid: DomId, port: u32) {
        if let Ok(domain) = self.domain_mut(domid) {
            let woken = domain.events.set(port);
            domain.wake(woken);
        }
    }

    pub(super) fn raise_virq(&mut self, domid: DomId, virq: Virq) {
        let Ok(domain) = self.domain(domid) else { return };
        let port = domain.ports.iter().find(|(_, channel)| **channel == Channel::Virq(virq));
        if let Some((&port, _)) = port {
            self.set_pending(domid, port);
        }
    }

    /// `evtchn_close`: the other end becomes unbound again and keeps its number.
    pub(super) fn close_port(&mut self, domid: DomId, port: Port) -> Answer<()> {
        let channel = self.domain(domid)?.channel(port)?;
        let domain = self.domain_mut(domid)?;
        domain.ports.remove(&port.0);
        domain.events.clear(port.0);
        if let Channel::Interdomain(remote, remote_port) = channel {
            let remote = self.domain_mut(remote)?;
            // Gone already when both ends were in one domain and the other was closed by this call.
            if let Some(end) = remote.ports.get_mut(&remote_port) {
                *end = Channel::Unbound(domid);
            }
        }
        Ok(())
    }

    fn bind_interdomain(&mut self, me: DomId, remote: DomId, remote_port: Port) -> Answer<Port> {
        let remote = self.resolve(me, remote)?;
        let port = self.domain_mut(me)?.free_port()?;
        if self.domain(remote)?.channel(remote_port)? != Channel::Unbound(me) {
            return Err(Errno::EINVAL);
        }
        self.domain_mut(me)?.ports.insert(port, Channel::Interdomain(remote, remote_port.0));
        self.domain_mut(remote)?.ports.insert(remote_port.0, Channel::Interdomain(me, port));
        // Xen signals the new end at once, in case the other one was signalled before.
        self.set_pending(me, port);
        Ok(Port(port))
    }
}

impl EventChannels for SimDomain {
    fn alloc_unbound(&self, owner: DomId, remote: DomId) -> Result<Port> {
        self.call(Call::EvtchnAllocUnbound, |machine, me| {
            let owner = machine.resolve(me, owner)?;
            let port = machine.domain_mut(owner)?.free_port()?;
            machine.require_rights_over(me, owner)?;
            // The other side need not exist yet.
            let remote = if remote == DomId::SELF { me } else { remote };
            machine.domain_mut(owner)?.ports.insert(port, Channel::Unbound(remote));
            Ok(Port(port))
        })
    }

    fn bind_interdomain(&self, remote: DomId, remote_port: Port) -> Result<Port> {
        self.call(Call::EvtchnBindInterdomain, |machine, me| {
            machine.bind_interdomain(me, remote, remote_port)
        })
    }

    fn bind_virq(&self, virq: Virq) -> Result<Port> {
        self.call(Call::EvtchnBindVirq, |machine, me| {
            let domain = machine.domain_mut(me)?;
            if domain.ports.values().any(|channel| *channel == Channel::Virq(virq)) {
                return Err(Errno::EEXIST);
            }
            let port = domain.free_port()?;
            domain.ports.insert(port, Channel::Virq(virq));
            Ok(Port(port))
        })
    }

    fn notify(&self, port: Port) -> Result<()> {
        self.call(Call::EvtchnSend, |machine, me| match machine.domain(me)?.channel(port)? {
            Channel::Interdomain(remote, remote_port) => {
                machine.set_pending(remote, remote_port);
                Ok(())
            }
            // Dropped silently, `evtchn_send`.
            Channel::Unbound(_) => Ok(()),
            Channel::Virq(_) => Err(Errno::EINVAL),
        })
    }

    fn unmask(&self, port: Port) -> Result<()> {
        self.call(Call::EvtchnUnmask, |machine, me| {
            let domain = machine.domain_mut(me)?;
            // A slot is enough, it need not be in use.
            let port = domain.check_port(port)?;
            let woken = domain.events.unmask(port);
            domain.wake(woken);
            Ok(())
        })
    }

    fn close(&self, port: Port) -> Result<()> {
        self.call(Call::EvtchnClose, |machine, me| machine.close_port(me, port))
    }

    fn port_state(&self, domid: DomId, port: Port) -> Result<PortState> {
        self.call(Call::EvtchnStatus, |machine, me| {
            let domid = machine.resolve(me, domid)?;
            let domain = machine.domain(domid)?;
            let port = domain.check_port(port)?;
            machine.require_rights_over(me, domid)?;
            Ok(domain.ports.get(&port).map_or(PortState::Closed, |channel| channel.state()))
        })
    }
}

impl Channel {
    pub(super) fn state(self) -> PortState {
        match self {
            Self::Unbound(remote) => PortState::Unbound(remote),
            Self::Interdomain(remote, port) => PortState::Interdomain(remote, Port(port)),
            Self::Virq(virq) => PortState::Virq(virq.code()),
        }
    }
}
