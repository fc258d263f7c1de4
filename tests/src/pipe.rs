//! Streams of bytes in memory, for tests of both ends of a connection.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::rc::Rc;

use embedded_io::{ErrorType, Read, ReadReady, Write, WriteReady};

/// One end of a pair of pipes.
#[derive(Debug, Default)]
pub struct Pipe {
    from: Rc<RefCell<VecDeque<u8>>>,
    to: Rc<RefCell<VecDeque<u8>>>,
}

impl Pipe {
    /// Both ends.
    #[must_use]
    pub fn pair() -> (Self, Self) {
        let one = Self::default();
        let other = Self { from: Rc::clone(&one.to), to: Rc::clone(&one.from) };
        (one, other)
    }
}

impl ErrorType for Pipe {
    type Error = Infallible;
}

impl ReadReady for Pipe {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        Ok(!self.from.borrow().is_empty())
    }
}

impl Read for Pipe {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Infallible> {
        Read::read(&mut *self.from.borrow_mut(), buf)
    }
}

impl WriteReady for Pipe {
    fn write_ready(&mut self) -> Result<bool, Infallible> {
        Ok(true)
    }
}

impl Write for Pipe {
    fn write(&mut self, buf: &[u8]) -> Result<usize, Infallible> {
        self.to.borrow_mut().extend(buf);
        Ok(buf.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}
