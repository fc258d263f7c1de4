//! The terminal as a plain line for bytes, and back.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

/// How the terminal was. Also for a panic, which runs no destructors in a released program.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// The terminal passes all bytes on, both ways, until this is dropped.
#[derive(Debug)]
pub(super) struct Raw(());

impl Raw {
    /// Makes the terminal at standard input raw; `None` when there is none.
    ///
    /// # Errors
    ///
    /// When the terminal refuses.
    pub(super) fn enter() -> io::Result<Option<Self>> {
        let input = io::stdin();
        if !input.is_terminal() {
            return Ok(None);
        }
        let before = tcgetattr(&input)?;
        let mut raw = before.clone();
        raw.make_raw();
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            restore();
            usual(panic);
        }));
        let guard = Self(());
        tcsetattr(&input, OptionalActions::Now, &raw)?;
        Ok(Some(guard))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        restore();
    }
}

/// A screen of its own, without a cursor, until this is dropped. The lines before it are there again then.
#[derive(Debug)]
pub(super) struct Screen(());

/// The terminal shows a screen of its own. Also for a panic.
static SCREEN: AtomicBool = AtomicBool::new(false);

/// Takes the other screen and hides the cursor.
const TAKE: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[2J";
/// Ends what was begun: plain letters, a cursor, the screen from before. Where there is only one screen, what comes
/// next stands on a line of its own.
const LEAVE: &[u8] = b"\x1b[0m\x1b[?25h\x1b[?1049l\r\n";

impl Screen {
    /// Takes the screen. [`Raw`] comes first: it minds panics.
    ///
    /// # Errors
    ///
    /// When the terminal refuses.
    pub(super) fn enter() -> io::Result<Self> {
        SCREEN.store(true, Ordering::Relaxed);
        let guard = Self(());
        let mut stdout = io::stdout();
        stdout.write_all(TAKE).and_then(|()| stdout.flush())?;
        Ok(guard)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        leave();
    }
}

/// Leaves the screen.
fn leave() {
    if SCREEN.swap(false, Ordering::Relaxed) {
        let mut stdout = io::stdout();
        // The terminal may be gone.
        let _ = stdout.write_all(LEAVE).and_then(|()| stdout.flush());
    }
}

/// Gives the terminal back as it was.
fn restore() {
    leave();
    if let Some(before) = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take() {
        // The terminal may be gone.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &before);
    }
}
