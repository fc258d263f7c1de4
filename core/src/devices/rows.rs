//! What a person reads of a device: the nodes of its frontend, where the guest may have written what it likes, with
//! who serves it from the record.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::DeviceName;
use crate::config::devices::{Equipment, Vif, Vtpm};
use crate::hyper::DomId;
use crate::store::service::{Local, Refused};
use crate::store::wire::{Reader, Request};

/// The most nodes of one device that are read.
pub const NODES: usize = 24;

/// Bytes of one name or value.
const TEXT: usize = 120;

/// Names and values, in the order in which the classic tools print them.
pub type Row = Vec<(String, String)>;

/// What there is to read of a device that `back` serves. What this record knows of it comes first.
///
/// # Errors
/// When XenStore is busy.
pub fn row(
    store: &mut impl Local,
    name: &DeviceName,
    back: DomId,
    equipment: Option<&Equipment>,
) -> Result<Row, Refused> {
    let home = name.frontend();
    let mut row = Row::new();
    row.push(("backend".into(), name.backend(back)));
    row.push(("backend-id".into(), back.to_string()));
    match equipment {
        Some(Equipment::Vif(Vif { mac: Some(mac), .. })) => row.push(("mac".into(), mac.to_string())),
        Some(Equipment::Vtpm(Vtpm { uuid: Some(uuid), .. })) => row.push(("uuid".into(), uuid.to_string())),
        _ => {}
    }
    let known = row.len();
    let names = match store.query(&Request::Directory { path: home.as_bytes() }) {
        Err(Refused::Later) => return Err(Refused::Later),
        names => names.unwrap_or_default(),
    };
    for node in Reader::new(&names).strings() {
        if row.len() >= NODES {
            break;
        }
        let node = text(node);
        if row.iter().take(known).any(|(name, _)| *name == node) {
            continue;
        }
        match store.query(&Request::Read { path: format!("{home}/{node}").as_bytes() }) {
            Ok(value) => row.push((node, text(&value))),
            Err(Refused::Later) => return Err(Refused::Later),
            Err(Refused::Error(_)) => {}
        }
    }
    Ok(row)
}

/// As much text as bytes are.
fn text(bytes: &[u8]) -> String {
    let cut = bytes.get(..TEXT).unwrap_or(bytes);
    String::from_utf8_lossy(cut).into_owned()
}
