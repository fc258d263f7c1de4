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
        let text = Text(&event);
        match event {
            Event::ConsoleCut { .. } | Event::StoreCut { .. } | Event::StrayPort(_) | Event::Refused(_) => {
                defmt::warn!("{}", text);
            }
            Event::TypedDropped(_) => defmt::debug!("{}", text),
            Event::OutOfMemory => defmt::error!("{}", text),
            _ => defmt::info!("{}", text),
        }
    }
}
