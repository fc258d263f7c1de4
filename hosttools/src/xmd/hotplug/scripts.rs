//! Hotplug scripts that an administrator brings along: they are called as the classic tools called theirs, and say in
//! XenStore what came of it.

use std::path::{Component, Path};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::class::Why;

/// Where the classic tools have theirs. Configurations may name one there whatever the folder is here.
const CLASSIC: &str = "/etc/xen/scripts";

/// How long a script may take.
const LIMIT: Duration = Duration::from_secs(60);
/// How often a running one is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// A script's work.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    /// Its name in the folder.
    pub(super) script: &'a str,
    pub(super) arguments: &'a [&'a str],
    /// The class of the device.
    pub(super) class: &'a str,
    /// The directory of the device.
    pub(super) home: &'a str,
    /// Variables besides those of every script.
    pub(super) variables: &'a [(&'a str, &'a str)],
}

/// Who runs scripts.
pub(super) trait Scripts {
    /// Has a script do something.
    fn script(&mut self, call: &Call<'_>) -> Result<(), Why>;
}

/// The script that a node names, when it is not `ours`, whose work is done here.
pub(super) fn other_than(ours: &str, named: Option<String>) -> Option<String> {
    named.filter(|script| {
        let script = Path::new(script);
        let name = script.strip_prefix(CLASSIC).unwrap_or(script);
        !name.as_os_str().is_empty() && name != Path::new(ours)
    })
}

/// Runs a script of `folder`.
pub(super) fn run(folder: &Path, call: &Call<'_>) -> Result<(), Why> {
    run_for(LIMIT, folder, call)
}

fn run_for(limit: Duration, folder: &Path, call: &Call<'_>) -> Result<(), Why> {
    let Call { script, arguments, class, home, variables } = *call;
    let failed = |why: &dyn std::fmt::Display| format!("script {script}: {why}");
    let path = Path::new(script);
    let inside = path.strip_prefix(folder).or_else(|_| path.strip_prefix(CLASSIC)).unwrap_or(path);
    let mut parts = inside.components();
    let (Some(Component::Normal(name)), None) = (parts.next(), parts.next()) else {
        return Err(failed(&format_args!("it has to be in {}", folder.display())));
    };
    let path = folder.join(name);
    let mut child = Command::new(&path)
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .env("script", &path)
        .env("XENBUS_PATH", home)
        .env("XENBUS_TYPE", class)
        .env("XENBUS_BASE_PATH", "backend")
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .spawn()
        .map_err(|error| failed(&error))?;
    let until = Instant::now() + limit;
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(failed(&status)),
            Ok(None) if Instant::now() < until => sleep(LOOK),
            Ok(None) => {
                // It is over with it either way.
                let _ = child.kill().and_then(|()| child.wait().map(drop));
                return Err(failed(&format_args!("it did not end in {} seconds", limit.as_secs())));
            }
            Err(error) => return Err(failed(&error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn script(folder: &Path, name: &str, text: &str) {
        let path = folder.join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn call<'a>(script: &'a str, arguments: &'a [&'a str]) -> Call<'a> {
        let variables = &[("vif", "vif7.0")];
        Call { script, arguments, class: "vif", home: "backend/vif/7/0", variables }
    }

    #[test]
    fn a_script_is_called_with_the_device_and_its_end_is_heeded() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let said = folder.join("said");
        let text = "echo \"$1 $2 $XENBUS_PATH $XENBUS_TYPE $XENBUS_BASE_PATH $vif $script $HOME\"";
        script(folder, "vif-x", &format!("{text} >{}", said.display()));
        run(folder, &call("vif-x", &["online", "type_if=vif"])).unwrap();
        let wanted = format!(
            "online type_if=vif backend/vif/7/0 vif backend vif7.0 {} \n",
            folder.join("vif-x").display()
        );
        assert_eq!(std::fs::read_to_string(&said).unwrap(), wanted);
        run(folder, &call(folder.join("vif-x").to_str().unwrap(), &["offline"])).unwrap();
        assert!(std::fs::read_to_string(&said).unwrap().starts_with("offline  "));
        run(folder, &call("/etc/xen/scripts/vif-x", &["add"])).unwrap();
        assert!(std::fs::read_to_string(&said).unwrap().starts_with("add  "));
        script(folder, "vif-bad", "exit 3");
        assert_eq!(run(folder, &call("vif-bad", &[])), Err("script vif-bad: exit status: 3".into()));
        script(folder, "vif-slow", "exec sleep 100");
        let late = run_for(Duration::ZERO, folder, &call("vif-slow", &[]));
        assert_eq!(late, Err("script vif-slow: it did not end in 0 seconds".into()));
    }

    #[test]
    fn only_scripts_of_the_folder_are_run() {
        let folder = tempfile::tempdir().unwrap();
        let names =
            ["/bin/true", "../true", "a/../../true", "sub/true", "..", ".", "/etc/xen/scripts/../true"];
        for name in names {
            let why = run(folder.path(), &call(name, &[])).unwrap_err();
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
