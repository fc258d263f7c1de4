//! TPMs over the channel. What they have in common with disks is tested with those.

use xendless_core::config::devices::Vtpm;
use xendless_core::config::{Devices as Configured, List};
use xendless_core::devices::Class;
use xendless_core::hyper::{DomId, Scheduler, ShutdownReason};
use xendless_core::life::News;
use xendless_core::rights::Rights;

use super::Rig;
use super::devices::{list, value};

const TPM: DomId = DomId(2);
const WEB: DomId = DomId(3);

fn with(backend: &str) -> Configured {
    let vtpm = Vtpm { backend: backend.parse().unwrap(), uuid: None };
    Configured { vtpms: List::new("vtpm", vec![vtpm]).unwrap(), ..Configured::default() }
}

fn home(front: DomId) -> String {
    format!("/local/domain/{TPM}/backend/vtpm/{front}/0")
}

#[test]
fn a_domain_begins_when_its_module_works_and_finds_it_again_in_its_next_life() {
    let (mut rig, mut client) = Rig::with(Rights::Everything);
    rig.domain("tpm", Rights::Nothing);
    let id = rig.begin_equipped("web", with("tpm"));
    let uuid = rig.read(TPM, &format!("{}/uuid", home(WEB))).unwrap();
    assert_eq!(rig.control.managed().status(id).unwrap().domid, Some(WEB));
    assert_eq!(rig.lives(), []);
    rig.write(TPM, &format!("{}/state", home(WEB)), "2").unwrap();
    rig.run();
    assert!(rig.lives().contains(&News::Started { id, domid: WEB, paused: false }));
    let found = list(&mut rig, &mut client, Class::Vtpm);
    assert_eq!((value(&found[0].1, "uuid"), value(&found[0].1, "backend-id")), (uuid.as_str(), "2"));
    // What the guest writes there changes neither.
    for node in ["uuid", "backend-id"] {
        rig.write(WEB, &format!("/local/domain/{WEB}/device/vtpm/0/{node}"), "9").unwrap();
    }
    assert_eq!(list(&mut rig, &mut client, Class::Vtpm)[0].1[..3], found[0].1[..3]);
    rig.sim.advance(100_000_000_000);
    rig.sim.as_domain(WEB).shutdown(ShutdownReason::Reboot).unwrap();
    rig.run();
    rig.write(TPM, &format!("{}/state", home(WEB)), "6").unwrap();
    rig.run();
    assert_eq!(rig.read(TPM, &home(WEB)), None);
    assert_eq!(rig.read(TPM, &format!("{}/uuid", home(DomId(4)))), Some(uuid));
}

#[test]
fn an_unknown_backend_is_one_line_and_no_domain() {
    let (mut rig, _client) = Rig::with(Rights::Everything);
    rig.begin_equipped("web", with("nobody"));
    let news = rig.lives();
    let Some(News::Failed { why, .. }) = news.last() else { panic!("{news:?}") };
    assert_eq!(why.to_string(), "Cannot configure device for unknown backend nobody");
}
