//! From a file and a command line to a domain's configuration.

use std::collections::BTreeMap;

use xendless_core::config::DomainConfig;

use super::datum::{Datum, Located, Pos};
use super::diagnostic::{Complaint, Diagnostic, Errors, Place, Source};
use super::draft::Draft;
use super::host::Host;
use super::python::{self, Limits, Outcome};
use super::suggest::closest;
use super::table::{self, Kind, Variable};
use super::take::{Notes, take, take_argument};

/// What is to be evaluated.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The name of the file, for messages, `xm_file` and the default name of the domain.
    pub path: &'a str,
    /// The text of the file.
    pub text: &'a str,
    /// The `KEY=VALUE` words of the command line, in order.
    pub arguments: &'a [(String, String)],
    /// What the file can learn about the host.
    pub host: &'a Host<'a>,
    /// What the evaluation may use up.
    pub limits: Limits,
}

/// What an evaluation gives.
#[derive(Clone, PartialEq, Debug)]
pub struct Evaluated {
    /// The configuration.
    pub config: DomainConfig,
    /// The variables of the table that were set, as they were set.
    pub values: BTreeMap<&'static str, Datum>,
    /// What is worth knowing about it.
    pub warnings: Vec<Diagnostic>,
    /// What the file printed.
    pub output: String,
}

/// Evaluates a configuration file. It is a function of the request: it reads and writes nothing.
///
/// # Errors
///
/// When the file cannot be read as the language, fails, hits a limit, or sets a variable to what it cannot be.
/// All mistakes in variables are reported together.
pub fn evaluate(request: &Request<'_>) -> Result<Evaluated, Errors> {
    let (outcome, result) =
        python::run(request.path, request.text, request.arguments, request.host, request.limits);
    if let Err(failure) = result {
        let place = Place::Program(Source::new(request.path, request.text, failure.at));
        return Err(Errors(vec![Diagnostic { message: failure.message, place, help: failure.help }]));
    }
    let mut gathering = Gathering {
        request,
        draft: Draft::new(),
        places: BTreeMap::new(),
        values: BTreeMap::new(),
        errors: Vec::new(),
        warnings: Vec::new(),
    };
    gathering.variables(&outcome);
    gathering.unused(&outcome);
    gathering.finish(outcome.output)
}

struct Gathering<'a> {
    request: &'a Request<'a>,
    draft: Draft,
    /// Where each variable got its value.
    places: BTreeMap<&'static str, Place>,
    values: BTreeMap<&'static str, Datum>,
    errors: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
}

impl Gathering<'_> {
    /// Takes all variables in the order of the table; the command line wins over the file.
    fn variables(&mut self, outcome: &Outcome) {
        for variable in table::variables() {
            let given = self.request.arguments.iter().filter(|(name, _)| name == variable.name);
            let given: Vec<&(String, String)> = given.collect();
            for (name, text) in &given {
                let place = Place::CommandLine(format!("{name}={text}"));
                let notes = take_argument(&mut self.draft, variable, text);
                self.note(variable, notes, |_| place.clone());
                self.keep_argument(variable, text);
            }
            let Some(set) = outcome.variables.get(variable.name).filter(|_| given.is_empty()) else {
                continue;
            };
            let (path, text) = (self.request.path, self.request.text);
            let notes = take(&mut self.draft, variable, &set.value);
            self.values.insert(variable.name, set.value.datum.clone());
            self.places.insert(variable.name, Place::Value(Source::new(path, text, set.value.at)));
            self.note(variable, notes, |at| Place::Value(Source::new(path, text, at)));
        }
    }

    /// Keeps a value of the command line as it was set; each one for a list is an element.
    fn keep_argument(&mut self, variable: &'static Variable, text: &str) {
        let datum = Datum::Text(text.to_owned());
        match &variable.kind {
            Kind::List(_) => {
                let list = self.values.entry(variable.name).or_insert_with(|| Datum::List(Vec::new()));
                if let Datum::List(items) = list {
                    items.push(Located { datum, at: Pos::default() });
                }
            }
            _ => drop(self.values.insert(variable.name, datum)),
        }
    }

    fn note(&mut self, variable: &'static Variable, notes: Notes, place: impl Fn(Pos) -> Place) {
        let diagnostic = |(complaint, at): (Complaint, Pos)| Diagnostic {
            message: complaint.message,
            place: place(at),
            help: complaint.help,
        };
        self.errors.extend(notes.errors.into_iter().map(diagnostic));
        self.warnings.extend(notes.warnings.into_iter().map(diagnostic));
        self.places.entry(variable.name).or_insert_with(|| place(Pos::default()));
    }

    /// Warns of variables that were probably meant to be others.
    fn unused(&mut self, outcome: &Outcome) {
        for (name, variable) in &outcome.variables {
            let argument = self.request.arguments.iter().find(|(given, _)| given == name);
            let from_user = variable.assigned || argument.is_some();
            if variable.read || !from_user || table::find(name).is_some() {
                continue;
            }
            let known = closest(name, table::variables().map(|variable| variable.name));
            let (message, place) = match argument {
                Some((_, text)) if !variable.assigned => (
                    format!("{name} is neither a known variable nor used by the file"),
                    Place::CommandLine(format!("{name}={text}")),
                ),
                _ if variable.assigned && known.is_some() => {
                    let source = Source::new(self.request.path, self.request.text, variable.value.at);
                    (format!("{name} is not a known variable and has no effect"), Place::Value(source))
                }
                _ => continue,
            };
            let help = known.map(|known| format!("did you mean {known}?"));
            self.warnings.push(Diagnostic { message, place, help });
        }
    }

    fn finish(mut self, output: String) -> Result<Evaluated, Errors> {
        if !self.errors.is_empty() {
            return Err(Errors(self.errors));
        }
        let path = self.request.path;
        if let Some(message) = self.draft.overridden() {
            let place = self.places.get("cmdline").cloned().unwrap_or_else(|| Place::File(path.to_owned()));
            self.warnings.push(Diagnostic { message: message.to_owned(), place, help: None });
        }
        let name = path.rsplit('/').next().unwrap_or(path);
        match self.draft.finish(name, self.request.host.uuid) {
            Ok(config) => Ok(Evaluated { config, values: self.values, warnings: self.warnings, output }),
            Err(conflict) => {
                let place =
                    self.places.remove(conflict.variable).unwrap_or_else(|| Place::File(path.to_owned()));
                let Complaint { message, help } = conflict.complaint;
                Err(Errors(vec![Diagnostic { message, place, help }]))
            }
        }
    }
}
