//! `vtpm-list`.

use xendless_core::config::devices::Vtpm;
use xendless_core::config::{Devices as Configured, List};
use xendless_core::devices::Class;
use xendless_core::protocol::DeviceRow;

use super::device::{self, Listing, number};
use crate::xm::options::Given;
use crate::xm::session::Session;
use crate::xm::table::Outcome;

/// `vtpm-list`.
pub(in crate::xm) fn list(session: &mut Session, given: &Given) -> Outcome {
    let listing = Listing {
        command: "vtpm-list",
        class: Class::Vtpm,
        head: "Idx  BE handle state evt-ch ring-ref BE-path",
        row: line,
        kept,
    };
    device::list(session, given, &listing)
}

fn line(device: &DeviceRow) -> String {
    format!(
        "{:<3}   {:<3}  {:<3}   {:<3}    {:<3}    {:<5} {:<30}  ",
        device.id,
        number(device, "backend-id"),
        number(device, "handle").max(0),
        number(device, "state"),
        number(device, "event-channel"),
        number(device, "ring-ref"),
        device::path(device),
    )
}

fn kept(devices: &Configured) -> Vec<DeviceRow> {
    let row = |(Vtpm { backend, uuid }, id): (&Vtpm, u32)| {
        let mut nodes = vec![("backend".to_owned(), backend.to_string())];
        nodes.extend(uuid.map(|uuid| ("uuid".to_owned(), uuid.to_string())));
        DeviceRow { id, nodes: List::new("nodes", nodes).unwrap_or_default() }
    };
    devices.vtpms.iter().zip(0..).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "5e7a6f0e-0c39-4f3d-9c2e-0d6b9f5d7a11";

    #[test]
    fn modules_to_the_letter() {
        let nodes = [
            ("backend", "/local/domain/2/backend/vtpm/7/0"),
            ("backend-id", "2"),
            ("uuid", UUID),
            ("handle", "0"),
            ("state", "4"),
            ("ring-ref", "768"),
            ("event-channel", "15"),
        ];
        let nodes = nodes.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let row = DeviceRow { id: 0, nodes: List::new("nodes", nodes).unwrap() };
        assert_eq!(line(&row), "0     2    0     4      15     768   /local/domain/2/backend/vtpm/7/0  ");
        let bare = line(&DeviceRow { id: 11, nodes: List::default() });
        assert_eq!(bare, "11    -1   0     -1     -1     -1    ??                              ");
    }

    #[test]
    fn those_of_a_definition_have_what_it_says() {
        let named = Vtpm { backend: "tpm".parse().unwrap(), uuid: Some(UUID.parse().unwrap()) };
        let vtpms = vec![Vtpm { uuid: None, ..named.clone() }, named];
        let rows = kept(&Configured { vtpms: List::new("vtpm", vtpms).unwrap(), ..Configured::default() });
        let node = |at: usize, name: &str| device::node(&rows[at], name).map(str::to_owned);
        assert_eq!((node(0, "backend"), node(0, "uuid")), (Some("tpm".into()), None));
        assert_eq!((rows[1].id, node(1, "uuid")), (1, Some(UUID.into())));
    }
}
