//! Commands going into the admin domain; their output and exit status coming back over the console.
//!
//! The commands and a random token are files in the root. What comes back shares the console with Xen, the control
//! domain and, in an emergency, the kernel, and must be told apart from all of them whatever it contains. So `/init`
//! sends it in frames, each a line of the token, an offset and 128 bytes, all in hexadecimal:
//!
//! ```text
//! 2f9a64e3c0d15b78 00000040 6c6f6f70…
//! ```
//!
//! An offset that does not follow shows that something was lost. The end of the output is marked inside of it: the token
//! once more, a space and three digits of exit status. Lines of others that cut a frame in two are taken out again.

use anyhow::{Context, Result, bail, ensure};

use super::image::text;
use super::tree::Tree;
use crate::qemu::serial::{CONTROL_PREFIX, XEN_PREFIX};

/// Bytes in a frame.
const FRAME: usize = 128;
/// Hexadecimal digits of an offset.
const OFFSET: usize = 8;
/// Digits of the exit status.
const STATUS: usize = 3;

/// Commands for one admin domain.
#[derive(Clone, Debug)]
pub struct Session {
    token: String,
}

impl Session {
    /// Puts shell commands into the root of an admin domain.
    pub fn new(tree: &mut Tree, commands: &str) -> Result<Self> {
        let session = Self { token: format!("{:016x}", fastrand::u64(..)) };
        tree.insert("session/token", text(&session.token, 0o600))?;
        tree.insert("session/commands", text(commands, 0o600))?;
        Ok(session)
    }

    /// What will read its output.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader { token: self.token.clone(), cut: String::new(), next: 0, output: Vec::new(), status: None }
    }
}

/// Takes lines of the serial port, gives what the commands wrote.
#[derive(Debug)]
pub struct Reader {
    token: String,
    /// The beginning of a line that somebody else's line interrupted.
    cut: String,
    /// The offset of the next frame.
    next: u32,
    /// What was received and not yet given away.
    output: Vec<u8>,
    status: Option<u8>,
}

impl Reader {
    /// Takes a line, gives the output that it brought.
    pub fn feed(&mut self, line: &str) -> Result<Vec<u8>> {
        let foreign = [XEN_PREFIX, CONTROL_PREFIX].iter().filter_map(|prefix| line.find(prefix)).min();
        if let Some(at) = foreign {
            self.cut.push_str(&line[..at]);
            return Ok(Vec::new());
        }
        let line = std::mem::take(&mut self.cut) + line;
        match line.split_once(&self.token) {
            Some((_, frame)) if self.status.is_none() => self.take(frame),
            _ => Ok(Vec::new()),
        }
    }

    /// The commands' exit status, once they have ended and all their output was given away.
    #[must_use]
    pub const fn status(&self) -> Option<u8> {
        self.status
    }

    fn take(&mut self, frame: &str) -> Result<Vec<u8>> {
        let (offset, content) =
            parse(frame).with_context(|| format!("a damaged line of output: '{frame}'"))?;
        ensure!(offset == self.next, "output was lost: byte {:#x} came, {:#x} was due", offset, self.next);
        self.next = self.next.wrapping_add(FRAME as u32);
        self.output.extend(content);
        let end = self.output.windows(self.token.len()).position(|window| window == self.token.as_bytes());
        match end {
            Some(end) if self.output.len() > end + self.token.len() + STATUS => {
                let status = &self.output[end + self.token.len() + 1..][..STATUS];
                self.status = Some(std::str::from_utf8(status)?.parse().context("a damaged exit status")?);
                Ok(self.output[..end].to_vec())
            }
            Some(_) => Ok(Vec::new()),
            // The end may hold the beginning of the token.
            None => Ok(self.output.drain(..self.output.len().saturating_sub(self.token.len())).collect()),
        }
    }
}

/// A frame behind its token.
fn parse(frame: &str) -> Result<(u32, Vec<u8>)> {
    let (offset, content) = frame.trim().split_once(' ').context("no offset")?;
    ensure!(offset.len() == OFFSET && content.len() == 2 * FRAME, "not the length of a frame");
    if !content.is_ascii() {
        bail!("not hexadecimal");
    }
    let bytes = (0..FRAME).map(|index| u8::from_str_radix(&content[2 * index..][..2], 16));
    Ok((u32::from_str_radix(offset, 16)?, bytes.collect::<Result<_, _>>()?))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::*;

    fn session() -> Session {
        Session::new(&mut Tree::default(), "").unwrap()
    }

    /// What the admin domain makes of this output and status.
    fn frames(session: &Session, output: &[u8], status: u8) -> Vec<String> {
        let end = format!("{} {status:03} {:0256}", session.token, 0);
        let stream = [output, end.as_bytes()].concat();
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let chunks = stream.chunks_exact(FRAME).zip((0..).step_by(FRAME));
        chunks.map(|(chunk, at)| format!("{} {at:08x} {}", session.token, hex(chunk))).collect()
    }

    fn read(reader: &mut Reader, lines: &[String]) -> Result<Vec<u8>> {
        let pieces = lines.iter().map(|line| reader.feed(line)).collect::<Result<Vec<_>>>()?;
        Ok(pieces.concat())
    }

    #[test]
    fn the_encoder_of_init_writes_these_frames() {
        let session = session();
        let init = include_str!("init.sh");
        let format = init.split("hexdump -v -e ").nth(1).unwrap().lines().next().unwrap();
        let busybox = crate::qemu::artifacts::cache().unwrap().join("busybox/bin/busybox");
        let mut encoder = Command::new(busybox)
            .args(["sh", "-c", &format!("busybox hexdump -v -e {format}")])
            .env("token", &session.token)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let end = format!("{} 007 {:0256}", session.token, 0);
        encoder.stdin.take().unwrap().write_all(format!("some\0output\n{end}").as_bytes()).unwrap();
        let lines = String::from_utf8(encoder.wait_with_output().unwrap().stdout).unwrap();
        let expected = frames(&session, b"some\0output\n", 7);
        assert_eq!(lines.lines().take(expected.len()).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_lost_or_damaged_line_is_an_error() {
        let session = session();
        let lines = frames(&session, &[b'x'; 400], 0);
        let lost = [&lines[..1], &lines[2..]].concat();
        assert!(read(&mut session.reader(), &lost).unwrap_err().to_string().contains("lost"));
        let mut damaged = lines.clone();
        damaged[1].replace_range(30..31, "?");
        assert!(read(&mut session.reader(), &damaged).unwrap_err().to_string().contains("damaged"));
        damaged[1].truncate(60);
        assert!(read(&mut session.reader(), &damaged).is_err());
    }

    proptest! {
        #[test]
        fn output_and_status_come_back_whatever_they_are(output: Vec<u8>, status: u8) {
            let session = session();
            let mut reader = session.reader();
            prop_assert_eq!(read(&mut reader, &frames(&session, &output, status)).unwrap(), output);
            prop_assert_eq!(reader.status(), Some(status));
        }

        #[test]
        fn lines_of_others_change_nothing(
            output in prop::collection::vec(any::<u8>(), 0..200),
            others in prop::collection::vec((any::<Index>(), "(\\(XEN\\) |xendless: )[a-z]{0,9}"), 0..5),
        ) {
            let session = session();
            // The kernel's lines come between those of processes; Xen's and the control domain's come anywhere.
            let mut stream = frames(&session, &output, 3).join("\n[    1.234567] a message\n") + "\n";
            // But not in each other, so the last goes in first.
            let mut others: Vec<_> = others.iter().map(|(at, line)| (at.index(stream.len()), line)).collect();
            others.sort();
            for (at, line) in others.into_iter().rev() {
                stream.insert_str(at, &format!("{line}\n"));
            }
            let lines: Vec<String> = stream.lines().map(str::to_owned).collect();
            let mut reader = session.reader();
            prop_assert_eq!(read(&mut reader, &lines).unwrap(), output);
            prop_assert_eq!(reader.status(), Some(3));
        }
    }
}
