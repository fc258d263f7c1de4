//! Bytes arrive whole and in order.

use super::*;
use embedded_io::{Read, ReadReady, Write, WriteReady};
use proptest::prelude::*;

/// One direction as it should be: what is under way, at most `size` bytes.
struct Model {
    size: usize,
    sent: usize,
    received: usize,
}

impl Model {
    fn byte(at: usize) -> u8 {
        u8::try_from(at % 251).unwrap()
    }

    fn write(&mut self, to: &mut impl Write, count: usize) -> Result<(), TestCaseError> {
        let bytes: Vec<u8> = (self.sent..self.sent + count).map(Self::byte).collect();
        let taken = to.write(&bytes).unwrap_or(0);
        prop_assert_eq!(taken, count.min(self.size - (self.sent - self.received)));
        self.sent += taken;
        Ok(())
    }

    fn read(&mut self, from: &mut impl Read, count: usize) -> Result<(), TestCaseError> {
        let mut out = alloc::vec![0; count];
        let got = from.read(&mut out).unwrap_or(0);
        prop_assert_eq!(got, count.min(self.sent - self.received));
        let expected: Vec<u8> = (self.received..self.received + got).map(Self::byte).collect();
        prop_assert_eq!(&out[..got], &expected[..]);
        self.received += got;
        Ok(())
    }
}

fn pages() -> impl Strategy<Value = u32> {
    prop::sample::select(alloc::vec![0, 1, 2, 4, 16])
}

fn size(pages: u32, small: usize) -> usize {
    if pages == 0 { small } else { pages as usize * 4096 }
}

proptest! {
    #[test]
    fn both_directions_carry_their_bytes_across_every_wrap(
        left in pages(),
        right in pages(),
        start in prop_oneof![any::<u32>(), (u32::MAX - 9000)..=u32::MAX],
        moves in prop::collection::vec((0..4, prop_oneof![0usize..100, 0usize..70_000]), 1..40),
    ) {
        let (control, mut server, mut client) = pair(left, right);
        wind(&control, &mut server, &mut client, start);
        let mut up = Model { size: size(left, 1024), sent: 0, received: 0 };
        let mut down = Model { size: size(right, 2048), sent: 0, received: 0 };
        for (what, count) in moves {
            match what {
                0 => up.write(&mut client, count)?,
                1 => up.read(&mut server, count)?,
                2 => down.write(&mut server, count)?,
                _ => down.read(&mut client, count)?,
            }
            prop_assert_eq!(server.read_ready().unwrap(), up.sent > up.received);
            prop_assert_eq!(client.write_ready().unwrap(), up.sent - up.received < up.size);
            prop_assert_eq!(client.waiting().unwrap() as usize, down.sent - down.received);
            prop_assert_eq!(server.room().unwrap() as usize, down.size - (down.sent - down.received));
        }
    }
}
