//! `xm-bundle` as a person runs it.
#![expect(clippy::unwrap_used, reason = "a test states its expectations")]

use std::path::Path;
use std::process::{Command, Output};

fn xm_bundle(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xm-bundle")).current_dir(folder).args(arguments).output().unwrap()
}

fn refusal(folder: &Path, arguments: &[&str]) -> String {
    let output = xm_bundle(folder, arguments);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(output.stdout, b"");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn makes_and_shows_a_bundle() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("k=1"), "kernel").unwrap();
    let made = xm_bundle(folder.path(), &["make", "-o", "b", "--add", "kernel=k=1", "--add", "again=k=1"]);
    assert!(made.status.success(), "{made:?}");
    let shown = xm_bundle(folder.path(), &["show", "b"]);
    assert!(shown.status.success(), "{shown:?}");
    assert_eq!(
        String::from_utf8(shown.stdout).unwrap(),
        "boot bundle, format 1, 118 bytes, 2 payloads\n           6  again\n           6  kernel\n"
    );
    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(files.len(), 2, "nothing else is left behind: {files:?}");
}

#[test]
fn an_empty_bundle_needs_no_payloads() {
    let folder = tempfile::tempdir().unwrap();
    assert!(xm_bundle(folder.path(), &["make", "-o", "b"]).status.success());
    assert!(xm_bundle(folder.path(), &["show", "b"]).status.success());
}

#[test]
fn says_in_one_line_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("text"), "x".repeat(100)).unwrap();
    for (arguments, expected) in [
        (&["show", "none"][..], "xm-bundle: cannot read none: No such file or directory (os error 2)\n"),
        (
            &["show", "text"],
            "xm-bundle: text is no usable boot bundle: it is not a bundle made by xm-bundle\n",
        ),
        (
            &["show", "a\x1b[2Jb"],
            "xm-bundle: cannot read a\\u{1b}[2Jb: No such file or directory (os error 2)\n",
        ),
        (
            &["make", "-o", "b", "--add", "x=none"],
            "xm-bundle: cannot read none: No such file or directory (os error 2)\n",
        ),
        (
            &["make", "-o", "b", "--add", "x=text", "--add", "x=text"],
            "xm-bundle: two payloads are called 'x'\n",
        ),
        (&["make", "-o", "no/b"], "xm-bundle: cannot write no/b: No such file or directory (os error 2)\n"),
    ] {
        assert_eq!(refusal(folder.path(), arguments), expected);
    }
    assert!(!folder.path().join("b").exists(), "a bundle that cannot be made is not begun");
}

#[test]
fn a_failed_make_leaves_the_old_bundle() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("b")).unwrap();
    refusal(folder.path(), &["make", "-o", "b"]);
    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(files.len(), 1, "only what was there before: {files:?}");
}
