//! A terminal, with `xm` at its near end.

use std::fs::File;
use std::io::Read;
use std::process::{Child, Command};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

/// A terminal: its far end, and the end that programs have.
pub(crate) fn terminal() -> (File, File) {
    let far = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&far).unwrap();
    unlockpt(&far).unwrap();
    let name = ptsname(&far, Vec::new()).unwrap();
    let near = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
    (far.into(), near.into())
}

pub(crate) fn on_terminal(command: &mut Command, near: &File) -> Child {
    command.stdin(near.try_clone().unwrap()).stdout(near.try_clone().unwrap()).spawn().unwrap()
}

pub(crate) fn is_cooked(near: &File) -> bool {
    tcgetattr(near).unwrap().local_modes.contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG)
}

/// Reads until the text was seen.
pub(crate) fn read_until(far: &mut File, text: &str) -> String {
    let (mut all, mut bytes) = (Vec::new(), [0; 256]);
    while !String::from_utf8_lossy(&all).contains(text) {
        let count = far.read(&mut bytes).unwrap();
        all.extend_from_slice(&bytes[..count]);
    }
    String::from_utf8(all).unwrap()
}
