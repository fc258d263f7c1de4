//! The place a control domain runs in, as far as it is not the hypervisor: its clock, heap and log.

use std::cell::{Cell, RefCell};

use xendless_core::control::{Event, Site};
use xendless_core::lines::HeapUsage;

use super::SimHypervisor;

/// The site of the control domain on a simulated machine. It keeps every event.
pub struct SimSite {
    sim: SimHypervisor,
    /// What the heap reports.
    pub heap: Cell<HeapUsage>,
    events: RefCell<Vec<Event>>,
}

impl SimSite {
    /// The site on `sim`.
    #[must_use]
    pub fn new(sim: &SimHypervisor) -> Self {
        let heap = Cell::new(HeapUsage { used_kib: 412, limit_kib: 24_576 });
        Self { sim: sim.clone(), heap, events: RefCell::default() }
    }

    /// Takes the events logged since the last time.
    pub fn take_events(&self) -> Vec<Event> {
        self.events.take()
    }
}

impl Site for SimSite {
    fn now(&self) -> u64 {
        self.sim.now()
    }

    fn heap(&self) -> HeapUsage {
        self.heap.get()
    }

    fn log(&self, event: Event) {
        self.events.borrow_mut().push(event);
    }
}
