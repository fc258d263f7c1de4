//! Calls of a device driver (`ioctl`) whose argument is one structure.

use std::ffi::c_void;
use std::io;
use std::os::fd::AsFd;

use rustix::ioctl::{Direction, Ioctl, IoctlOutput, Opcode, ioctl, opcode};

/// The number of a call that takes a `T`. Xen's devices say nothing in it about the direction.
pub(crate) const fn number<T>(group: u8, number: u8) -> Opcode {
    opcode::from_components(Direction::None, group, number, size_of::<T>())
}

/// The structure that belongs to a call.
///
/// # Safety
/// `NUMBER` must be a call for which a driver reads and writes this structure and nothing else of the process, for
/// every value that safe code can give it.
pub(crate) unsafe trait Argument: Copy {
    /// Which call.
    const NUMBER: Opcode;
}

/// Asks the driver. Returns the structure as the driver left it, and the number that it answered.
pub(crate) fn call<T: Argument>(device: impl AsFd, argument: T) -> io::Result<(T, u32)> {
    // SAFETY: the driver touches the structure alone, which is what implementing `Argument` promises.
    Ok(unsafe { ioctl(device, Call(argument)) }?)
}

struct Call<T>(T);

// SAFETY: the pointer is that of the structure that belongs to the number, and it is valid for reads and writes.
unsafe impl<T: Argument> Ioctl for Call<T> {
    type Output = (T, u32);

    const IS_MUTATING: bool = true;

    fn opcode(&self) -> Opcode {
        T::NUMBER
    }

    fn as_ptr(&mut self) -> *mut c_void {
        (&raw mut self.0).cast()
    }

    unsafe fn output_from_ptr(answer: IoctlOutput, argument: *mut c_void) -> rustix::io::Result<(T, u32)> {
        // SAFETY: `argument` is what `as_ptr` gave, which is a `T`.
        let argument = unsafe { argument.cast::<T>().read() };
        Ok((argument, answer.cast_unsigned()))
    }
}
