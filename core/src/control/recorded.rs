//! The site, with the journal and the chronicle beside its log.

use alloc::rc::Rc;
use core::cell::RefCell;

use super::{Event, Site};
use crate::chronicle::Chronicle;
use crate::journal::Journal;
use crate::lines::HeapUsage;

/// A site of which everything that is logged also gets into the journal.
pub(super) struct Recorded<'a, S> {
    pub(super) site: &'a S,
    pub(super) journal: Rc<RefCell<Journal>>,
    pub(super) chronicle: Rc<RefCell<Chronicle>>,
}

impl<S: Site> Site for Recorded<'_, S> {
    fn now(&self) -> u64 {
        self.site.now()
    }

    fn heap(&self) -> HeapUsage {
        self.site.heap()
    }

    fn log(&self, event: Event) {
        self.site.log(event);
        if let Event::StoreSpoke(domid) = event {
            self.chronicle.borrow_mut().spoke(self.now(), domid);
        }
        // Whoever leans on a key should not push everything else out.
        if !matches!(event, Event::TypedDropped(_)) {
            self.journal.borrow_mut().add(self.now(), &event);
        }
    }
}
