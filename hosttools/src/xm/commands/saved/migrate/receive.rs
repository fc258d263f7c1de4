//! `migrate-receive`: the side that a domain comes to. Nobody types it; `migrate` has it started at the other host.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::os::fd::AsFd;

use xendless_core::config::{DomainConfig, DomainName};
use xendless_core::protocol::{Created, Request};

use super::super::read::{Invalid, Reader};
use super::super::restore::{BUFFER, Saved, decoded, renamed};
use super::message::{GARBAGE, GREETING, Message};
use super::wait::Patient;
use crate::client::Client;
use crate::shown::Shown;
use crate::xm::commands::create::{self, source::random_uuid};
use crate::xm::commands::managed::define;
use crate::xm::error::{Error, FAILED, reason};
use crate::xm::options::Given;
use crate::xm::session::{Session, defined, definitions, find, taken};
use crate::xm::signals::Signals;
use crate::xm::table::Outcome;

/// Why it comes to nothing, as a rule.
const ENDED: &str = "the other side ended the migration";

/// Where the other side is heard.
type Input = BufReader<Patient<File>>;

/// `migrate-receive`.
pub(in crate::xm) fn receive(session: &mut Session, given: &Given) -> Outcome {
    if !given.operands.is_empty() {
        return Err(Error::Usage("It takes no operands".to_owned()));
    }
    let name = given.value("name").map(DomainName::new).transpose();
    let name = name.map_err(|_| Error::Usage("Invalid VM Name".to_owned()))?;
    let mut input = input().map_err(|error| Error::Plain(error.to_string()))?;
    write(GREETING)?;
    match take(session, &mut input, name) {
        Ok(said) => write(&Message::Done(said).encode()).map(|()| 0),
        Err(error) => {
            write(&Message::Failed(error.bare(true).replace('\n', " ")).encode())?;
            Err(Error::Silent(FAILED))
        }
    }
}

/// Takes a domain. Gives what went wrong beside that.
fn take(session: &mut Session, input: &mut Input, name: Option<DomainName>) -> Result<String, Error> {
    let mut client = session.connect()?;
    let (config, definition, created) = make(session, &mut client, input, name)?;
    let domain = created.domid.to_string();
    let why = match agree(input) {
        Agreed::Here => return go_on(&mut client, &domain, definition),
        Agreed::NotHere(why) => {
            client.ask(Request::Destroy { domain: &domain })?;
            return Err(Error::Plain(why));
        }
        Agreed::Nothing(why) => why,
    };
    let name = Shown(config.name.as_str());
    let text = format!("{why}: domain '{name}' stays here, paused, as it may be nowhere else.");
    // The other side may not hear it any more.
    eprintln!("{text}");
    Err(Error::Plain(text))
}

/// Where the domain is, as both sides see it.
enum Agreed {
    /// It is here.
    Here,
    /// It goes on where it was.
    NotHere(String),
    /// It may be nowhere else.
    Nothing(String),
}

/// Agrees with the other side on where the domain is.
fn agree(input: &mut Input) -> Agreed {
    let mut answer =
        |message: Message| write(&message.encode()).map_err(|_| ENDED.to_owned()).and_then(|()| heard(input));
    match answer(Message::Ready) {
        Ok(Message::Committing) => {}
        // The other side says why itself.
        Ok(Message::Abort) => return Agreed::NotHere(ENDED.to_owned()),
        Ok(_) => return Agreed::NotHere(GARBAGE.to_owned()),
        Err(why) => return Agreed::NotHere(why),
    }
    match answer(Message::Committed) {
        Ok(Message::Go) => Agreed::Here,
        Ok(Message::Abort) => Agreed::NotHere(ENDED.to_owned()),
        Ok(_) => Agreed::Nothing(GARBAGE.to_owned()),
        Err(why) => Agreed::Nothing(why),
    }
}

/// What the other side says next.
fn heard(input: &mut Input) -> Result<Message, String> {
    match Message::read(input) {
        Ok(Some(message)) => Ok(message),
        Ok(None) => Err(ENDED.to_owned()),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Err(ENDED.to_owned()),
        Err(error) => Err(reason(&error)),
    }
}

/// Makes the domain, which stays paused. Gives its configuration and the definition to keep, too.
fn make(
    session: &mut Session,
    client: &mut Client,
    input: &mut Input,
    name: Option<DomainName>,
) -> Result<(DomainConfig, Option<DomainConfig>, Created), Error> {
    let mut definition = None;
    loop {
        match heard(input).map_err(Error::Plain)? {
            Message::Definition(bytes) if definition.is_none() => definition = Some(bytes),
            Message::Begin => break,
            _ => return Err(Error::Plain(GARBAGE.to_owned())),
        }
    }
    let from: &mut dyn Read = input;
    let (reader, config) = Reader::begin(from).map_err(|Invalid(text)| Error::Plain(text))?;
    let identity = name.map(|name| random_uuid().map(|uuid| (name, uuid))).transpose();
    let identity = identity.map_err(|error| Error::Plain(reason(&error)))?;
    let as_named = |config: DomainConfig| match &identity {
        None => Ok(config),
        Some((name, uuid)) => renamed(config, name, Some(*uuid)),
    };
    let config = as_named(decoded(&config)?)?;
    let definition = match definition {
        Some(bytes) => Some(as_named(decoded(&bytes)?)?),
        None => None,
    };
    vacant(client, &config, definition.as_ref())?;
    let unreadable = |why: &str| Error::Plain(format!("the domain that came is not whole: {why}"));
    let wanted = || write(&Message::Want.encode());
    let mut saved = Saved::new(reader, &unreadable, Some(&wanted));
    let created = create::restore(session, client, &config, true, &mut saved)?;
    Ok((config, definition, created))
}

/// Whether nothing else has the names.
fn vacant(
    client: &mut Client,
    config: &DomainConfig,
    definition: Option<&DomainConfig>,
) -> Result<(), Error> {
    let name = config.name.as_str();
    if let Ok(row) = find(client, name)
        && row.name == name
    {
        return Err(create::exists(name, row.domid));
    }
    let Some(definition) = definition else { return Ok(()) };
    let all = definitions(client)?;
    let names = [definition.name.to_string(), definition.uuid.to_string()];
    match names.iter().find_map(|name| defined(&all, name)) {
        Some(found) => Err(Error::Plain(taken(&found.name, None))),
        None => Ok(()),
    }
}

/// It is nowhere else any more. Gives what went wrong beside that it goes on.
fn go_on(client: &mut Client, domain: &str, definition: Option<DomainConfig>) -> Result<String, Error> {
    client.ask(Request::Unpause { domain })?;
    let kept = definition.map_or(Ok(()), |definition| define(client, &definition));
    Ok(kept.err().map_or_else(String::new, |error| {
        let why = error.bare(true).replace('\n', " ");
        format!("The domain has moved, and its definition has not: {why}")
    }))
}

/// Standard input, of which nothing was read yet.
fn input() -> io::Result<Input> {
    let from = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    Ok(BufReader::with_capacity(BUFFER, Patient::new(from, Signals::catch()?)))
}

/// Says something to the other side.
fn write(bytes: &[u8]) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    Ok(out.write_all(bytes).and_then(|()| out.flush())?)
}
