//! Help, abbreviations, operands and what became of the rest.

use crate::server::{Server, run};
use crate::world::World;

fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

#[test]
fn without_a_word_there_is_short_help() {
    let (status, out, err) = run(World::default(), "");
    assert_eq!((status, err.as_str()), (1, ""));
    assert!(
        out.starts_with("Usage: xm <subcommand> [args]\n") && out.contains("Common 'xm' commands:\n"),
        "{out}"
    );
}

#[test]
fn help_is_asked_for_in_many_ways() {
    for line in ["help", "help --long", "help nonsense -x y", "-h", "--help"] {
        let (status, out, _) = run(World::default(), line);
        assert!(status == 0 && out.contains("xm full list of subcommands:\n\n console "), "{line}: {out}");
    }
    for line in ["help dmesg", "dmesg -h", "dmesg -c --help"] {
        let server = Server::start(World::default());
        let (status, out, _) = crate::parts(&server.xm(line));
        assert_eq!((status, lines(&out)[0]), (0, "Usage: xm dmesg [-c|--clear]"), "{line}");
        assert_eq!(server.seen.all(), [""; 0], "nothing is carried out");
    }
}

#[test]
fn unknown_words_get_short_help_and_perhaps_a_hint() {
    let (status, out, err) = run(World::default(), "lst");
    assert_eq!((status, err.as_str()), (1, "Error: Subcommand lst not found!\nDid you mean 'list'?\n"));
    assert!(out.contains("Common 'xm' commands:"));
    let (status, _, err) = run(World::default(), "sch");
    assert_eq!((status, err.as_str()), (1, "Error: Subcommand sch not found!\n"));
    let (_, _, err) = run(World::default(), "\u{1b}[2J");
    assert_eq!(err, "Error: Subcommand \\u{1b}[2J not found!\n");
}

#[test]
fn words_are_abbreviated_and_old_ones_known() {
    assert_eq!(run(World::default(), "li guest"), run(World::default(), "list guest"));
    let (status, _, err) = run(World::default(), "balloon guest 5x");
    let text = "Command balloon is deprecated.  Please use xm mem-set instead.\nError: Invalid argument.\n";
    assert_eq!((status, err.as_str()), (1, text));
}

#[test]
fn operands_are_counted_with_the_usual_words() {
    let (status, out, err) = run(World::default(), "pause");
    assert_eq!((status, err.as_str()), (1, "Error: 'xm pause' requires 1 arguments.\n\n"));
    assert_eq!(out, "Usage: xm pause <Domain>\n\nStop a domain where it is.\n\n");
    let (status, _, err) = run(World::default(), "shutdown");
    assert_eq!((status, err.as_str()), (1, "Error: 'xm shutdown' requires between 1 and 4 arguments.\n\n"));
}

#[test]
fn unknown_options_are_refused_with_usage() {
    let (status, out, err) = run(World::default(), "list -z");
    assert_eq!((status, err.as_str()), (1, "Error: option -z not recognized\n"));
    assert!(out.starts_with("Usage: xm list [options] [Domain ...]\n") && out.ends_with("\n\n\n"), "{out:?}");
}

#[test]
fn what_xen_lost_says_what_there_is_instead() {
    for (line, part) in [
        ("tmem-list -a", "Transcendent memory was removed in Xen 4.13; use mem-set"),
        ("vnet-create x", "use a Linux bridge"),
        ("labels", "seinfo"),
        ("makepolicy x", "checkpolicy"),
        ("serve", "xmd"),
        ("event-monitor", "xm events"),
    ] {
        let (status, out, err) = run(World::default(), line);
        assert!(
            err.starts_with("Error: ") && err.contains(part) && err.lines().count() == 1,
            "{line}: {err}"
        );
        assert_eq!((status, out.as_str()), (1, ""), "{line}");
    }
}

#[test]
fn the_socket_can_be_named() {
    let server = Server::start(World::default());
    let mut command = server.command(&["--socket", "xmd.sock", "domid", "guest"]);
    let output = command.env("XM_SERVER", "/nonexistent").output().unwrap();
    assert_eq!(crate::parts(&output), (0, "7\n".into(), String::new()));
}
