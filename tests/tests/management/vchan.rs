//! The control ring seen from the C library: a client that is not ours connects, is welcome, and is cut off alone when
//! it breaks the rules.

use std::path::PathBuf;
use std::process::Command;

use xendless_core::protocol::frame::{self, HEADER};
use xendless_core::protocol::{Down, Hello, Rejection, Up};
use xendless_core::rights::Rights;

use super::part;

/// The libraries of Debian's libxen-dev that it takes.
const LIBRARIES: [&str; 7] =
    ["-lxenvchan", "-lxengnttab", "-lxenevtchn", "-lxenstore", "-lxencall", "-lxentoollog", "-lxentoolcore"];

/// Compiles the C client; it runs in any Linux.
pub(crate) fn client() -> PathBuf {
    let program = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("vchan-client");
    let mut hello = Vec::new();
    frame::append(&mut hello, &Up::Hello(Hello::OURS)).unwrap();
    let bytes: Vec<String> = hello.iter().map(u8::to_string).collect();
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/management/client.c");
    let compiled = Command::new("gcc")
        .args(["-Wall", "-Wextra", "-Werror", "-O1", "-static"])
        .arg(format!("-DHELLO={}", bytes.join(",")))
        .arg("-o")
        .arg(&program)
        .arg(source)
        .args(LIBRARIES)
        .arg("-lpthread")
        .status();
    assert!(compiled.unwrap().success(), "{source} does not compile");
    program
}

/// The bytes of an answer that the client shows.
fn answer(output: &str) -> Vec<u8> {
    let hex = output.lines().find_map(|line| line.strip_prefix("answer ")).unwrap();
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// The command that says `what`.
fn command(what: &str) -> String {
    format!("vchan-client /xendless/control/1 {what}")
}

#[test]
fn a_client_of_the_c_library_is_welcome_whenever_it_comes() {
    let part = part("vchan");
    for step in part.steps::<3>(&command("hello")) {
        let bytes = answer(&step.output);
        let Down::Welcome(welcome) = frame::parse(&bytes[HEADER..]).unwrap() else { panic!("{step:?}") };
        assert_eq!((welcome.rights, welcome.domid), (Rights::Everything, 1));
        assert!(step.output.ends_with("\nopen\n") && step.status == 0, "{step:?}");
    }
}

#[test]
fn attack_e02_who_breaks_the_rules_on_the_ring_is_cut_off_alone() {
    let part = part("vchan");
    for (what, why) in
        [("zero", Rejection::Malformed), ("huge", Rejection::Malformed), ("garbage", Rejection::Malformed)]
    {
        let step = part.step(&command(what));
        let bytes = answer(&step.output);
        assert_eq!(frame::parse(&bytes[HEADER..]), Ok(Down::Closed(why)), "{step:?}");
        assert!(step.output.contains("closed"), "{step:?}");
    }
    for left in ["none", "cut"] {
        part.step(&command(left)).wrote("");
    }
    assert_eq!(part.step("xm list witness").states().len(), 1);
    part.step("xm destroy witness").wrote("");
}
