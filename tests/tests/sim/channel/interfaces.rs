//! Interfaces over the channel. What they have in common with disks is tested with those.

use xendless_core::config::devices::{Equipment, Vif};
use xendless_core::config::{Devices as Configured, List};
use xendless_core::devices::{Class, Outcome};
use xendless_core::hyper::{DomId, Scheduler, ShutdownReason};
use xendless_core::life::{ManagedId, News};
use xendless_core::protocol::{Devices, Failure, Request};
use xendless_core::rights::Rights;

use super::devices::{give, list, result, value};
use super::{Client, Rig};

const ADMIN: DomId = DomId(1);
const WEB: DomId = DomId(2);

fn home(front: DomId, id: u32) -> String {
    format!("/local/domain/{ADMIN}/backend/vif/{front}/{id}")
}

fn vif(mac: &str) -> Vif {
    Vif { mac: Some(mac.parse().unwrap()), ..Vif::default() }
}

fn with(vifs: Vec<Vif>) -> Configured {
    Configured { vifs: List::new("vif", vifs).unwrap(), ..Configured::default() }
}

impl Rig {
    fn connect(&mut self, front: DomId, id: u32) {
        self.serve_at(ADMIN, &home(front, id));
    }

    fn disconnect(&mut self, front: DomId, id: u32) {
        self.let_go_at(ADMIN, &home(front, id));
    }

    fn mac(&mut self, front: DomId, id: u32) -> String {
        self.read(ADMIN, &format!("{}/mac", home(front, id))).unwrap()
    }

    fn kept(&self, id: ManagedId) -> Vec<String> {
        let (_, config) = self.control.managed().iter().find(|(other, _)| *other == id).unwrap();
        config.devices.vifs.iter().map(|vif| vif.mac.unwrap().to_string()).collect()
    }
}

#[test]
fn interfaces_have_addresses_and_keep_them_in_the_next_life() {
    let (mut rig, _client) = Rig::with(Rights::Everything);
    let id = rig.begin_equipped("web", with(vec![Vif::default(), vif("00:16:3e:00:00:01"), Vif::default()]));
    let macs = [0, 1, 2].map(|id| rig.mac(WEB, id));
    assert_eq!(macs[1], "00:16:3e:00:00:01");
    assert!(macs[0] != macs[2] && macs.iter().all(|mac| mac.starts_with("00:16:3e:")), "{macs:?}");
    assert_eq!(rig.read(ADMIN, &format!("/local/domain/{WEB}/device/vif/2/mac")).as_ref(), Some(&macs[2]));
    assert_eq!(rig.kept(id), macs);
    (0..3).for_each(|id| rig.connect(WEB, id));
    assert!(rig.lives().contains(&News::Started { id, domid: WEB, paused: false }));
    rig.sim.advance(100_000_000_000);
    rig.sim.as_domain(WEB).shutdown(ShutdownReason::Reboot).unwrap();
    rig.run();
    (0..3).for_each(|id| rig.disconnect(WEB, id));
    assert_eq!([0, 1, 2].map(|id| rig.mac(DomId(3), id)), macs);
}

#[test]
fn what_is_plugged_in_and_out_stays_so_in_the_next_life() {
    let (mut rig, mut client) = Rig::with(Rights::Everything);
    let web = rig.begin_equipped("web", with(vec![vif("00:16:3e:00:00:01")]));
    rig.connect(WEB, 0);
    rig.lives();
    let device = Equipment::Vif(Vif::default());
    let id = give(&mut rig, &mut client, &device);
    assert_eq!(result(&mut rig, &mut client, id), None, "it is not ready");
    rig.connect(WEB, 1);
    assert_eq!(result(&mut rig, &mut client, id), Some(Ok(())));
    let found = list(&mut rig, &mut client, Class::Vif);
    assert_eq!(found.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [0, 1]);
    let second = value(&found[1].1, "mac").to_owned();
    assert!(second.starts_with("00:16:3e:") && second != "00:16:3e:00:00:01", "{second}");
    assert_eq!(rig.kept(web), ["00:16:3e:00:00:01", &second]);

    let what = Devices::Detach { domain: "web", class: Class::Vif, id: 0, force: false };
    let id = client.ask(&mut rig, Request::Devices(what));
    rig.disconnect(WEB, 0);
    assert_eq!(result(&mut rig, &mut client, id), Some(Ok(())));
    assert_eq!(rig.kept(web), [second.as_str()]);
    assert!(rig.read(ADMIN, &home(WEB, 0)).is_none());
    let outcomes = rig.lives().into_iter().filter_map(|news| match news {
        News::Device { name, outcome, .. } => Some((name.id, outcome)),
        _ => None,
    });
    assert_eq!(outcomes.collect::<Vec<_>>(), [(1, Outcome::Connected), (0, Outcome::Gone)]);
}

#[test]
fn an_address_that_is_taken_is_refused() {
    let (mut rig, mut client) = Rig::with(Rights::Everything);
    rig.begin_equipped("web", with(vec![vif("00:16:3e:00:00:01")]));
    rig.connect(WEB, 0);
    let id = give(&mut rig, &mut client, &Equipment::Vif(vif("00:16:3e:00:00:01")));
    let text = "The mac \"00:16:3e:00:00:01\" is already defined";
    assert_eq!(result(&mut rig, &mut client, id), Some(Err(Failure::Device(text.into()))));
    let other = rig.begin_equipped("other", with(vec![vif("00:16:3e:00:00:01")]));
    let news = rig.lives();
    let Some(News::Failed { why, .. }) = news.last() else { panic!("{news:?}") };
    assert_eq!(why.to_string(), "The mac \"00:16:3e:00:00:01\" is already used by domain 2");
    assert!(rig.control.managed().status(other).is_none());
}

#[test]
fn attack_c01_the_address_that_is_shown_is_the_one_that_was_given() {
    let (mut rig, mut client) = Rig::with(Rights::Everything);
    rig.begin_equipped("web", with(vec![vif("00:16:3e:00:00:01")]));
    rig.connect(WEB, 0);
    rig.write(WEB, &format!("/local/domain/{WEB}/device/vif/0/mac"), "00:16:3e:00:00:02").unwrap();
    let found = list(&mut rig, &mut client, Class::Vif);
    assert_eq!(value(&found[0].1, "mac"), "00:16:3e:00:00:01");
    for node in ["mac", "rate", "bridge", "script", "vifname", "hotplug-status"] {
        let refused = rig.write(WEB, &format!("{}/{node}", home(WEB, 0)), "x");
        assert_eq!(refused, Err("EACCES\0".into()), "{node}");
    }
}

#[test]
fn who_may_not_do_everything_has_interfaces_served_by_its_own_domain_only() {
    let (mut rig, _boss) = Rig::with(Rights::Everything);
    let child = rig.domain("child", Rights::Children);
    rig.domain("web", Rights::Nothing);
    let mut client = Client::greeted(&mut rig, child);
    let theirs = Vif { backend: Some("admin".parse().unwrap()), ..Vif::default() };
    let id = give(&mut rig, &mut client, &Equipment::Vif(theirs));
    let refused = result(&mut rig, &mut client, id);
    assert_eq!(refused, Some(Err(Failure::Forbidden { needs: Rights::Everything })));
}

/// Better no domain than one without what it cannot do without.
#[test]
fn a_domain_that_is_to_have_what_nobody_serves_is_not_made() {
    use xendless_core::config::{DomainConfig, Settings};
    let (mut rig, mut client) = Rig::with(Rights::Everything);
    let ports = List::new("ioports", vec!["2f8-2ff".parse().unwrap()]).unwrap();
    let devices = Configured { ioports: ports, ..Configured::default() };
    let config = DomainConfig::new(Settings { devices, ..super::named("web") }).unwrap().encode().unwrap();
    let kernel = super::image(b"kernel");
    let request = Request::Create { config: &config, kernel, ramdisk: None, paused: false, saved: false };
    let id = client.ask(&mut rig, request);
    let what = Failure::Unsupported("I/O space of the host".into());
    assert_eq!(result(&mut rig, &mut client, id), Some(Err(what)));
}
