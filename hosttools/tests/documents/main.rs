//! Documents that are made from the table of sub-commands, or name them: `docs/xm-coverage.md`, `docs/from-xl.md`.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests state expectations")]

mod coverage;
mod from_xl;
mod scripts;
mod unshown;

use std::path::{Path, PathBuf};

use xendless_hosttools::xm::inventory::{OptionOf, SubCommand};

/// A file of the repository.
fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(path(name)).expect(name)
}

/// An option as it is typed: its word with two dashes.
fn long(option: &OptionOf) -> String {
    format!("--{}", option.long)
}

/// The options of `command` that a word holds: one by its word or the beginning of it, several by their letters.
fn options<'a>(command: &'a SubCommand, word: &str) -> Vec<&'a OptionOf> {
    if let Some(name) = word.strip_prefix("--") {
        let name = name.split('=').next().unwrap();
        let exact = command.options.iter().find(|option| option.long == name);
        let mut begun =
            command.options.iter().filter(|option| !name.is_empty() && option.long.starts_with(name));
        return exact.or_else(|| begun.next().filter(|_| begun.next().is_none())).into_iter().collect();
    }
    let mut found = Vec::new();
    for letter in word.strip_prefix('-').unwrap_or_default().chars() {
        let Some(option) = command.options.iter().find(|option| option.short == Some(letter)) else { break };
        found.push(option);
        if option.has_value {
            break;
        }
    }
    found
}
