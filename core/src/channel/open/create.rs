//! Making a domain: its files come first, then the manager makes it.

use alloc::boxed::Box;
use alloc::format;

use super::super::desk::{CONTROL_NAME, Caller, Desk};
use super::super::devices::may_have;
use super::super::failures::{not_created, not_made};
use super::super::labels::number;
use super::super::session::{Ended, Outbox};
use super::Pump;
use crate::config::{Boot, DomainConfig};
use crate::hyper::Hypervisor;
use crate::images::{self, Digest, Receiving};
use crate::life::{Bytes, Files, ManagedId, News, Origin, Terms};
use crate::protocol::{Answer, Created, Down, Failure, File, Image, PoolFailure, Rejection, RequestId};
use crate::rights::Rights;
use crate::store::service::Local;

/// Bytes of a file that may be on their way.
const WINDOW: u32 = 128 << 10;

/// A file that a domain needs.
#[derive(Debug)]
enum Needed {
    /// Not looked for yet.
    Named(Image),
    /// On its way.
    Coming(Receiving),
    /// Here.
    Here(images::Image),
}

/// How far the making has come.
#[derive(Debug)]
enum Stage {
    /// Files are missing.
    Files,
    /// The manager makes the domain.
    Making(ManagedId),
    /// It is to be taken back.
    Undoing(ManagedId),
    /// It is over, this way.
    Over(Result<Created, Failure>),
}

/// A domain that is being made for a caller.
#[derive(Debug)]
pub(in super::super) struct Create {
    config: Option<Box<DomainConfig>>,
    kernel: Needed,
    ramdisk: Option<Needed>,
    paused: bool,
    /// The manager is to make it from what was saved of it.
    saved: bool,
    /// That was asked for.
    wanted: bool,
    /// Bytes of it that the manager takes and the peer does not know of.
    takes: usize,
    caller: Caller,
    stage: Stage,
}

impl Create {
    /// Checks what can be checked before any file is sent.
    pub(in super::super) fn new<H: Hypervisor, S: Local>(
        desk: &Desk<'_, H, S>,
        caller: Caller,
        config: &[u8],
        (kernel, ramdisk): (Image, Option<Image>),
        (paused, saved): (bool, bool),
    ) -> Result<Self, Failure> {
        let config = DomainConfig::decode(config).map_err(|error| Failure::Invalid(format!("{error}")))?;
        if let Boot::Direct { ramdisk: path, .. } = &config.boot
            && path.is_some() != ramdisk.is_some()
        {
            return Err(Failure::Invalid("the configuration and the request differ about a ramdisk".into()));
        }
        if config.name.as_str() == CONTROL_NAME {
            return Err(Failure::NameTaken { domid: Some(0) });
        }
        if let Some(pool) = &config.platform.pool
            && desk.pools.find(pool).is_none()
        {
            return Err(Failure::Pool(PoolFailure::Unknown));
        }
        may_have(desk, &caller, &config)?;
        if let Some(label) = &config.platform.label {
            // A label is rights in Xen's eyes, which nobody gives who does not have all.
            caller.check(desk, Rights::Everything, None)?;
            number(desk, label)?;
        }
        desk.managed.check(&config).map_err(|error| not_made(desk, &error, &config))?;
        Ok(Self {
            config: Some(Box::new(config)),
            kernel: Needed::Named(kernel),
            ramdisk: ramdisk.map(Needed::Named),
            paused,
            saved,
            wanted: false,
            takes: 0,
            caller,
            stage: Stage::Files,
        })
    }

    /// Takes bytes of the file that is on its way.
    pub(super) fn feed<H: Hypervisor, S>(
        &mut self,
        desk: &mut Desk<'_, H, S>,
        out: &mut Outbox,
        id: RequestId,
        mut bytes: &[u8],
    ) -> Result<(), Ended> {
        if let (Stage::Making(managed), true) = (&self.stage, self.wanted) {
            return desk.managed.feed(*managed, bytes).map_err(|_| Rejection::Misuse.into());
        }
        let Some(receiving) = self.coming() else {
            // What crossed our answer is nobody's fault.
            return if matches!(self.stage, Stage::Files) { Err(Rejection::Misuse.into()) } else { Ok(()) };
        };
        let credit = u32::try_from(bytes.len()).map_err(|_| Rejection::Misuse)?;
        while !bytes.is_empty() {
            let taken = receiving.append(bytes).map_err(|_| Rejection::Misuse)?;
            bytes = bytes.get(taken..).unwrap_or_default();
        }
        if receiving.missing() > 0 {
            out.push(&Down::Credit { id, bytes: credit })?;
        }
        Ok(())
    }

    pub(super) fn cancel<H: Hypervisor, S: Local>(&mut self, desk: &mut Desk<'_, H, S>) {
        match self.stage {
            Stage::Files => self.stage = Stage::Over(Err(Failure::Cancelled)),
            Stage::Making(managed) => {
                desk.managed.destroy(managed);
                self.stage = Stage::Undoing(managed);
            }
            Stage::Undoing(_) | Stage::Over(_) => {}
        }
    }

    pub(super) fn note(&mut self, news: &News) {
        match (&self.stage, news) {
            (Stage::Making(made), News::Started { id, domid, .. }) if made == id => {
                self.stage = Stage::Over(Ok(Created { domid: domid.0 }));
            }
            (Stage::Making(made), News::Takes { id, bytes }) if made == id => {
                self.takes = self.takes.saturating_add(*bytes);
            }
            (Stage::Making(made) | Stage::Undoing(made), News::Failed { id, why }) if made == id => {
                self.stage = Stage::Over(Err(not_created(why)));
            }
            (Stage::Making(made) | Stage::Undoing(made), News::Gone(id)) if made == id => {
                self.stage = Stage::Over(Err(Failure::Cancelled));
            }
            _ => {}
        }
    }

    pub(super) fn pump<H: Hypervisor, S: Local>(
        &mut self,
        desk: &mut Desk<'_, H, S>,
        out: &mut Outbox,
        id: RequestId,
    ) -> Result<Pump, Ended> {
        if matches!(self.stage, Stage::Files)
            && let Err(failure) = self.gather(desk, out, id)?
        {
            self.stage = Stage::Over(Err(failure));
        }
        self.want_more(out, id)?;
        match core::mem::replace(&mut self.stage, Stage::Files) {
            Stage::Over(result) => {
                out.answer(id, result.map(Answer::Created))?;
                Ok(Pump::Answered)
            }
            stage => {
                self.stage = stage;
                Ok(Pump::Idle)
            }
        }
    }

    /// Asks for what was saved, as far as the manager takes it.
    fn want_more(&mut self, out: &mut Outbox, id: RequestId) -> Result<(), Ended> {
        let takes = u32::try_from(core::mem::take(&mut self.takes)).unwrap_or(u32::MAX);
        if takes == 0 {
            return Ok(());
        }
        if !core::mem::replace(&mut self.wanted, true) {
            out.push(&Down::Want { id, file: File::Saved })?;
        }
        out.push(&Down::Credit { id, bytes: takes })
    }

    /// Sees to the files, then has the domain made.
    fn gather<H: Hypervisor, S: Local>(
        &mut self,
        desk: &mut Desk<'_, H, S>,
        out: &mut Outbox,
        id: RequestId,
    ) -> Result<Result<(), Failure>, Ended> {
        let kernel = match here(&mut self.kernel, File::Kernel, desk, out, id)? {
            Ok(Some(kernel)) => kernel,
            Ok(None) => return Ok(Ok(())),
            Err(failure) => return Ok(Err(failure)),
        };
        let ramdisk = match &mut self.ramdisk {
            None => None,
            Some(needed) => match here(needed, File::Ramdisk, desk, out, id)? {
                Ok(Some(ramdisk)) => Some(ramdisk),
                Ok(None) => return Ok(Ok(())),
                Err(failure) => return Ok(Err(failure)),
            },
        };
        let Some(config) = self.config.take() else { return Ok(Ok(())) };
        let files =
            Files { kernel: Bytes::Shared(kernel), ramdisk: ramdisk.map(Bytes::Shared).unwrap_or_default() };
        let terms = Terms { rights: Rights::Nothing, parent: Some(self.caller.managed), paused: self.paused };
        let origin = if self.saved { Origin::Saved(files) } else { Origin::Sent(files) };
        Ok(match desk.managed.create(desk.consoles, DomainConfig::clone(&config), terms, origin) {
            Ok(managed) => {
                self.stage = Stage::Making(managed);
                Ok(())
            }
            Err(error) => Err(not_made(desk, &error, &config)),
        })
    }

    fn coming(&mut self) -> Option<&mut Receiving> {
        if !matches!(self.stage, Stage::Files) {
            return None;
        }
        match (&mut self.kernel, &mut self.ramdisk) {
            (Needed::Coming(receiving), _) | (Needed::Here(_), Some(Needed::Coming(receiving))) => {
                Some(receiving)
            }
            _ => None,
        }
    }
}

/// The file, if it is here; asks for it when it is not, and looks at it when it has come.
fn here<H: Hypervisor, S: Local>(
    needed: &mut Needed,
    file: File,
    desk: &mut Desk<'_, H, S>,
    out: &mut Outbox,
    id: RequestId,
) -> Result<Result<Option<images::Image>, Failure>, Ended> {
    let wrong = |why| Failure::Image { file, why };
    match needed {
        Needed::Here(image) => return Ok(Ok(Some(image.clone()))),
        Needed::Coming(receiving) if receiving.missing() > 0 => return Ok(Ok(None)),
        Needed::Named(image) if image.size == 0 => return Ok(Err(wrong("is empty".into()))),
        _ => {}
    }
    // What is taken out here is put back, or its request is over.
    let placeholder = Needed::Named(Image { digest: [0; Digest::LEN], size: 0 });
    Ok(match core::mem::replace(needed, placeholder) {
        Needed::Named(image) => {
            if let Some(known) = desk.images.get(&Digest(image.digest)) {
                *needed = Needed::Here(known.clone());
                return Ok(Ok(Some(known)));
            }
            let size = usize::try_from(image.size).unwrap_or(usize::MAX);
            match desk.images.begin(Digest(image.digest), size) {
                Ok(receiving) => {
                    *needed = Needed::Coming(receiving);
                    out.push(&Down::Want { id, file })?;
                    out.push(&Down::Credit { id, bytes: WINDOW })?;
                    Ok(None)
                }
                Err(error) => Err(wrong(format!("{error}"))),
            }
        }
        Needed::Coming(receiving) => match receiving.finish(desk.images) {
            Ok(image) => {
                *needed = Needed::Here(image.clone());
                Ok(Some(image))
            }
            Err(error) => Err(wrong(format!("{error}"))),
        },
        Needed::Here(image) => Ok(Some(image)),
    })
}
