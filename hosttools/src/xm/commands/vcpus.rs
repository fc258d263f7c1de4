//! `vcpu-pin` and `vcpu-set`.

use xendless_core::config::{Affinity, CpuSet, List, Settings, Vcpus};
use xendless_core::hyper::CpuMap;
use xendless_core::protocol::resources::{Adjust, NO_VCPUS};
use xendless_core::protocol::{Failure, Request};

use super::definition;
use super::prod::errno;
use super::target::{Target, adjust, invalid, not_started, number, target};
use crate::client::{self, Client};
use crate::xm::error::Error;
use crate::xm::options::Given;
use crate::xm::session::{Session, explain, host};
use crate::xm::table::Outcome;

/// What Xen says of a virtual CPU that a domain does not have.
const EINVAL: u16 = 22;

/// `vcpu-set`.
pub(in crate::xm) fn set(session: &mut Session, given: &Given) -> Outcome {
    let domain = given.operand(0);
    let count: i64 = number(given.operand(1))?;
    let Some(vcpus) = u32::try_from(count).ok().filter(|count| *count > 0) else {
        return Err(if count > 0 { invalid() } else { Error::Usage(NO_VCPUS.to_owned()) });
    };
    let mut client = session.connect()?;
    match target(&mut client, domain)? {
        // What is not there yet gets so many, and may have no more.
        Target::Defined(found) => definition::change(&mut client, &found, |settings| {
            settings.vcpus = Vcpus::new(vcpus, vcpus).map_err(|error| Error::Usage(error.to_string()))?;
            Ok(())
        })?,
        Target::Running(row) => {
            let change = |settings: &mut Settings| {
                let max = settings.vcpus.max().max(vcpus);
                settings.vcpus = Vcpus::new(vcpus, max).map_err(|error| Error::Usage(error.to_string()))?;
                Ok(())
            };
            let what = Adjust::Online { vcpus };
            definition::along(&mut client, &row, change, |client| adjust(client, domain, what))?;
        }
    }
    Ok(0)
}

/// `vcpu-pin`.
pub(in crate::xm) fn pin(session: &mut Session, given: &Given) -> Outcome {
    let domain = given.operand(0);
    let vcpu = match given.operand(1) {
        all if all.eq_ignore_ascii_case("all") => None,
        word => Some(number(word)?),
    };
    let mut client = session.connect()?;
    let all: Vec<u32> = (0..host(&mut client)?.cpus).collect();
    let wanted = parse(given.operand(2), &all)?;
    let map: CpuMap = wanted.iter().copied().collect();
    let change = |settings: &mut Settings| keep(settings, vcpu, &wanted, &all);
    let pin = |client: &mut Client| {
        let what = Adjust::Pin { vcpu, cpus: map.as_bytes() };
        match client.ask(Request::Adjust { domain, what }) {
            Ok(_) => Ok(()),
            Err(client::Error::Failed(Failure::Refused { errno, .. })) => {
                Err(not_pinned(vcpu, &wanted, errno))
            }
            Err(error) => Err(explain(client, domain, error, &not_started(domain))),
        }
    };
    match target(&mut client, domain)? {
        Target::Defined(found) => definition::change(&mut client, &found, change)?,
        Target::Running(row) => definition::along(&mut client, &row, change, pin)?,
    }
    Ok(0)
}

fn not_pinned(vcpu: Option<u32>, cpus: &[u32], number: u16) -> Error {
    // All of them fail at the first.
    Error::Usage(format!("Cannot pin vcpu: {} to cpu: {cpus:?} - {}", vcpu.unwrap_or(0), errno(number)))
}

/// A list of CPUs: numbers, ranges, and those that are left out, from left to right.
fn parse(list: &str, all: &[u32]) -> Result<Vec<u32>, Error> {
    if list.eq_ignore_ascii_case("all") {
        return Ok(all.to_vec());
    }
    let mut cpus = Vec::new();
    for part in list.split(',') {
        let (without, part) = part.trim().strip_prefix('^').map_or((false, part), |rest| (true, rest));
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (number(first)?, number(last)?);
        if last >= CpuMap::BITS {
            return Err(invalid());
        }
        for cpu in first..=last {
            cpus.retain(|other| *other != cpu);
            if !without {
                cpus.push(cpu);
            }
        }
    }
    Ok(cpus)
}

/// Puts a domain's CPUs into its definition.
fn keep(settings: &mut Settings, vcpu: Option<u32>, cpus: &[u32], all: &[u32]) -> Result<(), Error> {
    let refused = |_| not_pinned(vcpu, cpus, EINVAL);
    let set = CpuSet::new(cpus.iter().copied()).map_err(refused)?;
    let every = CpuSet::new(all.iter().copied()).map_err(refused)?;
    let max = settings.vcpus.max();
    let Some(vcpu) = vcpu else {
        settings.affinity = if set == every { Affinity::Any } else { Affinity::Same(set) };
        return Ok(());
    };
    if vcpu >= max {
        return Err(not_pinned(Some(vcpu), cpus, EINVAL));
    }
    let of = |index: u32| if index == vcpu { Some(&set) } else { settings.affinity.of(index) };
    let sets = (0..max).map(|index| of(index).unwrap_or(&every).clone()).collect();
    settings.affinity = Affinity::PerVcpu(List::new("cpus", sets).map_err(refused)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(word: &str) -> Result<Vec<u32>, String> {
        parse(word, &[0, 1, 2]).map_err(|error| error.report(true).text)
    }

    #[test]
    fn cpus_are_numbers_ranges_and_exceptions_from_left_to_right() {
        assert_eq!(list("all"), Ok(vec![0, 1, 2]));
        assert_eq!(list("0-3,7"), Ok(vec![0, 1, 2, 3, 7]));
        assert_eq!(list("0-3,^1"), Ok(vec![0, 2, 3]));
        assert_eq!(list("^1,0-1"), Ok(vec![0, 1]));
        assert_eq!(list("0-3,^1-2,2"), Ok(vec![0, 3, 2]));
        assert_eq!(list("3-1"), Ok(vec![]));
    }

    #[test]
    fn what_is_no_list_of_cpus_is_refused() {
        for word in ["", "x", "1,", "-1", "1-", "^", "4096", "0-4294967295", "1;2"] {
            assert_eq!(list(word), Err("Error: Invalid argument.".into()), "{word}");
        }
    }
}
