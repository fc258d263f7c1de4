//! A machine that runs: its serial port, and its end.
//!
//! The end is noticed in three ways: QEMU exits (the machine rebooted, crashed or was switched off), Xen says that
//! it halts the machine (QEMU would go on for ever), or the watchdog runs out. A machine never outlives the thread
//! that started it.

use std::fmt;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use xendless_core::lines::Status;

use super::machine::Machine;
use super::serial::{Lines, Sight, classify, classify_end};
use super::turn::Turn;

/// Long enough for the slowest machine; reached only by what hangs.
pub const WATCHDOG: Duration = Duration::from_secs(300);

/// Turns the serial port's input to Xen; typed three times.
const SWITCH_INPUT: &[u8] = b"\x01\x01\x01";

/// How a machine ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// Xen halted it because the control domain shut down.
    Halted,
    /// The control domain or Xen crashed, or asked for a reboot.
    Crashed,
    /// QEMU exited for no reason seen on the serial port.
    Exited(ExitStatus),
    /// The watchdog ran out.
    TimedOut,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Halted => f.write_str("the control domain shut down and Xen halted the machine"),
            Self::Crashed => f.write_str("the control domain or Xen crashed or rebooted"),
            Self::Exited(status) => write!(f, "QEMU ended by itself ({status})"),
            Self::TimedOut => f.write_str("nothing more happened until the time was up"),
        }
    }
}

/// A machine that was started and not yet ended.
pub struct Running<'a> {
    qemu: Child,
    keyboard: ChildStdin,
    serial: Receiver<String>,
    deadline: Option<Instant>,
    observer: Box<dyn FnMut(&str) + 'a>,
    transcript: Vec<String>,
    crashed: bool,
    xen_listens: bool,
    /// Until QEMU is gone: fields are dropped after [`Drop::drop`].
    _turn: Turn,
}

impl<'a> Running<'a> {
    /// Starts `machine` when it is its turn, with an `observer` of its serial port. The watchdog ends it after
    /// `limit`; `Duration::MAX` is for ever.
    pub fn start(machine: &Machine, limit: Duration, observer: impl FnMut(&str) + 'a) -> Result<Self> {
        let observer = Box::new(observer);
        let turn = Turn::wait();
        let mut qemu = command(machine)?
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start QEMU through setpriv: is ci/setup done?")?;
        let (Some(keyboard), Some(output)) = (qemu.stdin.take(), qemu.stdout.take()) else {
            unreachable!("both were asked for as pipes")
        };
        let (sender, serial) = mpsc::channel();
        thread::spawn(move || send_lines(output, &sender));
        let deadline = Instant::now().checked_add(limit);
        let (transcript, crashed, xen_listens) = (Vec::new(), false, false);
        Ok(Self { qemu, keyboard, serial, deadline, observer, transcript, crashed, xen_listens, _turn: turn })
    }

    /// All lines so far.
    #[must_use]
    pub fn transcript(&self) -> &[String] {
        &self.transcript
    }

    /// QEMU's process id.
    #[must_use]
    pub fn process_id(&self) -> u32 {
        self.qemu.id()
    }

    /// Runs until `wanted` accepts a line, and gives what it made of it; or until the end.
    pub fn run_until<T>(
        &mut self,
        mut wanted: impl FnMut(&str, Option<Sight<'_>>) -> Option<T>,
    ) -> std::result::Result<T, End> {
        loop {
            let left = self.deadline.map_or(Duration::MAX, |at| at.saturating_duration_since(Instant::now()));
            let line = match self.serial.recv_timeout(left) {
                Ok(line) => line,
                Err(RecvTimeoutError::Timeout) => return Err(End::TimedOut),
                Err(RecvTimeoutError::Disconnected) => return Err(self.exited()),
            };
            (self.observer)(&line);
            let sight = classify(&line);
            let halted = sight == Some(Sight::Halted);
            self.crashed |= sight == Some(Sight::Crashed);
            let found = wanted(&line, sight);
            self.transcript.push(line);
            match found {
                Some(found) => return Ok(found),
                None if halted => return Err(End::Halted),
                None => {}
            }
        }
    }

    /// Runs until the end.
    pub fn run_to_end(&mut self) -> End {
        match self.run_until(|_, _| None::<std::convert::Infallible>) {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }

    /// Asks the control domain, through Xen's debug key `q`, how it is.
    pub fn ask_status(&mut self) -> Result<Status> {
        if !self.xen_listens {
            self.type_keys(SWITCH_INPUT)?;
            self.await_line("Xen to take the input", |sight| {
                matches!(sight, Sight::InputToXen).then_some(())
            })?;
            self.xen_listens = true;
        }
        self.type_keys(b"q")?;
        self.await_line("the status line", |sight| match sight {
            Sight::Status(status) => Some(status),
            _ => None,
        })
    }

    fn await_line<T>(&mut self, what: &str, mut wanted: impl FnMut(Sight<'_>) -> Option<T>) -> Result<T> {
        self.run_until(|line, _| wanted(classify_end(line)?))
            .map_err(|end| anyhow!("waiting for {what}: {end}"))
    }

    fn type_keys(&mut self, keys: &[u8]) -> Result<()> {
        self.keyboard
            .write_all(keys)
            .and_then(|()| self.keyboard.flush())
            .context("typing at the serial port")
    }

    fn exited(&mut self) -> End {
        match self.qemu.wait() {
            _ if self.crashed => End::Crashed,
            Ok(status) => End::Exited(status),
            Err(error) => unreachable!("waiting for a child of ours: {error}"),
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // Either fails only when QEMU is gone already, which is what is wanted.
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
    }
}

/// QEMU with `machine` in it, not yet started. The kernel ends it when we die, however that happens.
pub fn command(machine: &Machine) -> Result<Command> {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "qemu-system-x86_64"]).args(machine.arguments()?);
    Ok(command)
}

/// Sends QEMU's output line by line until it or the receiver is gone.
fn send_lines(mut output: impl Read, sender: &mpsc::Sender<String>) {
    let mut lines = Lines::default();
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = output.read(&mut buffer) {
        for line in lines.feed(&buffer[..count]) {
            if sender.send(line).is_err() {
                return;
            }
        }
    }
    if let Some(rest) = lines.finish() {
        // Nobody may be left to read it.
        let _ = sender.send(rest);
    }
}
