//! Clock, heap and log, for the control domain at work.

use defmt::Display2Format as Text;
use xendless_core::control::{Event, Site};
use xendless_core::lines::HeapUsage;

use crate::{memory, time};

/// This domain.
pub(crate) struct Here;

impl Site for Here {
    fn now(&self) -> u64 {
        time::now()
    }

    fn heap(&self) -> HeapUsage {
        memory::usage()
    }

    fn log(&self, event: Event) {
        match event {
            Event::Ready { after_ns } => defmt::info!("ready {=u64:us} after hand-over", after_ns / 1000),
            Event::DomainShutdown { domid, reason } => {
                defmt::info!("domain {=u16} shut down, reason {=u8}", domid.0, reason.code());
            }
            Event::DomainDying(domid) => defmt::info!("domain {=u16} is being torn down", domid.0),
            Event::DomainGone(domid) => defmt::info!("domain {=u16} is gone", domid.0),
            Event::ConsoleCut { domid, reason } => {
                defmt::warn!("domain {=u16} lost its console: {}", domid.0, Text(&reason));
            }
            Event::StoreCut { domid, fault } => {
                defmt::warn!("domain {=u16} lost its connection to XenStore: {}", domid.0, Text(&fault));
            }
            Event::StoreReconnected(domid) => {
                defmt::info!("domain {=u16} starts its connection to XenStore afresh", domid.0);
            }
            Event::Life(news) => defmt::info!("{}", Text(&news)),
            Event::TypedDropped(count) => defmt::debug!("{=usize} typed bytes dropped", count),
            Event::StrayPort(port) => defmt::warn!("event on channel {=u32}, which is not bound", port.0),
            Event::Refused(refusal) => defmt::warn!("{}", Text(&refusal)),
            Event::OutOfMemory => defmt::error!("the heap is full"),
        }
    }
}
