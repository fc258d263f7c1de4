//! The ELF file itself: header, segments, and where notes are.

use alloc::vec::Vec;
use core::ops::Range;

use elf::{
    ElfBytes, abi,
    endian::LittleEndian,
    file::Class,
    note::{Note, NoteIterator},
    segment::ProgramHeader,
};

use super::{ImageError, Notes, Segment};

type File<'a> = ElfBytes<'a, LittleEndian>;

/// Linux has about 5 segments, 80 sections and 20 notes.
const MAX_SEGMENTS: usize = 64;
const MAX_SECTIONS: usize = 4096;
const MAX_NOTES: usize = 1024;

/// Entry point, segments in order, notes.
pub(super) fn parse(bytes: &[u8]) -> Result<(u64, Vec<Segment>, Notes), ImageError> {
    match bytes {
        [b'\x7f', b'E', b'L', b'F', abi::ELFCLASS64, abi::ELFDATA2LSB, ..] => {}
        [b'\x7f', b'E', b'L', b'F', ..] => return Err(ImageError::WrongMachine),
        _ => return Err(ImageError::NotElf),
    }
    let file = File::minimal_parse(bytes).map_err(|_| ImageError::NotElf)?;
    if file.ehdr.e_machine != abi::EM_X86_64 {
        return Err(ImageError::WrongMachine);
    }
    if !matches!(file.ehdr.e_type, abi::ET_EXEC | abi::ET_DYN) {
        return Err(ImageError::NotExecutable);
    }
    Ok((file.ehdr.e_entry, segments(&file, bytes.len())?, notes(&file, bytes)?))
}

fn segments(file: &File<'_>, length: usize) -> Result<Vec<Segment>, ImageError> {
    let headers = file.segments().ok_or(ImageError::NoSegments)?;
    if headers.len() > MAX_SEGMENTS {
        return Err(ImageError::TooMany("segments"));
    }
    let loadable = headers.iter().filter(|header| header.p_type == abi::PT_LOAD && header.p_memsz > 0);
    let mut segments = loadable.map(|header| segment(&header, length)).collect::<Result<Vec<_>, _>>()?;
    segments.sort_by_key(|segment| segment.paddr);
    for (before, after) in segments.iter().zip(segments.iter().skip(1)) {
        if after.paddr < before.end() {
            return Err(ImageError::Overlap(after.paddr));
        }
    }
    if segments.is_empty() { Err(ImageError::NoSegments) } else { Ok(segments) }
}

fn segment(header: &ProgramHeader, length: usize) -> Result<Segment, ImageError> {
    let (paddr, size) = (header.p_paddr, header.p_memsz);
    if header.p_align > 1 && !header.p_align.is_power_of_two() {
        return Err(ImageError::SegmentAlignment(paddr));
    }
    let file = range(header.p_offset, header.p_filesz)
        .filter(|file| file.end <= length && header.p_filesz <= size)
        .ok_or(ImageError::SegmentBytes(paddr))?;
    paddr.checked_add(size).ok_or(ImageError::SegmentTooLarge(paddr))?;
    Ok(Segment { paddr, size, file })
}

fn range(offset: u64, size: u64) -> Option<Range<usize>> {
    let start = usize::try_from(offset).ok()?;
    Some(start..start.checked_add(usize::try_from(size).ok()?)?)
}

/// Xen's notes: those of the segments, or else those of the sections.
fn notes(file: &File<'_>, bytes: &[u8]) -> Result<Notes, ImageError> {
    let segments = file.segments().into_iter().flatten();
    let in_segments = segments
        .filter(|header| header.p_type == abi::PT_NOTE)
        .map(|header| (header.p_offset, header.p_filesz, header.p_align));
    let notes = collect(in_segments, bytes)?;
    if notes != Notes::default() {
        return Ok(notes);
    }
    let Some(sections) = file.section_headers() else { return Ok(notes) };
    if sections.len() > MAX_SECTIONS {
        return Err(ImageError::TooMany("sections"));
    }
    let in_sections = sections
        .iter()
        .filter(|header| header.sh_type == abi::SHT_NOTE)
        .map(|header| (header.sh_offset, header.sh_size, header.sh_addralign));
    collect(in_sections, bytes)
}

fn collect(tables: impl Iterator<Item = (u64, u64, u64)>, bytes: &[u8]) -> Result<Notes, ImageError> {
    let mut notes = Notes::default();
    let mut left = MAX_NOTES;
    for (offset, size, align) in tables {
        let table = range(offset, size).and_then(|range| bytes.get(range)).ok_or(ImageError::NotElf)?;
        // Alignments other than 8 all mean 4, as binutils reads them.
        let align = if align == 8 { 8 } else { 4 };
        for note in NoteIterator::new(LittleEndian, Class::ELF64, align, table) {
            left = left.checked_sub(1).ok_or(ImageError::TooMany("notes"))?;
            if let Note::Unknown(note) = note {
                notes.add(note.name, note.n_type, note.desc)?;
            }
        }
    }
    Ok(notes)
}
