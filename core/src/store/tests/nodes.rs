//! Reading, changing and protecting nodes.

use super::*;

#[test]
fn what_is_written_is_read_and_parents_appear() {
    let mut scene = Scene::new();
    let root = scene.root;
    scene.write(root, "/a/b/c", "value");
    assert_eq!(scene.read(root, "/a/b/c"), Ok("value".into()));
    assert_eq!(scene.read(root, "/a/b"), Ok(String::new()));
    assert_eq!(scene.ok(root, Kind::DIRECTORY, "/a|"), "b|");
    scene.write(root, "/a/b/c", "");
    assert_eq!(scene.read(root, "/a/b/c"), Ok(String::new()));
    assert_eq!(scene.read(root, "/a/x"), Err("ENOENT".into()));
    assert_eq!(scene.err(root, Kind::READ, "/a/|"), "EINVAL");
}

#[test]
fn mkdir_leaves_what_exists_alone() {
    let mut scene = Scene::new();
    let root = scene.root;
    scene.write(root, "/a", "1");
    assert_eq!(scene.ok(root, Kind::MKDIR, "/a|"), "OK|");
    assert_eq!(scene.read(root, "/a"), Ok("1".into()));
    assert_eq!(scene.ok(root, Kind::MKDIR, "/b/c|"), "OK|");
    assert_eq!(scene.read(root, "/b/c"), Ok(String::new()));
}

#[test]
fn rm_takes_the_subtree_and_forgives_what_is_not_there() {
    let mut scene = Scene::new();
    let root = scene.root;
    scene.write(root, "/a/b/c", "1");
    assert_eq!(scene.ok(root, Kind::RM, "/a/b|"), "OK|");
    assert_eq!(scene.read(root, "/a/b/c"), Err("ENOENT".into()));
    assert_eq!(scene.ok(root, Kind::RM, "/a/b|"), "OK|");
    assert_eq!(scene.err(root, Kind::RM, "/a/b/c|"), "ENOENT");
    assert_eq!(scene.err(root, Kind::RM, "/|"), "EINVAL");
}

#[test]
fn relative_paths_start_at_home() {
    let (mut scene, [guest]) = Scene::with_guests([5]);
    scene.write(guest, "data/x", "1");
    assert_eq!(scene.read(scene.root, "/local/domain/5/data/x"), Ok("1".into()));
    assert_eq!(scene.ok(scene.root, Kind::GET_PERMS, "/local/domain/5/data/x|"), "n5|");
}

#[test]
fn rights_are_those_of_the_first_entry_that_names_the_domain() {
    let (mut scene, [one, two, three]) = Scene::with_guests([1, 2, 3]);
    let root = scene.root;
    scene.write(root, "/n", "1");
    scene.perms("/n", "r1|n2|w2");
    assert_eq!(scene.ok(root, Kind::GET_PERMS, "/n|"), "r1|n2|w2|");
    scene.write(one, "/n", "by owner");
    assert_eq!(scene.read(three, "/n"), Ok("by owner".into()));
    assert_eq!(scene.err(three, Kind::WRITE, "/n|x"), "EACCES");
    assert_eq!(scene.read(two, "/n"), Err("EACCES".into()));
    assert_eq!(scene.err(two, Kind::SET_PERMS, "/n|n2|"), "EACCES");
    assert_eq!(scene.ok(one, Kind::SET_PERMS, "/n|b1|"), "OK|");
    scene.write(two, "/n", "now all may");
}

#[test]
fn who_may_not_look_does_not_learn_what_exists() {
    let (mut scene, [guest]) = Scene::with_guests([1]);
    scene.write(scene.root, "/secret/there", "1");
    assert_eq!(scene.read(guest, "/secret/there"), Err("EACCES".into()));
    assert_eq!(scene.read(guest, "/secret/absent"), Err("EACCES".into()));
    scene.perms("/secret", "r0");
    assert_eq!(scene.read(guest, "/secret/absent"), Err("ENOENT".into()));
    assert_eq!(scene.err(guest, Kind::WRITE, "/secret/absent|x"), "EACCES");
}

#[test]
fn permissions_of_domains_that_do_not_exist_are_not_kept() {
    let (mut scene, _) = Scene::with_guests([1]);
    let root = scene.root;
    scene.machine.domains.insert(4);
    scene.write(root, "/n", "1");
    assert_eq!(scene.err(root, Kind::SET_PERMS, "/n|n9|"), "ENOENT");
    scene.perms("/n", "n1|r9|r4");
    assert_eq!(scene.ok(root, Kind::GET_PERMS, "/n|"), "n1|r4|");
    assert_eq!(scene.err(root, Kind::SET_PERMS, "/n|"), "EINVAL");
    assert_eq!(scene.err(root, Kind::SET_PERMS, "/n|x1|"), "EINVAL");
}

#[test]
fn a_long_list_comes_in_parts() {
    let mut scene = Scene::new();
    let root = scene.root;
    let mut names = Vec::new();
    for i in 0..500 {
        names.push(format!("name-{i:04}-{}", "x".repeat(i % 40)));
        scene.write(root, &format!("/d/{}", names[i]), "");
    }
    assert_eq!(scene.err(root, Kind::DIRECTORY, "/d|"), "E2BIG");
    let mut list = String::new();
    let mut generations = BTreeSet::new();
    loop {
        let part = scene.ok(root, Kind::DIRECTORY_PART, &format!("/d|{}|", list.len()));
        assert!(part.len() <= super::super::wire::PAYLOAD_MAX);
        let (generation, rest) = part.split_once('|').unwrap();
        generations.insert(generation.to_string());
        if let Some(last) = rest.strip_suffix("||") {
            list.push_str(last);
            list.push('|');
            break;
        }
        list.push_str(rest);
    }
    assert_eq!(list, names.iter().map(|name| format!("{name}|")).collect::<String>());
    assert_eq!(generations.len(), 1);
    scene.write(root, "/d/another", "");
    let part = scene.ok(root, Kind::DIRECTORY_PART, "/d|99999999|");
    let (generation, rest) = part.split_once('|').unwrap();
    assert!(!generations.contains(generation));
    assert_eq!(rest, "|");
}

#[test]
fn an_empty_list_is_complete_at_once() {
    let mut scene = Scene::new();
    let root = scene.root;
    assert_eq!(scene.ok(root, Kind::DIRECTORY, "/|"), "");
    assert!(scene.ok(root, Kind::DIRECTORY_PART, "/|0|").ends_with("||"));
}
