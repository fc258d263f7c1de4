//! `create`: files, uploads, refusals, and nothing left behind.

use std::process::{Child, Stdio};
use std::sync::{Arc, Barrier};

use rustix::process::{Pid, Signal, kill_process};
use xendless_core::protocol::{Failure, File};

use crate::server::Server;
use crate::world::{Fault, World};

const WEB: &str = "name = 'web'\nkernel = 'vmlinuz'\nmemory = 64\n";

/// A server in whose folder lie a configuration and files.
fn server(world: World) -> Server {
    let server = Server::start(world);
    server.file("web", WEB);
    server.file("vmlinuz", vec![1; 100_000]);
    server.file("initrd", vec![2; 50_000]);
    server
}

#[test]
fn a_domain_is_made_and_its_files_are_sent() {
    let server = server(World::default());
    server.file("both", format!("{WEB}ramdisk = 'initrd'"));
    let (status, out, err) = crate::parts(&server.xm("create both"));
    let text = "Using config file \"both\".\nStarted domain web (id=42)\n";
    assert_eq!((status, out.as_str(), err.as_str()), (0, text, ""));
    let seen = server.seen.all();
    let wanted = [
        "create web paused=false ramdisk=true",
        "wanting",
        "got kernel: 100000 bytes, right",
        "got ramdisk: 50000 bytes, right",
    ];
    assert_eq!(seen[..4], wanted);
}

#[test]
fn credit_of_any_size_is_kept_to() {
    for credit in [1, 4096, 1_000_000] {
        let server = server(World { credit, ..World::default() });
        if credit == 1 {
            server.file("vmlinuz", vec![1; 500]);
        }
        assert_eq!(crate::parts(&server.xm("create -q web")), (0, String::new(), String::new()), "{credit}");
        assert!(server.seen.all().iter().any(|line| line.ends_with("right")));
    }
}

#[test]
fn files_that_the_server_has_are_not_sent() {
    let server = server(World { has_images: true, ..World::default() });
    assert_eq!(crate::parts(&server.xm("create web -p -q name=other")), (0, String::new(), String::new()));
    assert_eq!(server.seen.all()[0], "create other paused=true ramdisk=false");
    assert!(!server.seen.all().iter().any(|line| line == "wanting"));
}

#[test]
fn an_empty_file_is_sent_too() {
    let server = server(World::default());
    server.file("vmlinuz", "");
    server.file("both", format!("{WEB}ramdisk = 'initrd'"));
    // The server of these tests takes it; a real one says what a kernel is.
    assert_eq!(crate::parts(&server.xm("create -q both")).0, 0);
}

#[test]
fn dry_runs_show_and_do_nothing() {
    let server = server(World::default());
    let (status, out, _) = crate::parts(&server.xm("create -n web memory=32"));
    assert_eq!(status, 0);
    assert!(out.starts_with("Using config file \"web\".\n(vm\n    (name web)\n    (memory 32)\n"), "{out}");
    let (status, out, _) = crate::parts(&server.xm("new -x web"));
    assert!(status == 0 && out.contains("\n  <name>web</name>\n"), "{out}");
    let (status, out, _) = crate::parts(&server.xm("create --help_config"));
    assert!(status == 0 && out.starts_with("\nValues:\n\n") && out.contains("\nkernel=TEXT "), "{out}");
    assert_eq!(server.seen.all(), [""; 0]);
}

#[test]
fn the_file_is_looked_for_in_folders() {
    let server = server(World { has_images: true, ..World::default() });
    std::fs::create_dir(server.folder.path().join("etc")).unwrap();
    server.file("etc/only", WEB);
    let (status, out, _) = crate::parts(&server.xm("create --path=/nowhere:etc only"));
    assert!(status == 0 && out.starts_with("Using config file \"etc/only\".\n"), "{out}");
    let (status, out, err) = crate::parts(&server.xm("create only"));
    assert_eq!((status, err.as_str()), (1, "Error: Unable to open config file: only\n"));
    assert!(out.starts_with("Usage: xm create "));
    let (_, _, err) = crate::parts(&server.xm("create"));
    assert_eq!(err, "Error: Unable to open config file: xmdefconfig\n");
}

#[test]
fn mistakes_in_the_file_are_shown_where_they_are() {
    let server = server(World::default());
    server.file("bad", "memory = 64\nkernel = (\n");
    let (status, _, err) = crate::parts(&server.xm("create bad"));
    assert!(status == 1 && err.starts_with("Errors were found at line "), "{err}");
    server.file("bad", "#".repeat(4 << 20));
    let (status, out, err) = crate::parts(&server.xm("new bad"));
    assert_eq!((status, err.as_str()), (1, "Error: Unable to open config file: bad (it is too long)\n"));
    assert!(out.starts_with("Usage: xm new "), "{out}");
    server.file("bad", format!("<vm><name>a</name>{}</vm>", "<x>".repeat(100)));
    let (status, _, err) = crate::parts(&server.xm("new -q bad"));
    assert_eq!((status, err.as_str()), (1, "Error: Cannot read file bad: elements are nested too deeply\n"));
    server.file("bad", "kernel = '/k'\nmemory = 'much'\n");
    let (status, _, err) = crate::parts(&server.xm("create bad"));
    assert!(status == 1 && err.starts_with("Error: ") && err.contains("at bad:2:10"), "{err}");
    assert_eq!(server.seen.all(), [""; 0]);
}

#[test]
fn files_that_cannot_be_used() {
    let server = server(World::default());
    let refusal = |words: &str| {
        let (status, _, err) = crate::parts(&server.xm(&format!("create -q web {words}")));
        assert_eq!(status, 1, "{words}");
        err
    };
    assert_eq!(refusal("kernel=none"), "Error: Cannot find kernel \"none\"\n");
    assert_eq!(refusal("ramdisk=none"), "Error: Cannot find ramdisk \"none\"\n");
    assert_eq!(refusal("kernel=."), "Error: Cannot read kernel \".\": it is no file\n");
    assert_eq!(refusal("kernel=/dev/zero"), "Error: Cannot read kernel \"/dev/zero\": it is no file\n");
    assert_eq!(refusal("kernel=web/x"), "Error: Cannot read kernel \"web/x\": Not a directory\n");
    assert!(refusal("kernel= bootloader=pygrub").contains("name a kernel instead"));
    assert!(!server.seen.all().iter().any(|line| line.starts_with("create")));
}

#[test]
fn refusals_have_the_classic_words() {
    let refusal = |refuse| {
        let server = server(World { refuse, ..World::default() });
        let (status, out, err) = crate::parts(&server.xm("create -q web"));
        assert_eq!((status, out.as_str()), (1, ""));
        err
    };
    assert_eq!(
        refusal(|_| Some(Failure::NameTaken { domid: Some(7) })),
        "Error: VM name 'web' already exists as domain 7\n"
    );
    assert_eq!(
        refusal(|_| Some(Failure::HostMemory { wanted_kib: 65536, free_kib: 100 })),
        "Error: Not enough free memory and enable-dom0-ballooning is False, so I cannot release any more.  \
         I need 65536 KiB but only have 100.\n"
    );
    assert_eq!(
        refusal(|_| Some(Failure::Image { file: File::Kernel, why: "no \u{1b}ELF".into() })),
        "Error: Cannot use kernel \"vmlinuz\": no \\u{1b}ELF\n"
    );
    assert_eq!(
        refusal(|_| Some(Failure::Create("no event channel".into()))),
        "Error: Creating domain failed: name=web: no event channel\n"
    );
    assert_eq!(
        refusal(|_| Some(Failure::Disconnected)),
        "Error: the connection to the control domain is down\n"
    );
}

#[test]
fn xmd_goes_away_during_an_upload() {
    let server = server(World { fault: Fault::NoUpload, ..World::default() });
    let (status, _, err) = crate::parts(&server.xm("create -q web"));
    assert_eq!(status, 1);
    assert!(!rustix::process::geteuid().is_root() || err.starts_with("xmd has probably crashed!"), "{err}");
}

fn start(server: &Server, words: &[&str]) -> Child {
    server.command(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

#[test]
fn a_file_that_becomes_shorter_cancels_the_request() {
    let barrier = Arc::new(Barrier::new(2));
    let server = server(World { held: Some(Arc::clone(&barrier)), ..World::default() });
    let child = start(&server, &["create", "-q", "web"]);
    server.seen.wait_for("wanting");
    server.file("vmlinuz", "short");
    barrier.wait();
    let (status, _, err) = crate::parts(&child.wait_with_output().unwrap());
    let text = "Error: Cannot read kernel \"vmlinuz\": it became shorter while it was read\n";
    assert_eq!((status, err.as_str()), (1, text));
    assert_eq!(server.seen.all()[2], "cancel");
}

#[test]
fn ctrl_c_cancels_and_leaves_nothing() {
    for (number, status) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let server = server(World { credit: 0, ..World::default() });
        let child = start(&server, &["create", "web"]);
        server.seen.wait_for("wanting");
        signal(&child, number);
        let output = child.wait_with_output().unwrap();
        assert_eq!(crate::parts(&output), (status, "Using config file \"web\".\n".into(), String::new()));
        assert_eq!(server.seen.all()[2], "cancel");
    }
}

#[test]
fn ctrl_c_just_too_late_takes_the_domain_down_again() {
    let server = server(World { credit: 0, too_late: true, ..World::default() });
    let child = start(&server, &["create", "-q", "web"]);
    server.seen.wait_for("wanting");
    signal(&child, Signal::INT);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
    assert_eq!(server.seen.all()[2..4], ["cancel", "destroy 42"]);
}

#[test]
fn the_console_is_there_before_the_first_instruction() {
    let server = server(World { has_images: true, ..World::default() });
    let mut child = server
        .command(&["create", "-c", "web"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    server.seen.wait_for("unpause 42");
    drop(std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"end\n"));
    let (status, out, _) = crate::parts(&child.wait_with_output().unwrap());
    let text = "Using config file \"web\".\nStarted domain web (id=42)\n(XEN) hello\n";
    assert_eq!((status, out.as_str()), (0, text));
    assert_eq!(server.seen.all()[..3], ["create web paused=true ramdisk=false", "console 42", "unpause 42"]);
}

#[test]
fn an_unchanged_kernel_is_hashed_once() {
    let server = server(World { has_images: true, ..World::default() });
    // Only a file that was left alone for a while counts as unchanged, so this one is older than the test.
    let kernel = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    for _ in 0..2 {
        assert_eq!(crate::parts(&server.xm(&format!("create -q web kernel={kernel}"))).0, 0);
    }
    let known = std::fs::read_to_string(server.folder.path().join("digests")).unwrap();
    assert_eq!(known.lines().count(), 1);
    let digest = blake3::hash(&std::fs::read(kernel).unwrap()).to_hex();
    assert!(known.contains(digest.as_str()));
}

#[test]
fn what_a_dry_run_prints_is_taken_again() {
    let server = server(World { has_images: true, ..World::default() });
    for (option, take) in
        [("-n", "create -q -F shown"), ("-x", "create -q -F shown"), ("-x", "create -q shown")]
    {
        let (_, record, _) = crate::parts(&server.xm(&format!("create -q {option} web")));
        server.file("shown", record);
        assert_eq!(crate::parts(&server.xm(take)), (0, String::new(), String::new()), "{option} {take}");
    }
    assert_eq!(server.seen.all().iter().filter(|line| line.starts_with("create web ")).count(), 3);
    // The line that says which file it is may stand before it.
    for (option, take) in [("-n", "new -q -F shown"), ("-x", "new -q -F shown"), ("-x", "new -q shown")] {
        let (_, record, _) = crate::parts(&server.xm(&format!("create {option} web")));
        assert!(record.starts_with("Using config file"), "{record}");
        server.file("shown", record);
        assert_eq!(crate::parts(&server.xm(take)), (0, String::new(), String::new()), "{option} {take}");
    }
    let (_, record, _) = crate::parts(&server.xm("list -l guest"));
    server.file("shown", record.replace("(name guest)", "(name other)"));
    assert_eq!(crate::parts(&server.xm("new -q -F shown")), (0, String::new(), String::new()));
    assert!(server.seen.all().contains(&"define other".to_owned()));
    server.file("shown", "(vm (name web");
    let (status, _, err) = crate::parts(&server.xm("create -F shown"));
    assert_eq!(
        (status, err.as_str()),
        (1, "Error: Cannot read file shown: 1:14: the expression ends early\n")
    );
}
