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
        "boot bundle, format 2: 2 files, 0 domains\n           6  again\n           6  kernel\n"
    );
    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(files.len(), 2, "nothing else is left behind: {files:?}");
}

#[test]
fn makes_a_bundle_of_configurations_and_shows_it() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    std::fs::create_dir(folder.path().join("etc")).unwrap();
    write(
        "etc/admin.cfg",
        "kernel = '../vmlinux'\nramdisk = '../rd'\nmemory = 256\nextra = 'quiet'\nname = 'admin'\n",
    );
    write("etc/web", "kernel = '../vmlinux'\nmemory = 64\ntype = 'pvh'\non_crash = 'preserve'\nvif = ['']\n");
    write("vmlinux", "kernel");
    write("rd", "ramdisk");
    let make = ["make", "-o", "b", "--domain", "etc/admin.cfg,admin", "--domain", "etc/web,rights=observe"];
    let made = xm_bundle(folder.path(), &make);
    assert!(made.status.success(), "{made:?}");
    let shown = String::from_utf8(xm_bundle(folder.path(), &["show", "b"]).stdout).unwrap();
    let shown: Vec<&str> = shown.lines().filter(|line| !line.contains("uuid")).collect();
    let wanted = "\
boot bundle, format 2: 2 files, 2 domains
           7  rd
           6  vmlinux

admin, the admin domain
    rights        everything
    kernel        vmlinux
    ramdisk       rd
    command line  quiet
    type          pv
    memory        256 MiB
    maxmem        256 MiB
    vcpus         1 of 1
    on_poweroff   destroy
    on_reboot     restart
    on_crash      restart
    on_watchdog   destroy

web
    rights        observe
    kernel        vmlinux
    type          pvh
    memory        64 MiB
    maxmem        64 MiB
    vcpus         1 of 1
    on_poweroff   destroy
    on_reboot     restart
    on_crash      preserve
    on_watchdog   destroy
    devices       1 network interface";
    assert_eq!(shown, wanted.lines().collect::<Vec<_>>());
    let first = std::fs::read(folder.path().join("b")).unwrap();
    assert!(xm_bundle(folder.path(), &make).status.success());
    assert_eq!(std::fs::read(folder.path().join("b")).unwrap(), first, "made again, it is the same");
}

#[test]
fn mistakes_in_configurations_are_shown_where_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let make = |text: &str| {
        std::fs::write(folder.path().join("a.cfg"), text).unwrap();
        refusal(folder.path(), &["make", "-o", "b", "--domain", "a.cfg"])
    };
    assert!(make("memory = 'much'\nkernel = 'k'\n").contains("a.cfg:1"));
    assert_eq!(make("kernel = 'k'\n"), "xm-bundle: cannot read k: No such file or directory (os error 2)\n");
    assert!(make("bootloader = 'pygrub'\ndisk = ['/d,raw,xvda,w']\n").contains("boot loader"));
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
