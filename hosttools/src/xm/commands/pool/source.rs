//! From the words of `cpupool-create` and `cpupool-new` to a configuration.

use std::io::Write;

use xendless_core::config::PoolConfig;

use crate::config::pool::{Draft, VARIABLES, evaluate};
use crate::config::sxp::{self, Sxp};
use crate::config::{Limits, Request};
use crate::shown::Shown;
use crate::xm::commands::create::source::{find, host, random_uuid, read};
use crate::xm::error::{Error, reason};
use crate::xm::help::config_row;
use crate::xm::options::Given;
use crate::xm::session::Session;

/// The file that is looked for when none is named.
const DEFAULT: &str = "xmdefconfig";
/// Where it is looked for.
const FOLDERS: &str = ".:/etc/xen/cpupool";
/// The exit status of a configuration that cannot be used.
const UNUSABLE: u8 = 255;

fn unusable(text: impl Into<String>) -> Error {
    Error::Status(text.into(), UNUSABLE)
}

/// Finds the configuration file and evaluates it; `None` when it was only shown.
pub(super) fn load(session: &mut Session, given: &Given) -> Result<Option<PoolConfig>, Error> {
    if given.has("help_config") {
        session.out.write_all(b"\nValues:\n\n")?;
        for (name, hint, meaning) in VARIABLES {
            session.out.write_all(config_row(&format!("{name}={hint}"), meaning).as_bytes())?;
        }
        return Ok(None);
    }
    let uuid = random_uuid().map_err(|error| Error::Plain(reason(&error)))?;
    let (draft, name) = match given.value("config") {
        Some(path) => (from_record(path)?, String::new()),
        None => from_file(session, given)?,
    };
    let config = draft.finish(&name, uuid).map_err(|invalid| unusable(invalid.to_string()))?;
    if given.has("dryrun") {
        session.out.write_all(record(&config).pretty().as_bytes())?;
        return Ok(None);
    }
    Ok(Some(config))
}

/// Evaluates a configuration file; also gives the name that a pool has without another one.
fn from_file(session: &mut Session, given: &Given) -> Result<(Draft, String), Error> {
    let name = given.last().or_else(|| given.value("defconfig")).unwrap_or(DEFAULT);
    let unopened = || format!("Unable to open config file: {}", Shown(name));
    let path = find(name, given.value("path").unwrap_or(FOLDERS)).ok_or_else(|| unusable(unopened()))?;
    let text = read(&path).map_err(|error| unusable(format!("{} ({})", unopened(), reason(&error))))?;
    session.out.line(format_args!("Using config file \"{}\".", Shown(&path)))?;
    let host = host(random_uuid().map_err(|error| Error::Plain(reason(&error)))?);
    let request = Request {
        path: &path,
        text: &text,
        arguments: &given.settings,
        host: &host,
        limits: Limits::default(),
    };
    let (draft, output) = evaluate(&request).map_err(|errors| unusable(errors.to_string()))?;
    for line in output.lines() {
        session.out.line(Shown(line))?;
    }
    Ok((draft, path.rsplit('/').next().unwrap_or(&path).to_owned()))
}

/// Takes a record in place of a configuration file.
fn from_record(path: &str) -> Result<Draft, Error> {
    let unread = |why: &str| unusable(format!("Cannot read file {}: {}", Shown(path), Shown(why)));
    let text = read(path).map_err(|error| unread(&reason(&error)))?;
    let found = sxp::read(&text).map_err(|error| unread(&error.to_string()))?;
    draft_of(&found).ok_or_else(|| unread("it is no record of a CPU pool"))
}

fn draft_of(record: &Sxp) -> Option<Draft> {
    let Sxp::List(items) = record else { return None };
    if items.first() != Some(&Sxp::atom("pool")) {
        return None;
    }
    let text = |name: &str| match record.get(name) {
        Some(Sxp::Atom(text)) => Some(text.clone()),
        _ => None,
    };
    let rest = |name: &str| {
        items.iter().find_map(|item| match item {
            Sxp::List(list) => match list.as_slice() {
                [Sxp::Atom(found), rest @ ..] if found == name => Some(rest),
                _ => None,
            },
            Sxp::Atom(_) => None,
        })
    };
    let number = |item: &Sxp| match item {
        Sxp::Atom(text) => text.parse().ok(),
        Sxp::List(_) => None,
    };
    let pair = |item: &Sxp| match item {
        Sxp::List(pair) => match pair.as_slice() {
            [Sxp::Atom(word), Sxp::Atom(text)] => Some((word.clone(), text.clone())),
            _ => None,
        },
        Sxp::Atom(_) => None,
    };
    let usual = Draft::default();
    Some(Draft {
        name: Some(text("name_label")?),
        scheduler: text("sched_policy").unwrap_or(usual.scheduler),
        count: text("ncpu").map_or(Some(usual.count), |count| count.parse().ok())?,
        wanted: rest("proposed_CPUs").unwrap_or_default().iter().map(number).collect::<Option<_>>()?,
        remarks: rest("other_config").unwrap_or_default().iter().map(pair).collect::<Option<_>>()?,
    })
}

/// What a dry run shows.
pub(super) fn record(config: &PoolConfig) -> Sxp {
    let cpus = config.wanted.iter().map(|cpu| Sxp::atom(cpu.get().to_string()));
    let remarks = config.remarks.iter().map(|(word, text)| Sxp::pair(word, text.as_str()));
    Sxp::named(
        "pool",
        [
            Sxp::pair("name_label", config.name.as_str()),
            Sxp::pair("sched_policy", config.scheduler.as_str()),
            Sxp::pair("ncpu", config.count.get().to_string()),
            Sxp::named("proposed_CPUs", cpus),
            Sxp::named("other_config", remarks),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_gives_the_pool_that_it_came_from() {
        let uuid = "00010203-0405-4607-8809-0a0b0c0d0e0f".parse().unwrap();
        let draft = Draft {
            name: Some("a/b".into()),
            scheduler: "credit2".into(),
            count: 2,
            wanted: vec![1, 3],
            remarks: vec![("k".into(), "a b".into())],
        };
        let config = draft.clone().finish("", uuid).unwrap();
        let shown = record(&config).to_string();
        let wanted = "(pool (name_label a/b) (sched_policy credit2) (ncpu 2) (proposed_CPUs 1 3) \
            (other_config (k 'a b')))";
        assert_eq!(shown, wanted);
        assert_eq!(draft_of(&sxp::read(&shown).unwrap()), Some(draft));
        for other in ["x", "(vm (name_label a))", "(pool)", "(pool (name_label a) (ncpu x))"] {
            assert_eq!(draft_of(&sxp::read(other).unwrap()), None, "{other}");
        }
    }
}
