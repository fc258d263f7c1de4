//! `dump-core`: the file, the words, and what is left when it is not finished.

use std::process::Stdio;

use elf::ElfBytes;
use elf::endian::LittleEndian;
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
        assert_eq!((file.ehdr.e_type, file.ehdr.e_machine, file.ehdr.e_phnum), (4, 62, 0));
        let registers = section(&file, ".xen_prstatus").unwrap();
        assert_eq!(registers, [vec![1; CONTEXT], vec![2; CONTEXT]].concat());
        assert_eq!(section(&file, ".xen_shared_info").unwrap(), [3; 4096]);
        let pages = section(&file, ".xen_pages").unwrap();
        let (frames, other) = if translated { (".xen_pfn", ".xen_p2m") } else { (".xen_p2m", ".xen_pfn") };
        let numbers = words(section(&file, frames).unwrap());
        let expected: &[u64] = if translated { &[2, 0, 1] } else { &[2, 0x102, 0, 0x300, 1, 0x301] };
        assert_eq!(numbers, expected);
        assert!(section(&file, other).is_none());
        for (page, fill) in pages.chunks(4096).zip([12, 10, 11]) {
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
    for part in ["CORE (Core file)", ".note.Xen", ".xen_prstatus", ".xen_pages", ".xen_p2m"] {
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
