//! Which pages there are, and what stands in them.

use clap::CommandFactory;

use super::page::Page;
use super::texts;
use crate::config::reference;
use crate::config::table::GROUPS;
use crate::xm::help::keys;
use crate::xm::table::{Action, Command, EXTRA, Style, classic};
use crate::xmd::Options;

/// All pages: the name of each file, and what it holds.
pub(super) fn all() -> Vec<(String, String)> {
    let own = all_commands().filter(|command| !matches!(command.action, Action::Gone(_)));
    let mut pages: Vec<(String, String)> =
        own.map(|command| (format!("xm-{}.1", command.name), sub_command(command))).collect();
    pages.push(("xm.1".to_owned(), overview()));
    pages.push(("xm-bundle.1".to_owned(), bundle()));
    pages.push(("xmdomain.cfg.5".to_owned(), configuration()));
    pages.push(("xmd.8".to_owned(), daemon()));
    pages
}

fn all_commands() -> impl Iterator<Item = &'static Command> {
    classic().chain(EXTRA)
}

fn sub_command(command: &'static Command) -> String {
    let name = command.name;
    let mut page = Page::new(&format!("xm-{name}"), "1", &lower(command.about));
    page.synopsis(&format!("xm {name}"), command.operands);
    page.heading("DESCRIPTION");
    page.paragraph(command.about);
    let typed = page.blocks(texts::of(name));
    if matches!(command.action, Action::Later) {
        page.paragraph(
            "This sub-command is not part of this version yet: it says so and ends with status 1.",
        );
    }
    page.heading("OPTIONS");
    for option in command.options {
        page.term(&keys(option, command.style == Style::Config), option.about);
    }
    page.term("-h, --help", "Print how to use this and do nothing else.");
    page.examples(&typed);
    page.heading("EXIT STATUS");
    page.paragraph("As of all sub-commands: see `xm`(1).");
    page.see_also(&["xm(1)", "xmdomain.cfg(5)", "xmd(8)"]);
    page.render()
}

fn overview() -> String {
    let mut page = Page::new("xm", "1", "manage the domains of this machine");
    page.synopsis("xm", "[--socket PATH] SUBCOMMAND [WORD ...]");
    page.heading("DESCRIPTION");
    let typed = page.blocks(texts::of("xm"));
    page.heading("OPTIONS");
    page.term("--socket PATH", "Where xmd listens. Stands before the sub-command.");
    page.term("--version, -V", "Print the version.");
    page.term("--help, -h", "Print all sub-commands; behind a sub-command, how to use that.");
    page.heading("SUB-COMMANDS");
    for command in all_commands() {
        match command.action {
            Action::Gone(_) => {}
            Action::Later => {
                page.term(command.name, &format!("{} Not part of this version yet.", command.about))
            }
            Action::Run(_) => page.term(command.name, command.about),
        }
    }
    page.heading("SUB-COMMANDS OF OLDER XENS");
    for command in all_commands() {
        if let Action::Gone(instead) = command.action {
            page.term(command.name, instead);
        }
    }
    page.examples(&typed);
    status(&mut page);
    places(&mut page);
    page.see_also(&[
        "xmdomain.cfg(5)",
        "xmd(8)",
        "xm-bundle(1)",
        "xm-create(1)",
        "xm-list(1)",
        "xm-shell(1)",
    ]);
    page.render()
}

fn status(page: &mut Page) {
    page.heading("EXIT STATUS");
    for (status, meaning) in [
        ("0", "What was asked for was done."),
        ("1", "It was not; a line on standard error says why. Also for `xm` without a sub-command."),
        ("3", "There is no such domain."),
        ("22", "The control domain has no console."),
        ("128 and more", "A signal ended xm: 130 is Ctrl-C, 141 a reader of its output that left."),
    ] {
        page.term(status, meaning);
    }
}

fn places(page: &mut Page) {
    page.heading("ENVIRONMENT");
    for (name, meaning) in [
        ("XM_SERVER", "Where xmd listens, in place of /run/xendless/xmd.sock."),
        ("XM_SUSPENDED", "Where suspended domains are kept, in place of /var/lib/xendless/suspended."),
        (
            "XM_RSH",
            "What `xm migrate` runs in place of ssh, with words of its own; the host and a command follow.",
        ),
        ("XDG_STATE_HOME", "Where the history of `xm shell` is kept, in place of ~/.local/state."),
        ("TZ", "The time zone of what is printed as local time."),
    ] {
        page.term(name, meaning);
    }
    page.heading("FILES");
    for (path, meaning) in [
        ("/run/xendless/xmd.sock", "Where xmd listens."),
        ("/var/lib/xendless/suspended", "Suspended domains, one file each."),
        ("/run/xendless/digests", "Hashes of kernels and ramdisks that were sent before."),
        ("/etc/xen", "Where configuration files are looked for, after the current folder."),
        ("~/.local/state/xendless/xm-history", "Lines that were typed in `xm shell`."),
    ] {
        page.term(path, meaning);
    }
}

fn bundle() -> String {
    let mut page = Page::new("xm-bundle", "1", "make and show boot bundles");
    page.synopsis(
        "xm-bundle",
        "make -o FILE [--domain FILE[,admin][,rights=RIGHTS]]... [--add NAME=FILE]... | show FILE",
    );
    page.heading("DESCRIPTION");
    let typed = page.blocks(texts::of("xm-bundle"));
    page.examples(&typed);
    page.heading("EXIT STATUS");
    page.paragraph("0 when it was done, 1 when it was not, 2 when the words do not fit.");
    page.see_also(&["xm(1)", "xmdomain.cfg(5)"]);
    page.render()
}

fn daemon() -> String {
    let mut page = Page::new("xmd", "8", "relay between xm and the control domain");
    page.synopsis("xmd", "[OPTION ...]");
    page.heading("DESCRIPTION");
    page.blocks(texts::of("xmd"));
    page.heading("OPTIONS");
    for option in Options::command().get_arguments() {
        let value =
            option.get_value_names().and_then(<[_]>::first).filter(|_| option.get_action().takes_values());
        let value = value.map_or_else(String::new, |value| format!("={value}"));
        let long = option.get_long().unwrap_or_default();
        let about = option.get_help().map(ToString::to_string).unwrap_or_default();
        let usual = option.get_default_values().first().filter(|_| !value.is_empty());
        let usual = usual.map_or_else(String::new, |usual| format!(" Usually {}.", usual.to_string_lossy()));
        page.term(&format!("--{long}{value}"), &format!("{}.{usual}", about.trim_end_matches('.')));
    }
    page.heading("EXIT STATUS");
    page.paragraph("0 after SIGTERM or SIGINT, 1 when it cannot go on, 2 when the options are wrong.");
    page.heading("FILES");
    for (path, meaning) in [
        ("/run/xendless/xmd.sock", "Where local programs connect."),
        ("/var/lib/xendless/definitions", "Definitions of domains, one file each."),
        ("/var/log/xendless/console-NAME.log", "What consoles printed."),
        ("/dev/xen", "Xen's devices, through which the ring to the control domain is made."),
        ("/etc/default/xmd", "`OPTIONS` for the init script."),
    ] {
        page.term(path, meaning);
    }
    page.see_also(&["xm(1)"]);
    page.render()
}

fn configuration() -> String {
    let mut page = Page::new("xmdomain.cfg", "5", "configuration files of domains");
    page.heading("DESCRIPTION");
    for block in reference::introduction().split("\n\n") {
        // Lines of a paragraph are one; items of a list are several.
        for part in block.replace("\n  ", " ").replace("\n- ", "\u{0}- ").replace('\n', " ").split('\u{0}') {
            match part {
                part if part.starts_with("<!--") || part.starts_with("# ") || part.starts_with("## Var") => {}
                part => match (part.strip_prefix("## "), part.strip_prefix("- ")) {
                    (Some(title), _) => page.lesser_heading(title),
                    (_, Some(item)) => page.term("-", item),
                    _ => page.paragraph(part),
                },
            }
        }
    }
    page.heading("VARIABLES");
    for group in GROUPS {
        page.lesser_heading(group.title);
        for variable in group.variables {
            let usual = match variable.default {
                "" => String::new(),
                usual => format!(" Default: {usual}."),
            };
            let meaning = variable.meaning;
            let effect = reference::effect(variable);
            page.term(
                variable.name,
                &format!("{}. {meaning}{usual} Effect: {effect}.", variable.kind.describe()),
            );
        }
    }
    page.examples(&[
        "name = 'web'",
        "kernel = '/boot/vmlinuz'",
        "ramdisk = '/boot/initrd.img'",
        "memory = 256",
        "extra = 'console=hvc0'",
    ]);
    page.see_also(&["xm(1)", "xm-create(1)", "xm-bundle(1)"]);
    page.render()
}

/// A sentence as the rest of a line.
fn lower(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn something_is_said_about_every_sub_command_that_xen_did_not_lose() {
        let wanted = all_commands().filter(|command| !matches!(command.action, Action::Gone(_)));
        let wanted: BTreeSet<&str> =
            wanted.map(|command| command.name).chain(["xm", "xmd", "xm-bundle"]).collect();
        let said: Vec<&str> = texts::names().collect();
        assert_eq!(said.iter().copied().collect::<BTreeSet<_>>(), wanted);
        assert_eq!(said.len(), wanted.len(), "one of them stands there twice");
    }

    #[test]
    fn pages_hold_what_tables_and_texts_say() {
        let pages = all();
        let page = |name: &str| &pages.iter().find(|(known, _)| known == name).unwrap().1;
        for part in
            [".SH NAME", ".SH EXAMPLES", "console_autoconnect", "xm create \\-n web.cfg", ".SH \"SEE ALSO\""]
        {
            assert!(page("xm-create.1").contains(part), "{part}: {}", page("xm-create.1"));
        }
        assert!(page("xm.1").contains("Transcendent memory was removed"));
        assert!(page("xmd.8").contains("\\-\\-console\\-log\\-size=BYTES"), "{}", page("xmd.8"));
        assert!(page("xmdomain.cfg.5").contains("on_watchdog"));
        assert!(!pages.iter().any(|(name, _)| name == "xm-vnet-list.1"));
    }
}
