//! From a configuration to a domain that runs.

use xendless_core::config::{Actions, DomainName, Kind, Settings};
use xendless_core::hyper::{DomId, DomainFlags, Domains, EventChannels, ForeignMemory, Gfn, Port};
use xendless_core::life::{CreateError, News};
use xendless_core::ring::console::FrontendEnd;

use super::{Rig, UUID, settings};

#[test]
fn a_domain_is_made_found_and_taken_down() {
    let (mut rig, id, domid) = Rig::running(Actions::default());
    let info = rig.hv.domain_info(domid).unwrap();
    assert_eq!((info.pages, info.online_vcpus > 0, info.shutdown), (1024, true, None));
    assert!(!info.flags.contains(DomainFlags::PAUSED));
    assert_eq!(rig.manager.find("web"), Some(id));
    let home = format!("/local/domain/{domid}");
    for (node, value, perms) in [
        ("", "", format!("n0 r{domid}")),
        ("/name", "web", format!("n0 r{domid}")),
        ("/domid", &domid.to_string(), format!("n0 r{domid}")),
        ("/vm", &format!("/vm/{UUID}"), format!("n0 r{domid}")),
        ("/memory/target", "4096", format!("n0 r{domid}")),
        ("/cpu/0/availability", "online", format!("n0 r{domid}")),
        ("/cpu/1/availability", "offline", format!("n0 r{domid}")),
        ("/console/type", "xenconsoled", format!("n0 r{domid}")),
        ("/control/shutdown", "", format!("n{domid}")),
        ("/control/platform-feature-xs_reset_watches", "1", format!("n0 r{domid}")),
        ("/data", "", format!("n{domid}")),
    ] {
        let path = format!("{home}{node}");
        assert_eq!(rig.read(&path).as_deref(), Some(value), "{path}");
        assert_eq!(rig.perms(&path), perms, "{path}");
    }
    assert_eq!(rig.read(&format!("/vm/{UUID}/name")).as_deref(), Some("web"));
    assert_eq!(rig.perms(&format!("/libxl/{domid}/type")), "n0");
    assert!(rig.store.server().domains().any(|(known, conn)| known == domid && conn.is_some()));

    let number = |rig: &mut Rig, node: &str| {
        rig.read(&format!("{home}/console/{node}")).unwrap().parse::<u32>().unwrap()
    };
    let (frame, port) = (number(&mut rig, "ring-ref"), number(&mut rig, "port"));
    let guest = rig.sim.as_domain(domid);
    let page = guest.map_foreign(DomId::SELF, Gfn(frame.into())).unwrap();
    let mut ring = FrontendEnd::attach(page).unwrap();
    embedded_io::Write::write(&mut ring, b"hello").unwrap();
    guest.notify(Port(port)).unwrap();
    rig.run();
    let console = rig.manager.status(id).unwrap().console.unwrap();
    let viewer = rig.consoles.subscribe(console).unwrap();
    let mut screen = [0; 5];
    rig.consoles.read(viewer, &mut screen).unwrap();
    assert_eq!(&screen, b"hello");

    drop(ring);
    rig.manager.destroy(id);
    rig.run();
    assert_eq!(rig.take_news(), [News::Gone(id)]);
    assert_eq!(rig.manager.status(id), None);
    rig.assert_clean();
}

#[test]
fn a_pvh_domain_is_made_and_taken_down() {
    let mut rig = Rig::new(None);
    let id = rig.create(Settings { kind: Kind::Pvh, ..settings() }).unwrap();
    rig.run();
    let domid = rig.manager.status(id).unwrap().domid;
    let domid = domid.unwrap_or_else(|| panic!("{:?}", rig.news));
    assert!(rig.hv.domain_info(domid).unwrap().flags.contains(DomainFlags::HVM));
    assert_eq!(rig.read(&format!("/libxl/{domid}/type")).as_deref(), Some("pvh"));
    rig.manager.destroy(id);
    rig.assert_clean();
}

#[test]
fn names_and_uuids_belong_to_one_domain_and_come_back() {
    let (mut rig, id, _) = Rig::running(Actions::default());
    assert_eq!(rig.create(settings()), Err(CreateError::NameTaken));
    let name = DomainName::new("other").unwrap();
    assert_eq!(rig.create(Settings { name, ..settings() }), Err(CreateError::UuidTaken));
    rig.manager.destroy(id);
    rig.run();
    rig.create(settings()).unwrap();
}
