//! Disks over the channel: backends that do what they should, guests that do not.

use xendless_core::config::devices::{Access, Disk, DiskFormat, DiskSource, DiskVia, Equipment, Medium};
use xendless_core::config::{Devices as Configured, DomainConfig, List, Settings, Text};
use xendless_core::control::Event;
use xendless_core::devices::{CLOSE_NS, CONNECT_NS, Class};
use xendless_core::hyper::{DomId, Scheduler, ShutdownReason};
use xendless_core::life::{Bytes, Files, ManagedId, News};
use xendless_core::protocol::{Answer, DeviceChange, Devices, Failure, Request, RequestId, What};
use xendless_core::rights::Rights;
use xendless_core::store::wire;

use super::{Client, Rig, kernel, named};

const ADMIN: DomId = DomId(1);
const WEB: DomId = DomId(2);
const XVDA: u32 = 51712;

fn disk(vdev: &str, target: &str, backend: Option<&str>) -> Disk {
    let target = Text::filled("disk", target).unwrap();
    Disk {
        vdev: vdev.parse().unwrap(),
        access: Access::ReadWrite,
        medium: Medium::Disk(DiskSource {
            via: DiskVia::File,
            format: DiskFormat::Raw,
            target,
            script: None,
        }),
        backend: backend.map(|backend| backend.parse().unwrap()),
    }
}

fn home(back: DomId, front: DomId) -> String {
    format!("/local/domain/{back}/backend/vbd/{front}/{XVDA}")
}

impl Rig {
    pub(super) fn write(&mut self, domid: DomId, path: &str, value: &str) -> Result<String, String> {
        self.ask_store(domid, &wire::Request::Write { path: path.as_bytes(), value: value.as_bytes() })
    }

    /// The backend's driver and its hotplug do what they should, in the name of their domain.
    fn serve(&mut self, back: DomId, front: DomId) {
        self.serve_at(back, &home(back, front));
    }

    fn let_go(&mut self, back: DomId, front: DomId) {
        self.let_go_at(back, &home(back, front));
    }

    /// The same for the device whose backend's directory is `home`.
    pub(super) fn serve_at(&mut self, back: DomId, home: &str) {
        for (node, value) in [("state", "2"), ("hotplug-status", "connected")] {
            self.write(back, &format!("{home}/{node}"), value).unwrap();
        }
    }

    pub(super) fn let_go_at(&mut self, back: DomId, home: &str) {
        let status = format!("{home}/hotplug-status");
        self.ask_store(back, &wire::Request::Rm { path: status.as_bytes() }).unwrap();
        self.write(back, &format!("{home}/state"), "6").unwrap();
    }

    /// Begins to make a domain with this disk; it has no domain id yet.
    fn begin_with(&mut self, name: &str, disk: Disk) -> ManagedId {
        let disks = List::new("disk", vec![disk]).unwrap();
        self.begin_equipped(name, Configured { disks, ..Configured::default() })
    }

    /// Begins to make a domain with these devices; it has no domain id yet.
    pub(super) fn begin_equipped(&mut self, name: &str, devices: Configured) -> ManagedId {
        let config = DomainConfig::new(Settings { devices, ..named(name) }).unwrap();
        let files = Files { kernel: Bytes::Static(kernel().leak()), ramdisk: Bytes::Static(b"ramdisk") };
        let id = self.control.create(config, Rights::Nothing, files).unwrap();
        self.run();
        id
    }

    pub(super) fn lives(&mut self) -> Vec<News> {
        let life = |event: Event| match event {
            Event::Life(news) => Some(news),
            _ => None,
        };
        self.site.take_events().into_iter().filter_map(life).collect()
    }

    /// Whether anything of a device of this domain is in XenStore.
    fn is_clean(&mut self, front: DomId) -> bool {
        [
            home(ADMIN, front),
            format!("/local/domain/{ADMIN}/backend/vbd/{front}"),
            format!("/local/domain/{front}/device/vbd"),
            format!("/libxl/{front}/device/vbd"),
        ]
        .iter()
        .all(|path| self.read(ADMIN, path).is_none())
    }
}

/// Asks for a device.
pub(super) fn give(rig: &mut Rig, client: &mut Client, device: &Equipment) -> RequestId {
    let bytes = device.encode().unwrap();
    client.ask(rig, Request::Devices(Devices::Attach { domain: "web", device: &bytes }))
}

fn attach(rig: &mut Rig, client: &mut Client, disk: &Disk) -> RequestId {
    give(rig, client, &disk.clone().into())
}

fn detach(rig: &mut Rig, client: &mut Client, force: bool) -> RequestId {
    let what = Devices::Detach { domain: "web", class: Class::Vbd, id: XVDA, force };
    client.ask(rig, Request::Devices(what))
}

/// What a request was answered, if it was.
pub(super) fn result(rig: &mut Rig, client: &mut Client, id: RequestId) -> Option<Result<(), Failure>> {
    client.signal(rig);
    if client.inbox.is_empty() {
        return None;
    }
    Some(client.answer(rig, id, |result| result.map(|answer| assert_eq!(answer, Answer::Done))))
}

/// A management domain with everything, a guest, and a disk that the one serves to the other.
fn with_disk() -> (Rig, Client) {
    let (mut rig, mut client) = Rig::with(Rights::Everything);
    assert_eq!(rig.domain("web", Rights::Nothing), WEB);
    let id = attach(&mut rig, &mut client, &disk("xvda", "/a.img", None));
    assert_eq!(result(&mut rig, &mut client, id), None, "it is not ready");
    rig.serve(ADMIN, WEB);
    assert_eq!(result(&mut rig, &mut client, id), Some(Ok(())));
    (rig, client)
}

fn rows(rig: &mut Rig, client: &mut Client) -> Vec<(u32, Vec<(String, String)>)> {
    list(rig, client, Class::Vbd)
}

/// All devices of a class.
pub(super) fn list(rig: &mut Rig, client: &mut Client, class: Class) -> Vec<(u32, Vec<(String, String)>)> {
    let list = Devices::List { domain: "web", class, from: 0 };
    client.call(rig, Request::Devices(list), |result| match result {
        Ok(Answer::Devices(page)) => {
            assert_eq!(page.next, None);
            page.rows.iter().map(|row| (row.id, row.nodes.to_vec())).collect()
        }
        other => panic!("{other:?}"),
    })
}

/// The value of the one node with this name.
pub(super) fn value<'a>(nodes: &'a [(String, String)], name: &str) -> &'a str {
    let mut found = nodes.iter().filter(|(node, _)| node == name);
    let (first, second) = (found.next(), found.next());
    assert!(second.is_none(), "{name} is there once");
    first.map_or("", |(_, value)| value)
}

#[test]
fn a_disk_comes_and_goes_while_its_domain_runs() {
    let (mut rig, mut client) = with_disk();
    let found = rows(&mut rig, &mut client);
    assert_eq!((found.len(), found[0].0), (1, XVDA));
    assert_eq!(value(&found[0].1, "backend"), home(ADMIN, WEB));
    assert_eq!(value(&found[0].1, "virtual-device"), "51712");
    let id = detach(&mut rig, &mut client, false);
    assert_eq!(result(&mut rig, &mut client, id), None);
    rig.let_go(ADMIN, WEB);
    assert_eq!(result(&mut rig, &mut client, id), Some(Ok(())));
    assert!(rig.is_clean(WEB));
    assert_eq!(rows(&mut rig, &mut client), []);
    let events = client.ask(&mut rig, Request::Events { after: Some(0) });
    client.credit(&mut rig, events);
    let (bytes, _) = client.stream(&mut rig, events);
    let mut told = Vec::new();
    let mut rest = &bytes[..];
    while let Some((length, more)) = rest.split_first_chunk() {
        let (body, behind) = more.split_at(u32::from_le_bytes(*length) as usize);
        let happening: xendless_core::protocol::Happening =
            xendless_core::protocol::frame::parse(body).unwrap();
        told.extend(match happening.what {
            What::Device { class: Class::Vbd, id: XVDA, change } => Some(change),
            _ => None,
        });
        rest = behind;
    }
    assert_eq!(told, [DeviceChange::Attached, DeviceChange::Detached]);
}

#[test]
fn attack_c01_a_guest_cannot_say_who_serves_it_nor_what() {
    let (mut rig, mut client) = with_disk();
    let backend = home(ADMIN, WEB);
    for node in ["params", "mode", "physical-device", "hotplug-status", "state", "new"] {
        let refused = rig.write(WEB, &format!("{backend}/{node}"), "/etc/shadow");
        assert_eq!(refused, Err("EACCES\0".into()), "{node}");
    }
    assert_eq!(rig.read(WEB, &format!("/libxl/{WEB}/device/vbd/{XVDA}/backend")), None);
    // Its own end it can write.
    let frontend = format!("/local/domain/{WEB}/device/vbd/{XVDA}");
    for (node, lie) in
        [("backend", "/local/domain/1/backend/vbd/9/51712"), ("backend-id", "9"), ("state", "4")]
    {
        rig.write(WEB, &format!("{frontend}/{node}"), lie).unwrap();
    }
    let found = rows(&mut rig, &mut client);
    assert_eq!(value(&found[0].1, "backend"), backend);
    assert_eq!(value(&found[0].1, "backend-id"), "1");
    // It can also remove it; what is taken away is still what was given.
    rig.ask_store(WEB, &wire::Request::Rm { path: frontend.as_bytes() }).unwrap();
    let id = detach(&mut rig, &mut client, false);
    rig.let_go(ADMIN, WEB);
    assert_eq!(result(&mut rig, &mut client, id), Some(Ok(())));
    assert!(rig.is_clean(WEB));
}

#[test]
fn attack_c02_rows_of_garbage_are_bounded_and_harmless() {
    let (mut rig, mut client) = with_disk();
    let frontend = format!("/local/domain/{WEB}/device/vbd/{XVDA}");
    rig.write(WEB, &format!("{frontend}/state"), "99").unwrap();
    rig.write(WEB, &format!("{frontend}/ring-ref"), &"9".repeat(900)).unwrap();
    for extra in 0..60 {
        rig.write(WEB, &format!("{frontend}/extra-{extra}"), "\x1b[2J").unwrap();
    }
    let found = rows(&mut rig, &mut client);
    assert!(found[0].1.len() <= 24 && found[0].1.iter().all(|(name, value)| name.len() + value.len() < 400));
    let id = detach(&mut rig, &mut client, true);
    rig.let_go(ADMIN, WEB);
    assert_eq!(result(&mut rig, &mut client, id), Some(Ok(())));
    assert!(rig.is_clean(WEB));
}

#[test]
fn attack_c03_who_does_not_let_go_is_named_and_force_works() {
    let (mut rig, mut client) = with_disk();
    let id = detach(&mut rig, &mut client, false);
    rig.sim.advance(CLOSE_NS);
    rig.run();
    let text = "Device 51712 (vbd) could not be disconnected. Domain 2 does not let go of it.";
    assert_eq!(result(&mut rig, &mut client, id), Some(Err(Failure::Device(text.into()))));
    let id = detach(&mut rig, &mut client, true);
    rig.let_go(ADMIN, WEB);
    assert_eq!(result(&mut rig, &mut client, id), Some(Ok(())));
    assert!(rig.is_clean(WEB));
}

#[test]
fn a_backend_that_does_not_answer_is_named_and_nothing_is_left() {
    let (mut rig, mut client) = Rig::with(Rights::Everything);
    rig.domain("web", Rights::Nothing);
    let id = attach(&mut rig, &mut client, &disk("xvda", "/a.img", None));
    for _ in 0..2 {
        rig.sim.advance(CONNECT_NS);
        rig.run();
    }
    let Some(Err(Failure::Device(text))) = result(&mut rig, &mut client, id) else { panic!("no failure") };
    let start =
        "Device 51712 (vbd) could not be connected. Hotplug scripts not working.\nDomain 1, its backend,";
    assert!(text.starts_with(start), "{text}");
    assert!(rig.is_clean(WEB));
    assert_eq!(rows(&mut rig, &mut client), []);
}

#[test]
fn an_attach_that_is_cancelled_is_taken_back() {
    let (mut rig, mut client) = Rig::with(Rights::Everything);
    rig.domain("web", Rights::Nothing);
    let id = attach(&mut rig, &mut client, &disk("xvda", "/a.img", None));
    client.send(&mut rig, &xendless_core::protocol::Up::Cancel { id });
    rig.write(ADMIN, &format!("{}/state", home(ADMIN, WEB)), "6").unwrap();
    assert_eq!(result(&mut rig, &mut client, id), Some(Err(Failure::Cancelled)));
    assert!(rig.is_clean(WEB));
}

#[test]
fn a_domain_starts_when_its_disk_works_and_loses_it_at_its_end() {
    let (mut rig, _client) = Rig::with(Rights::Everything);
    let id = rig.begin_with("web", disk("xvda", "/a.img", None));
    assert!(!rig.lives().iter().any(|news| matches!(news, News::Started { .. })));
    rig.serve(ADMIN, WEB);
    assert_eq!(rig.lives(), [News::Started { id, domid: WEB, paused: false }]);
    // It begins another life, and has its disk again.
    rig.sim.advance(100_000_000_000);
    rig.sim.as_domain(WEB).shutdown(ShutdownReason::Reboot).unwrap();
    rig.run();
    assert!(rig.read(ADMIN, &format!("/local/domain/{WEB}/device/vbd")).is_some());
    rig.let_go(ADMIN, WEB);
    let again = DomId(3);
    assert!(rig.read(ADMIN, &home(ADMIN, WEB)).is_none());
    assert_eq!(rig.read(ADMIN, &format!("{}/params", home(ADMIN, again))).as_deref(), Some("/a.img"));
    rig.serve(ADMIN, again);
    assert!(rig.lives().contains(&News::Started { id, domid: again, paused: false }));
    // A backend that does not answer holds up its end for a bounded time only.
    rig.control.destroy(id);
    rig.run();
    assert!(rig.control.managed().status(id).is_some());
    rig.sim.advance(xendless_core::devices::RELEASE_NS);
    rig.run();
    assert!(rig.control.managed().status(id).is_none());
    assert!(rig.is_clean(again));
}

#[test]
fn a_domain_whose_disk_does_not_work_is_not_made() {
    let (mut rig, _client) = Rig::with(Rights::Everything);
    let id = rig.begin_with("web", disk("xvda", "/a.img", None));
    let backend = home(ADMIN, WEB);
    rig.write(ADMIN, &format!("{backend}/hotplug-error"), "/a.img: No such file or directory").unwrap();
    rig.write(ADMIN, &format!("{backend}/hotplug-status"), "error").unwrap();
    rig.let_go(ADMIN, WEB);
    let news = rig.lives();
    let Some(News::Failed { why, .. }) = news.last() else { panic!("{news:?}") };
    assert_eq!(
        why.to_string(),
        "Device 51712 (vbd) could not be connected. /a.img: No such file or directory"
    );
    assert!(rig.control.managed().status(id).is_none());
    assert!(rig.is_clean(WEB));
}

#[test]
fn a_domain_without_anybody_to_serve_its_disk_is_not_made() {
    let (mut rig, _client) = Rig::with(Rights::Everything);
    rig.begin_with("web", disk("xvda", "/a.img", Some("nobody")));
    let news = rig.lives();
    let Some(News::Failed { why, .. }) = news.last() else { panic!("{news:?}") };
    assert_eq!(why.to_string(), "Cannot configure device for unknown backend nobody");
}

#[test]
fn a_backend_that_ends_and_comes_again_serves_again() {
    let (mut rig, mut client) = Rig::with(Rights::Everything);
    rig.domain("web", Rights::Nothing);
    let store = DomId(3);
    assert_eq!(rig.domain("store", Rights::Nothing), store);
    let id = attach(&mut rig, &mut client, &disk("xvda", "/a.img", Some("store")));
    rig.serve(store, WEB);
    assert_eq!(result(&mut rig, &mut client, id), Some(Ok(())));
    let state = format!("/local/domain/{WEB}/device/vbd/{XVDA}/state");
    rig.write(WEB, &state, "4").unwrap();
    rig.sim.advance(100_000_000_000);
    rig.sim.as_domain(store).shutdown(ShutdownReason::Reboot).unwrap();
    rig.run();
    // Its nodes stay until its guest has read there that it closes.
    assert_eq!(rig.read(WEB, &format!("{}/state", home(store, WEB))).as_deref(), Some("5"));
    rig.write(WEB, &state, "6").unwrap();
    rig.run();
    let again = DomId(4);
    let frontend = format!("/local/domain/{WEB}/device/vbd/{XVDA}/backend-id");
    assert_eq!(rig.read(WEB, &frontend).as_deref(), Some("4"));
    assert!(rig.read(ADMIN, "/local/domain/3").is_none());
    rig.serve(again, WEB);
    let lost_and_found: Vec<_> = rig
        .lives()
        .into_iter()
        .filter_map(|news| match news {
            News::Device { outcome, .. } => Some(outcome),
            _ => None,
        })
        .collect();
    use xendless_core::devices::Outcome;
    assert_eq!(lost_and_found, [Outcome::Connected, Outcome::Lost, Outcome::Connected]);
}

#[test]
fn who_may_not_do_everything_has_disks_served_by_its_own_domain_only() {
    let (mut rig, mut boss) = Rig::with(Rights::Everything);
    let child = rig.domain("child", Rights::Children);
    let mut client = Client::greeted(&mut rig, child);
    // Its own disks are its own business; what it names of somebody else's it does not get.
    for (backend, allowed) in
        [(None, true), (Some("child"), true), (Some("admin"), false), (Some("1"), false)]
    {
        let devices = Configured {
            disks: List::new("disk", vec![disk("xvda", "/etc/shadow", backend)]).unwrap(),
            ..Configured::default()
        };
        let config = DomainConfig::new(Settings { devices, ..named("web") }).unwrap().encode().unwrap();
        let image = super::image(b"kernel");
        let request =
            Request::Create { config: &config, kernel: image, ramdisk: None, paused: false, saved: false };
        let id = client.ask(&mut rig, request);
        client.take();
        let refused = client.inbox.len() == 1;
        assert_eq!(refused, !allowed, "{backend:?}");
        if refused {
            let forbidden = Failure::Forbidden { needs: Rights::Everything };
            client.answer(&mut rig, id, |result| assert_eq!(result, Err(forbidden)));
        } else {
            client.inbox.clear();
            client.send(&mut rig, &xendless_core::protocol::Up::Cancel { id });
            client.take();
            client.inbox.clear();
        }
    }
    // Nor does it touch the devices of domains that are not its children.
    rig.domain("web", Rights::Nothing);
    let id = attach(&mut rig, &mut client, &disk("xvda", "/a.img", None));
    let refused = result(&mut rig, &mut client, id);
    assert_eq!(refused, Some(Err(Failure::Forbidden { needs: Rights::Everything })));
    let id = attach(&mut rig, &mut boss, &disk("xvda", "/a.img", Some("nobody")));
    let refused = result(&mut rig, &mut boss, id);
    let text = "Cannot configure device for unknown backend nobody";
    assert_eq!(refused, Some(Err(Failure::Device(text.into()))));
}
