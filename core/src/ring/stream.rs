//! An end of a ring page as a byte stream: the traits of `embedded-io` over its `page`, `input` and `output`.

macro_rules! byte_stream {
    ($end:ident) => {
        impl<P> embedded_io::ErrorType for $end<P> {
            type Error = $crate::ring::RingError;
        }

        impl<P: core::ops::Deref<Target = $crate::shared::Page>> embedded_io::Read for $end<P> {
            fn read(&mut self, buf: &mut [u8]) -> Result<usize, $crate::ring::RingError> {
                self.input.receive(&self.page, buf)
            }
        }

        impl<P: core::ops::Deref<Target = $crate::shared::Page>> embedded_io::ReadReady for $end<P> {
            fn read_ready(&mut self) -> Result<bool, $crate::ring::RingError> {
                Ok(self.input.waiting(&self.page)? != 0)
            }
        }

        impl<P: core::ops::Deref<Target = $crate::shared::Page>> embedded_io::Write for $end<P> {
            fn write(&mut self, buf: &[u8]) -> Result<usize, $crate::ring::RingError> {
                self.output.send(&self.page, buf)
            }

            /// Written bytes are published at once.
            fn flush(&mut self) -> Result<(), $crate::ring::RingError> {
                Ok(())
            }
        }

        impl<P: core::ops::Deref<Target = $crate::shared::Page>> embedded_io::WriteReady for $end<P> {
            fn write_ready(&mut self) -> Result<bool, $crate::ring::RingError> {
                Ok(self.output.room(&self.page)? != 0)
            }
        }
    };
}

pub(super) use byte_stream;
