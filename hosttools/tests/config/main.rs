//! Configuration files as users have them, every variable, every kind of mistake, and hostile texts.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests state expectations")]

mod attacks;
mod errors;
mod examples;
mod records;
mod reference;
mod variables;

use xendless_core::config::Uuid;
use xendless_hosttools::config::diagnostic::Errors;
use xendless_hosttools::config::host::Host;
use xendless_hosttools::config::{Evaluated, Limits, Request, evaluate};

/// The UUID of domains whose configuration gives none.
const UUID: &str = "00010203-0405-4607-8809-0a0b0c0d0e0f";

/// Evaluates `text` as `/etc/xen/web`, with words of the command line.
fn run(text: &str, arguments: &[(&str, &str)]) -> Result<Evaluated, Errors> {
    let uuid: Uuid = UUID.parse().unwrap();
    let host =
        Host { uname: ["Linux", "dom0", "6.1.0", "#1", "x86_64"].map(str::to_owned), ..Host::unknown(uuid) };
    let arguments: Vec<(String, String)> =
        arguments.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    evaluate(&Request {
        path: "/etc/xen/web",
        text,
        arguments: &arguments,
        host: &host,
        limits: Limits::default(),
    })
}

/// The text of the errors of `text`.
fn errors(text: &str, arguments: &[(&str, &str)]) -> String {
    match run(text, arguments) {
        Ok(evaluated) => panic!("{text:?} was accepted as {:?}", evaluated.config),
        Err(errors) => errors.to_string(),
    }
}
