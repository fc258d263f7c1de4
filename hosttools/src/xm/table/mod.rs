//! The one table of sub-commands.

mod cpupool;
mod device;
mod domain;
mod extra;
mod host;
mod obsolete;
mod scheduler;
mod security;

use super::error::Error;
use super::options::Given;
use super::session::Session;

/// A sub-command.
pub(super) struct Command {
    /// Its name.
    pub(super) name: &'static str,
    /// What it takes, in short.
    pub(super) operands: &'static str,
    /// What it does, in one line.
    pub(super) about: &'static str,
    /// How its words are taken apart.
    pub(super) style: Style,
    /// Its options.
    pub(super) options: &'static [Opt],
    /// How many words it takes, where that is looked at.
    pub(super) words: Option<(usize, usize)>,
    /// It is among those that most people need.
    pub(super) common: bool,
    /// What it does.
    pub(super) action: Action,
}

/// How the words behind a sub-command are taken apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Style {
    /// Options and operands in any order, as `getopt_long` of GNU takes them.
    Options,
    /// The same, where operands are a configuration file and `KEY=VALUE`.
    Config,
    /// All words are operands.
    Operands,
}

/// An option.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Opt {
    /// Its letter.
    pub(super) short: Option<char>,
    /// Its word.
    pub(super) long: &'static str,
    /// What its value is called, when it takes one.
    pub(super) value: Option<&'static str>,
    /// What it does.
    pub(super) about: &'static str,
    /// It may come more than once, and every value counts.
    pub(super) many: bool,
}

/// What comes of a sub-command: the exit status.
pub(super) type Outcome = Result<u8, Error>;

/// Who carries out a sub-command.
#[derive(Clone, Copy)]
pub(super) enum Action {
    /// This.
    Run(fn(&mut Session, &Given) -> Outcome),
    /// Nobody yet.
    Later,
    /// Nobody any more; the text says what there is instead.
    Gone(&'static str),
}

/// The classic sub-commands, in the order in which help lists them.
#[rustfmt::skip]
static GROUPS: &[&[Command]] = &[
    domain::COMMANDS, host::COMMANDS, scheduler::COMMANDS, device::COMMANDS, obsolete::VNET, security::COMMANDS,
    obsolete::TMEM, cpupool::COMMANDS, host::SHELL,
];

/// Sub-commands beyond the classic ones. They have to be written out, so that no abbreviation of a classic one becomes
/// ambiguous.
pub(super) static EXTRA: &[Command] = extra::COMMANDS;

/// Old names, and what they stand for.
#[rustfmt::skip]
pub(super) static ALIASES: &[(&str, &str)] = &[
    ("balloon", "mem-set"), ("set-vcpus", "vcpu-set"), ("vif-list", "network-list"), ("vbd-create", "block-attach"),
    ("vbd-destroy", "block-detach"), ("vbd-list", "block-list"), ("pool-create", "cpupool-create"),
    ("pool-new", "cpupool-new"), ("pool-start", "cpupool-start"), ("pool-list", "cpupool-list"),
    ("pool-destroy", "cpupool-destroy"), ("pool-delete", "cpupool-delete"), ("pool-cpu-add", "cpupool-cpu-add"),
    ("pool-cpu-remove", "cpupool-cpu-remove"), ("pool-migrate", "cpupool-migrate"),
];

/// The classic sub-commands.
pub(super) fn classic() -> impl Iterator<Item = &'static Command> {
    GROUPS.iter().copied().flatten()
}

/// What a word stands for.
#[derive(Clone, Copy)]
pub(super) enum Found {
    /// A sub-command, or an abbreviation of one.
    Command(&'static Command),
    /// An old name of this one.
    Alias(&'static Command),
    /// None, or several.
    Nothing,
}

/// Finds the sub-command that a word stands for.
pub(super) fn find(word: &str) -> Found {
    let exact = |name: &str| classic().chain(EXTRA).find(|command| command.name == name);
    if let Some(command) = exact(word) {
        return Found::Command(command);
    }
    let alias = ALIASES.iter().find(|(old, _)| *old == word);
    if let Some(command) = alias.and_then(|(_, new)| exact(new)) {
        return Found::Alias(command);
    }
    let mut longer = classic().filter(|command| word.chars().count() >= 2 && command.name.starts_with(word));
    match (longer.next(), longer.next()) {
        (Some(only), None) => Found::Command(only),
        _ => Found::Nothing,
    }
}

impl Opt {
    const fn flag(short: char, long: &'static str, about: &'static str) -> Self {
        Self { short: Some(short), long, value: None, about, many: false }
    }

    const fn long(long: &'static str, about: &'static str) -> Self {
        Self { short: None, long, value: None, about, many: false }
    }

    const fn value(short: char, long: &'static str, value: &'static str, about: &'static str) -> Self {
        Self { short: Some(short), long, value: Some(value), about, many: false }
    }

    const fn long_value(long: &'static str, value: &'static str, about: &'static str) -> Self {
        Self { short: None, long, value: Some(value), about, many: false }
    }

    const fn many(mut self) -> Self {
        self.many = true;
        self
    }
}

/// Prints JSON.
const JSON: Opt = Opt::long("json", "Print JSON instead.");

impl Command {
    /// A sub-command that takes options and operands.
    const fn new(name: &'static str, operands: &'static str, about: &'static str, action: Action) -> Self {
        let style = Style::Options;
        Self { name, operands, about, style, options: &[], words: None, common: false, action }
    }

    /// A sub-command that nobody carries out yet.
    const fn later(name: &'static str, operands: &'static str, about: &'static str) -> Self {
        Self::new(name, operands, about, Action::Later)
    }

    /// A sub-command that lost its meaning.
    const fn gone(
        name: &'static str,
        operands: &'static str,
        about: &'static str,
        instead: &'static str,
    ) -> Self {
        Self::new(name, operands, about, Action::Gone(instead))
    }

    const fn options(mut self, options: &'static [Opt]) -> Self {
        self.options = options;
        self
    }

    /// It takes from `min` to `max` words.
    const fn words(mut self, min: usize, max: usize) -> Self {
        self.words = Some((min, max));
        self
    }

    /// It takes so many operands and no options.
    const fn operands(mut self, min: usize, max: usize) -> Self {
        self.style = Style::Operands;
        self.words(min, max)
    }

    const fn config(mut self) -> Self {
        self.style = Style::Config;
        self
    }

    const fn common(mut self) -> Self {
        self.common = true;
        self
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn name(word: &str) -> Option<&'static str> {
        match find(word) {
            Found::Command(command) => Some(command.name),
            Found::Alias(_) | Found::Nothing => None,
        }
    }

    #[test]
    fn all_classic_sub_commands_are_there_once() {
        let names: BTreeSet<&str> = classic().map(|command| command.name).collect();
        assert_eq!((classic().count(), names.len()), (103, 103));
        assert!(EXTRA.iter().all(|command| !names.contains(command.name)));
        assert!(ALIASES.iter().all(|(old, new)| !names.contains(old) && names.contains(new)));
        assert_eq!(ALIASES.len(), 15);
    }

    #[test]
    fn words_are_resolved_as_ever() {
        assert_eq!(name("list"), Some("list"));
        assert_eq!(name("li"), Some("list"));
        assert_eq!(name("cons"), Some("console"));
        assert_eq!(name("l"), None, "one letter is too short");
        assert_eq!(name("sch"), None, "ambiguous");
        assert_eq!(name("create"), Some("create"));
        assert_eq!(name("hel"), None, "help is not abbreviated");
        assert_eq!(name(""), None);
        assert!(matches!(find("balloon"), Found::Alias(command) if command.name == "mem-set"));
        assert!(matches!(find("ballo"), Found::Nothing));
    }

    #[test]
    fn every_line_of_the_table_is_fit_to_print() {
        for command in classic().chain(EXTRA) {
            let ends = command.about.ends_with('.') && !command.about.contains('\n');
            assert!(ends && command.about.starts_with(char::is_uppercase), "{}", command.name);
            assert!(command.options.iter().all(|option| option.about.ends_with('.')), "{}", command.name);
            let mut letters = BTreeSet::new();
            assert!(
                command.options.iter().filter_map(|o| o.short).all(|c| letters.insert(c)),
                "{}",
                command.name
            );
            if let Action::Gone(text) = command.action {
                assert!(text.ends_with('.'), "{}", command.name);
            }
        }
    }
}
