//! The nodes of devices as `xl` writes them, beside ours: what differs has a reason in `docs/devices.md`.
//!
//! `trees/` has what `xl` wrote, node by node. It is looked at again in each run: `BLESS=1` takes what it writes now.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use xendless_tests::admin::disk;
use xendless_tests::admin::domain::Admin;

use super::{LIMIT, machine, part};

const DOCUMENT: &str = include_str!("../../../docs/devices.md");

/// What differs from guest to guest and from machine to machine: drivers write it, or it is somebody's number.
#[rustfmt::skip]
const ANY: [&str; 9] = [
    "event-channel", "event-channel-rx", "event-channel-tx", "node", "physical-device", "physical-device-path", "ring-ref",
    "rx-ring-ref", "tx-ring-ref",
];

/// A node's value and permissions, by its path, with `FRONT` and `BACK` for the two domains.
type Tree = BTreeMap<String, (String, String)>;

/// The tree of a class in what `show_tree` wrote.
fn tree(text: &str, class: &str) -> Tree {
    let begin = format!("---- tree of {class}: ");
    let (head, rest) = text
        .split_once(&begin)
        .unwrap_or_else(|| panic!("no '{begin}' in:\n{text}"))
        .1
        .split_once('\n')
        .unwrap();
    let (back, front) = head.split_once(" serves ").unwrap();
    let lines = rest.split("---- end").next().unwrap().lines();
    let role = |id: &str| -> &'static str {
        match id {
            _ if id == front => "FRONT",
            _ if id == back => "BACK",
            _ => "CONTROL",
        }
    };
    // Domains stand behind `domain`, `libxl` and the class below `backend`.
    let general = |text: &str| {
        let parts: Vec<&str> = text.split('/').collect();
        let of = |at: usize, back_by: usize| at.checked_sub(back_by).map_or("", |at| parts[at]);
        let named = parts.iter().enumerate().map(|(at, part)| match *part {
            part if of(at, 2) == "backend" || ["libxl", "domain"].contains(&of(at, 1)) => role(part),
            part => part,
        });
        named.collect::<Vec<_>>().join("/")
    };
    let nodes = lines.filter_map(|line| {
        let (path, rest) = line.split_once(" = ")?;
        let (value, perms) = rest.rsplit_once("  ").or_else(|| rest.rsplit_once(' '))?;
        let path = general(path);
        let value = value.trim().trim_matches('"');
        let name = path.rsplit('/').next().unwrap();
        let value = match value {
            _ if ANY.contains(&name) => "…".into(),
            _ if name.ends_with("-id") => role(value).into(),
            _ if value.starts_with('/') => general(value),
            _ => value.into(),
        };
        // In a classic dom0 the one that serves is the one that controls.
        let record = path.starts_with("/libxl/");
        let owner = |perm: &str| {
            let (right, id) = perm.split_at(1);
            let who = role(id);
            format!("{right}{}", if record && who == "BACK" { "CONTROL" } else { who })
        };
        let perms = perms.trim().trim_matches(['(', ')']).split(',').map(owner).collect::<Vec<_>>().join(",");
        // That an owner may read what is its own says nothing.
        let perms = perms.trim_end_matches(",rCONTROL").into();
        Some((path, (value, perms)))
    });
    nodes.collect()
}

/// As it is kept in a file.
fn written(tree: &Tree) -> String {
    tree.iter().map(|(path, (value, perms))| format!("{path} = \"{value}\" ({perms})\n")).collect()
}

fn kept(class: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests/management/trees", &format!("xl-{class}.txt")].iter().collect()
}

fn read_kept(class: &str) -> Tree {
    let text = std::fs::read_to_string(kept(class)).unwrap();
    let nodes = text.lines().map(|line| {
        let (path, rest) = line.split_once(" = \"").unwrap();
        let (value, perms) = rest.rsplit_once("\" (").unwrap();
        (path.to_owned(), (value.to_owned(), perms.trim_end_matches(')').to_owned()))
    });
    nodes.collect()
}

/// Nodes, by their end's name for the directory they are in, that are not the same in both.
fn differences(ours: &Tree, theirs: &Tree) -> BTreeSet<String> {
    let paths = ours.keys().chain(theirs.keys());
    paths.filter(|path| ours.get(*path) != theirs.get(*path)).map(|path| short(path)).collect()
}

/// `front NAME`, `back NAME` or `record NAME`.
fn short(path: &str) -> String {
    let end = match path {
        _ if path.starts_with("/local/domain/FRONT/") => "front",
        _ if path.starts_with("/local/domain/BACK/") => "back",
        _ => "record",
    };
    let below = path.split('/').skip(match end {
        "front" => 7,
        "back" => 8,
        _ => 6,
    });
    format!("{end} {}", below.collect::<Vec<_>>().join("/")).trim_end().to_owned()
}

/// The nodes that the document explains, of one class.
fn explained(class: &str) -> BTreeSet<String> {
    let begin = format!("### Beside `xl`: {class}\n");
    let section = DOCUMENT.split_once(&begin).unwrap_or_else(|| panic!("no '{begin}'")).1;
    let rows =
        section.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let nodes = rows.skip(2).flat_map(|row| row.split('|').nth(1).unwrap_or_default().split(','));
    nodes.map(|node| node.trim().trim_matches('`').to_owned()).collect()
}

/// What we write differs from what `xl` writes in what the document explains, and in nothing else.
#[track_caller]
fn compare(class: &str, ours: &str) {
    let (ours, theirs) = (tree(ours, class), read_kept(class));
    assert_eq!(
        differences(&ours, &theirs),
        explained(class),
        "differing nodes, and those in docs/devices.md\nours:\n{}\nxl's:\n{}",
        written(&ours),
        written(&theirs)
    );
}

#[test]
fn disks_differ_from_xls_as_documented() {
    compare("vbd", part("disks").text());
}

#[test]
fn interfaces_differ_from_xls_as_documented() {
    compare("vif", part("networks").text());
}

#[test]
fn xl_writes_what_it_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let parts = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/management/parts");
    let admin = Admin {
        additions: vec![
            (parts.into(), "/root/parts".into()),
            (disk::image(folder.path()).unwrap(), "/root/disk.img.gz".into()),
        ],
        ..Admin::stock("cd /root/parts; sh xl.sh")
    };
    let mut output = Vec::new();
    let outcome = admin.prepare(machine()).unwrap().run(LIMIT, |_| {}, &mut output).unwrap();
    let output = String::from_utf8_lossy(&output);
    assert_eq!(outcome.map_err(|no_end| no_end.story), Ok(0), "{output}");
    for class in ["vbd", "vif"] {
        let found = tree(&output, class);
        if std::env::var_os("BLESS").is_some() {
            std::fs::create_dir_all(kept(class).parent().unwrap()).unwrap();
            std::fs::write(kept(class), written(&found)).unwrap();
        }
        assert_eq!(written(&found), written(&read_kept(class)));
    }
}
