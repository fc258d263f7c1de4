//! Completion as shells ask for it, and in bash itself.

use std::process::{Command, Stdio};

use crate::server::{Server, run};
use crate::world::World;

fn asked(server: &Server, line: &str) -> String {
    let output = server.command(&["--complete", line]).output().unwrap();
    let (status, out, err) = crate::parts(&output);
    assert_eq!((status, err.as_str()), (0, ""), "{line}");
    out
}

#[test]
fn words_come_with_what_they_mean() {
    let server = Server::start(World::default().with_definition("name = 'dormant'\nkernel = '/k'"));
    assert_eq!(asked(&server, "xm domst"), "domstate\tPrint the state of a domain as a word.\n");
    assert_eq!(asked(&server, "xm domid gu"), "guest\tdomain 7\n");
    assert_eq!(asked(&server, "xm start do"), "dormant\tnot running\n");
    assert_eq!(asked(&server, "xm sched-credit --domain=gu"), "--domain=guest\tdomain 7\n");
    assert_eq!(asked(&server, "xm domid -h"), "", "-h is a word like others here");
}

#[test]
fn nobody_hears_that_xmd_is_down() {
    let server = Server::start(World::default());
    let output = server.command(&["--socket", "nowhere", "--complete", "xm domid gu"]).output().unwrap();
    assert_eq!(crate::parts(&output), (0, String::new(), String::new()));
}

/// What bash makes of a line before the cursor.
fn in_bash(server: &Server, line: &str) -> String {
    let program = server.command(&[]).get_program().to_owned();
    let folder = std::path::Path::new(&program).parent().unwrap().to_owned();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let text = format!(
        "source <(xm completions bash); COMP_LINE='{line}' COMP_POINT=${{#COMP_LINE}}; _xm; \
         printf '%s\\n' \"${{COMPREPLY[@]}}\""
    );
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-c", &text]).env("PATH", path).env("XM_SERVER", server.socket());
    let (status, out, err) = crate::parts(&bash.stdin(Stdio::null()).output().unwrap());
    assert_eq!((status, err.as_str()), (0, ""), "{line}");
    out
}

#[test]
fn bash_completes_with_the_script() {
    let server = Server::start(World::default());
    assert_eq!(in_bash(&server, "xm vcpu-"), "vcpu-list\nvcpu-pin\nvcpu-set\n");
    assert_eq!(in_bash(&server, "xm domid gu"), "guest\n");
    assert_eq!(in_bash(&server, "xm sched-credit --domain=gu"), "guest\n", "bash replaces what follows =");
}

#[test]
fn three_shells_have_a_script() {
    for shell in ["bash", "zsh", "fish"] {
        let (status, out, _) = run(World::default(), &format!("completions {shell}"));
        assert!(status == 0 && out.contains("xm --complete"), "{shell}");
    }
    assert_eq!(run(World::default(), "completions sh").0, 1);
}
