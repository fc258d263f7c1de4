//! `mem-set` and `mem-max`.

use std::thread::sleep;
use std::time::{Duration, Instant};

use xendless_core::config::{Memory, MemorySize, Settings};
use xendless_core::protocol::Row;
use xendless_core::protocol::resources::{Adjust, NO_MEMORY, TOO_MUCH_MEMORY};

use super::definition;
use super::target::{Target, adjust, invalid, number, target};
use crate::client::Client;
use crate::shown::Shown;
use crate::xm::error::Error;
use crate::xm::options::Given;
use crate::xm::session::{Session, find, is_control};
use crate::xm::table::Outcome;

/// How long a domain's memory may stay as it is before nobody waits any more.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// So near to what was asked for is there, in KiB: a kernel counts some pages that Xen does not, and the other way round.
const NEAR_KIB: u64 = 1024;

/// `mem-set`.
pub(in crate::xm) fn set(session: &mut Session, given: &Given) -> Outcome {
    let domain = given.operand(0);
    let wanted = size(given.operand(1))?;
    refuse_control(domain)?;
    let mut client = session.connect()?;
    let change = |settings: &mut Settings| {
        settings.memory = asked(wanted, settings.memory)?;
        Ok(())
    };
    match target(&mut client, domain)? {
        Target::Defined(found) => definition::change(&mut client, &found, change)?,
        Target::Running(row) => {
            let what = Adjust::Memory { kib: wanted.kib() };
            definition::along(&mut client, &row, change, |client| adjust(client, domain, what))?;
            wait(&mut client, row, wanted)?;
        }
    }
    Ok(0)
}

/// `mem-max`.
pub(in crate::xm) fn max(session: &mut Session, given: &Given) -> Outcome {
    let domain = given.operand(0);
    let wanted = size(given.operand(1))?;
    refuse_control(domain)?;
    let mut client = session.connect()?;
    let change = |settings: &mut Settings| {
        let limited = Memory::new(settings.memory.initial(), wanted);
        settings.memory = limited.map_err(|_| Error::Usage(TOO_MUCH_MEMORY.to_owned()))?;
        Ok(())
    };
    match target(&mut client, domain)? {
        Target::Defined(found) => definition::change(&mut client, &found, change)?,
        Target::Running(row) => {
            let what = Adjust::MaxMemory { kib: wanted.kib() };
            definition::along(&mut client, &row, change, |client| adjust(client, domain, what))?;
        }
    }
    Ok(0)
}

fn refuse_control(domain: &str) -> Result<(), Error> {
    if is_control(domain) {
        return Err(Error::Plain("Domain-0 is the control domain; its memory does not change.".to_owned()));
    }
    Ok(())
}

fn asked(wanted: MemorySize, memory: Memory) -> Result<Memory, Error> {
    Memory::new(wanted, memory.maximum()).map_err(|_| Error::Usage(TOO_MUCH_MEMORY.to_owned()))
}

/// An amount of memory: a number of MiB, or of what its last letter says.
fn size(word: &str) -> Result<MemorySize, Error> {
    let (digits, kib) = match word.char_indices().last() {
        Some((end, 'k' | 'K')) => (word.get(..end), 1),
        Some((end, 'm' | 'M')) => (word.get(..end), 1 << 10),
        Some((end, 'g' | 'G')) => (word.get(..end), 1 << 20),
        _ => (Some(word), 1 << 10),
    };
    let count: i64 = number(digits.unwrap_or_default())?;
    let kib = u64::try_from(count).ok().filter(|count| *count > 0).map(|count| count.checked_mul(kib));
    match kib {
        None => Err(Error::Usage(NO_MEMORY.to_owned())),
        Some(None) => Err(invalid()),
        Some(Some(kib)) => {
            MemorySize::from_kib("memory", kib).map_err(|error| Error::Usage(error.to_string()))
        }
    }
}

/// Waits until the domain has what it was asked to have, or does nothing any more.
fn wait(client: &mut Client, mut row: Row, wanted: MemorySize) -> Result<(), Error> {
    let (id, name) = (row.domid.to_string(), row.name.clone());
    let mut changed = Instant::now();
    while row.memory_kib.abs_diff(wanted.kib()) > NEAR_KIB {
        if changed.elapsed() > PATIENCE {
            return Err(Error::Plain(format!(
                "Domain {} does not cooperate: it has {} MiB {} seconds after it was asked to have {}.",
                Shown(&name),
                row.memory_kib / 1024,
                PATIENCE.as_secs(),
                wanted
            )));
        }
        sleep(LOOK);
        let now = find(client, &id)?;
        if now.memory_kib != row.memory_kib {
            changed = Instant::now();
        }
        row = now;
    }
    eprintln!("Domain {} has {} MiB.", Shown(&name), row.memory_kib / 1024);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kib(word: &str) -> Result<u64, String> {
        size(word).map(MemorySize::kib).map_err(|error| error.report(true).text)
    }

    #[test]
    fn memory_is_in_mib_unless_a_letter_says_otherwise() {
        for (word, wanted) in [("64", 64 << 10), ("64m", 64 << 10), ("2G", 2 << 20), ("4096K", 4096)] {
            assert_eq!(kib(word), Ok(wanted), "{word}");
        }
    }

    #[test]
    fn what_is_no_amount_of_memory_is_refused() {
        for word in ["", "m", "5x", "0x10", "1.5", "many", "99999999999999999999", "9000000000000000g"] {
            assert_eq!(kib(word), Err("Error: Invalid argument.".into()), "{word}");
        }
        for word in ["0", "-5", "0g"] {
            assert_eq!(kib(word), Err(format!("Error: {NO_MEMORY}")), "{word}");
        }
        assert!(kib("99999999").unwrap_err().contains("memory"));
    }
}
