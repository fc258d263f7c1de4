//! What is saved is loaded, and nothing else is.

use super::*;
use crate::hyper::DomId;
use crate::rights::Rights;
use crate::store::perms::Perms;
use crate::store::server::Server;
use crate::store::tests::Scene;
use crate::store::wire::Kind;
use alloc::string::ToString;
use proptest::prelude::*;

fn scene() -> Scene {
    let (mut scene, [one, two]) = Scene::with_guests([1, 2]);
    let root = scene.root;
    scene.write(one, "a/b", "value");
    scene.write(two, "x", "1");
    scene.perms("/local/domain/2/x", "n2|r1");
    scene.perms("@releaseDomain", "n0|r1");
    scene.ok(root, Kind::SET_TARGET, "2|1|");
    scene.grant(2, Rights::Observe);
    scene.ok(root, Kind::SET_QUOTA, "nodes|77|");
    scene.ok(root, Kind::SET_QUOTA, "2|watches|9|");
    scene.watch(one, "a", "relative");
    scene.watch(one, "/local/domain/1/a", "absolute");
    scene.watch(root, "@releaseDomain", "special");
    scene.ok(root, Kind::WATCH, "/local|deep|1|");
    scene.events(root);
    scene.write(one, "a/b", "unread");
    scene
}

#[test]
fn a_loaded_server_goes_on_where_the_saved_one_stopped() {
    let mut scene = scene();
    let tx = scene.start(scene.root);
    let usage = |server: &Server| [0, 1, 2].map(|domid| server.usage(DomId(domid)).unwrap());
    scene.end(scene.root, tx, false).unwrap();
    let (before, stale) = (usage(&scene.server), scene.start(scene.root));
    let saved = scene.server.save();
    scene.server = Server::load(&saved).unwrap();
    assert_eq!(usage(&scene.server), before);
    assert_eq!(scene.server.save(), saved);
    let [one, two] =
        [1, 2].map(|domid| scene.server.domains().find(|(known, _)| known.0 == domid).unwrap().1.unwrap());
    let root = scene.root;
    assert_eq!(scene.end(root, stale, true), Err("ENOENT".to_string()));
    assert_ne!(scene.start(root), stale);
    assert_eq!(scene.events(one), ["/local/domain/1/a absolute", "a relative"]);
    assert_eq!(scene.read(one, "a/b"), Ok("unread".to_string()));
    assert_eq!(scene.read(one, "/local/domain/2/x"), Ok("1".to_string()));
    assert_eq!(scene.read(two, "/local/domain/1/a/b"), Ok("unread".to_string()));
    assert_eq!(scene.ok(root, Kind::GET_QUOTA, "1|nodes|"), "77|");
    assert_eq!(scene.ok(root, Kind::GET_QUOTA, "2|watches|"), "9|");
    assert_eq!(scene.ok(two, Kind::GET_PERMS, "/|"), "n0|");
    scene.write(one, "a/c", "");
    assert_eq!(scene.events(one), ["a/c relative", "/local/domain/1/a/c absolute"]);
    scene.ok(root, Kind::RELEASE, "1|");
    assert_eq!(scene.events(root), ["@releaseDomain special"]);
    assert_eq!(scene.ok(root, Kind::DIRECTORY, "/local/domain|"), "2|");
}

#[test]
fn shared_permissions_stay_shared() {
    let mut scene = scene();
    let server = Server::load(&scene.server.save()).unwrap();
    let perms = |server: &Server| -> Vec<*const Perms> {
        let mut all: Vec<_> =
            server.state.tree.walk().map(|(_, node)| alloc::rc::Rc::as_ptr(&node.value.perms)).collect();
        all.sort();
        all.dedup();
        all
    };
    assert_eq!(perms(&server).len(), perms(&scene.server).len());
}

#[test]
fn every_cut_and_every_flipped_bit_is_refused() {
    let saved = scene().server.save();
    for len in 0..saved.len() {
        assert!(Server::load(&saved[..len]).is_err(), "{len} bytes");
    }
    for at in 0..saved.len() {
        for bit in 0..8 {
            let mut damaged = saved.clone();
            damaged[at] ^= 1 << bit;
            assert!(Server::load(&damaged).is_err(), "bit {bit} of byte {at}");
        }
    }
    assert_eq!(Server::load(b"something else entirely").err(), Some(LoadError::Foreign));
    let mut newer = saved.clone();
    newer[8] = 3;
    assert_eq!(Server::load(&newer).err(), Some(LoadError::Version(3)));
    let longer = [&saved[..], b"x"].concat();
    assert!(matches!(Server::load(&longer), Err(LoadError::Length { .. })));
}

/// Records that pass the checksum and are wrong all the same.
fn forge(records: &[Record<'_>]) -> LoadError {
    let body = records.iter().fold(Vec::new(), |body, record| postcard::to_extend(record, body).unwrap());
    let length = (body.len() as u64).to_le_bytes();
    let checksum = crc32fast::hash(&body).to_le_bytes();
    let all = [&MAGIC[..], &VERSION.to_le_bytes(), &length, &checksum, &body].concat();
    Server::load(&all).err().unwrap()
}

#[test]
fn forged_records_are_refused_with_the_reason() {
    let server = || Record::Server { control: 0, now: 5, last_conn: 1, last_watch: 1, limits: Vec::new() };
    let perms = || Record::Perms { stamp: 0, entries: alloc::vec![(false, false, 0)] };
    let node =
        |depth, name, perms, changed| Record::Node { depth, name, value: b"", perms, changed, listed: 0 };
    let reason = |records: &[Record<'_>]| match forge(records) {
        LoadError::Record { reason, .. } => reason.to_string(),
        other => other.to_string(),
    };
    assert!(reason(&[]).contains("malformed"));
    assert!(reason(&[perms()]).contains("first record"));
    assert!(reason(&[server(), server()]).contains("first record"));
    assert!(reason(&[server(), node(0, b"", 0, 0)]).contains("did not come"));
    assert!(reason(&[server(), perms(), node(1, b"a", 0, 0)]).contains("no parent"));
    assert!(reason(&[server(), perms(), node(0, b"", 0, 0), node(2, b"a", 0, 0)]).contains("no parent"));
    for name in [&b""[..], b"a/b", b"a.b"] {
        assert!(reason(&[server(), perms(), node(0, b"", 0, 0), node(1, name, 0, 0)]).contains("wrong name"));
    }
    let twice = [server(), perms(), node(0, b"", 0, 0), node(1, b"a", 0, 0), node(1, b"a", 0, 0)];
    assert!(reason(&twice).contains("twice"));
    assert!(reason(&[server(), perms(), node(0, b"", 0, 6)]).contains("yet to come"));
    let foreign = Record::Perms { stamp: 0, entries: alloc::vec![(true, true, 9)] };
    assert!(reason(&[server(), foreign, node(0, b"", 0, 0)]).contains("does not exist"));
    let limits = alloc::vec![("total-memory", 100)];
    let small = Record::Server { control: 0, now: 5, last_conn: 1, last_watch: 1, limits };
    assert!(reason(&[small, perms(), node(0, b"", 0, 0)]).contains("bigger than its limit"));
    let watch = Record::Watch {
        conn: 1,
        number: 1,
        subject: b"/",
        token: b"",
        relative: false,
        depth: None,
        pending: false,
    };
    assert!(reason(&[server(), watch]).contains("no connection"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn no_bytes_behind_a_good_header_do_harm(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let checksum = crc32fast::hash(&body).to_le_bytes();
        let header = [&MAGIC[..], &VERSION.to_le_bytes(), &(body.len() as u64).to_le_bytes(), &checksum].concat();
        if let Ok(server) = Server::load(&[&header[..], &body].concat()) {
            prop_assert_eq!(server.check(), Ok(()));
        }
    }
}
