//! From the words of `create` to a configuration.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use rustix::rand::{GetRandomFlags, getrandom};
use xendless_core::config::Uuid;

use super::{record, xml};
use crate::config::host::{Host, PathKind};
use crate::config::{Evaluated, Limits, Request, evaluate, sxp};
use crate::shown::Shown;
use crate::xm::error::{Error, reason};
use crate::xm::options::Given;
use crate::xm::session::Session;

/// The file that is looked for when none is named.
const DEFAULT: &str = "xmdefconfig";
/// Where it is looked for.
const FOLDERS: &str = ".:/etc/xen";
/// How xm says which file it uses.
const ANNOUNCEMENT: &str = "Using config file ";
/// The longest file that is read.
const LONGEST: u64 = 4 << 20;

/// Finds the configuration file and evaluates it.
pub(in crate::xm::commands) fn load(session: &mut Session, given: &Given) -> Result<Evaluated, Error> {
    if let Some(path) = given.value("config") {
        let text = read(path)
            .map_err(|error| Error::Usage(format!("Cannot read file {}: {}", Shown(path), reason(&error))))?;
        return ready_made(session, path, without_announcement(&text), &given.settings);
    }
    let name = given.last().or_else(|| given.value("defconfig")).unwrap_or(DEFAULT);
    let path = find(name, given.value("path").unwrap_or(FOLDERS));
    let unopened = || format!("Unable to open config file: {}", Shown(name));
    let path = path.ok_or_else(|| Error::Usage(unopened()))?;
    let text = read(&path).map_err(|error| Error::Usage(format!("{} ({})", unopened(), reason(&error))))?;
    if !given.has("quiet") {
        session.out.line(format_args!("{ANNOUNCEMENT}\"{}\".", Shown(&path)))?;
    }
    let text = without_announcement(&text);
    if text.starts_with('<') {
        return ready_made(session, &path, text, &given.settings);
    }
    run(session, &path, text, &given.settings)
}

/// The first of the places where the file may be that has it.
pub(in crate::xm::commands) fn find(name: &str, folders: &str) -> Option<String> {
    let is_there = |path: &String| fs::metadata(path).is_ok_and(|found| !found.is_dir());
    let own = std::iter::once(name.to_owned());
    own.chain(folders.split(':').map(|folder| format!("{folder}/{name}"))).find(is_there)
}

/// The text of a file.
pub(in crate::xm::commands) fn read(path: &str) -> io::Result<String> {
    let mut text = String::new();
    let count = fs::File::open(path)?.take(LONGEST).read_to_string(&mut text)?;
    if count as u64 == LONGEST { Err(io::Error::other("it is too long")) } else { Ok(text) }
}

/// Evaluates a configuration file. What it prints is printed.
fn run(
    session: &mut Session,
    path: &str,
    text: &str,
    settings: &[(String, String)],
) -> Result<Evaluated, Error> {
    let uuid = random_uuid().map_err(|error| Error::Plain(reason(&error)))?;
    let host = host(uuid);
    let request = Request { path, text, arguments: settings, host: &host, limits: Limits::default() };
    let evaluated = evaluate(&request).map_err(|errors| {
        let text = errors.to_string();
        // These words say themselves what they are.
        let own = text.starts_with("Errors were found");
        if own { Error::Verbatim(text) } else { Error::Plain(text) }
    })?;
    for line in evaluated.output.lines() {
        session.out.line(Shown(line))?;
    }
    for warning in &evaluated.warnings {
        eprintln!("Warning: {warning}");
    }
    Ok(evaluated)
}

/// What configurations learn about this machine.
pub(in crate::xm::commands) fn host(uuid: Uuid) -> Host<'static> {
    let system = rustix::system::uname();
    let parts = [system.sysname(), system.nodename(), system.release(), system.version(), system.machine()];
    Host {
        uname: parts.map(|part| part.to_string_lossy().into_owned()),
        environment: std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect(),
        arguments: vec!["xm".to_owned()],
        directory: std::env::current_dir()
            .map_or_else(|_| "/".to_owned(), |path| path.to_string_lossy().into_owned()),
        probe: &probe,
        uuid,
    }
}

fn probe(path: &str) -> PathKind {
    match fs::metadata(Path::new(path)) {
        Ok(found) if found.is_dir() => PathKind::Directory,
        Ok(_) => PathKind::File,
        Err(_) => PathKind::Missing,
    }
}

/// A new random UUID (RFC 9562, version 4).
pub(in crate::xm::commands) fn random_uuid() -> io::Result<Uuid> {
    let mut bytes = [0; 16];
    let filled = getrandom(&mut bytes, GetRandomFlags::empty())?;
    let [.., version, _, variant, _, _, _, _, _, _, _] = &mut bytes;
    *version = *version & 0x0f | 0x40;
    *variant = *variant & 0x3f | 0x80;
    let whole = filled == bytes.len();
    let uuid = Uuid::from_bytes(bytes).ok().filter(|_| whole);
    uuid.ok_or_else(|| io::Error::other("the system has no random numbers"))
}

/// A file without the line in which xm said where it had it from: what was printed may be kept with that.
fn without_announcement(text: &str) -> &str {
    match text.split_once('\n') {
        Some((line, rest)) if line.starts_with(ANNOUNCEMENT) && line.ends_with("\".") => rest,
        _ => text,
    }
}

/// Evaluates a record in place of a configuration file.
fn ready_made(
    session: &mut Session,
    path: &str,
    text: &str,
    settings: &[(String, String)],
) -> Result<Evaluated, Error> {
    let read = if text.trim_start().starts_with('<') {
        xml::read(text)
    } else {
        sxp::read(text).map_err(|error| error.to_string())
    };
    let text = read.and_then(|found| record::configuration(&found));
    let text =
        text.map_err(|why| Error::Plain(format!("Cannot read file {}: {}", Shown(path), Shown(&why))))?;
    run(session, path, &text, settings)
}

#[cfg(test)]
mod tests;
