//! What a domain is called, what it is, and what happens when it ends.

use xendless_core::config::{Action, CrashAction, OnStart, OnStop};

use super::{Kind, Taken, Variable};
use crate::config::diagnostic::Complaint;
use crate::config::draft::Draft;

const ACTIONS: &[&str] = &["destroy", "restart", "preserve", "rename-restart"];
const CRASH_ACTIONS: &[&str] =
    &["destroy", "restart", "preserve", "rename-restart", "coredump-destroy", "coredump-restart"];

#[rustfmt::skip]
pub(super) static VARIABLES: &[Variable] = &[
    Variable::new("name", Kind::Text(|d, v| keep(&mut d.name, v)), "the file's name",
        "Name of the domain: letters, digits and `_-.:+`.", "name"),
    Variable::new("uuid", Kind::Text(uuid), "random", "UUID of the domain.", "uuid"),
    Variable::new("description", Kind::Text(|d, v| keep(&mut d.description, v)), "",
        "Free text for people.", "description").xm(),
    Variable::new("type", Kind::Choice { words: &["pv", "pvh", "hvm"], classic: None, set: kind }, "pv",
        "How the guest sees the hypervisor. `hvm` is an error: it needs an emulator.", "kind").xl(),
    Variable::new("builder",
        Kind::Choice { words: &["linux", "generic", "minios", "netbsd", "pvh", "hvm"], classic: None, set: kind },
        "linux", "Older spelling of `type`; all but `pvh` and `hvm` mean PV.", "kind"),
    Variable::new("pvh", Kind::Flag(|d, v| d.pvh |= v), "0", "Older spelling of `type = 'pvh'`.", "kind").xl(),
    Variable::new("seclabel", Kind::Text(|d, v| keep(&mut d.label, v)), "",
        "Security label, `user:role:type`.", "platform.label").xl(),
    Variable::new("on_poweroff",
        Kind::Choice { words: ACTIONS, classic: Some("Invalid event handling mode: shutdown"),
            set: |d, v| plain(&mut d.on_poweroff, v) },
        "destroy", "What happens when it powers off.", "actions.poweroff"),
    Variable::new("on_reboot",
        Kind::Choice { words: ACTIONS, classic: Some("Invalid event handling mode: reboot"),
            set: |d, v| plain(&mut d.on_reboot, v) },
        "restart", "What happens when it asks for a restart.", "actions.reboot"),
    Variable::new("on_crash",
        Kind::Choice { words: CRASH_ACTIONS, classic: Some("Invalid event handling mode: crash"),
            set: |d, v| crash(&mut d.on_crash, v) },
        "restart", "What happens when it crashes; `coredump-*` writes its memory to a file first.", "actions.crash"),
    Variable::new("on_watchdog",
        Kind::Choice { words: CRASH_ACTIONS, classic: Some("Invalid event handling mode: watchdog"),
            set: |d, v| crash(&mut d.on_watchdog, v) },
        "destroy", "What happens when its watchdog fires.", "actions.watchdog").xl(),
    Variable::new("restart",
        Kind::Choice { words: &["onreboot", "always", "never"], classic: None, set: |d, v| keep(&mut d.restart, v) },
        "", "Older spelling: restart on reboot only, on every end, on none. `on_*` wins.", "actions").xm(),
    Variable::new("restart_min_uptime", Kind::Int { min: 0, max: 86_400, set: |d, v| d.min_uptime = Some(v) },
        "60", "A domain that lived for fewer seconds is destroyed instead of restarted.", "actions.min_uptime").own(),
    Variable::new("on_xend_start",
        Kind::Choice { words: &["ignore", "start"], classic: None, set: on_start },
        "ignore", "Whether a managed domain starts with the control plane.", "on_start").xm(),
    Variable::new("on_xend_stop",
        Kind::Choice { words: &["ignore", "shutdown", "suspend"], classic: None, set: on_stop },
        "ignore", "What happens to a managed domain when the control plane stops.", "on_stop").xm(),
    Variable::new("nomigrate", Kind::Flag(|d, v| d.platform.no_migrate = v), "0",
        "Forbids save and migration.", "platform.no_migrate"),
    Variable::new("driver_domain", Kind::Flag(|d, v| d.platform.driver_domain |= v), "0",
        "It serves devices to other domains.", "platform.driver_domain").xl(),
    Variable::new("blkif", Kind::Flag(|d, v| d.platform.driver_domain |= v), "0",
        "It serves disks to other domains.", "platform.driver_domain").xm(),
    Variable::new("netif", Kind::Flag(|d, v| d.platform.driver_domain |= v), "0",
        "It serves networks to other domains.", "platform.driver_domain").xm(),
    Variable::new("tpmif", Kind::Flag(|d, v| d.platform.driver_domain |= v), "0",
        "It serves TPMs to other domains.", "platform.driver_domain").xm(),
];

/// Keeps text until everything is known; no text is no value.
pub(super) fn keep(slot: &mut Option<String>, value: &str) -> Taken {
    *slot = Some(value.to_owned()).filter(|value| !value.is_empty());
    Ok(())
}

fn uuid(draft: &mut Draft, value: &str) -> Taken {
    draft.uuid = Some(value.parse()?);
    Ok(())
}

fn kind(draft: &mut Draft, value: &str) -> Taken {
    if value == "hvm" {
        let message = "HVM guests need a device emulator, which this control plane does not have";
        return Err(Complaint::new(message).help("use type = 'pvh' with a kernel, or type = 'pv'"));
    }
    draft.pvh |= value == "pvh";
    Ok(())
}

fn plain(slot: &mut Option<Action>, value: &str) -> Taken {
    *slot = Action::NAMES.into_iter().find(|(name, _)| *name == value).map(|(_, action)| action);
    Ok(())
}

fn crash(slot: &mut Option<CrashAction>, value: &str) -> Taken {
    let mut action = None;
    plain(&mut action, value)?;
    *slot = match value {
        "coredump-destroy" => Some(CrashAction::CoredumpDestroy),
        "coredump-restart" => Some(CrashAction::CoredumpRestart),
        _ => action.map(CrashAction::Plain),
    };
    Ok(())
}

fn on_start(draft: &mut Draft, value: &str) -> Taken {
    draft.on_start = if value == "start" { OnStart::Start } else { OnStart::Ignore };
    Ok(())
}

fn on_stop(draft: &mut Draft, value: &str) -> Taken {
    draft.on_stop = match value {
        "shutdown" => OnStop::Shutdown,
        "suspend" => OnStop::Suspend,
        _ => OnStop::Ignore,
    };
    Ok(())
}
