//! What comes and goes in pieces: files, consoles, saved domains.

use xendless_core::config::DomainConfig;
use xendless_core::hyper::DomainFlags;
use xendless_core::protocol::frame;
use xendless_core::protocol::{Answer, Created, Down, Failure, File, Image, RequestId};

use super::{NEW, Open, Serving};
use crate::world::{Fault, row};

impl Serving<'_> {
    pub(super) fn credit(&mut self, id: RequestId, bytes: u32) {
        if let Some(Open::Events(told)) = self.open.get_mut(&id) {
            let mut frames = Vec::new();
            told.drain(..).for_each(|one| frame::append(&mut frames, &one).unwrap());
            for bytes in frames.chunks(50) {
                self.connection.send(&Down::Data { id, bytes });
            }
            return;
        }
        if let Some(Open::Save { rest, .. }) = self.open.get_mut(&id) {
            let count = usize::try_from(bytes).unwrap().min(rest.len());
            let asks = count > 0 && count == rest.len();
            for bytes in rest.drain(..count).collect::<Vec<_>>().chunks(5000) {
                self.connection.send(&Down::Data { id, bytes });
            }
            if asks {
                self.connection.send(&Down::Credit { id, bytes: 1 });
            }
            return;
        }
        let Some(Open::Text { rest, console }) = self.open.get_mut(&id) else { return };
        let count = usize::try_from(bytes).unwrap().min(rest.len());
        let (text, console, ends) = (rest.drain(..count).collect::<Vec<u8>>(), *console, rest.is_empty());
        // Split within characters, too.
        for bytes in text.chunks(if text.len() > 1000 { 4096 } else { 7 }) {
            self.connection.send(&Down::Data { id, bytes });
        }
        if !ends {
            return;
        }
        self.open.remove(&id);
        if !console && self.world.lock().unwrap().dump_stalls {
            self.open.insert(id, Open::Wait);
            self.seen.note("dumped".to_owned());
        } else if console {
            self.open.insert(id, Open::Console);
            self.connection.send(&Down::Credit { id, bytes: 1000 });
        } else {
            self.answer(id, Ok(Answer::Done));
        }
    }

    pub(super) fn create(
        &mut self,
        id: RequestId,
        config: &[u8],
        (kernel, ramdisk): (Image, Option<Image>),
        saved: bool,
    ) {
        let name = DomainConfig::decode(config).unwrap().name.to_string();
        let (has_images, credit, held) = {
            let world = self.world.lock().unwrap();
            (world.has_images, world.credit, world.held.clone())
        };
        let mut wanted = vec![(File::Kernel, kernel)];
        wanted.extend(ramdisk.map(|image| (File::Ramdisk, image)));
        if has_images && saved {
            return self.restore(id, name, credit);
        }
        if has_images {
            return self.created(id, &name);
        }
        for (file, _) in &wanted {
            self.connection.send(&Down::Want { id, file: *file });
        }
        self.open.insert(id, Open::Create { name, wanted, bytes: Vec::new(), saved });
        self.seen.note("wanting".to_owned());
        if let Some(barrier) = held {
            barrier.wait();
        }
        self.connection.send(&Down::Credit { id, bytes: credit });
    }

    fn restore(&mut self, id: RequestId, name: String, credit: u32) {
        self.open.insert(id, Open::Restore { name, bytes: Vec::new() });
        self.connection.send(&Down::Want { id, file: File::Saved });
        self.connection.send(&Down::Credit { id, bytes: credit });
    }

    fn created(&mut self, id: RequestId, name: &str) {
        self.world.lock().unwrap().rows.push(row(NEW, name, DomainFlags::RUNNING));
        self.answer(id, Ok(Answer::Created(Created { domid: NEW })));
    }

    pub(super) fn data(&mut self, id: RequestId, more: &[u8]) -> bool {
        match self.open.get_mut(&id) {
            Some(Open::Create { wanted, bytes, name, saved }) => {
                bytes.extend_from_slice(more);
                if self.fault == Fault::NoUpload {
                    return false;
                }
                while let Some((file, image)) = wanted.first().copied() {
                    let size = usize::try_from(image.size).unwrap();
                    if bytes.len() < size {
                        break;
                    }
                    let content: Vec<u8> = bytes.drain(..size).collect();
                    let right = *blake3::hash(&content).as_bytes() == image.digest;
                    self.seen
                        .note(format!("got {file}: {size} bytes, {}", if right { "right" } else { "wrong" }));
                    wanted.remove(0);
                }
                let done = wanted.is_empty().then(|| (name.clone(), *saved));
                let credit = u32::try_from(more.len()).unwrap();
                match done {
                    Some((name, true)) => self.restore(id, name, credit),
                    done => {
                        self.connection.send(&Down::Credit { id, bytes: credit });
                        if let Some((name, _)) = done {
                            self.open.remove(&id);
                            self.created(id, &name);
                        }
                    }
                }
            }
            Some(Open::Save { rest, ends }) => {
                assert!(rest.is_empty() && more.len() == 1);
                let ended = *ends;
                self.open.remove(&id);
                let mut world = self.world.lock().unwrap();
                world.rows.retain(|row| Some(row.domid) != ended);
                let silent = world.silent_when_safe;
                drop(world);
                if silent {
                    self.seen.note("safe".to_owned());
                    return false;
                }
                self.seen.note("safe".to_owned());
                if self.fault == Fault::NotGone {
                    return false;
                }
                let goes_on = self.fault == Fault::GoesOn;
                self.answer(id, if goes_on { Err(Failure::NotRunning) } else { Ok(Answer::Done) });
            }
            Some(Open::Restore { name, bytes }) => {
                bytes.extend_from_slice(more);
                self.connection.send(&Down::Credit { id, bytes: u32::try_from(more.len()).unwrap() });
                if *bytes == self.world.lock().unwrap().saved {
                    let (name, text) = (name.clone(), format!("got what was saved: {} bytes", bytes.len()));
                    self.seen.note(text);
                    self.open.remove(&id);
                    if self.world.lock().unwrap().silent_when_safe {
                        return false;
                    }
                    if self.world.lock().unwrap().unrestorable {
                        let why = "it does not fit".into();
                        self.answer(id, Err(Failure::Image { file: File::Saved, why }));
                    } else {
                        self.created(id, &name);
                    }
                }
            }
            Some(Open::Policy(bytes, size)) => {
                bytes.extend_from_slice(more);
                let text = format!(
                    "policy: {} bytes, ends {}",
                    bytes.len(),
                    bytes[bytes.len() - 3..].escape_ascii()
                );
                if bytes.len() == *size {
                    self.open.remove(&id);
                    self.seen.note(text);
                    self.answer(id, Ok(Answer::Done));
                } else {
                    self.connection.send(&Down::Credit { id, bytes: u32::try_from(more.len()).unwrap() });
                }
            }
            Some(Open::Console) => {
                self.seen.note(format!("typed {}", more.escape_ascii()));
                self.connection.send(&Down::Credit { id, bytes: u32::try_from(more.len()).unwrap() });
                if more == b"echo\n" {
                    self.connection.send(&Down::Data { id, bytes: b"echoed\n" });
                }
                if more == b"crash\n" {
                    return false;
                }
                if more.ends_with(b"end\n") {
                    self.open.remove(&id);
                    self.answer(id, Ok(Answer::Done));
                }
            }
            _ => {}
        }
        true
    }
}
