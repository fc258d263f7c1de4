//! Hotplug scripts that an administrator brings along: they are called as the classic tools called theirs, and say in
//! XenStore what came of it.

use std::path::{Component, Path};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::disks::Why;

/// How long a script may take.
const LIMIT: Duration = Duration::from_secs(60);
/// How often a running one is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Runs `script`, a name in `folder`, for the device whose directory is `home`.
pub(super) fn run(folder: &Path, script: &str, action: &str, home: &str) -> Result<(), Why> {
    run_for(LIMIT, folder, script, action, home)
}

fn run_for(limit: Duration, folder: &Path, script: &str, action: &str, home: &str) -> Result<(), Why> {
    let failed = |why: &dyn std::fmt::Display| format!("script {script}: {why}");
    let inside = Path::new(script).strip_prefix(folder).unwrap_or(Path::new(script));
    let mut parts = inside.components();
    let (Some(Component::Normal(name)), None) = (parts.next(), parts.next()) else {
        return Err(failed(&format_args!("it has to be in {}", folder.display())));
    };
    let mut child = Command::new(folder.join(name))
        .arg(action)
        .env_clear()
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .env("XENBUS_PATH", home)
        .env("XENBUS_TYPE", "vbd")
        .env("XENBUS_BASE_PATH", "backend")
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

    #[test]
    fn a_script_is_called_with_the_device_and_its_end_is_heeded() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        script(folder, "block-x", &format!("echo \"$1 $XENBUS_PATH\" > {}/said", folder.display()));
        run(folder, "block-x", "add", "backend/vbd/7/51712").unwrap();
        assert_eq!(std::fs::read_to_string(folder.join("said")).unwrap(), "add backend/vbd/7/51712\n");
        let whole = folder.join("block-x");
        run(folder, whole.to_str().unwrap(), "remove", "b").unwrap();
        script(folder, "block-bad", "exit 3");
        assert_eq!(run(folder, "block-bad", "add", "b"), Err("script block-bad: exit status: 3".into()));
        script(folder, "block-slow", "exec sleep 100");
        let late = run_for(Duration::ZERO, folder, "block-slow", "add", "b");
        assert_eq!(late, Err("script block-slow: it did not end in 0 seconds".into()));
    }

    #[test]
    fn only_scripts_of_the_folder_are_run() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["/bin/true", "../true", "a/../../true", "sub/true", "..", "."] {
            let why = run(folder.path(), name, "add", "b").unwrap_err();
            assert!(why.contains("it has to be in"), "{why}");
        }
    }
}
