//! Lines on our console.

use alloc::vec::Vec;
use core::fmt::{self, Write};
use core::mem::offset_of;

use xendless_core::abi::io::console::XenconsInterface as Layout;
use xendless_core::ring::{RingError, Sender};

use crate::world::{Ring, World};

/// Where the ring's producer index lies.
pub const OUT_PROD: usize = offset_of!(Layout, out_prod);
const OUT_CONS: usize = offset_of!(Layout, out_cons);
const OUT: usize = offset_of!(Layout, output);

type Output = Sender<OUT, 2048, OUT_CONS, OUT_PROD>;

/// The bytes of a line.
#[must_use]
pub fn line(line: fmt::Arguments<'_>) -> Vec<u8> {
    text(format_args!("guest: {line}\n"))
}

/// The bytes of a text: what `format!` would do, if it could be linked where nothing unwinds.
#[must_use]
pub fn text(text: fmt::Arguments<'_>) -> Vec<u8> {
    struct Text(Vec<u8>);
    impl Write for Text {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0.extend_from_slice(text.as_bytes());
            Ok(())
        }
    }
    let mut bytes = Text(Vec::new());
    // A value that fails to print itself leaves the text short.
    let _ = write!(bytes, "{text}");
    bytes.0
}

/// Prints a line; waits while the ring is full.
pub fn print_line(world: &impl World, text: fmt::Arguments<'_>) {
    let line = line(text);
    let Some(page) = world.page(Ring::Console) else { return world.print(&line) };
    // The ring is only ours to fill, so its state is wherever the last line left it.
    let Ok(mut output) = Output::attach(page) else { return };
    let mut rest = line.as_slice();
    while !rest.is_empty() {
        match output.send(page, rest) {
            Ok(sent) => {
                rest = rest.get(sent..).unwrap_or_default();
                world.notify(Ring::Console);
            }
            Err(RingError::NotReady) => world.wait(None),
            // Nobody is left to tell.
            Err(RingError::Peer(_)) => return,
        }
    }
}

/// Prints a line, as `println!` would.
macro_rules! say {
    ($world:expr, $($argument:tt)*) => {
        $crate::console::print_line($world, format_args!($($argument)*))
    };
}

pub(crate) use say;
