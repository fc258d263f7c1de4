//! Taking the words behind a sub-command apart: clap, with the rules and in the words of `getopt`.

use clap::builder::ValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches};

use super::table::{Command, Opt, Style};

/// Where operands stand among what clap found.
const OPERANDS: &str = "operands";

/// What was given to a sub-command.
#[derive(Debug, Default)]
pub(super) struct Given {
    options: Option<ArgMatches>,
    /// Words that are no options, in order.
    pub(super) operands: Vec<String>,
    /// `KEY=VALUE`, in order.
    pub(super) settings: Vec<(String, String)>,
}

impl Given {
    /// Whether a flag is among them.
    pub(super) fn has(&self, long: &str) -> bool {
        self.options.as_ref().is_some_and(|options| options.get_flag(long))
    }

    /// The value of an option.
    pub(super) fn value(&self, long: &str) -> Option<&str> {
        self.options.as_ref()?.get_one::<String>(long).map(String::as_str)
    }

    /// All values of an option, in order.
    pub(super) fn values(&self, long: &str) -> Vec<&str> {
        let values = self.options.as_ref().and_then(|options| options.get_many::<String>(long));
        values.into_iter().flatten().map(String::as_str).collect()
    }

    /// The last operand.
    pub(super) fn last(&self) -> Option<&str> {
        self.operands.last().map(String::as_str)
    }

    /// The operand at `index`; empty when there is none.
    pub(super) fn operand(&self, index: usize) -> &str {
        self.operands.get(index).map_or("", String::as_str)
    }
}

/// Why words do not fit a sub-command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Misused {
    /// What is wrong with them.
    pub(super) message: String,
    /// It is their number.
    pub(super) count: bool,
}

/// Takes the words of a sub-command apart.
///
/// # Errors
///
/// When there are too few or too many, or an option is not right.
pub(super) fn parse(command: &Command, words: &[String]) -> Result<Given, Misused> {
    count(command, words)?;
    if command.style == Style::Operands {
        return Ok(Given { operands: words.to_vec(), ..Given::default() });
    }
    let mut matches = clap(command).try_get_matches_from(words).map_err(|error| misused(&error))?;
    let operands: Vec<String> = matches.remove_many(OPERANDS).into_iter().flatten().collect();
    let mut given = Given { options: Some(matches), ..Given::default() };
    for word in operands {
        match word.split_once('=') {
            Some((key, value)) if command.style == Style::Config => {
                given.settings.push((key.to_owned(), value.to_owned()));
            }
            _ => given.operands.push(word),
        }
    }
    Ok(given)
}

/// Checks the number of words; `--` is none.
fn count(command: &Command, words: &[String]) -> Result<(), Misused> {
    let Some((min, max)) = command.words else { return Ok(()) };
    let counted = words.iter().filter(|word| *word != "--" && !is_new(command, word));
    if (min..=max).contains(&counted.count()) {
        return Ok(());
    }
    let name = command.name;
    let message = if min == max {
        format!("'xm {name}' requires {min} arguments.")
    } else {
        format!("'xm {name}' requires between {min} and {max} arguments.")
    };
    Err(Misused { message, count: true })
}

/// Whether a word is an option that xm did not have when words were first counted: it never makes them too many.
fn is_new(command: &Command, word: &str) -> bool {
    let known = |long| command.options.iter().any(|option| option.long == long);
    (word == "--json" && known("json")) || (word.starts_with("--timeout=") && known("timeout"))
}

/// The parser of one sub-command. Only that of the one that is called is ever built.
pub(super) fn clap(command: &Command) -> clap::Command {
    let operands = Arg::new(OPERANDS)
        .num_args(0..)
        .action(ArgAction::Append)
        .value_parser(ValueParser::string())
        .help(command.operands);
    clap::Command::new(command.name)
        .about(command.about)
        .no_binary_name(true)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .infer_long_args(true)
        .args_override_self(true)
        .args(command.options.iter().map(argument))
        .arg(operands)
}

fn argument(option: &Opt) -> Arg {
    let argument = Arg::new(option.long).long(option.long).help(option.about);
    let argument = match option.value {
        Some(name) => argument
            .action(if option.many { ArgAction::Append } else { ArgAction::Set })
            .value_name(name)
            .allow_hyphen_values(true)
            .value_parser(ValueParser::string()),
        None => argument.action(ArgAction::SetTrue),
    };
    match option.short {
        Some(letter) => argument.short(letter),
        None => argument,
    }
}

/// What clap objects to, as `getopt` says it.
fn misused(error: &clap::Error) -> Misused {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let option = text(ContextKind::InvalidArg).unwrap_or_default();
    let option = option.split(['=', ' ']).next().unwrap_or_default();
    let message = match error.kind() {
        ErrorKind::UnknownArgument => format!("option {option} not recognized"),
        ErrorKind::TooManyValues => format!("option {option} must not have an argument"),
        ErrorKind::InvalidValue | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            format!("option {option} requires argument")
        }
        _ => error.to_string().trim_start_matches("error: ").trim_end().to_owned(),
    };
    Misused { message, count: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xm::table::{Found, find};

    fn given(line: &str) -> Result<Given, Misused> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let (name, rest) = words.split_first().unwrap();
        let Found::Command(command) = find(name) else { panic!("{name}") };
        parse(command, rest)
    }

    fn refusal(line: &str) -> String {
        given(line).unwrap_err().message
    }

    #[test]
    fn options_and_operands_come_in_any_order() {
        let list = given("list a --long b --state=paused -- -c").unwrap();
        assert!(list.has("long") && !list.has("label"));
        assert_eq!(list.value("state"), Some("paused"));
        assert_eq!(list.operands, ["a", "b", "-c"]);
    }

    #[test]
    fn long_options_are_abbreviated_and_letters_joined() {
        let list = given("list --lo --st all -ll").unwrap();
        assert!(list.has("long"));
        assert_eq!(list.value("state"), Some("all"));
        let create = given("create -pcq -f a --path /x web memory=64 -n b k=").unwrap();
        assert!(["paused", "console_autoconnect", "quiet", "dryrun"].iter().all(|flag| create.has(flag)));
        assert_eq!((create.value("defconfig"), create.value("path")), (Some("a"), Some("/x")));
        assert_eq!(create.last(), Some("b"));
        assert_eq!(create.settings, [("memory".into(), "64".into()), ("k".into(), String::new())]);
    }

    #[test]
    fn attack_words_of_positional_commands_are_never_options() {
        assert_eq!(given("rename -x --help-me").unwrap().operands, ["-x", "--help-me"]);
    }

    #[test]
    fn what_is_wrong_is_said_as_getopt_says_it() {
        assert_eq!(refusal("list -z"), "option -z not recognized");
        assert_eq!(refusal("list -lz"), "option -z not recognized");
        assert_eq!(refusal("list --nothing=3"), "option --nothing not recognized");
        assert_eq!(refusal("list --l"), "option --l not recognized", "long or label");
        assert_eq!(refusal("list --state"), "option --state requires argument");
        assert_eq!(refusal("create -f"), "option --defconfig requires argument");
        assert_eq!(refusal("list --long=3"), "option --long must not have an argument");
    }

    #[test]
    fn words_are_counted() {
        assert_eq!(refusal("destroy a b"), "'xm destroy' requires 1 arguments.");
        assert_eq!(refusal("shutdown a b c d e"), "'xm shutdown' requires between 1 and 4 arguments.");
        assert!(given("destroy -- a").is_ok() && given("info --json -n").is_ok());
        assert!(
            given("reboot -w --timeout=5 -a a").is_ok() && given("console --timeout=5 -q -n 0 a").is_err()
        );
        assert!(given("info -n -c").unwrap_err().count);
    }
}
