//! What builds of every kind have in common: one piece of work per step, and the way back.
#![forbid(unsafe_code)]

use super::{BuildError, Cause};
use crate::abi::grant_table::{GNTTAB_RESERVED_CONSOLE, GNTTAB_RESERVED_XENSTORE};
use crate::hyper::{
    CpuPools, CreateDomain, DomId, Domains, EventChannels, ForeignMemory, Gfn, GrantRef, Grants, Hypervisor,
    Inspect, Labels, Launch, PhysMemory, Port, Progress, Result, Schedulers, Transfer, Vcpus,
};
use crate::shared::Page;

/// All that a build, and the start of what was built, ask of a hypervisor.
pub trait BuildHypervisor:
    Domains
    + PhysMemory
    + ForeignMemory
    + Grants
    + EventChannels
    + Launch
    + Schedulers
    + CpuPools
    + Vcpus
    + Labels
    + Transfer
    + Inspect
{
}

impl<T: Hypervisor + Launch> BuildHypervisor for T {}

/// A shared page of a new domain, and the channel that belongs to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ring {
    /// The page; for a PV domain a machine frame.
    pub frame: Gfn,
    /// The event channel as the domain numbers it.
    pub port: Port,
}

/// A domain that is complete and paused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Built {
    /// Its id.
    pub domid: DomId,
    /// Its way to XenStore.
    pub store: Ring,
    /// Its console.
    pub console: Ring,
}

/// The domain being built, and who builds it.
#[derive(Debug)]
pub struct Target<'h, H> {
    pub(super) hv: &'h H,
    pub(super) domid: DomId,
}

impl<H: ForeignMemory> Target<'_, H> {
    /// Maps a page of the domain; dropping it unmaps.
    pub(super) fn page(&self, frame: Gfn) -> Result<H::Foreign> {
        self.hv.map_foreign(self.domid, frame)
    }

    /// For pages that are written one after the other.
    pub(super) const fn pages(&self) -> Pages<'_, H> {
        Pages { target: self, page: None }
    }
}

impl<H: Grants> Target<'_, H> {
    /// Lets `server` map the rings, where a domain has them in its grant table.
    pub(super) fn grant_rings(&self, server: DomId, store: Ring, console: Ring) -> Result<()> {
        for (gref, ring) in [(GNTTAB_RESERVED_CONSOLE, console), (GNTTAB_RESERVED_XENSTORE, store)] {
            self.hv.seed_grant(self.domid, GrantRef(gref), server, ring.frame)?;
        }
        Ok(())
    }
}

/// One page of a domain at a time, in the same place; dropping it unmaps the last.
#[derive(Debug)]
pub(super) struct Pages<'t, H: ForeignMemory> {
    target: &'t Target<'t, H>,
    page: Option<H::Foreign>,
}

impl<H: ForeignMemory> Pages<'_, H> {
    /// Maps a page in place of the last.
    pub(super) fn at(&mut self, frame: Gfn) -> Result<&Page> {
        let Target { hv, domid } = *self.target;
        let page = match self.page.take() {
            Some(last) => hv.map_instead(last, domid, frame)?,
            None => hv.map_foreign(domid, frame)?,
        };
        Ok(self.page.insert(page))
    }
}

/// What is particular to a kind of domain.
pub trait Work {
    /// Does a bounded piece of the work on a domain that exists; says when it is complete.
    fn advance<H: BuildHypervisor>(
        &mut self,
        target: &Target<'_, H>,
    ) -> core::result::Result<Option<Built>, Cause>;
}

/// A domain that is being built.
///
/// Dropping one leaves a half-built domain behind: whoever loses interest calls [`Build::cancel`] and goes on
/// stepping until the answer comes.
#[derive(Debug)]
pub struct Build<W> {
    pub(super) work: W,
    create: CreateDomain,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Planned,
    Building(DomId),
    /// Something failed; the domain goes.
    Undoing(DomId, Cause),
    /// There is nothing to care for any more.
    Over(Cause),
}

impl<W> Build<W> {
    pub(super) const fn planned(work: W, create: CreateDomain) -> Self {
        Self { work, create, state: State::Planned }
    }

    /// Gives up; the steps that follow take everything back.
    pub fn cancel(&mut self) {
        self.state = match self.state {
            State::Planned => State::Over(Cause::Cancelled),
            State::Building(domid) => State::Undoing(domid, Cause::Cancelled),
            state => state,
        };
    }
}

impl<W: Work> Build<W> {
    /// Does a bounded piece of the work; the domain when it is complete. When something fails, the steps that
    /// follow take everything back, and the last of them says what it was.
    pub fn step<H: BuildHypervisor>(&mut self, hv: &H) -> core::result::Result<Option<Built>, BuildError> {
        let mut complete = None;
        self.state = match self.state {
            State::Planned => match hv.create_domain(&self.create) {
                Ok(domid) => State::Building(domid),
                Err(error) => State::Over(Cause::Hypervisor(error)),
            },
            State::Building(domid) => match self.work.advance(&Target { hv, domid }) {
                Ok(None) => State::Building(domid),
                Ok(Some(built)) => {
                    complete = Some(built);
                    // The domain is the caller's now.
                    State::Over(Cause::Cancelled)
                }
                Err(cause) => State::Undoing(domid, cause),
            },
            State::Undoing(domid, cause) => match hv.destroy_domain(domid) {
                Ok(Progress::Again) => State::Undoing(domid, cause),
                Ok(Progress::Done) => State::Over(cause),
                Err(error) => {
                    self.state = State::Over(cause);
                    return Err(BuildError { cause, left: Some((domid, error)) });
                }
            },
            State::Over(cause) => State::Over(cause),
        };
        match self.state {
            State::Over(cause) if complete.is_none() => Err(BuildError::clean(cause)),
            _ => Ok(complete),
        }
    }
}
