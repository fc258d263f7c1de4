//! Compressed kernels: every format comes out as it went in, in bounded steps, and lies are found out.

mod bzip2;
mod pack;

use proptest::prelude::*;
use xendless_core::builder::unpack::{Format, Limits, Plain, Step, Unpack, UnpackError};
use xendless_tests::kernel::bzimage;

use pack::{gzip, lz4, pack, sample};

const LIMITS: Limits = Limits { kernel: 4 << 20, dictionary: 2 << 20 };
const FORMATS: [Format; 6] =
    [Format::Gzip, Format::Xz, Format::Lzma, Format::Zstd, Format::Lz4, Format::Bzip2];

/// Runs to the end; also says how many steps it took.
fn unpack(file: &[u8], limits: Limits) -> Result<(Vec<u8>, usize), UnpackError> {
    let mut unpack = Unpack::new(file, limits)?;
    for steps in 1.. {
        match unpack.step()? {
            Step::More(more) => unpack = more,
            Step::Done(plain) => return Ok((plain.as_ref().to_vec(), steps)),
        }
        assert!(steps < 100_000, "goes on for ever");
    }
    unreachable!()
}

#[test]
fn every_format_comes_out_as_it_went_in() {
    for length in [1, 4095, 4096, 300_000] {
        let plain = sample(length);
        for format in FORMATS {
            let (found, _) = unpack(&bzimage(&pack(format, &plain)), LIMITS).unwrap();
            assert!(found == plain, "{} of {length} bytes", format.name());
        }
    }
}

#[test]
fn plain_and_gzipped_elf_files_need_no_bzimage() {
    let elf = xendless_tests::kernel::Elf::pv().build();
    let Step::Done(Plain::File(file)) = Unpack::new(&elf[..], LIMITS).unwrap().step().unwrap() else {
        panic!("a plain file is passed through")
    };
    assert!(std::ptr::eq(file, &elf[..]), "without a copy");
    assert_eq!(unpack(&gzip(&elf), LIMITS).unwrap().0, elf);
}

/// A step adds at most 64 KiB; for xz and lzma, whose bytes cost ten times as much, 4 KiB.
#[test]
fn work_is_cut_into_steps() {
    let plain = sample(1 << 20);
    for (format, most) in FORMATS.into_iter().zip([32 << 10, 4 << 10, 4 << 10, 64 << 10, 32 << 10, 16 << 10])
    {
        let (_, steps) = unpack(&bzimage(&pack(format, &plain)), LIMITS).unwrap();
        assert!(steps >= plain.len() / most, "{} takes {steps} steps", format.name());
    }
}

#[test]
fn frames_and_blocks_of_lz4_may_follow_each_other() {
    let (first, second) = (sample(50_000), vec![7; 50_000]);
    let mut packed = lz4(&first);
    packed.extend(lz4(&second));
    packed.extend((100_000u32).to_le_bytes());
    assert_eq!(unpack(&bzimage(&packed), LIMITS).unwrap().0, [first, second].concat());
}

#[test]
fn lzma_may_leave_its_end_to_a_marker() {
    use lzma_rust2::{LzmaOptions, LzmaWriter, Write};
    let plain = sample(10_000);
    let mut writer = LzmaWriter::new_use_header(Vec::new(), &LzmaOptions::with_preset(0), None).unwrap();
    writer.write_all(&plain).unwrap();
    let mut packed = writer.finish().unwrap();
    packed.extend(10_000u32.to_le_bytes());
    assert_eq!(unpack(&bzimage(&packed), LIMITS).unwrap().0, plain);
}

#[test]
fn attack_d02_the_limit_is_known_before_unpacking_begins() {
    for format in FORMATS {
        let file = bzimage(&pack(format, &vec![0; (1 << 20) + 1]));
        let error = Unpack::new(&file[..], Limits { kernel: 1 << 20, ..LIMITS }).unwrap_err();
        assert_eq!(error, UnpackError::TooLarge { claimed: (1 << 20) + 1, limit: 1 << 20 });
        assert!(error.to_string().contains("the limit is 1048576"), "{error}");
    }
}

#[test]
fn attack_d02_a_size_that_lies_is_found_out() {
    let plain = sample(100_000);
    for format in FORMATS {
        for claimed in [0u32, 1, 99_999, 100_001, 4 << 20] {
            let mut packed = pack(format, &plain);
            let at = packed.len() - 4;
            packed[at..].copy_from_slice(&claimed.to_le_bytes());
            let error = unpack(&bzimage(&packed), LIMITS).unwrap_err();
            let expected = match format {
                // Its checksum covers the size; its header repeats it.
                Format::Gzip | Format::Lzma => {
                    matches!(error, UnpackError::Corrupt(_) | UnpackError::LongerThanClaimed(_))
                }
                _ if claimed < 100_000 => matches!(
                    error,
                    UnpackError::LongerThanClaimed(_)
                        | UnpackError::Corrupt(_)
                        | UnpackError::Dictionary { .. }
                ),
                _ => error == UnpackError::ShorterThanClaimed { claimed: claimed as usize, found: 100_000 },
            };
            assert!(expected, "{} that claims {claimed}: {error}", format.name());
        }
    }
}

#[test]
fn attack_d02_a_dictionary_over_the_limit_is_refused() {
    let file = bzimage(&pack(Format::Xz, &sample(1000)));
    let limits = Limits { dictionary: 64 << 10, ..LIMITS };
    let error = unpack(&file, limits).unwrap_err();
    assert_eq!(error, UnpackError::Dictionary { format: Format::Xz, limit: 64 << 10 });
}

#[test]
fn attack_d03_files_that_are_no_kernels_are_refused() {
    let refused = |file: &[u8]| unpack(file, LIMITS).unwrap_err();
    assert_eq!(refused(b""), UnpackError::Empty);
    assert_eq!(refused(b"#!/bin/sh\n"), UnpackError::NotAKernel);
    assert_eq!(refused(&[0; 4096]), UnpackError::NotAKernel);
    assert_eq!(refused(&[0x1f, 0x8b]), UnpackError::Truncated("kernel payload"));
    assert_eq!(refused(&bzimage(b"something else")), UnpackError::UnknownPayload);
    assert_eq!(refused(&bzimage(b"\x89LZO\0\r\n\x1a\n\x10")), UnpackError::Unsupported("lzo"));
    let mut old = bzimage(b"");
    old[0x206..0x208].copy_from_slice(&0x0203u16.to_le_bytes());
    assert_eq!(refused(&old), UnpackError::OldProtocol(0x0203));
    let mut lying = bzimage(b"");
    lying[0x248..0x250].copy_from_slice(&[0xff; 8]);
    assert_eq!(refused(&lying), UnpackError::Truncated("payload"));
}

#[test]
fn attack_d03_every_truncation_is_refused() {
    let plain = sample(3000);
    for format in FORMATS {
        let packed = pack(format, &plain);
        for length in 0..packed.len() {
            let mut cut = packed[..length.saturating_sub(4)].to_vec();
            if format != Format::Gzip && length > 4 {
                cut.extend(3000u32.to_le_bytes());
            }
            assert!(unpack(&bzimage(&cut), LIMITS).is_err(), "{} cut at {length}", format.name());
        }
        let file = bzimage(&packed);
        for length in 0..file.len() - 64 {
            assert!(unpack(&file[..length], LIMITS).is_err(), "{} file cut at {length}", format.name());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Damage is found by checksum, except where the format has none (lz4, lzma) or where it does not matter.
    #[test]
    fn attack_d03_damaged_payloads_never_break_the_decoders(
        which in 0usize..6,
        damage in prop::collection::vec((0usize..4000, any::<u8>()), 1..6),
    ) {
        let plain = sample(20_000);
        let mut packed = pack(FORMATS[which], &plain);
        let stream = packed.len() - 4;
        for (at, byte) in damage {
            packed[at % stream] = byte;
        }
        if let Ok((found, _)) = unpack(&bzimage(&packed), LIMITS) {
            prop_assert_eq!(found.len(), plain.len());
            prop_assert!(found == plain || matches!(FORMATS[which], Format::Lz4 | Format::Lzma));
        }
    }

    #[test]
    fn lz4_matches_of_every_distance_and_length(
        seed in any::<u8>(),
        period in 1usize..70_000,
        length in 1usize..150_000,
    ) {
        let base: Vec<u8> = (0..period).map(|i| (i as u8).wrapping_mul(31) ^ (i >> 8) as u8 ^ seed).collect();
        let plain: Vec<u8> = base.iter().copied().cycle().take(length).collect();
        prop_assert!(unpack(&bzimage(&pack(Format::Lz4, &plain)), LIMITS).unwrap().0 == plain);
    }
}
