//! `addlabel`, `rmlabel`, `getlabel`: of a configuration file, a domain, or a part of the machine.

use xendless_core::config::{Settings, Text};
use xendless_core::protocol::{Labels, Row};

use super::file::ConfigFile;
use super::resource::Resource;
use super::{ACM, NO_RESOURCES, ask, text};
use crate::client::Client;
use crate::shown::Shown;
use crate::xm::commands::definition;
use crate::xm::commands::target::{Target, invalid, target};
use crate::xm::error::Error;
use crate::xm::options::Given;
use crate::xm::session::Session;
use crate::xm::table::Outcome;

/// What to say when there is none.
const NOT_LABELED: &str = "'Domain not labeled'";

/// What has a label.
enum Subject<'a> {
    File(&'a str),
    Domain(&'a str),
    Resource(Resource),
}

impl<'a> Subject<'a> {
    fn of(kind: &str, name: &'a str, unknown: impl FnOnce() -> String) -> Result<Self, Error> {
        match kind {
            "dom" => Ok(Self::File(name)),
            "mgt" => Ok(Self::Domain(name)),
            "res" => match Resource::parse(name) {
                Some(resource) => Ok(Self::Resource(resource)),
                None => Err(Error::Usage(format!(
                    "Unrecognised resource: {} (irq:N, ioport:N-N, iomem:N-N, pci:SSSS:BB:DD.F)",
                    Shown(name)
                ))),
            },
            kind if kind.starts_with("vif-") => {
                Err(Error::Plain("FLASK has no labels for network interfaces.".to_owned()))
            }
            _ => Err(Error::Usage(unknown())),
        }
    }
}

/// `addlabel`.
pub(in crate::xm) fn add(session: &mut Session, given: &Given) -> Outcome {
    let (label, kind, name, policy) = match given.operands.as_slice() {
        [label, kind, name] => (label, kind, name, None),
        [label, kind, name, policy] => (label, kind, name, Some(policy)),
        _ => return Err(Error::Usage("Needs either 2 or 3 arguments".to_owned())),
    };
    let kind_of_policy = policy.map(|policy| policy.split(':').next().unwrap_or_default());
    if kind_of_policy.is_some_and(|kind| !kind.eq_ignore_ascii_case("FLASK")) {
        return Err(Error::Plain(ACM.to_owned()));
    }
    if label.is_empty() || label.contains(|c: char| !c.is_ascii_graphic() || "'\"\\#".contains(c)) {
        return Err(invalid());
    }
    match Subject::of(kind, name, || format!("Unrecognised type argument: {}", Shown(kind)))? {
        Subject::File(name) => {
            let mut file = ConfigFile::open(name, "Invalid config file")?;
            if file.label().is_some() {
                let text = format!("Config file '{}' is already labeled.", Shown(name));
                return Err(Error::Plain(text));
            }
            file.add(label)?;
        }
        Subject::Domain(domain) => {
            relabel(&mut session.connect()?, domain, Some(label))?;
            let (domain, label) = (Shown(domain), Shown(label));
            session
                .out
                .line(format_args!("Successfully set the label of domain '{domain}' to '{label}'."))?;
        }
        Subject::Resource(resource) => resource_label(&mut session.connect()?, resource, Some(label))?,
    }
    Ok(0)
}

/// `rmlabel`.
pub(in crate::xm) fn remove(session: &mut Session, given: &Given) -> Outcome {
    let [kind, name] = given.operands.as_slice() else {
        return Err(Error::Usage("Requires 2 arguments".to_owned()));
    };
    match Subject::of(kind, name, || format!("Unrecognised type argument: {}", Shown(kind)))? {
        Subject::File(name) => {
            let mut file = ConfigFile::open(name, "Invalid config file")?;
            if file.label().is_none() {
                return Err(Error::Plain(NOT_LABELED.to_owned()));
            }
            file.remove()?;
        }
        Subject::Domain(domain) => relabel(&mut session.connect()?, domain, None)?,
        Subject::Resource(resource) => resource_label(&mut session.connect()?, resource, None)?,
    }
    Ok(0)
}

/// `getlabel`.
pub(in crate::xm) fn get(session: &mut Session, given: &Given) -> Outcome {
    let [kind, name] = given.operands.as_slice() else {
        return Err(Error::Usage("Requires 2 arguments".to_owned()));
    };
    let unknown = || "First subcommand argument must be \"dom\", \"mgt\" or \"res\"".to_owned();
    match Subject::of(kind, name, unknown)? {
        Subject::File(name) => {
            let missing = format!("Configuration file '{}' not found.", Shown(name));
            let file = ConfigFile::open(name, &missing)?;
            let label = file.label().ok_or_else(|| Error::Plain(NOT_LABELED.to_owned()))?;
            session.out.line(format_args!("policytype=FLASK,policy=,label={}", Shown(label)))?;
        }
        Subject::Domain(domain) => {
            let mut client = session.connect()?;
            let label = match target(&mut client, domain)? {
                Target::Running(row) => text(&mut client, row.ssid)?,
                Target::Defined(found) => {
                    let label = found.config.as_ref().and_then(|config| config.platform.label.clone());
                    label.ok_or_else(|| Error::Plain(NOT_LABELED.to_owned()))?.to_string()
                }
            };
            session.out.line(Shown(&label))?;
        }
        Subject::Resource(_) => return Err(Error::Plain(NO_RESOURCES.to_owned())),
    }
    Ok(0)
}

fn resource_label(client: &mut Client, resource: Resource, label: Option<&str>) -> Result<(), Error> {
    let Resource { what, first, last } = resource;
    ask(client, Labels::Resource { what, first, last, label })
}

/// Gives a domain another label, in what is kept of it as well.
fn relabel(client: &mut Client, domain: &str, label: Option<&str>) -> Result<(), Error> {
    let kept = label.map(|label| Text::new("seclabel", label)).transpose();
    let kept = kept.map_err(|error| Error::Usage(error.to_string()))?;
    let change = |settings: &mut Settings| {
        settings.platform.label = kept;
        Ok(())
    };
    match target(client, domain)? {
        Target::Running(Row { domid: 0, .. }) => {
            Err(Error::Usage("Domain-0 is the control domain and keeps its label".to_owned()))
        }
        Target::Running(row) => {
            let domain = row.domid.to_string();
            let what = Labels::Domain { domain: &domain, label };
            definition::along(client, &row, change, |client| ask(client, what))
        }
        Target::Defined(found) => {
            let labelled = found.config.as_ref().is_some_and(|config| config.platform.label.is_some());
            if label.is_none() && !labelled {
                return Err(Error::Plain(NOT_LABELED.to_owned()));
            }
            definition::change(client, &found, change)
        }
    }
}
