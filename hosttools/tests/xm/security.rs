//! Security labels and the policy about them, on a Xen that has them and on one that does not.

use std::os::unix::fs::PermissionsExt;

use xendless_core::protocol::{Answer, Failure, Labels, Policy};

use crate::parts;
use crate::server::{Server, run};
use crate::world::World;

const USUAL: &str = "system_u:system_r:domU_t";
const OTHER: &str = "system_u:system_r:isolated_domU_t";

/// What the server says to a request that has no stream.
pub(crate) fn answer(world: &mut World, request: &Labels<'_>) -> Result<Answer<'static>, Failure> {
    let labels = world.labels.clone().ok_or(Failure::NoLabels)?;
    let known = |label: &str| {
        let number = labels.iter().find(|(_, text)| *text == label).map(|(number, _)| *number);
        number.ok_or(Failure::NoSuchLabel)
    };
    match *request {
        Labels::Policy => {
            return Ok(Answer::Policy(Policy { enforcing: world.enforcing, version: 30 }));
        }
        Labels::Text { number } => return Ok(Answer::Label(labels[&number].clone())),
        Labels::Check { label } => {
            known(label)?;
        }
        Labels::Enforce { enforcing } => world.enforcing = enforcing,
        Labels::Domain { domain, label } => {
            let number = label.map_or(Ok(12), known)?;
            let row = world.rows.iter_mut().find(|row| row.domid.to_string() == domain).unwrap();
            row.ssid = number;
        }
        Labels::Resource { label, .. } => {
            label.map_or(Ok(12), known)?;
        }
        Labels::Load { .. } => return Err(Failure::NoLabels),
    }
    Ok(Answer::Done)
}

fn world() -> World {
    let labels = [(12, USUAL.to_owned()), (14, OTHER.to_owned())].into();
    let mut world = World { labels: Some(labels), ..World::default() };
    for row in &mut world.rows {
        row.ssid = 12;
    }
    world.with_definition("name = 'dormant'\nkernel = '/k'")
}

fn wrote(server: &Server, line: &str, out: &str) {
    assert_eq!(parts(&server.xm(line)), (0, out.to_owned(), String::new()), "{line}");
}

/// It fails with this line; what comes on standard output is usage, if anything.
fn fails(world: World, line: &str, text: &str) {
    let (status, out, err) = run(world, line);
    assert_eq!((status, err), (1, format!("Error: {text}\n")), "{line}");
    assert!(out.is_empty() || out.starts_with("Usage: xm "), "{line}: {out}");
}

#[test]
fn without_labels_each_says_so_in_one_line() {
    let text = "Xen has no security labels: it was built or started without XSM/FLASK";
    let server = Server::start(World::default());
    server.file("policy", "x");
    let label = format!("addlabel {OTHER} mgt guest");
    let resource = format!("addlabel {OTHER} res irq:5");
    for line in [
        "getenforce",
        "setenforce 1",
        "getpolicy",
        "setpolicy FLASK policy",
        "loadpolicy policy",
        "getlabel mgt guest",
        "rmlabel mgt guest",
        "rmlabel res irq:5",
        &label,
        &resource,
    ] {
        let output = parts(&server.xm(line));
        assert_eq!(output, (1, String::new(), format!("Error: {text}\n")), "{line}");
    }
    // A list has no labels then, and is one all the same.
    assert_eq!(parts(&server.xm("list --label")).0, 0);
}

#[test]
fn the_policy_is_looked_at_and_changed() {
    let server = Server::start(world());
    wrote(&server, "getenforce", "Enforcing\n");
    wrote(&server, "setenforce permissive", "");
    wrote(&server, "getenforce", "Permissive\n");
    let text = "Supported security subsystems   : FLASK\n\nPolicy type           : FLASK\n\
        Policy version        : up to 30\nPolicy is enforced    : no\n";
    wrote(&server, "getpolicy", text);
    wrote(&server, "setenforce 1", "");
    wrote(&server, "getenforce", "Enforcing\n");
    let bytes: Vec<u8> = (0..40_000_u32).map(|n| u8::try_from(n % 251).unwrap()).chain(*b"end").collect();
    server.file("policy", &bytes);
    for line in ["loadpolicy policy", "setpolicy FLASK policy", "setpolicy flask policy"] {
        wrote(&server, line, "Successfully set the new policy.\n");
    }
    let got = server.seen.all().into_iter().filter(|line| line == "policy: 40003 bytes, ends end").count();
    assert_eq!(got, 3);
}

#[test]
fn domains_get_labels_for_their_next_lives_as_well() {
    let server = Server::start(world());
    wrote(&server, "getlabel mgt guest", &format!("{USUAL}\n"));
    let done = format!("Successfully set the label of domain 'guest' to '{OTHER}'.\n");
    wrote(&server, &format!("addlabel {OTHER} mgt guest"), &done);
    wrote(&server, "getlabel mgt 7", &format!("{OTHER}\n"));
    wrote(&server, "rmlabel mgt guest", "");
    wrote(&server, "getlabel mgt guest", &format!("{USUAL}\n"));
    let not_labeled = (1, String::new(), "Error: 'Domain not labeled'\n".to_owned());
    assert_eq!(parts(&server.xm("getlabel mgt dormant")), not_labeled);
    assert_eq!(parts(&server.xm("rmlabel mgt dormant")), not_labeled);
    let done = format!("Successfully set the label of domain 'dormant' to '{OTHER}'.\n");
    wrote(&server, &format!("addlabel {OTHER} mgt dormant FLASK"), &done);
    wrote(&server, "getlabel mgt dormant", &format!("{OTHER}\n"));
    let list = parts(&server.xm("list --label")).1;
    let labels: Vec<&str> = list.lines().skip(1).map(|line| line.rsplit(' ').next().unwrap()).collect();
    assert_eq!(labels, [USUAL, USUAL, OTHER], "{list}");
    assert!(parts(&server.xm("list --long guest")).1.contains(&format!("(security_label {USUAL})")));
    wrote(&server, &format!("addlabel {OTHER} res ioport:2f8-2ff"), "");
    let seen = server.seen.all();
    assert!(seen.iter().any(|line| line.contains("IoPort, first: 760, last: 767")), "{seen:?}");
}

#[test]
fn configuration_files_get_labels() {
    let server = Server::start(world());
    server.file("web.cfg", "name = 'web'\nkernel = '/k'");
    let path = server.folder.path().join("web.cfg");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let text = || std::fs::read_to_string(&path).unwrap();
    let none = (1, String::new(), "Error: 'Domain not labeled'\n".to_owned());
    assert_eq!(parts(&server.xm("getlabel dom web.cfg")), none);
    assert_eq!(parts(&server.xm("rmlabel dom web.cfg")), none);
    wrote(&server, &format!("addlabel {OTHER} dom web.cfg"), "");
    assert_eq!(text(), format!("name = 'web'\nkernel = '/k'\nseclabel = '{OTHER}'\n"));
    wrote(&server, "getlabel dom web.cfg", &format!("policytype=FLASK,policy=,label={OTHER}\n"));
    let again = parts(&server.xm(&format!("addlabel {USUAL} dom web.cfg")));
    assert_eq!((again.0, again.2.as_str()), (1, "Error: Config file 'web.cfg' is already labeled.\n"));
    wrote(&server, "rmlabel dom web.cfg", "");
    assert_eq!(text(), format!("name = 'web'\nkernel = '/k'\n#seclabel = '{OTHER}'\n"));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(std::fs::read_dir(server.folder.path()).unwrap().count(), 2, "the file and the socket");
}

#[test]
fn what_makes_no_sense_is_said_in_the_classic_words() {
    let acm = "ACM security labels were removed in Xen 4.2; use a FLASK context (seclabel=) instead.";
    for (line, text) in [
        ("addlabel", "Needs either 2 or 3 arguments"),
        ("addlabel a dom b c d", "Needs either 2 or 3 arguments"),
        ("addlabel a dom b ACM:p", acm),
        ("addlabel a'b dom b", "Invalid argument."),
        ("addlabel a dom /no/such", "Invalid config file"),
        ("addlabel a sub b", "Unrecognised type argument: sub"),
        ("addlabel a vif-0 guest", "FLASK has no labels for network interfaces."),
        ("addlabel no:such:label mgt guest", "The policy that is in force has no label 'no:such:label'."),
        ("addlabel a mgt 0", "Domain-0 is the control domain and keeps its label"),
        ("rmlabel dom", "Requires 2 arguments"),
        ("rmlabel x y", "Unrecognised type argument: x"),
        ("getlabel x y", "First subcommand argument must be \"dom\", \"mgt\" or \"res\""),
        ("getlabel dom /no/such", "Configuration file '/no/such' not found."),
        ("getlabel res irq:5", "Xen does not tell the labels of resources; they stand in its policy."),
        ("getenforce x", "No arguments expected."),
        ("setenforce", "Invalid arguments"),
        ("setenforce maybe", "maybe is an unsupported mode"),
        ("setpolicy FLASK", "Need at least 3 arguments."),
        ("setpolicy ACM x", acm),
        ("setpolicy XSM x", "Unsupported policytype 'XSM'."),
        ("setpolicy FLASK /no/such", "Could not read policy file: /no/such (No such file or directory)"),
        ("loadpolicy", "No policy defined"),
        ("loadpolicy /dev/null", "Could not read policy file: /dev/null (it is empty)"),
        ("loadpolicy /dev/zero", "Could not read policy file: /dev/zero (it is longer than policies may be)"),
        ("dry-run", "Invalid number of arguments"),
    ] {
        fails(world(), line, text);
    }
    assert_eq!(run(world(), "getlabel mgt nobody").0, 3);
    assert_eq!(run(world(), "addlabel a mgt nobody").0, 3);
}

#[test]
fn a_dry_run_says_what_would_be_missing() {
    let server = Server::start(world());
    server.file("k", "kernel");
    let kernel = server.folder.path().join("k").display().to_string();
    let begin = "Using config file \"web.cfg\".\nChecking domain:\n";
    server.file("web.cfg", format!("name = 'web'\nkernel = '{kernel}'\nseclabel = '{OTHER}'"));
    let text =
        format!("{begin}   web: PERMITTED\nChecking resources:\n   {kernel}: PERMITTED\nDry Run: PASSED\n");
    wrote(&server, "dry-run web.cfg", &text);
    server.file(
        "web.cfg",
        "name = 'web'\nkernel = '/no/kernel'\nseclabel = 'a:b:c'\ndisk = ['phy:no/disk,xvda,w']",
    );
    let (status, out, err) = parts(&server.xm("dry-run web.cfg"));
    let text = format!(
        "{begin}   web: DENIED\n   --> The policy that is in force has no label 'a:b:c'.\nChecking resources:\n   \
         /no/kernel: DENIED\n   --> No such file or directory\n   /dev/no/disk: DENIED\n   --> No such file or directory\n\
         Dry Run: FAILED\n"
    );
    assert_eq!((status, out, err), (255, text, String::new()));
    server.file("web.cfg", "name = ");
    let (status, out, _) = parts(&server.xm("dry-run web.cfg"));
    assert!(
        status == 255 && out.contains("a value is missing") && out.ends_with("Dry Run: FAILED\n"),
        "{out}"
    );
    assert!(server.seen.all().iter().all(|line| !line.starts_with("create")), "nothing is made");
}
