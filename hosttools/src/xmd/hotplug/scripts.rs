//! Hotplug scripts that an administrator brings along: they are called as the classic tools called theirs, and say in
//! XenStore what came of it.

use std::io;
use std::os::fd::BorrowedFd;
use std::path::{Component, Path};
use std::process::{Child, Command, Stdio};

use super::class::Why;

/// Where the classic tools have theirs. Configurations may name one there whatever the folder is here.
const CLASSIC: &str = "/etc/xen/scripts";

/// A script's work.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// Its name in the folder.
    pub(super) script: String,
    pub(super) arguments: Vec<&'static str>,
    /// The class of the device.
    pub(super) class: &'static str,
    /// The directory of the device.
    pub(super) home: String,
    /// Variables besides those of every script.
    pub(super) variables: Vec<(&'static str, String)>,
}

/// That a script is no longer at work.
#[derive(Debug)]
pub(super) struct Ended {
    /// The directory of its device.
    pub(super) home: String,
    /// What came of it.
    pub(super) outcome: Result<(), Why>,
}

/// Who runs scripts. They work beside each other, each device's one at a time.
pub(super) trait Scripts {
    /// Has a script begin. What comes of it, [`Scripts::ended`] says.
    fn start(&mut self, call: Call);

    /// Whether one is at work for the device with this directory, or its end was not taken yet.
    fn works_on(&self, home: &str) -> bool;

    /// Takes the end of one that has ended.
    fn ended(&mut self) -> Option<Ended>;

    /// Waits until there is something to read from `wire`, which it says, or a script has ended.
    fn wait(&mut self, wire: BorrowedFd<'_>) -> io::Result<bool>;
}

/// The script that a node names, when it is not `ours`, whose work is done here.
pub(super) fn other_than(ours: &str, named: Option<String>) -> Option<String> {
    named.filter(|script| {
        let script = Path::new(script);
        let name = script.strip_prefix(CLASSIC).unwrap_or(script);
        !name.as_os_str().is_empty() && name != Path::new(ours)
    })
}

/// Begins to run a script of `folder`.
pub(super) fn spawn(folder: &Path, call: &Call) -> Result<Child, Why> {
    let script = &call.script;
    let failed = |why: &dyn std::fmt::Display| format!("script {script}: {why}");
    let path = Path::new(script);
    let inside = path.strip_prefix(folder).or_else(|_| path.strip_prefix(CLASSIC)).unwrap_or(path);
    let mut parts = inside.components();
    let (Some(Component::Normal(name)), None) = (parts.next(), parts.next()) else {
        return Err(failed(&format_args!("it has to be in {}", folder.display())));
    };
    let path = folder.join(name);
    Command::new(&path)
        .args(&call.arguments)
        .env_clear()
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .env("script", &path)
        .env("XENBUS_PATH", &call.home)
        .env("XENBUS_TYPE", call.class)
        .env("XENBUS_BASE_PATH", "backend")
        .envs(call.variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .spawn()
        .map_err(|error| failed(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_scripts_of_the_folder_are_run() {
        let folder = tempfile::tempdir().unwrap();
        let names =
            ["/bin/true", "../true", "a/../../true", "sub/true", "..", ".", "/etc/xen/scripts/../true"];
        for name in names {
            let (arguments, variables) = (Vec::new(), Vec::new());
            let home = "backend/vif/7/0".into();
            let call = Call { script: name.into(), arguments, class: "vif", home, variables };
            let why = spawn(folder.path(), &call).unwrap_err();
            assert!(why.contains("it has to be in"), "{why}");
        }
    }

    #[test]
    fn ours_is_known_by_every_spelling() {
        let other = |named: &str| other_than("vif-bridge", Some(named.into()));
        for named in
            ["vif-bridge", "/etc/xen/scripts/vif-bridge", "/etc/xen/scripts//./vif-bridge", "", "vif-bridge/"]
        {
            assert_eq!(other(named), None, "{named}");
        }
        for named in ["vif-route", "/etc/xen/scripts/vif-route", "/tmp/vif-bridge", "block"] {
            assert_eq!(other(named), Some(named.into()));
        }
        assert_eq!(other_than("vif-bridge", None), None);
    }
}
