//! Scripts at work: beside each other, so that a slow one holds up no other device. Each device has one at a time; each
//! script is watched while others go on, and none may take for ever.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::class::Why;
use super::scripts::{self, Call, Ended};

/// How long a script may take.
const LIMIT: Duration = Duration::from_secs(60);

/// How many are at work at a time; others wait for their turn. A machine that starts has many guests to make.
const AT_ONCE: usize = 32;

/// How often those are looked at whose end Linux does not tell (before 5.3).
const LOOK: Duration = Duration::from_millis(20);

/// All scripts that are at work or are to be.
#[derive(Debug)]
pub(super) struct Children {
    folder: PathBuf,
    limit: Duration,
    at_once: usize,
    /// By the directory of their device.
    running: BTreeMap<String, Running>,
    waiting: VecDeque<Call>,
    ended: VecDeque<Ended>,
}

/// A script at work.
#[derive(Debug)]
struct Running {
    script: String,
    child: Child,
    /// It can be read when the script has ended.
    end: Option<OwnedFd>,
    until: Instant,
}

impl Children {
    /// None yet. `folder` is the one with hotplug scripts.
    pub(super) const fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            limit: LIMIT,
            at_once: AT_ONCE,
            running: BTreeMap::new(),
            waiting: VecDeque::new(),
            ended: VecDeque::new(),
        }
    }

    /// Has a script begin, as soon as others leave room. The device it is for has none at work.
    pub(super) fn start(&mut self, call: Call) {
        self.waiting.push_back(call);
        self.fill_up();
    }

    /// Whether one is at work for this device, or is to be, or its end was not taken yet.
    pub(super) fn work_on(&self, home: &str) -> bool {
        self.running.contains_key(home)
            || self.waiting.iter().any(|call| call.home == home)
            || self.ended.iter().any(|ended| ended.home == home)
    }

    /// The next one that has ended.
    pub(super) fn ended(&mut self) -> Option<Ended> {
        if self.ended.is_empty() {
            self.look();
        }
        self.ended.pop_front()
    }

    /// Waits until there is something to read from `wire`, which it says, or to do for a script.
    pub(super) fn wait(&self, wire: BorrowedFd<'_>) -> io::Result<bool> {
        let mut fds = vec![PollFd::from_borrowed_fd(wire, PollFlags::IN)];
        let ends = self.running.values().filter_map(|running| running.end.as_ref());
        fds.extend(ends.map(|end| PollFd::from_borrowed_fd(end.as_fd(), PollFlags::IN)));
        let timeout = self.timeout().map(|left| Timespec::try_from(left).unwrap_or_default());
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(fds.first().is_some_and(|fd| !fd.revents().is_empty()))
    }

    /// How long nothing is to be done but what is waited for.
    fn timeout(&self) -> Option<Duration> {
        if !self.ended.is_empty() {
            return Some(Duration::ZERO);
        }
        let untold = self.running.values().any(|running| running.end.is_none());
        let next = self.running.values().map(|running| running.until).min()?;
        let left = next.saturating_duration_since(Instant::now());
        Some(if untold { left.min(LOOK) } else { left })
    }

    /// Sees who has ended, or has to.
    fn look(&mut self) {
        let (now, limit) = (Instant::now(), self.limit);
        let mut over = Vec::new();
        for (home, running) in &mut self.running {
            if let Some(outcome) = running.outcome(now, limit) {
                over.push(Ended { home: home.clone(), outcome });
            }
        }
        for ended in over {
            self.running.remove(&ended.home);
            self.ended.push_back(ended);
        }
        self.fill_up();
    }

    fn fill_up(&mut self) {
        while self.running.len() < self.at_once
            && let Some(call) = self.waiting.pop_front()
        {
            match scripts::spawn(&self.folder, &call) {
                Ok(child) => {
                    let until = Instant::now() + self.limit;
                    let end = pidfd_open(Pid::from_child(&child), PidfdFlags::empty()).ok();
                    self.running.insert(call.home, Running { script: call.script, child, end, until });
                }
                Err(why) => self.ended.push_back(Ended { home: call.home, outcome: Err(why) }),
            }
        }
    }
}

impl Running {
    /// What came of it, if it is over.
    fn outcome(&mut self, now: Instant, limit: Duration) -> Option<Result<(), Why>> {
        let why = match self.child.try_wait() {
            Ok(Some(status)) if status.success() => return Some(Ok(())),
            Ok(Some(status)) => status.to_string(),
            Ok(None) if now < self.until => return None,
            Ok(None) => {
                // It is over with it either way.
                let _ = self.child.kill().and_then(|()| self.child.wait().map(drop));
                format!("it did not end in {} seconds", limit.as_secs())
            }
            Err(error) => error.to_string(),
        };
        Some(Err(format!("script {}: {why}", self.script)))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;
    use crate::xmd::hotplug::tests::script;

    /// Scripts in a folder of their own, and a wire on which nothing comes.
    struct Set {
        folder: tempfile::TempDir,
        children: Children,
        wire: (UnixStream, UnixStream),
    }

    impl Set {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let children = Children::new(folder.path().into());
            Self { folder, children, wire: UnixStream::pair().unwrap() }
        }

        fn start(&mut self, name: &str, id: u32) -> String {
            let home = format!("backend/vif/7/{id}");
            let (arguments, variables) = (vec!["online", "type_if=vif"], vec![("vif", "vif7.0".into())]);
            self.children.start(Call {
                script: name.into(),
                arguments,
                class: "vif",
                home: home.clone(),
                variables,
            });
            home
        }

        /// Waits for the next end.
        fn next(&mut self) -> (String, Result<(), Why>) {
            loop {
                if let Some(Ended { home, outcome }) = self.children.ended() {
                    return (home, outcome);
                }
                assert!(!self.children.wait(self.wire.0.as_fd()).unwrap());
            }
        }
    }

    #[test]
    fn a_script_is_called_with_the_device_and_its_end_is_heeded() {
        let mut set = Set::new();
        let folder = set.folder.path().to_owned();
        let said = folder.join("said");
        let text = "echo \"$* $XENBUS_PATH $XENBUS_TYPE $XENBUS_BASE_PATH $vif $script $HOME\"";
        script(&folder, "vif-x", &format!("{text} >{}", said.display()));
        let path = folder.join("vif-x");
        let wanted = format!("online type_if=vif backend/vif/7/0 vif backend vif7.0 {} \n", path.display());
        for name in ["vif-x", path.to_str().unwrap(), "/etc/xen/scripts/vif-x"] {
            let home = set.start(name, 0);
            assert_eq!(set.next(), (home, Ok(())));
            assert_eq!(std::fs::read_to_string(&said).unwrap(), wanted);
            std::fs::remove_file(&said).unwrap();
        }
        script(&folder, "vif-bad", "exit 3");
        let home = set.start("vif-bad", 0);
        assert_eq!(set.next(), (home, Err("script vif-bad: exit status: 3".into())));
        let home = set.start("vif-missing", 0);
        assert!(set.children.work_on(&home), "until that is known");
        let (_, outcome) = set.next();
        assert!(outcome.unwrap_err().starts_with("script vif-missing: No such file"));
        assert!(!set.children.work_on(&home));
    }

    #[test]
    fn one_that_does_not_end_is_ended() {
        let mut set = Set::new();
        script(set.folder.path(), "vif-slow", "exec sleep 100");
        set.children.limit = Duration::from_millis(50);
        let home = set.start("vif-slow", 0);
        assert!(set.children.work_on(&home));
        let child = Pid::from_child(&set.children.running[&home].child);
        assert_eq!(set.next(), (home, Err("script vif-slow: it did not end in 0 seconds".into())));
        assert!(rustix::process::test_kill_process(child).is_err(), "it is no more");
    }

    #[test]
    fn a_slow_one_holds_up_no_other_one_unless_there_are_many() {
        let mut set = Set::new();
        let folder = set.folder.path().to_owned();
        script(
            &folder,
            "vif-slow",
            &format!("cd {}; until [ -e go ] || [ ! -e vif-slow ]; do sleep 0.01; done", folder.display()),
        );
        script(&folder, "vif-quick", "exit 0");
        let slow = set.start("vif-slow", 0);
        let quick = set.start("vif-quick", 1);
        assert_eq!(set.next(), (quick, Ok(())));
        assert!(set.children.work_on(&slow));
        // With room for one, the next one waits for its turn. A kernel that tells no end is asked.
        set.children.at_once = 1;
        set.children.running.get_mut(&slow).unwrap().end = None;
        let quick = set.start("vif-quick", 2);
        assert!(set.children.work_on(&quick) && set.children.running.len() == 1);
        std::fs::write(folder.join("go"), "").unwrap();
        assert_eq!(set.next(), (slow, Ok(())));
        assert_eq!(set.next(), (quick, Ok(())));
    }
}
