//! What a line that is being typed can go on with: for `xm shell`, and for the shells whose scripts stand in `scripts`.
//!
//! Words end at blanks. All of it comes from the table of sub-commands; names of domains are asked from `xmd`.

mod place;
mod scripts;

use std::io::Write;
use std::path::Path;

use self::place::{Place, place};
use super::error::Error;
use super::options::Given;
use super::session::{Session, definitions, rows};
use super::table::{ALIASES, Command, EXTRA, Found, Outcome, classic, find};
use crate::config::table::variables;
use crate::shown::Shown;

pub(super) use self::scripts::script;

/// Options before the sub-command.
const OWN: [(&str, &str); 3] = [
    ("--socket=", "Where xmd listens."),
    ("--version", "Print the version."),
    ("--help", "Print all sub-commands."),
];
/// Where configuration files are usually kept.
const CONFIGS: &str = "/etc/xen";

/// A word that fits, and what it means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Candidate {
    /// The whole word.
    pub(super) word: String,
    /// What it means; may be empty.
    pub(super) about: String,
}

impl Candidate {
    fn new(word: impl Into<String>, about: impl Into<String>) -> Self {
        Self { word: word.into(), about: about.into() }
    }
}

/// Prints what `line`, which begins with the program's name, can go on with: a word, a tab and what it means.
pub(super) fn print(session: &mut Session, line: &str) -> Outcome {
    let Some((_, line)) = line.trim_start().split_once(' ') else { return Ok(0) };
    for Candidate { word, about } in candidates(session, line) {
        session.out.line(format_args!("{word}\t{about}"))?;
    }
    Ok(0)
}

/// `completions`: the script for a shell.
pub(super) fn completions(session: &mut Session, given: &Given) -> Outcome {
    let wanted = given.operand(0);
    let text = script(wanted)
        .ok_or_else(|| Error::Usage(format!("'{}' is none of bash, fish and zsh", Shown(wanted))))?;
    session.out.write_all(text.as_bytes())?;
    Ok(0)
}

/// The words that the last word of `line` may become.
pub(super) fn candidates(session: &Session, line: &str) -> Vec<Candidate> {
    let (before, word) = line.rsplit_once(' ').unwrap_or(("", line));
    let mut words = before.split_whitespace();
    let command = loop {
        match words.next() {
            None if word.starts_with('-') => {
                return fitting(word, OWN.map(|(own, about)| Candidate::new(own, about)));
            }
            None => return fitting(word, sub_commands()),
            Some("xm") => {}
            Some("--socket") => _ = words.next(),
            Some(own) if own.starts_with('-') => {}
            Some(name) => match find(name) {
                Found::Command(command) | Found::Alias(command) => break command,
                Found::Nothing => return Vec::new(),
            },
        }
    };
    let words: Vec<&str> = words.collect();
    // `--option=value` is one word, of which the value is completed.
    let (option, typed) = match word.split_once('=') {
        Some((option, typed)) if option.starts_with('-') => (Some(option), typed),
        _ => (None, word),
    };
    let place = place(command, &words, option, typed);
    let found = at(session, command, &place, typed);
    match option {
        Some(option) => found
            .into_iter()
            .map(|found| Candidate { word: format!("{option}={}", found.word), ..found })
            .collect(),
        None => found,
    }
}

/// What fits at `place`.
fn at(session: &Session, command: &'static Command, place: &Place, typed: &str) -> Vec<Candidate> {
    match place {
        Place::Option => fitting(typed, place::options(command)),
        Place::SubCommand => fitting(typed, sub_commands()),
        Place::Domain => fitting(typed, domains(session)),
        Place::File => files(typed, None),
        Place::Config => files(typed, Some(Path::new(CONFIGS))),
        Place::Words(words) => fitting(typed, words.iter().map(|word| Candidate::new(*word, ""))),
        // All of them would be more than a person reads.
        Place::Setting if typed.is_empty() => Vec::new(),
        Place::Setting => {
            let known = variables();
            fitting(typed, known.map(|known| Candidate::new(format!("{}=", known.name), known.meaning)))
        }
        Place::Other => Vec::new(),
    }
}

fn fitting(typed: &str, all: impl IntoIterator<Item = Candidate>) -> Vec<Candidate> {
    all.into_iter().filter(|candidate| candidate.word.starts_with(typed)).collect()
}

fn sub_commands() -> impl Iterator<Item = Candidate> {
    let names = classic().chain(EXTRA).map(|command| Candidate::new(command.name, command.about));
    let old = |(old, new): &(&str, &str)| Candidate::new(*old, format!("Old name of {new}."));
    names.chain(ALIASES.iter().map(old))
}

/// Names of domains; none when they cannot be got, because nobody asked for an error.
fn domains(session: &Session) -> Vec<Candidate> {
    let Ok(mut client) = session.connect() else { return Vec::new() };
    let running = rows(&mut client).unwrap_or_default().into_iter();
    let mut all: Vec<Candidate> =
        running.map(|row| Candidate::new(row.name.as_str(), format!("domain {}", row.domid))).collect();
    for defined in definitions(&mut client).unwrap_or_default() {
        if all.iter().all(|known| known.word != defined.name) {
            all.push(Candidate::new(defined.name, "not running"));
        }
    }
    all.retain(|domain| is_plain(&domain.word));
    all
}

/// Files with this start, and those in a folder that names without one are looked for in. Folders end with a slash.
fn files(typed: &str, usual: Option<&Path>) -> Vec<Candidate> {
    let (folder, start) = typed.rfind('/').map_or(("", typed), |at| typed.split_at(at + 1));
    let mut found = listed(Path::new(if folder.is_empty() { "." } else { folder }), start);
    if let Some(usual) = usual.filter(|_| folder.is_empty()) {
        found.extend(listed(usual, start).into_iter().filter(|name| !name.ends_with('/')));
    }
    found.sort();
    found.dedup();
    found.into_iter().map(|name| Candidate::new(format!("{folder}{name}"), "")).collect()
}

fn listed(folder: &Path, start: &str) -> Vec<String> {
    let Ok(entries) = folder.read_dir() else { return Vec::new() };
    let names = entries.flatten().filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let hidden = name.starts_with('.') && !start.starts_with('.');
        let slash = if entry.path().is_dir() { "/" } else { "" };
        (name.starts_with(start) && !hidden && is_plain(&name)).then(|| format!("{name}{slash}"))
    });
    names.collect()
}

/// Whether shells take a word as it stands.
fn is_plain(word: &str) -> bool {
    word.chars().all(|c| c.is_alphanumeric() || "_-.:+,@%/".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xm::out::Out;
    use crate::xm::suspended::Suspended;

    fn words(line: &str) -> Vec<String> {
        let session = Session {
            socket: "/nonexistent".into(),
            suspended: Suspended::from_environment(),
            out: Out::new(),
        };
        candidates(&session, line).into_iter().map(|candidate| candidate.word).collect()
    }

    #[test]
    fn sub_commands_come_first() {
        assert_eq!(words("vcpu-"), ["vcpu-list", "vcpu-pin", "vcpu-set"]);
        assert_eq!(words("xm --socket x vcpu-l"), ["vcpu-list"]);
        assert_eq!(words("help dome"), [""; 0]);
        assert_eq!(words("help dmes"), ["dmesg"]);
        assert_eq!(words("--v"), ["--version"]);
        assert!(words("").len() > 103);
        assert_eq!(words("nonsense "), [""; 0]);
    }

    #[test]
    fn options_are_those_of_the_sub_command() {
        assert_eq!(words("shutdown --h"), ["--halt", "--help"]);
        assert_eq!(words("li --st"), ["--state="]);
        assert_eq!(words("block-detach web xvda --f"), ["--force"], "it stands among the operands");
        assert!(words("create -").contains(&"--console_autoconnect".to_owned()));
    }

    #[test]
    fn variables_follow_a_configuration_file() {
        assert_eq!(words("create web maxv"), ["maxvcpus="]);
        assert_eq!(words("create web "), [""; 0]);
        assert_eq!(words("cpupool-create pool maxv"), [""; 0]);
    }

    #[test]
    fn files_stand_where_files_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        for name in ["web.cfg", "well", ".hidden"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        std::fs::create_dir(folder.path().join("wet")).unwrap();
        let all = ["web.cfg", "well", "wet/"].map(|name| format!("{path}/{name}"));
        assert_eq!(words(&format!("create {path}/we")), all);
        assert_eq!(words(&format!("create {path}/")), all);
        assert_eq!(words(&format!("create -f {path}/web")), all[..1]);
        let with_option = format!("--defconfig={path}/web.cfg");
        assert_eq!(words(&format!("create --defconfig={path}/web")), [with_option]);
        assert_eq!(words(&format!("destroy {path}/web")), [""; 0], "a domain is no file");
    }

    #[test]
    fn names_are_none_without_xmd() {
        assert_eq!(words("destroy "), [""; 0]);
    }
}
