//! Configuration files of CPU pools: the same language, with variables of their own.

use xendless_core::config::{Invalid, List, PoolConfig, PoolName, Ranged, Text, Uuid};

use super::datum::{Datum, Located, Pos};
use super::diagnostic::{Complaint, Diagnostic, Errors, Place, Source};
use super::specs::cpu_set;
use super::{Request, python};

/// The variables, what values they take, and what they mean.
pub const VARIABLES: [(&str, &str, &str); 4] = [
    ("name", "TEXT", "Name of the CPU pool."),
    ("sched", "TEXT", "Its scheduler: credit, credit2, rtds, arinc653 or null."),
    ("cpus", "CPUS", "How many CPUs it gets, or which: a number, '#2' for two, '0-3,^1', or a list of such."),
    ("other_config", "LIST", "What is kept with it, as 'WORD=TEXT'."),
];

/// What a file without `sched` means.
const SCHEDULER: &str = "credit";

/// A CPU pool in the making.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Draft {
    /// What it is called, when that was said.
    pub name: Option<String>,
    /// Its scheduler.
    pub scheduler: String,
    /// How many CPUs it gets.
    pub count: u32,
    /// Which they should be.
    pub wanted: Vec<u32>,
    /// What is kept with it.
    pub remarks: Vec<(String, String)>,
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            name: None,
            scheduler: SCHEDULER.to_owned(),
            count: 1,
            wanted: Vec::new(),
            remarks: Vec::new(),
        }
    }
}

impl Draft {
    /// The configuration of a pool that is called `name` if nothing else was said.
    ///
    /// # Errors
    ///
    /// When something is not as it can be.
    pub fn finish(self, name: &str, uuid: Uuid) -> Result<PoolConfig, Invalid> {
        let wanted = self.wanted.into_iter().map(|cpu| Ranged::new("cpus", cpu));
        let remarks = self
            .remarks
            .into_iter()
            .map(|(word, text)| Ok((Text::filled("other_config", word)?, Text::new("other_config", text)?)));
        Ok(PoolConfig {
            name: PoolName::new(self.name.as_deref().unwrap_or(name))?,
            uuid,
            scheduler: Text::filled("sched", self.scheduler)?,
            count: Ranged::new("cpus", self.count)?,
            wanted: List::new("cpus", wanted.collect::<Result<_, _>>()?)?,
            remarks: List::new("other_config", remarks.collect::<Result<_, Invalid>>()?)?,
        })
    }

    /// Takes the value of a variable.
    fn take(&mut self, variable: &str, value: &Datum) -> Result<(), Complaint> {
        match (variable, value) {
            (_, Datum::None) => Ok(()),
            ("name", Datum::Text(text)) => {
                self.name = Some(text.clone()).filter(|text| !text.is_empty());
                Ok(())
            }
            ("sched", Datum::Text(text)) => {
                text.clone_into(&mut self.scheduler);
                Ok(())
            }
            ("cpus", _) => self.cpus(value),
            ("other_config", Datum::List(entries)) => {
                for entry in entries {
                    let Datum::Text(text) = &entry.datum else { return Err(wrong(variable, &entry.datum)) };
                    self.remark(text);
                }
                Ok(())
            }
            ("other_config", Datum::Text(text)) => {
                self.remark(text);
                Ok(())
            }
            _ => Err(wrong(variable, value)),
        }
    }

    fn remark(&mut self, text: &str) {
        // What is no pair was always left out.
        self.remarks
            .extend(text.trim().split_once('=').map(|(word, text)| (word.to_owned(), text.to_owned())));
    }

    /// A number is how many; text and lists are which.
    fn cpus(&mut self, value: &Datum) -> Result<(), Complaint> {
        let count = match value {
            Datum::Int(count) => Some(count.to_string()),
            Datum::Text(text) => text.strip_prefix('#').map(str::to_owned),
            _ => None,
        };
        if let Some(count) = count {
            let count = count.parse().ok().filter(|count| (1..=4096).contains(count));
            self.count = count.ok_or_else(|| Complaint::new("cpus must be from 1 to 4096"))?;
            self.wanted = Vec::new();
            return Ok(());
        }
        let texts: Vec<&str> = match value {
            Datum::Text(text) => vec![text],
            Datum::List(items) => {
                items.iter().map(text_of).collect::<Option<_>>().ok_or_else(|| wrong("cpus", value))?
            }
            _ => return Err(wrong("cpus", value)),
        };
        let mut cpus = Vec::new();
        for text in texts {
            let set = cpu_set(text)?;
            let set = set.ok_or_else(|| Complaint::new(format!("cpus: {text:?} names no CPUs")))?;
            cpus.extend(set.iter());
        }
        cpus.sort_unstable();
        cpus.dedup();
        self.count = u32::try_from(cpus.len()).unwrap_or(u32::MAX);
        self.wanted = cpus;
        Ok(())
    }
}

fn text_of(item: &Located) -> Option<&str> {
    match &item.datum {
        Datum::Text(text) => Some(text),
        _ => None,
    }
}

fn wrong(variable: &str, value: &Datum) -> Complaint {
    Complaint::new(format!("{variable} cannot be {}", value.describe()))
}

/// Evaluates a configuration file of a CPU pool; also returns what it printed.
///
/// # Errors
///
/// When the file cannot be read as the language, fails, hits a limit, or sets a variable to what it cannot be.
pub fn evaluate(request: &Request<'_>) -> Result<(Draft, String), Errors> {
    let (path, text) = (request.path, request.text);
    let (outcome, result) = python::run(path, text, request.arguments, request.host, request.limits);
    let error = |complaint: Complaint, place| {
        Errors(vec![Diagnostic { message: complaint.message, place, help: complaint.help }])
    };
    if let Err(failure) = result {
        let place = Place::Program(Source::new(path, text, failure.at));
        return Err(Errors(vec![Diagnostic { message: failure.message, place, help: failure.help }]));
    }
    let mut draft = Draft::default();
    for (variable, ..) in VARIABLES {
        let given = request.arguments.iter().filter(|(name, _)| name == variable);
        let given: Vec<&(String, String)> = given.collect();
        for (name, value) in &given {
            let datum = Datum::Text(value.clone());
            let place = || Place::CommandLine(format!("{name}={value}"));
            draft.take(variable, &datum).map_err(|complaint| error(complaint, place()))?;
        }
        if let Some(set) = outcome.variables.get(variable).filter(|_| given.is_empty()) {
            let place = |at: Pos| Place::Value(Source::new(path, text, at));
            let taken = draft.take(variable, &set.value.datum);
            taken.map_err(|complaint| error(complaint, place(set.value.at)))?;
        }
    }
    Ok((draft, outcome.output))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Limits;
    use crate::config::host::Host;

    const UUID: &str = "00010203-0405-4607-8809-0a0b0c0d0e0f";

    fn draft(text: &str, arguments: &[(&str, &str)]) -> Result<Draft, String> {
        let host = Host::unknown(UUID.parse().unwrap());
        let arguments: Vec<_> = arguments.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        let request =
            Request { path: "p", text, arguments: &arguments, host: &host, limits: Limits::default() };
        evaluate(&request).map(|(draft, _)| draft).map_err(|errors| errors.to_string())
    }

    #[test]
    fn cpus_are_a_number_of_them_or_which() {
        let cpus = |text: &str| draft(text, &[]).map(|draft| (draft.count, draft.wanted));
        assert_eq!(cpus(""), Ok((1, vec![])));
        assert_eq!(cpus("cpus = 2"), Ok((2, vec![])));
        assert_eq!(cpus("cpus = '#3'"), Ok((3, vec![])));
        assert_eq!(cpus("cpus = '2'"), Ok((1, vec![2])));
        assert_eq!(cpus("cpus = '0-3,^1'"), Ok((3, vec![0, 2, 3])));
        assert_eq!(cpus("cpus = ['1', '0-1']"), Ok((2, vec![0, 1])));
        for wrong in ["0", "4097", "'#'", "'x'", "'all'", "''", "[1]", "1.5", "'5000'"] {
            assert!(cpus(&format!("cpus = {wrong}")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_command_line_wins_and_names_have_a_default() {
        let text = "name = 'a'\nsched = 'credit2'\nother_config = ['k=v', 'nothing', 'l=m=n']";
        let found = draft(text, &[("sched", "null"), ("cpus", "#2")]).unwrap();
        assert_eq!((found.scheduler.as_str(), found.count), ("null", 2));
        assert_eq!(found.remarks, [("k".into(), "v".into()), ("l".into(), "m=n".into())]);
        assert_eq!(found.finish("p", UUID.parse().unwrap()).unwrap().name.as_str(), "a");
        let config = Draft::default().finish("p", UUID.parse().unwrap()).unwrap();
        assert_eq!((config.name.as_str(), &*config.scheduler), ("p", "credit"));
        assert!(Draft::default().finish("a b", UUID.parse().unwrap()).is_err());
        let error = draft("\nname = 3", &[]).unwrap_err();
        assert!(error.contains("name cannot be 3") && error.contains("p:2"), "{error}");
        assert!(draft("name = (", &[]).unwrap_err().starts_with("Errors were found at line "));
    }
}
