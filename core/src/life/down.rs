//! The way down: nothing of a domain stays.

use super::managed::{Down, Managed, Stage, Then};
use super::nodes::{Homes, vm_home};
use super::work::{Later, Turn, remove};
use super::{ManagedId, News, World};
use crate::abi::errno::Errno;
use crate::builder::BuildHypervisor;
use crate::hyper::Progress;
use crate::store::service::Local;

impl Managed {
    /// Takes a step down; `None` when the domain is down.
    pub(super) fn go_down<H, S>(
        &mut self,
        world: &mut World<'_, H, S>,
        down: Down,
        id: ManagedId,
        report: &mut dyn FnMut(News),
    ) -> Result<Option<Down>, Later>
    where
        H: BuildHypervisor,
        S: Local,
    {
        let Some(domid) = self.domid else {
            // None was made, or its number is another's by now; what its UUID names is still ours.
            remove(world.store, &vm_home(&self.config))?;
            return Ok(None);
        };
        match down {
            Down::Pause => {
                report(News::Ending { domid });
                // One that cannot be paused is destroyed all the same.
                let _ = world.hv.pause_domain(domid);
                if let Some(Err(refusal)) =
                    self.console.map(|console| world.consoles.detach(world.hv, console))
                {
                    report(News::Refused { id, refusal });
                }
                Ok(Some(Down::Devices))
            }
            // The manager sees to it.
            Down::Devices => Ok(Some(Down::Nodes)),
            Down::Nodes => {
                self.remove_nodes(world.store)?;
                world.store.domain_died(domid);
                Ok(Some(Down::Domain))
            }
            Down::Domain => match world.hv.destroy_domain(domid) {
                Ok(Progress::Again) => Ok(Some(Down::Domain)),
                Ok(Progress::Done) => Ok(None),
                Err(error) if error.errno == Errno::ESRCH => Ok(None),
                Err(refusal) => {
                    report(News::Refused { id, refusal });
                    Err(Later)
                }
            },
        }
    }

    pub(super) fn remove_nodes(&self, store: &mut impl Local) -> Result<(), Later> {
        self.homes().iter().flat_map(Homes::all).try_for_each(|home| remove(store, home))
    }

    /// The domain is down.
    pub(super) fn down(&mut self, then: Then, id: ManagedId, report: &mut dyn FnMut(News)) -> Turn {
        if let Some(domid) = self.domid.take() {
            report(News::Down { domid });
        }
        match then {
            Then::Forget => report(News::Gone(id)),
            Then::Fail(why) => report(News::Failed { id, why }),
            Then::Restart => {
                self.restarts = self.restarts.saturating_add(1);
                self.stage = Stage::Open;
                return Turn::More;
            }
        }
        Turn::Gone
    }
}
