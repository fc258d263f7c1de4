//! A compressor for bzip2, plain and small; and what the real one made.

use proptest::prelude::*;
use xendless_core::builder::unpack::{Limits, UnpackError};
use xendless_tests::kernel::bzimage;

use super::pack::sample;
use super::{LIMITS, unpack};

/// Bytes that one block gets. The real program makes larger ones.
const BLOCK: usize = 10_000;

#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: usize,
}

impl Bits {
    fn put(&mut self, count: u32, value: u64) {
        for bit in (0..count).rev() {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().unwrap() |= ((value >> bit & 1) as u8) << (7 - self.used % 8);
            self.used += 1;
        }
    }
}

fn crc(bytes: &[u8]) -> u32 {
    // That of gzip with all bits the other way round.
    let mirrored: Vec<u8> = bytes.iter().map(|byte| byte.reverse_bits()).collect();
    crc32fast::hash(&mirrored).reverse_bits()
}

/// Four equal bytes are followed by how many more there are.
fn shorten_runs(plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for run in plain.chunk_by(|a, b| a == b).flat_map(|run| run.chunks(4 + 255)) {
        out.extend(&run[..run.len().min(4)]);
        if run.len() >= 4 {
            out.push((run.len() - 4) as u8);
        }
    }
    out
}

/// The last bytes of all rotations in order, and which of those is the first.
fn sort(bytes: &[u8]) -> (Vec<u8>, usize) {
    let n = bytes.len();
    let mut rank: Vec<usize> = bytes.iter().map(|byte| usize::from(*byte)).collect();
    let mut order: Vec<usize> = (0..n).collect();
    let mut width = 1;
    loop {
        let key = |at: usize| (rank[at], rank[(at + width) % n]);
        order.sort_by_key(|at| key(*at));
        let mut next = vec![0; n];
        for pair in order.windows(2) {
            next[pair[1]] = next[pair[0]] + usize::from(key(pair[0]) != key(pair[1]));
        }
        rank = next;
        width *= 2;
        if width >= 2 * n || rank[order[n - 1]] == n - 1 {
            break;
        }
    }
    let last = order.iter().map(|at| bytes[(at + n - 1) % n]).collect();
    (last, order.iter().position(|at| *at == 0).unwrap())
}

/// Places in a list of recently used bytes, zeros as numbers, the end.
fn symbols(bytes: &[u8], alphabet: &[u8]) -> Vec<usize> {
    let mut recent = alphabet.to_vec();
    let (mut out, mut zeros) = (Vec::new(), 0);
    let flush = |out: &mut Vec<usize>, zeros: &mut usize| {
        while *zeros > 0 {
            out.push((*zeros - 1) % 2);
            *zeros = (*zeros - 1) / 2;
        }
    };
    for byte in bytes {
        let place = recent.iter().position(|other| other == byte).unwrap();
        recent[..=place].rotate_right(1);
        if place == 0 {
            zeros += 1;
        } else {
            flush(&mut out, &mut zeros);
            out.push(place + 1);
        }
    }
    flush(&mut out, &mut zeros);
    out.push(alphabet.len() + 1);
    out
}

fn block(bits: &mut Bits, plain: &[u8]) {
    let short = shorten_runs(plain);
    let (sorted, origin) = sort(&short);
    let alphabet: Vec<u8> = (0..=255).filter(|byte| short.contains(byte)).collect();
    let symbols = symbols(&sorted, &alphabet);
    bits.put(48, 0x3141_5926_5359);
    bits.put(32, crc(plain).into());
    bits.put(25, origin as u64);
    let used = |sixteenth: u8| {
        let alphabet = &alphabet;
        (0..16).map(move |low| alphabet.contains(&(sixteenth << 4 | low)))
    };
    (0..16).for_each(|sixteenth| bits.put(1, used(sixteenth).any(|used| used).into()));
    for sixteenth in (0..16).filter(|sixteenth| used(*sixteenth).any(|used| used)) {
        used(sixteenth).for_each(|used| bits.put(1, used.into()));
    }
    // Two tables, the second of which is chosen for every other group; all codes are equally long.
    let length = (alphabet.len() + 2).next_power_of_two().ilog2();
    let groups = symbols.len().div_ceil(50);
    bits.put(3, 2);
    bits.put(15, groups as u64);
    (0..groups).for_each(|group| if group == 0 { bits.put(1, 0) } else { bits.put(2, 2) });
    for _ in 0..2 {
        bits.put(5, u64::from(length));
        (0..alphabet.len() + 2).for_each(|_| bits.put(1, 0));
    }
    symbols.iter().for_each(|symbol| bits.put(length, *symbol as u64));
}

/// Like the program, but larger.
pub(super) fn compress(plain: &[u8]) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.put(32, u32::from_be_bytes(*b"BZh1").into());
    let mut sum = 0u32;
    for piece in plain.chunks(BLOCK) {
        block(&mut bits, piece);
        sum = sum.rotate_left(1) ^ crc(piece);
    }
    bits.put(48, 0x1772_4538_5090);
    bits.put(32, sum.into());
    bits.bytes
}

/// A bzImage of this stream, which claims to unpack to `size` bytes.
fn file(stream: &[u8], size: usize) -> Vec<u8> {
    bzimage(&[stream, &(size as u32).to_le_bytes()].concat())
}

/// `bzip2 -1` of 250,000 bytes that [`sample`] makes: three blocks, real code lengths, real choices of tables.
const BY_BZIP2: &[u8] = include_bytes!("sample.bz2");

#[test]
fn what_the_real_program_made_comes_out() {
    assert!(unpack(&file(BY_BZIP2, 250_000), LIMITS).unwrap().0 == sample(250_000));
}

#[test]
fn streams_may_follow_each_other_and_be_empty() {
    let empty = compress(b"");
    let stream = [&empty[..], BY_BZIP2, &compress(b"and more"), &empty].concat();
    let plain = [&sample(250_000)[..], b"and more"].concat();
    assert!(unpack(&file(&stream, plain.len()), LIMITS).unwrap().0 == plain);
}

#[test]
fn attack_d02_memory_for_blocks_is_within_the_limit() {
    let limits = Limits { dictionary: 4 * 100_000, ..LIMITS };
    assert!(unpack(&file(&compress(b"x"), 1), limits).is_ok());
    let error = unpack(&file(&compress(b"x"), 1), Limits { dictionary: 399_999, ..LIMITS }).unwrap_err();
    assert!(matches!(error, UnpackError::Dictionary { limit: 399_999, .. }));
    // A stream behind it that asks for more gets no more, and these blocks need no more.
    let mut larger = BY_BZIP2.to_vec();
    larger[3] = b'9';
    assert!(unpack(&file(&larger, 250_000), limits).is_err());
    let stream = [&compress(b"x")[..], &larger].concat();
    assert!(unpack(&file(&stream, 250_001), limits).is_ok());
}

#[test]
fn attack_d03_checksums_of_blocks_and_streams_are_compared() {
    let good = compress(b"some text");
    for at in [10, good.len() - 2] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        assert!(unpack(&file(&bad, 9), LIMITS).is_err(), "byte {at}");
    }
    let mut randomised = good;
    randomised[14] |= 0x80;
    assert!(unpack(&file(&randomised, 9), LIMITS).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn bytes_of_every_kind_come_out_as_they_went_in(
        pieces in prop::collection::vec((any::<u8>(), 1usize..700, any::<bool>()), 0..40),
    ) {
        let plain: Vec<u8> = pieces
            .iter()
            .flat_map(|(byte, count, run)| {
                (0..*count).map(move |at| if *run { *byte } else { byte.wrapping_add((at * at / 3) as u8) })
            })
            .collect();
        let unpacked = unpack(&file(&compress(&plain), plain.len()), LIMITS);
        prop_assert_eq!(unpacked.unwrap().0, plain);
    }
}
