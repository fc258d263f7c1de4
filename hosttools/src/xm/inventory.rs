//! What sub-commands there are, for whatever has to be complete about them: tests, and documents made by tests.

use super::table::{Action, Command, EXTRA, Style, classic};

/// A sub-command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SubCommand {
    /// Its name.
    pub name: &'static str,
    /// What it takes, in short.
    pub operands: &'static str,
    /// How many words it takes, where that is looked at before anything else.
    pub words: Option<(usize, usize)>,
    /// Its options.
    pub options: Vec<OptionOf>,
    /// Whether it has a meaning here.
    pub standing: Standing,
}

/// An option of a sub-command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OptionOf {
    /// Its letter.
    pub short: Option<char>,
    /// Its word.
    pub long: &'static str,
    /// Whether it takes a value.
    pub has_value: bool,
}

/// Whether a sub-command has a meaning here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// It does what it says, or looks at its operands and says why it cannot.
    Works,
    /// Nobody carries it out yet.
    Later,
    /// Xen has lost the means for it; the text is all it says.
    Gone(&'static str),
}

/// All sub-commands, in the order in which help lists them.
#[must_use]
pub fn all() -> Vec<SubCommand> {
    classic().chain(EXTRA).map(SubCommand::of).collect()
}

impl SubCommand {
    fn of(command: &'static Command) -> Self {
        let options = command.options.iter().map(|option| OptionOf {
            short: option.short,
            long: option.long,
            has_value: option.value.is_some(),
        });
        let mut options: Vec<OptionOf> = options.collect();
        if command.style == Style::Operands && command.operands.contains("[-f|--force]") {
            // It stands among the operands, as ever.
            options.push(OptionOf { short: Some('f'), long: "force", has_value: false });
        }
        let standing = match command.action {
            Action::Run(_) => Standing::Works,
            Action::Later => Standing::Later,
            Action::Gone(instead) => Standing::Gone(instead),
        };
        let Command { name, operands, words, .. } = *command;
        Self { name, operands, words, options, standing }
    }
}
