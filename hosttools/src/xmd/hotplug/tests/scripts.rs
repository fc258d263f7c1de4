//! Scripts that take their time, as processes of this machine.

use std::fs;
use std::thread::sleep;
use std::time::Instant;

use super::*;
use crate::xmd::hotplug::machine::Machine;

const SLOW: &str = "backend/vbd/7/51712";
const EMPTY: &str = "backend/vbd/7/51728";

/// A folder with a script that is at work until it is let go: it says when it begins, and with what it ended.
struct Slow(tempfile::TempDir);

impl Slow {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = "cd \"${0%/*}\"; echo \"begin $1\" >>log; until [ -e \"go-$1\" ] || [ ! -e log ]; do sleep 0.01; done\n\
                    rm \"go-$1\"; echo \"end $1\" >>log; [ ! -e bad ]";
        script(folder.path(), "block-slow", text);
        Self(folder)
    }

    fn machine(&self) -> Machine {
        Machine::new(self.0.path().into(), None)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.0.path().join("log")).unwrap_or_default().replace('\n', ";")
    }

    fn let_go(&self, action: &str) {
        fs::write(self.0.path().join(format!("go-{action}")), "").unwrap();
    }
}

impl Store {
    fn slow(&mut self, home: &str) {
        self.write(home, &[("script", "block-slow")]);
        self.disk(home, "r0", "w");
    }

    /// Lets hotplug have a turn, in which something changed that says nothing.
    fn turn(&mut self, agent: &mut Working<'_, Machine>) {
        self.write("backend/vbd/9/1", &[("nothing", "")]);
        agent.turn().unwrap();
    }

    /// Lets hotplug work until that is so.
    fn until(&mut self, agent: &mut Working<'_, Machine>, so: impl Fn(&mut Self) -> bool) {
        let start = Instant::now();
        while !so(self) {
            assert!(start.elapsed() < Duration::from_secs(20), "that never is");
            sleep(Duration::from_millis(5));
            self.turn(agent);
        }
    }
}

#[test]
fn a_slow_script_holds_up_no_other_device() {
    let (mut store, slow) = (Store::new(), Slow::new());
    let mut machine = slow.machine();
    let mut agent = store.agent(&mut machine);
    store.slow(SLOW);
    store.disk(EMPTY, "", "r");
    assert_eq!(store.said(&mut agent, EMPTY), said("connected", ""));
    assert_eq!(slow.log().matches("end").count(), 0, "{}", slow.log());
    // Nor one with a script, which the same device gets one of at a time.
    script(slow.0.path(), "block-quick", "touch \"${0%/*}\"/quick");
    store.write("backend/vbd/8/1", &[("script", "block-quick")]);
    store.disk("backend/vbd/8/1", "r1", "w");
    store.until(&mut agent, |_| slow.0.path().join("quick").exists());
    store.turn(&mut agent);
    slow.let_go("add");
    store.until(&mut agent, |_| slow.log().ends_with("end add;"));
    assert_eq!(slow.log(), "begin add;end add;");
}

#[test]
fn a_device_that_goes_while_its_script_works_is_let_go_behind_it_and_the_next_one_comes_then() {
    for again in [false, true] {
        let (mut store, slow) = (Store::new(), Slow::new());
        let mut machine = slow.machine();
        let mut agent = store.agent(&mut machine);
        store.slow(SLOW);
        store.until(&mut agent, |_| slow.log().ends_with("begin add;"));
        store.remove(SLOW);
        store.disk(EMPTY, "", "r");
        assert_eq!(store.said(&mut agent, EMPTY), said("connected", ""));
        if again {
            store.slow(SLOW);
            store.turn(&mut agent);
        }
        slow.let_go("add");
        store.until(&mut agent, |_| slow.log().ends_with("end add;begin remove;"));
        slow.let_go("remove");
        store.until(&mut agent, |_| slow.log().contains("end remove;"));
        if again {
            store.until(&mut agent, |_| slow.log().ends_with("end remove;begin add;"));
            slow.let_go("add");
            store.until(&mut agent, |_| slow.log().ends_with("begin add;end add;"));
        }
        store.remove("backend/vbd/7");
        drop(agent);
    }
}

#[test]
fn what_was_said_is_taken_back_when_the_script_has_let_go() {
    let (mut store, slow) = (Store::new(), Slow::new());
    let mut machine = slow.machine();
    let mut agent = store.agent(&mut machine);
    store.slow(SLOW);
    slow.let_go("add");
    store.until(&mut agent, |_| slow.log().ends_with("end add;"));
    store.write(SLOW, &[("hotplug-status", "connected")]);
    store.write(SLOW, &[("online", "0"), ("state", "6")]);
    store.until(&mut agent, |_| slow.log().ends_with("begin remove;"));
    store.turn(&mut agent);
    assert!(store.read(SLOW, "hotplug-status").is_some(), "it is at work");
    slow.let_go("remove");
    store.until(&mut agent, |store| store.read(SLOW, "hotplug-status").is_none());
    assert_eq!(slow.log(), "begin add;end add;begin remove;end remove;");
}

#[test]
fn a_script_that_fails_is_an_error_of_its_device_unless_that_went_or_it_has_said_why() {
    for (early, wanted) in [
        (None, Some(said("error", "script block-slow: exit status: 1"))),
        (Some("why"), Some(said("error", "why"))),
        (Some("gone"), None),
    ] {
        let (mut store, slow) = (Store::new(), Slow::new());
        fs::write(slow.0.path().join("bad"), "").unwrap();
        let mut machine = slow.machine();
        let mut agent = store.agent(&mut machine);
        store.slow(SLOW);
        store.until(&mut agent, |_| slow.log().ends_with("begin add;"));
        match early {
            Some("gone") => store.remove(SLOW),
            Some(why) => store.write(SLOW, &[("hotplug-error", why), ("hotplug-status", "error")]),
            None => {}
        }
        slow.let_go("add");
        store.until(&mut agent, |_| slow.log().ends_with("end add;"));
        store.disk(EMPTY, "", "r");
        assert_eq!(store.said(&mut agent, EMPTY), said("connected", ""));
        match wanted {
            Some(wanted) => assert_eq!(store.said(&mut agent, SLOW), wanted),
            None => assert_eq!(store.read(SLOW, "hotplug-status"), None),
        }
        assert_eq!(slow.log(), "begin add;end add;", "{early:?}");
    }
}
