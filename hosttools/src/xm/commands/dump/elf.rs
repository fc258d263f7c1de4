//! The file: ELF with the sections of Xen's `docs/misc/dump-core-format.txt`, and with segments besides, as debuggers want
//! them.
//!
//! The pages begin where all that is before them ends, at a multiple of the page size, and have the domain's order, as far
//! as that is without large holes: what stands side by side at virtual addresses should do so in the file. Behind them
//! stands which they are. The headers are written last, so that a file that was not finished is none. Those of segments stand at the end: `crash` takes a file for one of Linux'
//! own when it finds them near the beginning, and then does not see the sections.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use xendless_core::hyper::CONTEXT;
use xendless_core::protocol::Host;
use xendless_core::protocol::dump::Piece;
use xendless_core::shared::PAGE_SIZE;

use super::segments::{PROGRAM_HEADER, notes_header, page_table, run_header, threads};
use super::walk::{self, Run};

const PAGE: u64 = PAGE_SIZE as u64;
/// Bytes of the file's header, and of each section's.
const FILE_HEADER: u64 = 64;
const SECTION_HEADER: u64 = 64;
/// More sections than there are.
const SECTIONS: u64 = 8;
const TABLE: u64 = FILE_HEADER + SECTIONS * SECTION_HEADER;

const SHT_PROGBITS: u32 = 1;
const SHT_STRTAB: u32 = 3;
const SHT_NOTE: u32 = 7;

const NOTE_NONE: u32 = 0x200_0000;
const NOTE_HEADER: u32 = 0x200_0001;
const NOTE_XEN_VERSION: u32 = 0x200_0002;
const NOTE_FORMAT_VERSION: u32 = 0x200_0003;
/// `XC_CORE_MAGIC` and `XC_CORE_MAGIC_HVM`.
const MAGIC: u64 = 0xf00f_ebed;
const MAGIC_HVM: u64 = 0xf00f_ebee;
/// A place without a page: the domain's number, and the frame.
const EMPTY: (u64, u64) = (u64::MAX, u64::MAX);
/// Version 0.1 of the format.
const FORMAT: u64 = 1;

/// A dump that is being written.
pub(super) struct Core {
    file: File,
    translated: bool,
    /// Pages that the domain has; so many will about come.
    expected: u64,
    registers: Vec<u8>,
    /// Whose these are.
    vcpus: Vec<u64>,
    shared_info: Option<Vec<u8>>,
    /// Where the pages begin, once one came.
    pages: Option<u64>,
    /// The domain's number and the frame of each page, by its place.
    frames: Vec<(u64, u64)>,
}

/// A section.
struct Section {
    name: &'static str,
    kind: u32,
    offset: u64,
    size: u64,
    align: u64,
    entry: u64,
}

impl Core {
    pub(super) const fn new(file: File) -> Self {
        Self {
            file,
            translated: false,
            expected: 0,
            registers: Vec::new(),
            vcpus: Vec::new(),
            shared_info: None,
            pages: None,
            frames: Vec::new(),
        }
    }

    /// Takes a piece.
    pub(super) fn take(&mut self, piece: Piece, body: &[u8]) -> io::Result<()> {
        match piece {
            Piece::Head { translated, pages } => (self.translated, self.expected) = (translated, pages),
            Piece::Registers { .. } | Piece::SharedInfo if self.pages.is_some() => {
                return Err(io::Error::other("what came is no dump"));
            }
            Piece::Registers { vcpu } => {
                self.registers.extend_from_slice(body);
                self.vcpus.push(vcpu);
            }
            Piece::SharedInfo => self.shared_info = Some(body.to_vec()),
            Piece::Page { pfn, gmfn } => {
                let first = self.first_page();
                self.pages = Some(first);
                let place = self.place(pfn, gmfn)?;
                self.file.write_all_at(body, first + place * PAGE)?;
            }
            Piece::End => {}
        }
        Ok(())
    }

    /// Gives a page its place: that of its number, or one behind all others.
    fn place(&mut self, pfn: u64, gmfn: u64) -> io::Result<u64> {
        let free = |place: &usize| self.frames.get(*place).is_none_or(|found| *found == EMPTY);
        let usual = usize::try_from(pfn).ok().filter(|_| pfn < self.expected).filter(free);
        let behind = || self.frames.len().max(usize::try_from(self.expected).unwrap_or(usize::MAX));
        let place = usual.unwrap_or_else(behind);
        let wanted = place.saturating_add(1).max(self.frames.len());
        self.frames.try_reserve(wanted - self.frames.len()).map_err(io::Error::other)?;
        self.frames.resize(wanted, EMPTY);
        if let Some(frame) = self.frames.get_mut(place) {
            *frame = (pfn, gmfn);
        }
        Ok(place as u64)
    }

    fn count(&self) -> u64 {
        self.frames.len() as u64
    }

    fn notes_size(&self) -> u64 {
        [0, 32, 1280, 8].into_iter().map(|size: u64| 16 + size).sum()
    }

    fn shared_info_at(&self) -> u64 {
        TABLE + self.notes_size() + self.registers.len() as u64
    }

    fn first_page(&self) -> u64 {
        let shared_info = self.shared_info.as_ref().map_or(0, Vec::len) as u64;
        (self.shared_info_at() + shared_info).next_multiple_of(PAGE)
    }

    /// Writes all but the pages, and brings the file to the disk.
    pub(super) fn finish(&self, host: &Host) -> io::Result<()> {
        let (first, count) = (self.first_page(), self.count());
        let mut places = Vec::new();
        for (pfn, gmfn) in &self.frames {
            places.extend_from_slice(&pfn.to_le_bytes());
            if !self.translated {
                places.extend_from_slice(&gmfn.to_le_bytes());
            }
        }
        let places_at = first + count * PAGE;
        let mut sections = vec![
            section(".note.Xen", SHT_NOTE, TABLE, self.notes_size(), 1, 0),
            section(
                ".xen_prstatus",
                SHT_PROGBITS,
                TABLE + self.notes_size(),
                self.registers.len() as u64,
                8,
                CONTEXT as u64,
            ),
        ];
        if self.shared_info.is_some() {
            let at = self.shared_info_at();
            sections.push(section(".xen_shared_info", SHT_PROGBITS, at, PAGE, 8, PAGE));
        }
        sections.push(section(".xen_pages", SHT_PROGBITS, first, count * PAGE, PAGE, PAGE));
        let (name, entry) = if self.translated { (".xen_pfn", 8) } else { (".xen_p2m", 16) };
        sections.push(section(name, SHT_PROGBITS, places_at, count * entry, 8, entry));
        let names_at = places_at + places.len() as u64;
        let (names, headers) = section_headers(&sections, names_at);
        self.file.write_all_at(&places, places_at)?;
        self.file.write_all_at(&names, names_at)?;
        self.file.write_all_at(&self.notes(host), TABLE)?;
        self.file.write_all_at(&self.registers, TABLE + self.notes_size())?;
        if let Some(shared_info) = &self.shared_info {
            self.file.write_all_at(shared_info, self.shared_info_at())?;
        }
        let (segments, number) = self.segments(names_at + names.len() as u64)?;
        let number = [number, sections.len() + 2].map(|number| u16::try_from(number).unwrap_or(u16::MAX));
        self.file.write_all_at(&headers, FILE_HEADER)?;
        self.file.write_all_at(&file_header(segments, number), 0)?;
        self.file.sync_all()
    }

    /// Writes what segments lead to that is nowhere else, and their headers, from `at` on; returns where these begin, and
    /// how many there are.
    fn segments(&self, at: u64) -> io::Result<(u64, usize)> {
        let contexts = self.vcpus.iter().copied().zip(self.registers.chunks(CONTEXT));
        let threads = threads(contexts, self.translated);
        let threads_at = at.next_multiple_of(8);
        let mut headers = notes_header(threads_at, threads.len() as u64);
        headers.extend(notes_header(TABLE, self.notes_size()));
        for run in self.runs()? {
            headers.extend(run_header(&run, self.first_page()));
        }
        let headers_at = (threads_at + threads.len() as u64).next_multiple_of(8);
        self.file.write_all_at(&threads, threads_at)?;
        self.file.write_all_at(&headers, headers_at)?;
        Ok((headers_at, headers.len() / usize::try_from(PROGRAM_HEADER).unwrap_or(1)))
    }

    /// Where memory was to the first virtual CPU.
    fn runs(&self) -> io::Result<Vec<Run>> {
        let first = self.registers.get(..CONTEXT);
        let Some(top) = first.and_then(|registers| page_table(registers, self.translated)) else {
            return Ok(Vec::new());
        };
        walk::runs(&self.frames, top, self.translated, |place, page| {
            self.file.read_exact_at(page, self.first_page() + place * PAGE)
        })
    }

    fn notes(&self, host: &Host) -> Vec<u8> {
        let mut notes = Vec::new();
        note(&mut notes, NOTE_NONE, &[]);
        let magic = if self.translated { MAGIC_HVM } else { MAGIC };
        let vcpus = (self.registers.len() / CONTEXT) as u64;
        let header = [magic, vcpus, self.count(), PAGE].map(u64::to_le_bytes).concat();
        note(&mut notes, NOTE_HEADER, &header);
        note(&mut notes, NOTE_XEN_VERSION, &version(host));
        note(&mut notes, NOTE_FORMAT_VERSION, &FORMAT.to_le_bytes());
        notes
    }
}

const fn section(name: &'static str, kind: u32, offset: u64, size: u64, align: u64, entry: u64) -> Section {
    Section { name, kind, offset, size, align, entry }
}

fn note(notes: &mut Vec<u8>, kind: u32, content: &[u8]) {
    let size = u32::try_from(content.len()).unwrap_or(u32::MAX);
    for word in [4, size, kind] {
        notes.extend_from_slice(&word.to_le_bytes());
    }
    notes.extend_from_slice(b"Xen\0");
    notes.extend_from_slice(content);
}

/// What `xen_version` says, as the format has it.
fn version(host: &Host) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend_from_slice(&u64::from(host.xen_major).to_le_bytes());
    bytes.extend_from_slice(&u64::from(host.xen_minor).to_le_bytes());
    let texts = [
        (&host.xen_extra, 16),
        (&host.cc_compiler, 64),
        (&host.cc_compile_by, 16),
        (&host.cc_compile_domain, 32),
        (&host.cc_compile_date, 32),
        (&host.xen_caps, 1024),
        (&host.xen_changeset, 64),
    ];
    for (text, size) in texts {
        let start = bytes.len();
        // A terminator stands behind each.
        bytes.extend(text.bytes().take(size - 1));
        bytes.resize(start + size, 0);
    }
    bytes.extend_from_slice(&host.virt_start.to_le_bytes());
    bytes.extend_from_slice(&PAGE.to_le_bytes());
    bytes
}

/// The names of all sections, and their headers: an empty one, that of the names, and the others.
fn section_headers(sections: &[Section], names_at: u64) -> (Vec<u8>, Vec<u8>) {
    let mut names = vec![0];
    let mut place = |name: &str| {
        let at = u32::try_from(names.len()).unwrap_or(0);
        names.extend_from_slice(name.as_bytes());
        names.push(0);
        at
    };
    let own = place(".shstrtab");
    let places: Vec<u32> = sections.iter().map(|section| place(section.name)).collect();
    let table = section(".shstrtab", SHT_STRTAB, names_at, names.len() as u64, 1, 0);
    let mut headers = vec![0; usize::try_from(SECTION_HEADER).unwrap_or(0)];
    headers.extend(section_header(own, &table));
    for (name, section) in places.into_iter().zip(sections) {
        headers.extend(section_header(name, section));
    }
    (names, headers)
}

fn section_header(name: u32, section: &Section) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend_from_slice(&name.to_le_bytes());
    bytes.extend_from_slice(&section.kind.to_le_bytes());
    // Flags, address, offset, size, link and information, alignment, size of an entry.
    for word in [0, 0, section.offset, section.size, 0, section.align, section.entry] {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    bytes
}

/// The file's header: where those of segments begin, and how many of them and of sections there are.
fn file_header(segments_at: u64, [segments, sections]: [u16; 2]) -> Vec<u8> {
    let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    // A core file for x86-64, version 1.
    for half in [4_u16, 62, 1, 0] {
        bytes.extend_from_slice(&half.to_le_bytes());
    }
    // No entry; section headers follow this one.
    for word in [0, segments_at, FILE_HEADER] {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    // No flags; sizes and numbers of headers; the names are the first section.
    bytes.extend_from_slice(&0_u32.to_le_bytes());
    for half in [64, 56, segments, 64, sections, 1] {
        bytes.extend_from_slice(&half.to_le_bytes());
    }
    bytes
}
