//! A terminal with a program at its other end: typed at, and read, as by a person.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// Characters of what was shown that an error repeats.
const STORY: usize = 2000;

/// A program at a terminal.
#[derive(Debug)]
pub struct Terminal {
    far: File,
    program: Child,
    deadline: Instant,
    shown: String,
    /// So much of what was shown was waited for already.
    seen: usize,
}

impl Terminal {
    /// Starts `command` at a terminal of its own. After `limit` nothing is waited for any more.
    pub fn start(mut command: Command, limit: Duration) -> Result<Self> {
        let far = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&far)?;
        unlockpt(&far)?;
        let name = ptsname(&far, Vec::new())?;
        let near = File::from(rustix::fs::open(
            name,
            OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC,
            Mode::empty(),
        )?);
        command.stdin(near.try_clone()?).stdout(near.try_clone()?).stderr(near);
        let program = command.spawn().with_context(|| format!("starting {command:?}"))?;
        let deadline = Instant::now() + limit;
        Ok(Self { far: far.into(), program, deadline, shown: String::new(), seen: 0 })
    }

    /// Types this.
    pub fn type_in(&mut self, keys: &str) -> Result<()> {
        self.far.write_all(keys.as_bytes()).context("typing")
    }

    /// Waits until `text` is shown, behind what was waited for before; gives what was shown before it.
    pub fn expect(&mut self, text: &str) -> Result<String> {
        loop {
            let fresh = &self.shown[self.seen..];
            if let Some(at) = fresh.find(text) {
                let before = fresh[..at].to_owned();
                self.seen += at + text.len();
                return Ok(before);
            }
            if !self.read()? {
                bail!("the program ended and {text:?} was not shown; last was:\n{}", self.story());
            }
        }
    }

    /// Waits for the program's end.
    pub fn end(mut self) -> Result<ExitStatus> {
        while self.read()? {}
        Ok(self.program.wait()?)
    }

    /// Takes what is shown next; `false` at the end.
    fn read(&mut self) -> Result<bool> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).unwrap_or_default();
        if poll(&mut [PollFd::new(&self.far, PollFlags::IN)], Some(&left))? == 0 {
            bail!("nothing more was shown in time; last was:\n{}", self.story());
        }
        let mut bytes = [0; 4096];
        let count = match self.far.read(&mut bytes) {
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(true),
            // How a terminal says that nobody has its other end any more.
            Err(_) => 0,
        };
        self.shown += &String::from_utf8_lossy(&bytes[..count]);
        Ok(count > 0)
    }

    fn story(&self) -> String {
        let characters = self.shown.chars().count();
        self.shown.chars().skip(characters.saturating_sub(STORY)).collect()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Either fails only when the program is gone already, which is what is wanted.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Terminal {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Terminal::start(command, Duration::from_secs(60)).unwrap()
    }

    #[test]
    fn a_program_is_talked_to_as_by_a_person() {
        let mut terminal = shell("test -t 0 && echo name?; read -r name; echo \"hello, $name\"; exit 3");
        terminal.expect("name?").unwrap();
        terminal.type_in("you\n").unwrap();
        // What was typed is shown, too.
        assert_eq!(terminal.expect("hello, ").unwrap(), "\r\nyou\r\n");
        assert_eq!(terminal.end().unwrap().code(), Some(3));
    }

    #[test]
    fn what_is_never_shown_is_an_error_that_says_what_was() {
        let error = shell("echo something else").expect("never").unwrap_err().to_string();
        assert!(error.contains("never") && error.contains("something else"), "{error}");
    }
}
