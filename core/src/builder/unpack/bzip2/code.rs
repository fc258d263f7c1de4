//! Huffman codes, given by the length of each symbol's code.

/// The longest code in bits.
pub(super) const LONGEST: u32 = 20;
/// The most symbols: 255 positions, two run digits, the end.
const SYMBOLS: usize = 258;

const LENGTHS: usize = LONGEST as usize + 1;

/// A canonical code. One that is not complete, or more than that, has symbols that are never found.
pub(super) struct Code {
    /// Of each length: the first code, how many there are, and which place in `symbols` the first one has.
    rows: [Row; LENGTHS],
    symbols: [u16; SYMBOLS],
}

#[derive(Clone, Copy, Default)]
struct Row {
    first: u32,
    count: u32,
    place: usize,
}

impl Code {
    /// The code in which symbol `n` takes `lengths[n]` bits, from 1 to [`LONGEST`].
    pub(super) fn new(lengths: &[u8]) -> Self {
        let mut rows = [Row::default(); LENGTHS];
        let mut symbols = [0; SYMBOLS];
        let (mut first, mut place) = (0_u32, 0);
        for (length, row) in (0_u8..).zip(&mut rows) {
            let of_length = (0_u16..).zip(lengths).filter(|(_, other)| **other == length);
            *row = Row { first, count: 0, place };
            for (symbol, _) in of_length {
                if let Some(slot) = symbols.get_mut(place) {
                    *slot = symbol;
                }
                place += 1;
                row.count += 1;
            }
            first = first.saturating_add(row.count) << 1;
        }
        Self { rows, symbols }
    }

    /// The symbol whose code begins the next [`LONGEST`] bits, and its length.
    pub(super) fn find(&self, bits: u64) -> Option<(usize, u32)> {
        (0..).zip(&self.rows).skip(1).find_map(|(length, row)| {
            let code = u32::try_from(bits >> (LONGEST - length)).ok()?;
            let nth = code.checked_sub(row.first).filter(|nth| *nth < row.count)?;
            let place = row.place.checked_add(usize::try_from(nth).ok()?)?;
            Some((usize::from(*self.symbols.get(place)?), length))
        })
    }
}
