//! From a domain's files to its plain kernel.

use alloc::boxed::Box;

use super::files::Verify;
use super::managed::{Managed, Stage};
use super::work::Turn;
use super::{Bytes, Failure, ManagedId, Manager, World};
use crate::builder::unpack::{Plain, Step, Unpack, UnpackError};
use crate::hyper::{DomId, Grants, Labels, USUAL_LABEL};
use crate::images::Images;

impl Manager {
    /// Finds the plain kernel of a domain, or begins to unpack it. Waits for another domain that unpacks the same,
    /// and for those that hold memory which it lacks. Images that are only kept give way.
    pub(super) fn open<H: Grants + Labels, S>(&mut self, world: &mut World<'_, H, S>, id: ManagedId) -> Turn {
        let (control, limits) = (self.control, self.unpack);
        let any = |is: &dyn Fn(&Managed) -> bool| self.domains.iter().any(|(_, other)| is(other));
        let Some(source) = self.domains.get(id.0).map(|managed| managed.files.kernel.source()) else {
            return Turn::Rest;
        };
        let same = any(&|other| other.is_unpacking() && other.files.kernel.source() == source);
        let busy = any(&|other| other.is_unpacking() || matches!(other.stage, Stage::Build(_)));
        let Some(managed) = self.domains.get_mut(id.0) else { return Turn::Rest };
        managed.cpupool = match managed.config.platform.pool.as_ref().map(|pool| world.pools.find(pool)) {
            None => 0,
            Some(Some(pool)) => pool,
            Some(None) => return managed.fail(Failure::NoSuchPool),
        };
        managed.label = match managed.config.platform.label.as_ref().map(|label| world.hv.label_number(label))
        {
            None => USUAL_LABEL,
            Some(Ok(label)) => label,
            Some(Err(error)) => return managed.fail(Failure::Label(error)),
        };
        if core::mem::take(&mut managed.saved) {
            return managed.begin_restore(control);
        }
        managed.stage = Stage::Open;
        match world.images.unpacked(source) {
            Some(image) => return managed.begin_build(Bytes::Shared(image), control),
            None if same => return Turn::Later,
            None => {}
        }
        match Unpack::new(managed.files.kernel.clone(), limits) {
            Ok(unpack) => managed.unpack(world.images, unpack, control),
            Err(UnpackError::NoMemory(bytes)) if world.images.shrink(bytes) => Turn::More,
            Err(UnpackError::NoMemory(_)) if busy => Turn::Later,
            Err(error) => managed.fail(Failure::Unpack(error)),
        }
    }
}

impl Managed {
    fn is_unpacking(&self) -> bool {
        matches!(self.stage, Stage::Unpack(_))
    }

    pub(super) fn verify(&mut self, mut verify: Box<Verify>) -> Turn {
        match verify.step() {
            Ok(None) => self.stage = Stage::Verify(verify),
            Ok(Some(files)) => {
                self.files = files;
                self.stage = Stage::Open;
            }
            Err(why) => return self.fail(why),
        }
        Turn::More
    }

    pub(super) fn unpack(&mut self, images: &mut Images, unpack: Unpack<Bytes>, control: DomId) -> Turn {
        match unpack.step() {
            Ok(Step::Done(Plain::File(file))) => self.begin_build(file, control),
            Ok(Step::Done(Plain::Unpacked(bytes))) => {
                let image = images.keep_unpacked(self.files.kernel.source(), bytes);
                self.begin_build(Bytes::Shared(image), control)
            }
            Ok(Step::More(unpack)) => {
                self.stage = Stage::Unpack(unpack);
                Turn::More
            }
            Err(error) => self.fail(Failure::Unpack(error)),
        }
    }
}
