//! The PV console page. Source: `struct xencons_interface` of `xen/io/console.h`; names of directions are the
//! domain's: it reads `in` and writes `out`.

use core::mem::offset_of;
use core::ops::Deref;

use super::stream::byte_stream;
use super::{BadIndex, Receiver, Sender};
use crate::abi::io::console::{
    CONNECTION_OFFSET, XENCONSOLE_CONNECTED, XENCONSOLE_DISCONNECTED, XenconsInterface as Layout,
};
use crate::shared::Page;

const IN: usize = offset_of!(Layout, input);
const OUT: usize = offset_of!(Layout, output);
const IN_CONS: usize = offset_of!(Layout, in_cons);
const IN_PROD: usize = offset_of!(Layout, in_prod);
const OUT_CONS: usize = offset_of!(Layout, out_cons);
const OUT_PROD: usize = offset_of!(Layout, out_prod);

/// Bytes typed at a domain that its page holds.
pub const IN_SIZE: u32 = 1024;
/// Bytes printed by a domain that its page holds.
pub const OUT_SIZE: u32 = 2048;

const _: () = assert!(OUT - IN == IN_SIZE as usize && IN_CONS - OUT == OUT_SIZE as usize);

/// Our end: reads what the domain prints, writes what is typed at it.
#[derive(Debug)]
pub struct BackendEnd<P> {
    page: P,
    input: Receiver<OUT, OUT_SIZE, OUT_CONS, OUT_PROD>,
    output: Sender<IN, IN_SIZE, IN_CONS, IN_PROD>,
}

impl<P: Deref<Target = Page>> BackendEnd<P> {
    /// Goes on from the indices in the page, and says in it that the console is served.
    ///
    /// # Errors
    /// When the indices contradict each other.
    pub fn attach(page: P) -> Result<Self, BadIndex> {
        let (input, output) = (Receiver::attach(&page)?, Sender::attach(&page)?);
        page.write(CONNECTION_OFFSET, &[XENCONSOLE_CONNECTED]);
        Ok(Self { page, input, output })
    }

    /// Says in the page that nobody serves the console any more.
    pub fn give_up(&self) {
        self.page.write(CONNECTION_OFFSET, &[XENCONSOLE_DISCONNECTED]);
    }
}

/// The domain's end: writes what it prints, reads what is typed at it.
#[derive(Debug)]
pub struct FrontendEnd<P> {
    page: P,
    input: Receiver<IN, IN_SIZE, IN_CONS, IN_PROD>,
    output: Sender<OUT, OUT_SIZE, OUT_CONS, OUT_PROD>,
}

impl<P: Deref<Target = Page>> FrontendEnd<P> {
    /// Goes on from the indices in the page.
    ///
    /// # Errors
    /// When they contradict each other.
    pub fn attach(page: P) -> Result<Self, BadIndex> {
        Ok(Self { input: Receiver::attach(&page)?, output: Sender::attach(&page)?, page })
    }

    /// Whether somebody serves the console.
    pub fn is_served(&self) -> bool {
        let mut connection = [0];
        self.page.read(CONNECTION_OFFSET, &mut connection);
        connection == [XENCONSOLE_CONNECTED]
    }
}

byte_stream!(BackendEnd);
byte_stream!(FrontendEnd);

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_io::{Read, Write};

    #[test]
    fn the_page_is_laid_out_as_documented() {
        let page = Page::new();
        page.write(3088, &[1]);
        let mut guest = FrontendEnd::attach(&page).unwrap();
        assert!(!guest.is_served());
        let mut backend = BackendEnd::attach(&page).unwrap();
        assert!(guest.is_served());
        assert_eq!(guest.write(b"login: "), Ok(7));
        assert_eq!(backend.read(&mut [0; 5]), Ok(5));
        assert_eq!(backend.write(b"root"), Ok(4));
        assert_eq!(guest.read(&mut [0; 3]), Ok(3));
        backend.give_up();
        assert!(!guest.is_served());
        let (mut typed, mut printed) = ([0; 4], [0; 7]);
        page.read(0, &mut typed);
        page.read(1024, &mut printed);
        assert_eq!((&typed, &printed), (b"root", b"login: "));
        let words = [
            page.load_u32::<3072>(),
            page.load_u32::<3076>(),
            page.load_u32::<3080>(),
            page.load_u32::<3084>(),
        ];
        assert_eq!(words, [3, 4, 5, 7]);
    }

    #[test]
    fn each_direction_holds_what_its_buffer_holds() {
        let page = Page::new();
        let (mut guest, mut backend) =
            (FrontendEnd::attach(&page).unwrap(), BackendEnd::attach(&page).unwrap());
        assert_eq!(guest.write(&[b'o'; 4000]), Ok(2048));
        assert_eq!(backend.write(&[b'i'; 4000]), Ok(1024));
        assert_eq!(backend.read(&mut [0; 4000]), Ok(2048));
        assert_eq!(guest.read(&mut [0; 4000]), Ok(1024));
    }

    #[test]
    fn attack_b01_contradicting_indices_are_refused_when_attaching() {
        let page = Page::new();
        page.store_u32::<OUT_PROD>(OUT_SIZE + 1);
        assert_eq!(BackendEnd::attach(&page).err().unwrap().is, OUT_SIZE + 1);
        page.store_u32::<OUT_PROD>(0);
        page.store_u32::<IN_CONS>(1);
        assert!(BackendEnd::attach(&page).is_err());
    }
}
