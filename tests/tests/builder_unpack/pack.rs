//! Packing, as kernels are packed.

use miniz_oxide::deflate::compress_to_vec;
use xendless_core::builder::unpack::Format;

pub(super) fn pack(format: Format, plain: &[u8]) -> Vec<u8> {
    let mut packed = match format {
        Format::Gzip => return gzip(plain),
        Format::Xz => xz(plain),
        Format::Lzma => lzma(plain, plain.len() as u64),
        Format::Zstd => ruzstd::encoding::compress_to_vec(plain, ruzstd::encoding::CompressionLevel::Fastest),
        Format::Lz4 => lz4(plain),
        Format::Bzip2 => super::bzip2::compress(plain),
    };
    packed.extend((plain.len() as u32).to_le_bytes());
    packed
}

pub(super) fn gzip(plain: &[u8]) -> Vec<u8> {
    // Flags: a checksum of the header, an extra field, a name and a comment.
    let mut packed = vec![0x1f, 0x8b, 8, 0b1_1110, 0, 0, 0, 0, 0, 3];
    packed.extend(b"\x03\0abcvmlinux\0comment\0\x12\x34");
    packed.extend(compress_to_vec(plain, 6));
    packed.extend(crc32fast::hash(plain).to_le_bytes());
    packed.extend((plain.len() as u32).to_le_bytes());
    packed
}

fn xz(plain: &[u8]) -> Vec<u8> {
    use lzma_rust2::{CheckType, FilterType, Write, XzOptions, XzWriter};
    let mut options = XzOptions::with_preset(1);
    options.set_check_sum_type(CheckType::Crc32);
    options.prepend_pre_filter(FilterType::BcjX86, 0);
    let mut writer = XzWriter::new(Vec::new(), options).unwrap();
    writer.write_all(plain).unwrap();
    writer.finish().unwrap()
}

fn lzma(plain: &[u8], claimed: u64) -> Vec<u8> {
    use lzma_rust2::{LzmaOptions, LzmaWriter, Write};
    // Linux asks for a dictionary of 64 MiB.
    let options = LzmaOptions { dict_size: 64 << 20, ..LzmaOptions::with_preset(0) };
    let mut writer = LzmaWriter::new_use_header(Vec::new(), &options, Some(claimed)).unwrap();
    writer.write_all(plain).unwrap();
    writer.finish().unwrap()
}

pub(super) fn lz4(plain: &[u8]) -> Vec<u8> {
    let mut packed = vec![0x02, 0x21, 0x4c, 0x18];
    for block in plain.chunks(8 << 20) {
        let block = lz4_flex::block::compress(block);
        packed.extend((block.len() as u32).to_le_bytes());
        packed.extend(block);
    }
    packed
}

/// Some code, some text, runs, and noise.
pub(super) fn sample(length: usize) -> Vec<u8> {
    let mut noise = 1u32;
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        match noise >> 30 {
            0 => bytes.extend([0xe8, (noise >> 8) as u8, (noise >> 16) as u8, 0, 0]),
            1 => bytes.extend(vec![0; (noise >> 8) as usize % 700]),
            2 => bytes.extend(b"a line of text that comes again\n"),
            _ => bytes.extend(noise.to_le_bytes()),
        }
    }
    bytes.truncate(length);
    bytes
}
