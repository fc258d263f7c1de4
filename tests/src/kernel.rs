//! Kernels made to measure: small ELF files with Xen notes, right or wrong as a test needs them.

/// An x86-64 ELF executable to be written.
#[derive(Clone, Debug)]
pub struct Elf {
    /// The entry point in the header.
    pub entry: u64,
    /// What gets loaded.
    pub segments: Vec<Segment>,
    /// Xen's notes: kind and contents.
    pub notes: Vec<(u32, Vec<u8>)>,
    /// Where the notes are listed.
    pub notes_in: NotesIn,
}

/// One loaded piece.
#[derive(Clone, Debug)]
pub struct Segment {
    /// Its physical address.
    pub paddr: u64,
    /// Its bytes in the file.
    pub bytes: Vec<u8>,
    /// Its bytes in memory.
    pub memory: u64,
}

/// The table that leads to the notes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotesIn {
    /// The segment table.
    Segments,
    /// The section table.
    Sections,
}

/// Numbers of the notes used here, from `xen/elfnote.h`.
pub mod note {
    /// Entry point.
    pub const ENTRY: u32 = 1;
    /// Hypercall page.
    pub const HYPERCALL_PAGE: u32 = 2;
    /// Virtual base.
    pub const VIRT_BASE: u32 = 3;
    /// What to take off physical addresses.
    pub const PADDR_OFFSET: u32 = 4;
    /// Interface version.
    pub const XEN_VERSION: u32 = 5;
    /// Feature list.
    pub const FEATURES: u32 = 10;
    /// Address of the frame list.
    pub const INIT_P2M: u32 = 15;
    /// Ramdisk by frame number.
    pub const MOD_START_PFN: u32 = 16;
    /// PVH entry point.
    pub const PHYS32_ENTRY: u32 = 18;
}

/// The virtual base of [`Elf::pv`].
pub const VIRT_BASE: u64 = 0xffff_ffff_8000_0000;

/// Bytes of the ELF header and of one entry of each table.
const HEADER: usize = 64;
const SEGMENT_ENTRY: usize = 56;
const SECTION_ENTRY: usize = 64;

impl Elf {
    /// A kernel that loads at 1 MiB and runs as PV and as PVH.
    #[must_use]
    pub fn pv() -> Self {
        let entry = VIRT_BASE + 0x10_0000;
        let text: Vec<u8> = (0..0x1800u32).map(|i| (i % 251) as u8).collect();
        Self {
            entry: 0x10_0000,
            segments: vec![
                Segment { paddr: 0x10_0000, bytes: text, memory: 0x2000 },
                Segment { paddr: 0x10_2000, bytes: vec![0xdd; 0x800], memory: 0x3000 },
            ],
            notes: vec![
                (note::XEN_VERSION, b"xen-3.0\0".to_vec()),
                (note::VIRT_BASE, VIRT_BASE.to_le_bytes().to_vec()),
                (note::ENTRY, entry.to_le_bytes().to_vec()),
                (note::HYPERCALL_PAGE, (entry + 0x1000).to_le_bytes().to_vec()),
                (note::FEATURES, b"!writable_page_tables|pae_pgdir_above_4gb\0".to_vec()),
                (note::PHYS32_ENTRY, 0x10_0040u32.to_le_bytes().to_vec()),
            ],
            notes_in: NotesIn::Segments,
        }
    }

    /// The same with another value for one note, or with a new note.
    #[must_use]
    pub fn with_note(mut self, kind: u32, contents: impl Into<Vec<u8>>) -> Self {
        self.notes.retain(|(known, _)| *known != kind);
        self.notes.push((kind, contents.into()));
        self
    }

    /// The file.
    #[must_use]
    pub fn build(&self) -> Vec<u8> {
        let notes =
            self.notes.iter().flat_map(|(kind, contents)| note_bytes(*kind, contents)).collect::<Vec<_>>();
        let tables = HEADER + (self.segments.len() + 1) * SEGMENT_ENTRY + SECTION_ENTRY;
        let notes_at = tables.next_multiple_of(8);
        let mut at = notes_at + notes.len();
        let mut file = header(self.entry, self.segments.len() as u16 + 1, tables - SECTION_ENTRY);
        let segment_notes = if self.notes_in == NotesIn::Segments { 4 } else { 0 };
        file.extend(segment_entry(segment_notes, 0, notes_at, notes.len(), notes.len() as u64));
        for segment in &self.segments {
            file.extend(segment_entry(1, segment.paddr, at, segment.bytes.len(), segment.memory));
            at += segment.bytes.len();
        }
        file.extend(section_entry(notes_at, notes.len()));
        file.resize(notes_at, 0);
        file.extend(notes);
        for segment in &self.segments {
            file.extend(&segment.bytes);
        }
        file
    }
}

fn header(entry: u64, segments: u16, sections_at: usize) -> Vec<u8> {
    let mut header = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    header.extend(2u16.to_le_bytes());
    header.extend(62u16.to_le_bytes());
    header.extend(1u32.to_le_bytes());
    header.extend(entry.to_le_bytes());
    header.extend((HEADER as u64).to_le_bytes());
    header.extend((sections_at as u64).to_le_bytes());
    header.extend(0u32.to_le_bytes());
    for half in [HEADER as u16, SEGMENT_ENTRY as u16, segments, SECTION_ENTRY as u16, 1, 0] {
        header.extend(half.to_le_bytes());
    }
    header
}

fn segment_entry(kind: u32, paddr: u64, at: usize, length: usize, memory: u64) -> Vec<u8> {
    let mut entry = kind.to_le_bytes().to_vec();
    entry.extend(7u32.to_le_bytes());
    for word in [at as u64, paddr, paddr, length as u64, memory, 4] {
        entry.extend(word.to_le_bytes());
    }
    entry
}

fn section_entry(at: usize, length: usize) -> Vec<u8> {
    let mut entry = 0u32.to_le_bytes().to_vec();
    entry.extend(7u32.to_le_bytes());
    for word in [0, 0, at as u64, length as u64, 0, 4, 0] {
        entry.extend(u64::to_le_bytes(word));
    }
    entry
}

fn note_bytes(kind: u32, contents: &[u8]) -> Vec<u8> {
    let mut note = 4u32.to_le_bytes().to_vec();
    note.extend((contents.len() as u32).to_le_bytes());
    note.extend(kind.to_le_bytes());
    note.extend(b"Xen\0");
    note.extend(contents);
    note.resize(note.len().next_multiple_of(4), 0);
    note
}

/// A bzImage with this payload, the four bytes of size included.
#[must_use]
pub fn bzimage(payload: &[u8]) -> Vec<u8> {
    const SETUP_SECTORS: u8 = 3;
    const OFFSET: u32 = 0x40;
    let mut file = vec![0; (usize::from(SETUP_SECTORS) + 1) * 512 + OFFSET as usize];
    file[0x1f1] = SETUP_SECTORS;
    file[0x1fe..0x200].copy_from_slice(&[0x55, 0xaa]);
    file[0x202..0x206].copy_from_slice(b"HdrS");
    file[0x206..0x208].copy_from_slice(&0x020fu16.to_le_bytes());
    file[0x248..0x24c].copy_from_slice(&OFFSET.to_le_bytes());
    file[0x24c..0x250].copy_from_slice(&(payload.len() as u32).to_le_bytes());
    file.extend(payload);
    file.extend([0; 64]);
    file
}
