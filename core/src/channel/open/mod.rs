//! Requests that take more than one step, each in a file of its own.

mod adjust;
mod ask;
mod console;
mod create;
mod device;
mod dump;
mod events;
mod outgoing;
mod policy;
mod pool;
mod save;
mod text;
mod wait;

pub(super) use adjust::{Keys, Pin, Reset};
pub(super) use ask::Ask;
pub(super) use console::View;
pub(super) use create::Create;
pub(super) use device::DeviceWork;
pub(super) use dump::Dump;
pub(super) use events::Events;
pub(super) use policy::Policy;
pub(super) use pool::PoolWork;
pub(super) use save::Save;
pub(super) use text::Text;
pub(super) use wait::{Ending, Wait};

use alloc::boxed::Box;

use super::desk::Desk;
use super::devices::DeviceList;
use super::session::{Ended, Outbox};
use crate::console::ViewerId;
use crate::hyper::Hypervisor;
use crate::life::News;
use crate::protocol::{Rejection, RequestId};
use crate::store::service::Local;

/// What a step of an open request did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pump {
    /// Nothing; it waits for something.
    Idle,
    /// Something.
    Moved,
    /// It has its answer and is over.
    Answered,
}

/// A request that is open.
#[derive(Debug)]
pub(super) enum Open {
    /// A domain is being made.
    Create(Create),
    /// A domain is being taken down.
    Ending(Ending),
    /// Waits for a domain to stop.
    Wait(Wait),
    /// Looks at a console.
    View(View),
    /// Reads a text.
    Text(Text),
    /// Listens to what happens.
    Events(Events),
    /// Waits for XenStore.
    Ask(Ask),
    /// Makes a domain again.
    Reset(Reset),
    /// Tells virtual CPUs where to run.
    Pin(Box<Pin>),
    /// Presses debug keys.
    Keys(Keys),
    /// A CPU pool is being made or taken apart.
    Pool(PoolWork),
    /// Reads a domain's memory.
    Dump(Dump),
    /// A domain is saved.
    Save(Box<Save>),
    /// A device comes, changes or goes.
    Device(DeviceWork),
    /// Lists devices.
    Devices(DeviceList),
    /// A policy is put in force.
    Policy(Policy),
}

impl Open {
    /// Lets it go on.
    pub(super) fn pump<H: Hypervisor, S: Local>(
        &mut self,
        desk: &mut Desk<'_, H, S>,
        out: &mut Outbox,
        id: RequestId,
    ) -> Result<Pump, Ended> {
        match self {
            Self::Create(create) => create.pump(desk, out, id),
            Self::Ending(ending) => ending.pump(desk, out, id),
            Self::Wait(wait) => wait.pump(desk, out, id),
            Self::View(view) => view.pump(desk, out, id),
            Self::Text(text) => text.pump(desk, out, id),
            Self::Events(events) => events.pump(desk, out, id),
            Self::Ask(ask) => ask.pump(desk, out, id),
            Self::Reset(reset) => reset.pump(out, id),
            Self::Pin(pin) => pin.pump(desk, out, id),
            Self::Keys(keys) => keys.pump(desk, out, id),
            Self::Pool(work) => work.pump(desk, out, id),
            Self::Dump(dump) => dump.pump(desk, out, id),
            Self::Save(save) => save.pump(desk, out, id),
            Self::Device(work) => work.pump(out, id),
            Self::Devices(list) => list.pump(desk, out, id),
            Self::Policy(policy) => policy.pump(desk, out, id),
        }
    }

    /// Takes bytes of its stream upwards.
    pub(super) fn feed<H: Hypervisor, S: Local>(
        &mut self,
        desk: &mut Desk<'_, H, S>,
        out: &mut Outbox,
        id: RequestId,
        bytes: &[u8],
    ) -> Result<(), Ended> {
        match self {
            Self::Create(create) => create.feed(desk, out, id, bytes),
            Self::View(view) => view.feed(desk, out, id, bytes),
            Self::Policy(policy) => policy.feed(bytes),
            Self::Save(save) => save.feed(bytes),
            _ => Err(Rejection::Misuse.into()),
        }
    }

    /// The peer takes more bytes of its stream downwards.
    pub(super) fn credit(&mut self, bytes: u32) {
        match self {
            Self::View(view) => view.credit(bytes),
            Self::Text(text) => text.credit(bytes),
            Self::Dump(dump) => dump.credit(bytes),
            Self::Save(save) => save.credit(bytes),
            Self::Events(events) => events.credit(bytes),
            // No stream downwards, so nothing that credit could change.
            _ => {}
        }
    }

    /// The peer wants it to end.
    pub(super) fn cancel<H: Hypervisor, S: Local>(&mut self, desk: &mut Desk<'_, H, S>) {
        match self {
            Self::Create(create) => create.cancel(desk),
            Self::Wait(wait) => wait.cancel(),
            Self::View(view) => view.cancel(),
            Self::Text(text) => text.cancel(),
            // A domain on its way down cannot be held up, and the others have their answer soon.
            Self::Ending(_) | Self::Ask(_) | Self::Reset(_) | Self::Pin(_) | Self::Keys(_) => {}
            Self::Device(work) => work.cancel(desk),
            Self::Devices(_) => {}
            Self::Events(events) => events.cancel(),
            Self::Pool(work) => work.cancel(),
            Self::Dump(dump) => dump.cancel(),
            Self::Save(save) => save.cancel(),
            Self::Policy(policy) => policy.cancel(),
        }
    }

    /// The peer is gone.
    pub(super) fn abandon<H: Hypervisor, S: Local>(&mut self, desk: &mut Desk<'_, H, S>) {
        match self {
            Self::Create(create) => create.cancel(desk),
            Self::View(view) => view.leave(desk),
            Self::Pool(work) => work.leave(desk),
            Self::Dump(dump) => dump.leave(desk),
            Self::Save(save) => save.leave(desk),
            // What was begun is done.
            Self::Ending(_) | Self::Wait(_) | Self::Text(_) | Self::Events(_) | Self::Ask(_) => {}
            Self::Device(work) => work.cancel(desk),
            Self::Reset(_) | Self::Pin(_) | Self::Keys(_) | Self::Devices(_) | Self::Policy(_) => {}
        }
    }

    /// Something happened to a domain.
    pub(super) fn note(&mut self, news: &News) {
        match self {
            Self::Create(create) => create.note(news),
            Self::Reset(reset) => reset.note(news),
            Self::Device(work) => work.note(news),
            _ => self.look_again(),
        }
    }

    /// Some domain is not what it was.
    pub(super) fn look_again(&mut self) {
        if let Self::Wait(wait) = self {
            wait.look_again();
        }
    }

    /// A viewer of a console has something to do; says whether it is this one's.
    pub(super) fn wake(&mut self, viewer: ViewerId) -> bool {
        match self {
            Self::View(view) => view.wake(viewer),
            _ => false,
        }
    }
}
