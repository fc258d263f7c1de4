//! The program that takes a command to the other host, and is the way there with its standard input and output.

use std::io;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::shown::Shown;

/// The variable that names it, with words of its own.
const PROGRAM: &str = "XM_RSH";

/// What it is as a rule.
const USUAL: &str = "ssh";

/// What is carried out at the other host.
const COMMAND: [&str; 2] = ["xm", "migrate-receive"];

/// Runs it so that the keys of a terminal do not end it: it is needed until the domain is in one place only.
const SHIELD: &str = "command -v \"$1\" >/dev/null || exit 127; trap '' HUP INT QUIT TERM; exec \"$@\"";

/// How often, and after how long each time, it is looked whether it has ended.
const LOOKS: (u32, Duration) = (200, Duration::from_millis(10));

/// The program.
#[derive(Debug)]
pub(super) struct Program {
    name: String,
    child: Child,
}

impl Program {
    /// Starts it. What is written there never waits.
    pub(super) fn start(host: &str) -> io::Result<(Self, ChildStdin, ChildStdout)> {
        let words = std::env::var(PROGRAM).unwrap_or_default();
        let mut words: Vec<&str> = words.split(' ').filter(|word| !word.is_empty()).collect();
        if words.is_empty() {
            words.push(USUAL);
        }
        let name = words.first().copied().unwrap_or_default().to_owned();
        let mut command = Command::new("sh");
        command.arg("-c").arg(SHIELD).arg("sh").args(words).arg(host).args(COMMAND);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (to, from) = (child.stdin.take(), child.stdout.take());
        let program = Self { name, child };
        let (to, from) = to.zip(from).ok_or(io::ErrorKind::BrokenPipe)?;
        rustix::io::ioctl_fionbio(&to, true)?;
        Ok((program, to, from))
    }

    /// How it ended before anything came from `host`.
    pub(super) fn ended(&mut self, host: &str) -> String {
        let status = self.leave().and_then(|status| status.code());
        let name = Shown(&self.name);
        match status {
            Some(127) => format!("there is no program {name}, or no xm at {}", Shown(host)),
            Some(code) => format!("{name} ended with status {code}"),
            None => format!("{name} ended"),
        }
    }

    /// Waits a moment until it has ended by itself.
    fn leave(&mut self) -> Option<ExitStatus> {
        let (times, pause) = LOOKS;
        for _ in 0..times {
            match self.child.try_wait() {
                Ok(None) => sleep(pause),
                Ok(status) => return status,
                Err(_) => return None,
            }
        }
        // It may have ended just now.
        let _ = self.child.kill();
        self.child.wait().ok()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.leave();
    }
}
