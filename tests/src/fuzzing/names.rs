//! Text that a client sends: paths and permissions.

use xendless_core::hyper::DomId;
use xendless_core::store::path::{Path, resolve};
use xendless_core::store::wire::{Kind, Perm, Request};

use crate::differential::store::{Ask, Store, Who};
use crate::differential::subject::Subject;

/// A path is valid exactly when a second reading of the specification says so, and falls apart into its names.
pub fn paths(text: &[u8]) {
    let mut scratch = Vec::new();
    let path = resolve(text, DomId(7), &mut scratch);
    let absolute = if text.starts_with(b"/") { text.to_vec() } else { [b"/local/domain/7/", text].concat() };
    assert_eq!(path.is_ok(), is_valid(&absolute, text), "{}", text.escape_ascii());
    let Ok(path) = path else { return };
    assert_eq!(path.as_bytes(), absolute);
    let joined: Vec<u8> = path.names().flat_map(|name| [b"/", name].concat()).collect();
    assert_eq!(path == Path::ROOT, joined.is_empty());
    assert!(path == Path::ROOT || joined == absolute);
    let mut above = path;
    for level in 1..=path.names().count() {
        above = above.parent().expect("as many parents as names");
        assert_eq!(path.levels_below(above), Some(level));
        assert_eq!(path.common(above), above);
    }
    assert_eq!(above, Path::ROOT);
    assert_eq!(above.parent(), None);
}

fn is_valid(absolute: &[u8], text: &[u8]) -> bool {
    let name = |name: &[u8]| {
        !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_@".contains(byte))
    };
    let fits = if text.starts_with(b"/") {
        text.len() <= 3072
    } else {
        text.len() <= 2048 && text.first() != Some(&b'@')
    };
    fits && (absolute == b"/" || absolute[1..].split(|byte| *byte == b'/').all(name))
}

/// Permissions that are understood come back as they were meant, through text and through the store.
pub fn permissions(text: &[u8]) {
    let payload = [b"/a\0", &text[..text.len().min(4000)]].concat();
    let Ok(Request::SetPerms { perms, .. }) = Request::parse(Kind::SET_PERMS, &payload) else { return };
    for perm in &perms {
        assert_eq!(Perm::parse(perm.to_string().as_bytes()), Some(*perm));
    }
    let mut store = Subject::default();
    let mut ask = |kind, payload: &[u8]| {
        let told = store.ask(Who::Tool(0), &Ask { kind, tx_id: 0, payload: payload.to_vec() });
        store.check().unwrap_or_else(|fault| panic!("{fault}"));
        told.expect("a tool keeps its connection")
    };
    ask(Kind::MKDIR, b"/a\0");
    let told = ask(Kind::SET_PERMS, &payload);
    let shown = ask(Kind::GET_PERMS, b"/a\0");
    if told.kind == Kind::SET_PERMS {
        let [domain_0, ..] = perms.as_slice() else { panic!("permissions without an owner") };
        assert!(shown.payload.starts_with(domain_0.to_string().as_bytes()), "{perms:?} became {shown:?}");
    } else {
        assert_eq!(shown.payload, b"n0\0", "what was refused changed nothing");
    }
}
