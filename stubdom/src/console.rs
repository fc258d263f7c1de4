//! Plain text on Xen's console: the few lines a person sees when all is well, and everything when it is not.

use core::fmt::{self, Write};

use heapless::Vec;

use crate::hypercall;

/// Bytes that go to Xen in one call.
const LINE: usize = 256;

/// Collects text and hands it to Xen line by line, without the heap.
#[derive(Default)]
pub(crate) struct Lines(Vec<u8, LINE>);

impl Lines {
    fn flush(&mut self) {
        // The console is where failures are reported; there is nowhere to report its own.
        let _ = hypercall::console_write(&self.0);
        self.0.clear();
    }
}

impl Write for Lines {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for &byte in text.as_bytes() {
            if self.0.push(byte).is_err() {
                self.flush();
                self.0.push(byte).map_err(|_| fmt::Error)?;
            }
            if byte == b'\n' {
                self.flush();
            }
        }
        Ok(())
    }
}

/// Prints one line.
macro_rules! print {
    ($($argument:tt)*) => {{
        let mut lines = $crate::console::Lines::default();
        // A line that does not fit in a call goes in several; there is no other failure.
        let _ = core::fmt::Write::write_fmt(&mut lines, format_args!("{}\n", format_args!($($argument)*)));
    }};
}

pub(crate) use print;
