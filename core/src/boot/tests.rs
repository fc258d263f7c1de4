//! Boot on a hypervisor that answers nonsense. What the simulator can show is tested there.

use alloc::collections::BTreeSet;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::cell::RefCell;

use proptest::prelude::*;

use super::*;
use crate::bundle::Header;
use crate::hyper::{DomId, GrantRef, HostInfo, Port, PortState, Result, SchedulerKind, XenBuild, XenVersion};
use crate::lines::HeapUsage;

/// Answers `bind_virq` with the ports it is told, whatever they are.
struct Nonsense {
    answers: RefCell<Vec<u32>>,
    open: RefCell<BTreeSet<Port>>,
}

impl Nonsense {
    fn new(answers: &[u32]) -> Self {
        Self { answers: RefCell::new(answers.iter().rev().copied().collect()), open: RefCell::default() }
    }
}

impl Console for Nonsense {
    fn console_write(&self, _: &[u8]) -> Result<()> {
        unreachable!("boot is not ready")
    }

    fn console_read(&self, _: &mut [u8]) -> Result<usize> {
        unreachable!("boot reads nothing")
    }
}

impl EventChannels for Nonsense {
    fn bind_virq(&self, _: Virq) -> Result<Port> {
        let port = Port(self.answers.borrow_mut().pop().unwrap());
        self.open.borrow_mut().insert(port);
        Ok(port)
    }

    fn close(&self, port: Port) -> Result<()> {
        self.open.borrow_mut().remove(&port);
        Ok(())
    }

    fn alloc_unbound(&self, _: DomId, _: DomId) -> Result<Port> {
        unreachable!("boot makes no channels to other domains")
    }

    fn bind_interdomain(&self, _: DomId, _: Port) -> Result<Port> {
        unreachable!("boot makes no channels to other domains")
    }

    fn notify(&self, _: Port) -> Result<()> {
        unreachable!("boot signals nobody")
    }

    fn unmask(&self, _: Port) -> Result<()> {
        unreachable!("boot masks nothing")
    }

    fn port_state(&self, _: DomId, _: Port) -> Result<PortState> {
        unreachable!("boot looks at no channel")
    }
}

impl Host for Nonsense {
    fn host_info(&self) -> Result<HostInfo> {
        Ok(HostInfo {
            threads_per_core: 1,
            cores_per_socket: 1,
            cpus: 1,
            cpu_ids: 1,
            nodes: 1,
            cpu_khz: 1,
            total_pages: 1,
            free_pages: 1,
            scrub_pages: 0,
            hw_cap: [0; 8],
            hvm: false,
            pv: true,
            hap: false,
        })
    }

    fn xen_version(&self) -> Result<XenVersion> {
        unreachable!("Xen understood us")
    }

    fn xen_build(&self) -> Result<XenBuild> {
        unreachable!("boot does not care")
    }

    fn scheduler(&self) -> Result<SchedulerKind> {
        unreachable!("boot does not care")
    }

    fn read_console_ring(&self, _: u32, _: &mut [u8]) -> Result<(usize, u32)> {
        unreachable!("boot does not care")
    }

    fn clear_console_ring(&self, _: u32) -> Result<()> {
        unreachable!("boot does not care")
    }
}

/// Boot offers no pages.
enum NoOffer {}

impl core::ops::Deref for NoOffer {
    type Target = Page;

    fn deref(&self) -> &Page {
        match *self {}
    }
}

impl SharedOut for NoOffer {
    fn grant(&self) -> GrantRef {
        match *self {}
    }
}

struct Nowhere;

impl Site for Nowhere {
    fn now(&self) -> u64 {
        0
    }

    fn heap(&self) -> HeapUsage {
        HeapUsage { used_kib: 0, limit_kib: 0 }
    }

    fn log(&self, _: Event) {}
}

#[test]
fn event_channels_that_cannot_be_are_refused_and_given_back() {
    let facts = BootFacts {
        initial_domain: true,
        privileged: true,
        pages: u64::MAX,
        bundle: Some(Vec::leak(Header::new(0, &[], 48).to_bytes().to_vec())),
        entered_at: 0,
        images: None,
    };
    for (answers, told) in [
        (&[0][..], "Xen gave event channel 0, which is out of range"),
        (&[3, 4096], "Xen gave event channel 4096, which is out of range"),
        (&[3, 4, 3], "Xen gave event channel 3 twice"),
    ] {
        let hv = Nonsense::new(answers);
        let error = start::<&Page, NoOffer, _>(&hv, &Nowhere, &facts).map(drop).expect_err("nonsense");
        assert!(error.to_string().starts_with(told), "{error}");
        assert!(hv.open.borrow().is_empty(), "{answers:?}: something stays bound");
    }
}

proptest! {
    #[test]
    fn attack_e06_no_command_line_makes_an_unreadable_error(
        line in prop::collection::vec(any::<u8>(), 0..200), fault_injection: bool,
    ) {
        if let Err(error) = Options::parse(&line, Build { fault_injection }) {
            let text = BootError::from(error).to_string();
            prop_assert!(text.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{:?}", text);
            prop_assert!(text.len() < 150, "{}", text);
        }
    }
}
