//! What kind of word is expected where, read from the summary of operands that help shows.

use super::Candidate;
use crate::xm::table::{Command, Opt};

/// A kind of word.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// An option of the sub-command.
    Option,
    /// A sub-command.
    SubCommand,
    /// A domain.
    Domain,
    /// A file.
    File,
    /// A configuration file.
    Config,
    /// `KEY=VALUE` for a configuration.
    Setting,
    /// One of these.
    Words(Vec<&'static str>),
    /// Something that nobody can guess.
    Other,
}

/// Names in summaries that stand for something else.
const STANDING: [&str; 5] = ["VCPU", "CPUs", "DevId", "mac", "VnetId"];

/// What stands where `typed` does, behind `words`. `option` is the one whose value `typed` is.
pub(super) fn place(command: &'static Command, words: &[&str], option: Option<&str>, typed: &str) -> Place {
    if let Some(option) = option {
        return known(command, option).map_or(Place::Other, value);
    }
    let mut operands = 0;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match known(command, word).filter(|_| !word.contains('=')) {
            Some(option) if option.value.is_some() => {
                if words.next().is_none() {
                    return value(option);
                }
            }
            _ if word.starts_with('-') => {}
            _ => operands += 1,
        }
    }
    if typed.starts_with('-') { Place::Option } else { operand(command, operands) }
}

/// The options of a sub-command, and those that its summary names.
pub(super) fn options(command: &'static Command) -> Vec<Candidate> {
    let word = |option: &Opt| format!("--{}{}", option.long, if option.value.is_some() { "=" } else { "" });
    let mut all: Vec<Candidate> =
        command.options.iter().map(|option| Candidate::new(word(option), option.about)).collect();
    let named = summary(command).filter_map(|part| part.strip_prefix("[-"));
    for long in
        named.flat_map(|part| part.trim_end_matches(']').split('|')).filter(|part| part.starts_with("--"))
    {
        let long = long.split(['=', ' ']).next().unwrap_or_default();
        if all.iter().all(|known| known.word.trim_end_matches('=') != long) {
            all.push(Candidate::new(long, ""));
        }
    }
    all.push(Candidate::new("--help", "Print how to use this."));
    all
}

/// The option that a word names.
fn known(command: &'static Command, word: &str) -> Option<&'static Opt> {
    command.options.iter().find(|option| match word.strip_prefix("--") {
        Some(long) => option.long == long,
        None => word.strip_prefix('-').is_some_and(|letter| letter.chars().eq(option.short)),
    })
}

fn value(option: &Opt) -> Place {
    match option.value {
        Some("DOMAIN") => Place::Domain,
        Some("FILE" | "PATH") => Place::File,
        _ => Place::Other,
    }
}

/// The parts of a summary: `<Domain>`, `[-f|--force]`, `[Domain ...]`.
fn summary(command: &'static Command) -> impl Iterator<Item = &'static str> {
    let mut depth = 0_usize;
    command.operands.split(move |c| {
        match c {
            '[' | '{' | '<' => depth += 1,
            ']' | '}' | '>' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ' ' && depth == 0
    })
}

/// What the operand at `index` is.
fn operand(command: &'static Command, index: usize) -> Place {
    let operands = summary(command).filter(|part| !part.starts_with("[-") && *part != "[options]");
    let mut last = None;
    for (at, part) in operands.enumerate() {
        last = Some(part);
        if at == index {
            return meant(command, part);
        }
    }
    // What may be repeated stands at the end.
    last.filter(|part| part.contains("...")).map_or(Place::Other, |part| meant(command, part))
}

fn meant(command: &'static Command, part: &'static str) -> Place {
    let part = part.trim_matches(['[', ']', '<', '>']).trim_end_matches(" ...");
    match part {
        "Domain" | "DomainName" | "DomId" | "BackDomain" => Place::Domain,
        "ConfigFile" => Place::Config,
        "SubCommand" => Place::SubCommand,
        "KEY=VALUE" if matches!(command.name, "create" | "new") => Place::Setting,
        part if part.ends_with("File") || part == "Folder" => Place::File,
        part if part.contains('|') && part.chars().all(|c| c.is_alphanumeric() || c == '|') => {
            Place::Words(part.split('|').filter(|word| !STANDING.contains(word)).collect())
        }
        _ => Place::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xm::table::{Found, find};

    fn at(line: &str) -> Place {
        let mut words: Vec<&str> = line.split(' ').collect();
        let typed = words.pop().unwrap();
        let Found::Command(command) = find(words.remove(0)) else { panic!("{line}") };
        place(command, &words, None, typed)
    }

    #[test]
    fn operands_are_told_by_their_place() {
        assert_eq!(at("destroy w"), Place::Domain);
        assert_eq!(at("destroy web x"), Place::Other);
        assert_eq!(at("list a b c"), Place::Domain);
        assert_eq!(at("list -l --state paused w"), Place::Domain);
        assert_eq!(at("save -c web f"), Place::File);
        assert_eq!(at("dump-core web f"), Place::File);
        assert_eq!(at("rename web new"), Place::Other);
        assert_eq!(at("create -p w"), Place::Config);
        assert_eq!(at("create web a=1 b"), Place::Setting);
        assert_eq!(at("shutdown web -"), Place::Option);
        assert_eq!(at("sched-credit -d w"), Place::Domain);
        assert_eq!(at("block-attach web phy:a xvda w a"), Place::Domain);
        assert_eq!(at("man f"), Place::File);
        assert_eq!(
            at("trigger web n"),
            Place::Words(vec!["nmi", "reset", "init", "s3resume", "power", "sleep"])
        );
        assert_eq!(at("vcpu-pin web a"), Place::Words(vec!["all"]));
    }
}
