//! What follows when a domain stops.

use std::collections::BTreeSet;

use xendless_core::config::{Action, Actions, CrashAction};
use xendless_core::hyper::{CreateDomain, DomId, Domains, Progress, ShutdownReason};
use xendless_core::life::{ChangeError, Fate, ManagedId, News, State, Wish};
use xendless_core::store::service::At;

use super::{Rig, SECOND, UUID};
use crate::request;

#[test]
fn each_reason_and_each_action() {
    let reasons =
        [ShutdownReason::Poweroff, ShutdownReason::Reboot, ShutdownReason::Crash, ShutdownReason::Watchdog];
    for reason in reasons {
        for action in [Action::Destroy, Action::Restart, Action::Preserve, Action::RenameRestart] {
            let mut actions = Actions::default();
            match reason {
                ShutdownReason::Poweroff => actions.poweroff = action,
                ShutdownReason::Reboot => actions.reboot = action,
                ShutdownReason::Crash => actions.crash = CrashAction::Plain(action),
                _ => actions.watchdog = CrashAction::Plain(action),
            }
            let (mut rig, id, domid) = Rig::running(actions);
            rig.sim.advance(61 * SECOND);
            rig.stop(domid, reason);
            let case = format!("{reason:?} {action:?}");
            check_action(&mut rig, id, domid, action, &case);
            for id in rig.manager.iter().map(|(id, _)| id).collect::<Vec<_>>() {
                rig.manager.destroy(id);
            }
            rig.assert_clean();
        }
    }
}

fn check_action(rig: &mut Rig, id: ManagedId, domid: DomId, action: Action, case: &str) {
    let news = rig.take_news();
    assert!(
        matches!(news[0], News::Stopped { decision, .. } if decision.fate == Fate::from(action)),
        "{case}"
    );
    let status = rig.manager.status(id);
    match action {
        Action::Destroy => assert_eq!((status, &news[1..]), (None, &[News::Gone(id)][..]), "{case}"),
        Action::Restart => {
            let status = status.unwrap();
            let new = status.domid.unwrap();
            assert_eq!((status.state, status.restarts), (State::Running, 1), "{case}");
            assert_ne!(new, domid);
            assert_eq!(news[1..], [News::Started { id, domid: new, paused: false }], "{case}");
            assert_eq!(rig.read(&format!("/vm/{UUID}/name")).as_deref(), Some("web"));
            assert_eq!(rig.read(&format!("/local/domain/{domid}")), None, "{case}");
        }
        Action::Preserve => {
            let status = status.unwrap();
            assert_eq!((status.state, status.domid, news.len()), (State::Stopped, Some(domid), 1), "{case}");
        }
        Action::RenameRestart => {
            let [_, News::Renamed { kept, .. }, News::Started { domid: new, .. }] = news[..] else {
                panic!("{case}: {news:?}")
            };
            assert_eq!(rig.manager.status(kept).unwrap().state, State::Stopped, "{case}");
            assert_eq!(rig.manager.find(&format!("Domain-{UUID}")), Some(kept));
            assert_eq!((rig.manager.find("web"), new != domid), (Some(id), true), "{case}");
            assert_eq!(rig.read(&format!("/local/domain/{domid}/name")), Some(format!("Domain-{UUID}")));
            assert_eq!(rig.read(&format!("/local/domain/{new}/name")).as_deref(), Some("web"));
            assert_eq!(rig.read(&format!("/vm/{UUID}/name")).as_deref(), Some("web"));
            let vm = rig.read(&format!("/local/domain/{domid}/vm")).unwrap();
            assert_eq!(rig.read(&format!("{vm}/name")), Some(format!("Domain-{UUID}")));
            let handles = [domid, new].map(|domid| rig.hv.domain_info(domid).unwrap().handle);
            assert_ne!(handles[0], handles[1], "{case}");
        }
    }
}

#[test]
fn a_domain_that_crashes_at_once_is_not_restarted_for_ever() {
    for action in [Action::Restart, Action::RenameRestart] {
        let (mut rig, id, first) =
            Rig::running(Actions { crash: CrashAction::Plain(action), ..Actions::default() });
        rig.sim.advance(61 * SECOND);
        rig.stop(first, ShutdownReason::Crash);
        let second = rig.manager.status(id).unwrap().domid.unwrap();
        rig.take_news();
        rig.sim.advance(59 * SECOND);
        rig.stop(second, ShutdownReason::Crash);
        let news = rig.take_news();
        assert!(matches!(news[0], News::Stopped { decision, .. } if decision.too_soon));
        assert_eq!(news[1..], [News::Gone(id)]);
        assert_eq!(rig.manager.find("web"), None);
    }
}

#[test]
fn a_core_dump_that_is_asked_for_is_said_to_be_missing() {
    let actions = Actions { crash: CrashAction::CoredumpDestroy, ..Actions::default() };
    let (mut rig, id, domid) = Rig::running(actions);
    rig.stop(domid, ShutdownReason::Crash);
    let news = rig.take_news();
    assert!(
        matches!(news[0], News::Stopped { decision, .. } if decision.dump && decision.fate == Fate::Destroy)
    );
    assert_eq!(news[1..], [News::Gone(id)]);
    rig.assert_clean();
}

#[test]
fn shutdown_is_asked_for_by_a_node() {
    let (mut rig, id, domid) = Rig::running(Actions::default());
    for (wish, word) in [(Wish::Poweroff, "poweroff"), (Wish::Reboot, "reboot"), (Wish::Halt, "halt")] {
        let mut store = At { service: &mut rig.store, site: &rig.place };
        rig.manager.ask_shutdown(&mut store, id, wish).unwrap();
        let path = format!("/local/domain/{domid}/control/shutdown");
        assert_eq!(rig.read(&path).as_deref(), Some(word));
        assert_eq!(rig.perms(&path), format!("n{domid}"), "the domain can still take note of it");
    }
    rig.stop(domid, ShutdownReason::Poweroff);
    let mut store = At { service: &mut rig.store, site: &rig.place };
    let gone = rig.manager.ask_shutdown(&mut store, id, Wish::Poweroff);
    assert_eq!(gone, Err(ChangeError::NoSuchDomain));
}

#[test]
fn attack_a17_a_number_that_was_taken_over_is_not_taken_for_ours() {
    let (mut rig, id, domid) = Rig::running(Actions::default());
    let control = rig.sim.control();
    // Somebody else destroys it, and its number goes to a domain that is not ours.
    rig.consoles.detach(&*rig.hv, rig.manager.status(id).unwrap().console.unwrap()).unwrap();
    rig.store.domain_died(&rig.place, domid);
    while control.destroy_domain(domid).unwrap() == Progress::Again {}
    let other = CreateDomain { domid: Some(domid), handle: [9; 16], ..request(Default::default()) };
    assert_eq!(control.create_domain(&other), Ok(domid));
    assert!(rig.manager.lost(domid));
    rig.run();
    assert_eq!(rig.take_news(), [News::Gone(id)]);
    assert!(rig.hv.domain_info(domid).is_ok(), "the newcomer lives");
    assert_eq!(rig.nodes("/vm"), BTreeSet::new());
    assert!(!rig.manager.lost(domid), "and is nobody's");
}

#[test]
fn a_rumour_of_death_changes_nothing() {
    let (mut rig, id, domid) = Rig::running(Actions::default());
    assert!(rig.manager.lost(domid));
    rig.run();
    assert_eq!(rig.take_news(), []);
    assert_eq!(rig.manager.status(id).unwrap().state, State::Running);
}
