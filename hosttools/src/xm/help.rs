//! Help, in the layout that `xm` always had.

use super::table::{Command, EXTRA, Opt, Style, classic};

/// What stands below the list of sub-commands.
const FOOTER: &str = "\
<Domain> is the name or the id of a domain.
More about xm: see xm(1).
More about configuration files: see xmdomain.cfg(5).
";

/// The most common sub-commands.
pub(super) fn short() -> String {
    let rows: String = listed().filter(|command| command.common).map(row).collect();
    let hint = "Type 'xm help' to see all sub-commands, or 'xm help <subcommand>' for one.";
    format!("{}Common 'xm' commands:\n\n{rows}\n{FOOTER}\n{hint}\n\n", heading())
}

/// All sub-commands.
pub(super) fn full() -> String {
    let rows: String = listed().map(row).collect();
    format!("{}xm full list of subcommands:\n\n{rows}\n{FOOTER}\n", heading())
}

fn heading() -> &'static str {
    "Usage: xm <subcommand> [args]\n\nManages the domains of this machine.\n\n"
}

fn listed() -> impl Iterator<Item = &'static Command> {
    classic().chain(EXTRA)
}

/// How to use one sub-command.
pub(super) fn usage(command: &Command) -> String {
    let rows: String = command.options.iter().map(|option| option_row(command.style, option)).collect();
    let blank = if rows.is_empty() { "" } else { "\n" };
    format!("Usage: xm {} {}\n\n{}\n{blank}{rows}\n", command.name, command.operands, command.about)
}

fn row(command: &'static Command) -> String {
    let mut lines = wrap(command.about, 50).into_iter();
    let first = lines.next().unwrap_or_default();
    let mut row = format!(" {:<20} {first:<50}\n", command.name);
    lines.for_each(|line| row.push_str(&format!("{:22}{line}\n", "")));
    row
}

fn option_row(style: Style, option: &Opt) -> String {
    let keys = keys(option, style == Style::Config);
    if style == Style::Config { config_row(&keys, option.about) } else { plain_row(&keys, option.about) }
}

fn plain_row(keys: &str, about: &str) -> String {
    let mut lines = wrap(about, 43).into_iter();
    let first = lines.next().unwrap_or_default();
    let mut row = format!("  {keys:<30} {first:<43}\n");
    lines.for_each(|line| row.push_str(&format!("{:33}{line}\n", "")));
    row
}

/// A row of the table that sub-commands with a configuration file have: a longer key has a line of its own.
pub(super) fn config_row(keys: &str, about: &str) -> String {
    let lines = wrap(about, 58);
    let mut row = String::new();
    let mut before = keys;
    if keys.chars().count() >= 20 {
        row.push_str(&format!("{keys}\n"));
        before = "";
    }
    for line in lines {
        row.push_str(&format!("{before:<20}{line}\n"));
        before = "";
    }
    row
}

/// `-f=FILE, --defconfig=FILE`, or `-f FILE, --defconfig=FILE`.
pub(super) fn keys(option: &Opt, equals: bool) -> String {
    let value = option.value.map_or_else(String::new, |value| format!("={value}"));
    let short = option.short.map(|letter| match option.value {
        Some(value) if !equals => format!("-{letter} {value}, "),
        _ => format!("-{letter}{value}, "),
    });
    format!("{}--{}{value}", short.unwrap_or_default(), option.long)
}

/// Breaks a text at blanks into lines of `width`.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xm::table::{Found, find};

    fn command(name: &str) -> &'static Command {
        match find(name) {
            Found::Command(command) => command,
            _ => panic!("{name}"),
        }
    }

    #[test]
    fn rows_are_in_their_columns() {
        assert_eq!(row(command("pause")), format!(" {:<20} {:<50}\n", "pause", "Stop a domain where it is."));
        assert_eq!(
            row(command("create")),
            " create               Create a domain from a configuration file and     \n                      start it.\n"
        );
        assert!(row(command("pci-list-assignable-devices")).starts_with(" pci-list-assignable-devices List"));
    }

    #[test]
    fn usage_to_the_letter() {
        let dmesg = format!(
            "Usage: xm dmesg [-c|--clear]\n\nPrint Xen's own messages.\n\n  {:<30} {:<43}\n\n",
            "-c, --clear", "Let Xen forget them afterwards."
        );
        assert_eq!(usage(command("dmesg")), dmesg);
        assert_eq!(usage(command("pause")), "Usage: xm pause <Domain>\n\nStop a domain where it is.\n\n");
        let create = usage(command("create"));
        assert!(create.contains("\n-q, --quiet         Say nothing when all goes well.\n"), "{create}");
        assert!(
            create.contains("\n-f=FILE, --defconfig=FILE\n                    Configuration file;"),
            "{create}"
        );
        assert!(
            usage(command("list")).contains("  --state=STATE                  Only domains in this state:")
        );
        assert!(usage(command("console")).contains("  -n NUM, --num=NUM              Which console;"));
    }

    #[test]
    fn nothing_is_missing_from_the_full_list() {
        let full = full();
        for command in classic().chain(EXTRA) {
            assert!(full.contains(&format!("\n {} ", command.name)), "{}", command.name);
        }
        assert!(short().len() < full.len() && short().contains("\n list "));
    }
}
