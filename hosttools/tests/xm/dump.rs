//! `dump-core`: the file, the words, and what is left when it is not finished.

use std::process::Stdio;

use elf::ElfBytes;
use elf::abi::PT_LOAD;
use elf::endian::LittleEndian;
use elf::note::Note;
use rustix::process::{Pid, Signal, kill_process};
use xendless_core::hyper::CONTEXT;
use xendless_core::protocol::dump::Piece;
use xendless_core::protocol::{Failure, Request};
use xendless_core::rights::Rights;

use crate::server::{Server, run};
use crate::world::World;

/// What the server sends for a domain with two virtual CPUs and three pages.
pub(crate) fn stream(translated: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut piece = |piece: Piece, fill: u8| {
        bytes.extend(piece.header());
        bytes.extend(vec![fill; piece.body()]);
    };
    piece(Piece::Head { translated, pages: 3 }, 0);
    piece(Piece::Registers { vcpu: 0 }, 1);
    piece(Piece::Registers { vcpu: 1 }, 2);
    piece(Piece::SharedInfo, 3);
    for (pfn, gmfn, fill) in [(2, 0x102, 12), (0, 0x300, 10), (1, 0x301, 11)] {
        piece(Piece::Page { pfn, gmfn: if translated { pfn } else { gmfn } }, fill);
    }
    piece(Piece::End, 0);
    bytes
}

fn section<'a>(file: &'a ElfBytes<'a, LittleEndian>, name: &str) -> Option<&'a [u8]> {
    let header = file.section_header_by_name(name).unwrap()?;
    Some(file.section_data(&header).unwrap().0)
}

fn words(bytes: &[u8]) -> Vec<u64> {
    bytes.chunks(8).map(|word| u64::from_le_bytes(word.try_into().unwrap())).collect()
}

#[test]
fn a_reader_finds_all_that_the_domain_had() {
    for translated in [false, true] {
        let server = Server::start(World { dump: stream(translated), ..World::default() });
        let output = crate::parts(&server.xm("dump-core guest core"));
        assert_eq!(output, (0, "Dumping core of domain: guest ...\n".into(), String::new()));
        assert_eq!(server.seen.all()[2], "dump guest live=false hold=false".replace("guest", "7"));
        let bytes = std::fs::read(server.folder.path().join("core")).unwrap();
        let file = ElfBytes::<LittleEndian>::minimal_parse(&bytes).unwrap();
        assert_eq!((file.ehdr.e_type, file.ehdr.e_machine, file.ehdr.e_phnum), (4, 62, 2));
        let registers = section(&file, ".xen_prstatus").unwrap();
        assert_eq!(registers, [vec![1; CONTEXT], vec![2; CONTEXT]].concat());
        assert_eq!(section(&file, ".xen_shared_info").unwrap(), [3; 4096]);
        let pages = section(&file, ".xen_pages").unwrap();
        let (frames, other) = if translated { (".xen_pfn", ".xen_p2m") } else { (".xen_p2m", ".xen_pfn") };
        let numbers = words(section(&file, frames).unwrap());
        let expected: &[u64] = if translated { &[0, 1, 2] } else { &[0, 0x300, 1, 0x301, 2, 0x102] };
        assert_eq!(numbers, expected);
        assert!(section(&file, other).is_none());
        for (page, fill) in pages.chunks(4096).zip([10, 11, 12]) {
            assert_eq!(page, [fill; 4096]);
        }
        notes(&file, translated);
    }
}

fn notes(file: &ElfBytes<'_, LittleEndian>, translated: bool) {
    let header = file.section_header_by_name(".note.Xen").unwrap().unwrap();
    let notes: Vec<_> = file
        .section_data_as_notes(&header)
        .unwrap()
        .map(|note| match note {
            elf::note::Note::Unknown(note) => (note.n_type, note.name.to_vec(), note.desc.to_vec()),
            other => unreachable!("{other:?}"),
        })
        .collect();
    let kinds: Vec<_> = notes.iter().map(|(kind, ..)| *kind).collect();
    assert_eq!(kinds, [0x200_0000, 0x200_0001, 0x200_0002, 0x200_0003]);
    assert!(notes.iter().all(|(_, name, _)| name.starts_with(b"Xen")));
    let magic = if translated { 0xf00f_ebee } else { 0xf00f_ebed };
    assert_eq!(words(&notes[1].2), [magic, 2, 3, 4096]);
    assert_eq!(words(&notes[2].2[..16]), [4, 17]);
    assert_eq!((notes[2].2.len(), &notes[2].2[16..20]), (1280, b".7\0\0".as_slice()));
    assert_eq!(words(&notes[3].2), [1]);
}

/// What the server sends for a PV domain whose virtual CPU 1, the only one that ever ran, has page tables: the page 4 and
/// the one behind it are at the beginning of the last 2 GiB.
fn mapped() -> Vec<u8> {
    let mut registers = vec![0; CONTEXT];
    let mut set = |at: usize, value: u64| registers[at..at + 8].copy_from_slice(&value.to_le_bytes());
    // The instruction and the stack pointer, the mode, the page table, gs of the kernel.
    for (at, value) in
        [(520 + 128, 0xffff_ffff_8000_0123), (520 + 152, 0x7000), (512, 4), (5008, 0x100 << 12), (5152, 9)]
    {
        set(at, value);
    }
    let mut bytes = Piece::Head { translated: false, pages: 6 }.header().to_vec();
    bytes.extend(Piece::Registers { vcpu: 1 }.header());
    bytes.extend(registers);
    for (pfn, slot, to) in
        [(0, 511, Some(1)), (1, 510, Some(2)), (2, 0, Some(3)), (3, 0, Some(4)), (4, 0, None), (5, 0, None)]
    {
        let mut page = [u8::try_from(pfn).unwrap(); 4096];
        if let Some(to) = to {
            page = [0; 4096];
            page[8 * slot..8 * slot + 8].copy_from_slice(&((0x100_u64 + to) << 12 | 1).to_le_bytes());
            if pfn == 3 {
                page[8..16].copy_from_slice(&(0x105_u64 << 12 | 1).to_le_bytes());
            }
        }
        bytes.extend(Piece::Page { pfn, gmfn: 0x100 + pfn }.header());
        bytes.extend(page);
    }
    bytes.extend(Piece::End.header());
    bytes
}

#[test]
fn pages_with_numbers_out_of_order_have_their_places() {
    let mut dump = Piece::Head { translated: false, pages: 3 }.header().to_vec();
    // One far away, one that is there twice, and one that is not there.
    for (pfn, fill) in [(u64::MAX >> 12, 20), (2, 12), (2, 22), (0, 10)] {
        dump.extend(Piece::Page { pfn, gmfn: u64::from(fill) }.header());
        dump.extend(vec![fill; 4096]);
    }
    dump.extend(Piece::End.header());
    let server = Server::start(World { dump, ..World::default() });
    assert_eq!(crate::parts(&server.xm("dump-core guest core")).0, 0);
    let bytes = std::fs::read(server.folder.path().join("core")).unwrap();
    let file = ElfBytes::<LittleEndian>::minimal_parse(&bytes).unwrap();
    let numbers = words(section(&file, ".xen_p2m").unwrap());
    let none = u64::MAX;
    assert_eq!(numbers, [0, 10, none, none, 2, 12, none >> 12, 20, 2, 22]);
    let first: Vec<u8> = section(&file, ".xen_pages").unwrap().chunks(4096).map(|page| page[0]).collect();
    assert_eq!(first, [10, 0, 12, 20, 22]);
}

#[test]
fn a_debugger_finds_threads_and_memory() {
    let server = Server::start(World { dump: mapped(), ..World::default() });
    assert_eq!(crate::parts(&server.xm("dump-core guest core")).0, 0);
    let bytes = std::fs::read(server.folder.path().join("core")).unwrap();
    let file = ElfBytes::<LittleEndian>::minimal_parse(&bytes).unwrap();
    let segments: Vec<_> = file.segments().unwrap().iter().collect();
    let [threads, xen, load] = segments.as_slice() else { panic!("{segments:?}") };
    assert_eq!((load.p_type, load.p_vaddr, load.p_paddr), (PT_LOAD, 0xffff_ffff_8000_0000, 4 << 12));
    assert_eq!(file.segment_data(load).unwrap(), [[4; 4096], [5; 4096]].concat());
    let notes: Vec<_> = file.segment_data_as_notes(threads).unwrap().collect();
    let [Note::Unknown(note)] = notes.as_slice() else { panic!("{notes:?}") };
    assert_eq!((note.n_type, &note.name[..4], note.desc.len()), (1, &b"CORE"[..], 336));
    assert_eq!(note.desc[32..36], [2, 0, 0, 0], "the thread of the virtual CPU 1");
    let registers = words(&note.desc[112..328]);
    assert_eq!((registers[16], registers[19], registers[22]), (0xffff_ffff_8000_0123, 0x7000, 9));
    assert_eq!(file.segment_data_as_notes(xen).unwrap().count(), 4);
    // Near the beginning crash would take them for those of another kind of file.
    assert!(file.ehdr.e_phoff > 6 * 4096);
}

#[test]
fn other_programs_read_it_too() {
    let server = Server::start(World { dump: stream(false), ..World::default() });
    assert_eq!(crate::parts(&server.xm("dump-core guest core")).0, 0);
    let readelf = std::process::Command::new("readelf")
        .args(["-W", "-h", "-S", "-n", "core"])
        .current_dir(server.folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8(readelf.stdout).unwrap();
    for part in ["CORE (Core file)", "NT_PRSTATUS", ".note.Xen", ".xen_prstatus", ".xen_pages", ".xen_p2m"] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    assert_eq!(String::from_utf8(readelf.stderr).unwrap(), "");
}

#[test]
fn a_crash_ends_the_domain_when_all_is_written() {
    let server = Server::start(World { dump: stream(false), ..World::default() });
    assert_eq!(crate::parts(&server.xm("dump-core -L -C guest core")).0, 0);
    let seen = server.seen.all();
    assert_eq!(seen[2..4], ["dump 7 live=true hold=true", "destroy 7"]);
}

#[test]
fn a_reset_gives_the_domain_another_life_when_all_is_written() {
    let server = Server::start(World { dump: stream(false), ..World::default() });
    assert_eq!(crate::parts(&server.xm("dump-core -R guest core")).0, 0);
    let seen = server.seen.all();
    assert_eq!(seen[2..4], ["dump 7 live=false hold=true", "adjust 7 Reset"]);
    // The file stays whole when the domain gets none.
    let refuse = |request: &Request<'_>| {
        matches!(request, Request::Adjust { .. }).then_some(Failure::Forbidden { needs: Rights::Children })
    };
    let server = Server::start(World { dump: stream(false), refuse, ..World::default() });
    assert_eq!(crate::parts(&server.xm("dump-core -R guest core")).0, 1);
    let there = |name: &str| server.folder.path().join(name).exists();
    assert!(there("core") && !there("core-incomplete"));
}

#[test]
fn ctrl_c_leaves_an_incomplete_file_and_a_domain_that_goes_on() {
    let mut dump = stream(false);
    dump.truncate(dump.len() - 100);
    let server = Server::start(World { dump, dump_stalls: true, ..World::default() });
    let child =
        server.command(&["dump-core", "guest", "core"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut child = child.unwrap();
    server.seen.wait_for("dumped");
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    server.seen.wait_for("cancel");
    let there = |name: &str| server.folder.path().join(name).exists();
    assert!(there("core-incomplete") && !there("core"));
}

#[test]
fn a_stream_that_is_none_is_refused() {
    let server = Server::start(World { dump: vec![9; 5000], ..World::default() });
    let (status, _, err) = crate::parts(&server.xm("dump-core guest core"));
    assert_eq!((status, err.as_str()), (1, "Error: Failed to dump core: what came is no dump\n"));
    assert!(server.folder.path().join("core-incomplete").exists());
}

#[test]
fn what_is_wrong_is_said_in_the_classic_words() {
    let dumping = |name: &str| format!("Dumping core of domain: {name} ...\n");
    let world = || World::default().with_definition("name = 'dormant'\nkernel = '/k'");
    for (line, text, first) in [
        ("dump-core", "Expects 1 or 2 argument(s)", None),
        ("dump-core a b c", "Expects 1 or 2 argument(s)", None),
        ("dump-core -C -R guest", "You may not specify more than one '-CR' option", None),
        ("dump-core -x guest", "option -x not recognized", None),
        ("dump-core 0", "Cannot dump core for privileged domain 0", Some("0")),
        ("dump-core dormant", "Domain 'dormant' is not started", Some("dormant")),
        ("dump-core guest /no/such/file", "Failed to dump core: No such file or directory", Some("guest")),
    ] {
        let (status, out, err) = run(world(), line);
        assert_eq!((status, err), (1, format!("Error: {text}\n")), "{line}");
        assert!(out.starts_with(&first.map_or_else(|| "Usage: ".to_owned(), dumping)), "{line}: {out}");
    }
    let server = Server::start(world());
    let (_, _, err) = crate::parts(&server.xm("dump-core guest ."));
    assert!(err.starts_with("Error: Cannot dump core in a directory: /"), "{err}");
    let (status, _, err) = crate::parts(&server.xm("dump-core nobody core"));
    assert_eq!((status, err.as_str()), (3, "Error: Domain 'nobody' does not exist.\n"));
    let refuse = |request: &Request<'_>| {
        matches!(request, Request::Dump { .. }).then_some(Failure::Forbidden { needs: Rights::Children })
    };
    let server = Server::start(World { refuse, ..world() });
    let (status, _, err) = crate::parts(&server.xm("dump-core guest core"));
    assert!(status == 1 && err.starts_with("Error: this takes the right to children"), "{err}");
}
