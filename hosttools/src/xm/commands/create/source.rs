//! From the words of `create` to a configuration.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use rustix::rand::{GetRandomFlags, getrandom};
use xendless_core::config::{DomainConfig, Uuid};

use crate::config::host::{Host, PathKind};
use crate::config::sxp::{self, Sxp};
use crate::config::{Limits, Request, evaluate};
use crate::shown::Shown;
use crate::xm::error::{Error, reason};
use crate::xm::options::Given;
use crate::xm::session::Session;

/// The file that is looked for when none is named.
const DEFAULT: &str = "xmdefconfig";
/// Where it is looked for.
const FOLDERS: &str = ".:/etc/xen";
/// The longest file that is read.
const LONGEST: u64 = 4 << 20;

/// A configuration, as it travels and as it is shown.
pub(in crate::xm::commands) struct Loaded {
    pub(in crate::xm::commands) config: DomainConfig,
    pub(super) record: Sxp,
}

/// Finds the configuration file and evaluates it.
pub(in crate::xm::commands) fn load(session: &mut Session, given: &Given) -> Result<Loaded, Error> {
    if let Some(path) = given.value("config") {
        return ready_made(path);
    }
    let name = given.last().or_else(|| given.value("defconfig")).unwrap_or(DEFAULT);
    let path = find(name, given.value("path").unwrap_or(FOLDERS));
    let unopened = || format!("Unable to open config file: {}", Shown(name));
    let path = path.ok_or_else(|| Error::Usage(unopened()))?;
    let text = read(&path).map_err(|error| Error::Usage(format!("{} ({})", unopened(), reason(&error))))?;
    if !given.has("quiet") {
        session.out.line(format_args!("Using config file \"{}\".", Shown(&path)))?;
    }
    run(session, &path, &text, &given.settings)
}

/// The first of the places where the file may be that has it.
fn find(name: &str, folders: &str) -> Option<String> {
    let is_there = |path: &String| fs::metadata(path).is_ok_and(|found| !found.is_dir());
    let own = std::iter::once(name.to_owned());
    own.chain(folders.split(':').map(|folder| format!("{folder}/{name}"))).find(is_there)
}

fn read(path: &str) -> io::Result<String> {
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
) -> Result<Loaded, Error> {
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
    let record = sxp::record(&evaluated);
    Ok(Loaded { config: evaluated.config, record })
}

/// What configurations learn about this machine.
fn host(uuid: Uuid) -> Host<'static> {
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
fn random_uuid() -> io::Result<Uuid> {
    let mut bytes = [0; 16];
    let filled = getrandom(&mut bytes, GetRandomFlags::empty())?;
    let [.., version, _, variant, _, _, _, _, _, _, _] = &mut bytes;
    *version = *version & 0x0f | 0x40;
    *variant = *variant & 0x3f | 0x80;
    let whole = filled == bytes.len();
    let uuid = Uuid::from_bytes(bytes).ok().filter(|_| whole);
    uuid.ok_or_else(|| io::Error::other("the system has no random numbers"))
}

/// Reads a record as `-n` prints it.
fn ready_made(path: &str) -> Result<Loaded, Error> {
    let _ = path;
    Err(Error::Plain("-F is not part of this version yet: give the configuration file.".to_owned()))
}

/// A record in XML: an element for each list, with its values as text.
pub(super) fn xml(record: &Sxp) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    element(record, 0, &mut out);
    out
}

fn element(record: &Sxp, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    match record {
        Sxp::Atom(text) => out.push_str(&format!("{indent}{}\n", escaped(text))),
        Sxp::List(elements) => match elements.as_slice() {
            [Sxp::Atom(name), Sxp::Atom(value)] => {
                out.push_str(&format!("{indent}<{name}>{}</{name}>\n", escaped(value)));
            }
            [Sxp::Atom(name)] => out.push_str(&format!("{indent}<{name}/>\n")),
            [Sxp::Atom(name), rest @ ..] => {
                out.push_str(&format!("{indent}<{name}>\n"));
                rest.iter().for_each(|inner| element(inner, depth + 1, out));
                out.push_str(&format!("{indent}</{name}>\n"));
            }
            list => {
                out.push_str(&format!("{indent}<list>\n"));
                list.iter().for_each(|inner| element(inner, depth + 1, out));
                out.push_str(&format!("{indent}</list>\n"));
            }
        },
    }
}

/// Text as XML can hold it.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            _ => out.push(c),
        }
    }
    out
}
