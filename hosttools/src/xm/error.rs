//! What goes wrong, in the words and with the exit statuses that scripts know.

use std::io::{self, ErrorKind};

use xendless_core::protocol::Failure;

use crate::client;
use crate::config::suggest::closest;
use crate::shown::Shown;

/// The exit status of most failures.
pub(super) const FAILED: u8 = 1;
/// That of naming a domain that is not there.
const NO_DOMAIN: u8 = 3;
/// That of a program that a closed pipe ended.
const PIPE: u8 = 141;

/// Why a sub-command failed.
#[derive(Debug)]
pub(super) enum Error {
    /// No answer could be got.
    Client(client::Error),
    /// There is no such domain.
    NoDomain {
        /// As it was typed.
        domain: String,
        /// One that is there and has a similar name.
        near: Option<String>,
    },
    /// This text, and then how to use the sub-command.
    Usage(String),
    /// This text about an option, and then how to use the sub-command.
    Option(String),
    /// This text.
    Plain(String),
    /// This text, as it is, with its own word for an error before it.
    Verbatim(String),
    /// This text and this status.
    Status(String, u8),
    /// Nothing to say; only a status.
    Silent(u8),
    /// Standard output does not take any more.
    Output(io::Error),
}

impl From<client::Error> for Error {
    fn from(error: client::Error) -> Self {
        match error {
            client::Error::Failed(failure) => Self::from(failure),
            other => Self::Client(other),
        }
    }
}

impl From<Failure> for Error {
    /// What is to be said when the sub-command has no words of its own for it.
    fn from(failure: Failure) -> Self {
        let text = Shown(&failure.to_string()).to_string();
        match failure {
            // It may have two lines, as it always had.
            Failure::Device(text) => {
                Self::Usage(text.lines().map(|line| Shown(line).to_string()).collect::<Vec<_>>().join("\n"))
            }
            Failure::Forbidden { .. }
            | Failure::Disconnected
            | Failure::Cancelled
            | Failure::HostMemory { .. }
            | Failure::ControlMemory
            | Failure::NoLabels
            | Failure::NoSuchLabel
            | Failure::Unsupported(_) => Self::Plain(text),
            _ => Self::Usage(text),
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// What a person gets to see of an error.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Report {
    /// Lines for standard error; none is empty text.
    pub(super) text: String,
    /// The exit status.
    pub(super) status: u8,
    /// Whether usage follows.
    pub(super) usage: bool,
}

impl Error {
    /// What to show. `root` is whether the user is.
    pub(super) fn report(&self, root: bool) -> Report {
        let (text, status, usage) = match self {
            Self::Client(error) => (connection(error, root), FAILED, false),
            Self::NoDomain { domain, near } => {
                let hint = near
                    .as_ref()
                    .map_or_else(String::new, |near| format!("\nDid you mean '{}'?", Shown(near)));
                (format!("Error: Domain '{}' does not exist.{hint}", Shown(domain)), NO_DOMAIN, false)
            }
            Self::Usage(text) | Self::Option(text) => (format!("Error: {text}"), FAILED, true),
            Self::Plain(text) => (format!("Error: {text}"), FAILED, false),
            Self::Verbatim(text) => (text.clone(), FAILED, false),
            Self::Status(text, status) => (format!("Error: {text}"), *status, false),
            Self::Silent(status) => (String::new(), *status, false),
            Self::Output(error) if error.kind() == ErrorKind::BrokenPipe => (String::new(), PIPE, false),
            Self::Output(error) => (format!("Error: Cannot write: {}.", reason(error)), FAILED, false),
        };
        Report { text, status, usage }
    }

    /// What to show where it is said of what it is an error.
    pub(super) fn bare(&self, root: bool) -> String {
        let text = self.report(root).text;
        text.strip_prefix("Error: ").unwrap_or(&text).to_owned()
    }

    /// There is no domain `domain`; `names` are those that are there.
    pub(super) fn no_domain<'a>(domain: &str, names: impl Iterator<Item = &'a str>) -> Self {
        let near = closest(domain, names).map(str::to_owned);
        Self::NoDomain { domain: domain.to_owned(), near }
    }
}

/// Why there is no conversation with `xmd`.
fn connection(error: &client::Error, root: bool) -> String {
    match error {
        client::Error::Connect(_) | client::Error::Refused if !root => {
            "Error: Most commands need root access. Please try again as root.".to_owned()
        }
        client::Error::Io(_) if !root => {
            "Error: Most commands need root access.  Please try again as root.".to_owned()
        }
        client::Error::Connect(error) => {
            format!("Error: Unable to connect to xmd: {}. Is xmd running?", reason(error))
        }
        client::Error::Io(error) => format!("Error: Unable to connect to xmd: {}.", reason(error)),
        client::Error::Rejected(rejection) => format!("Error: {rejection}"),
        client::Error::Failed(failure) => format!("Error: {failure}"),
        client::Error::Refused
        | client::Error::Closed
        | client::Error::Garbage(_)
        | client::Error::Unexpected => {
            format!("xmd has probably crashed!  It sent no valid answer: {error}.")
        }
    }
}

/// What the system says, without the number behind it.
pub(super) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use xendless_core::protocol::frame::FrameError;
    use xendless_core::rights::Rights;

    use super::*;

    fn shown(error: impl Into<Error>, root: bool) -> (String, u8, bool) {
        let report = error.into().report(root);
        (report.text, report.status, report.usage)
    }

    fn missing() -> io::Error {
        io::Error::from_raw_os_error(2)
    }

    #[test]
    fn who_is_not_root_is_told_that_first() {
        let down = || client::Error::Connect(missing());
        let text = "Error: Unable to connect to xmd: No such file or directory. Is xmd running?";
        assert_eq!(shown(down(), true), (text.into(), 1, false));
        let text = "Error: Most commands need root access. Please try again as root.";
        assert_eq!(shown(down(), false), (text.into(), 1, false));
        assert_eq!(shown(client::Error::Refused, false).0, text);
        let text = "Error: Most commands need root access.  Please try again as root.";
        assert_eq!(shown(client::Error::Io(missing()), false).0, text);
        let text = "Error: Unable to connect to xmd: No such file or directory.";
        assert_eq!(shown(client::Error::Io(missing()), true).0, text);
    }

    #[test]
    fn a_broken_answer_is_told_from_a_refusal() {
        for error in
            [client::Error::Closed, client::Error::Garbage(FrameError::Message), client::Error::Unexpected]
        {
            let (text, status, usage) = shown(error, false);
            assert!(text.starts_with("xmd has probably crashed!  ") && status == 1 && !usage, "{text}");
        }
        let (text, _, usage) = shown(Failure::Forbidden { needs: Rights::Children }, true);
        assert_eq!(
            (text.as_str(), usage),
            ("Error: this takes the right to children, which the caller does not have", false)
        );
        let (text, _, usage) = shown(Failure::Invalid("\u{1b}x".into()), true);
        assert_eq!((text.as_str(), usage), ("Error: \\u{1b}x", true));
    }

    #[test]
    fn a_missing_domain_has_a_status_of_its_own() {
        let (text, status, usage) = shown(Error::no_domain("gust", ["web", "guest"].into_iter()), true);
        assert_eq!(text, "Error: Domain 'gust' does not exist.\nDid you mean 'guest'?");
        assert_eq!((status, usage), (3, false));
        assert_eq!(
            shown(Error::no_domain("7", ["8"].into_iter()), true).0,
            "Error: Domain '7' does not exist."
        );
    }
}
