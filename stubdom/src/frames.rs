//! A ring of log frames: bounded, and when it is full the oldest whole frames make room for the newest.

/// Bytes in front of each frame: its length.
const HEADER: usize = size_of::<u16>();

/// Holds frames in `N` bytes, their headers included.
#[derive(Debug)]
pub struct Frames<const N: usize> {
    bytes: [u8; N],
    /// Where the oldest frame begins.
    start: usize,
    /// Bytes in use from there on.
    used: usize,
    lost: u64,
}

impl<const N: usize> Frames<N> {
    /// No frames.
    #[must_use]
    pub const fn new() -> Self {
        const { assert!(N.is_power_of_two() && N > HEADER, "positions wrap by a mask") };
        Self { bytes: [0; N], start: 0, used: 0, lost: 0 }
    }

    /// Frames that were dropped, or never fitted.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.lost
    }

    /// Counts a frame that its writer could not finish.
    pub const fn count_lost(&mut self) {
        self.lost += 1;
    }

    /// Adds a frame.
    pub fn push(&mut self, frame: &[u8]) {
        let Some(length) = u16::try_from(frame.len()).ok().filter(|_| HEADER + frame.len() <= N) else {
            self.count_lost();
            return;
        };
        while N - self.used < HEADER + frame.len() {
            self.drop_oldest();
        }
        let end = self.start + self.used;
        for (at, byte) in (end..).zip(length.to_le_bytes().iter().chain(frame)) {
            if let Some(place) = self.bytes.get_mut(at % N) {
                *place = *byte;
            }
        }
        self.used += HEADER + frame.len();
    }

    /// Every frame, oldest first, as its bytes.
    pub fn iter(&self) -> impl Iterator<Item = impl Iterator<Item = u8> + '_> + '_ {
        let mut at = 0;
        core::iter::from_fn(move || {
            if at == self.used {
                return None;
            }
            let frame = at + HEADER..at + HEADER + self.length_at(at);
            at = frame.end;
            Some(frame.map(|at| self.byte(at)))
        })
    }

    fn drop_oldest(&mut self) {
        let frame = HEADER + self.length_at(0);
        self.start = (self.start + frame) % N;
        self.used -= frame;
        self.count_lost();
    }

    fn length_at(&self, at: usize) -> usize {
        u16::from_le_bytes([self.byte(at), self.byte(at + 1)]).into()
    }

    /// The byte `at` bytes behind the start.
    fn byte(&self, at: usize) -> u8 {
        self.bytes.get((self.start + at) % N).copied().unwrap_or_default()
    }
}

impl<const N: usize> Default for Frames<N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;
    use std::vec::Vec;

    fn contents<const N: usize>(frames: &Frames<N>) -> Vec<Vec<u8>> {
        frames.iter().map(Iterator::collect).collect()
    }

    #[test]
    fn the_oldest_frames_make_room_for_the_newest() {
        let mut frames = Frames::<16>::new();
        frames.push(b"abcd");
        frames.push(b"efgh");
        assert_eq!(contents(&frames), [b"abcd", b"efgh"]);
        frames.push(b"ij");
        assert_eq!(contents(&frames), [&b"abcd"[..], b"efgh", b"ij"]);
        frames.push(b"");
        assert_eq!(contents(&frames), [&b"efgh"[..], b"ij", b""]);
        assert_eq!(frames.lost(), 1);
    }

    #[test]
    fn a_frame_that_never_fits_is_lost_and_harms_no_other() {
        let mut frames = Frames::<16>::new();
        frames.push(b"abc");
        frames.push(&[0; 15]);
        assert_eq!((contents(&frames), frames.lost()), (Vec::from([b"abc".to_vec()]), 1));
        frames.push(&[7; 14]);
        assert_eq!((contents(&frames), frames.lost()), (Vec::from([Vec::from([7; 14])]), 2));
    }

    proptest! {
        /// The model is a queue of frames.
        #[test]
        fn keeps_the_newest_frames_whole(pushed in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..60)) {
            let mut frames = Frames::<64>::new();
            let mut model: VecDeque<Vec<u8>> = VecDeque::new();
            for frame in pushed {
                frames.push(&frame);
                model.push_back(frame);
                while model.iter().map(|frame| frame.len() + HEADER).sum::<usize>() > 64 {
                    model.pop_front();
                }
                prop_assert_eq!(contents(&frames), Vec::from(model.clone()));
            }
        }
    }
}
