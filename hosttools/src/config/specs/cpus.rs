//! Lists of physical CPUs: `0-3,^1`. They are read from left to right, so `0-3,^1,1` has CPU 1 again.

use xendless_core::config::{Affinity, CpuSet, List};

use crate::config::diagnostic::Complaint;

/// The affinity that these texts mean: one for all virtual CPUs, or a list with one for each. `first` is put in
/// front of each.
pub(in crate::config) fn affinity(
    first: Option<i64>,
    texts: &[&str],
    list: bool,
) -> Result<Affinity, Complaint> {
    let mut sets = Vec::new();
    for text in texts {
        sets.push(set(&match first {
            Some(cpu) => format!("{cpu},{text}"),
            None => (*text).to_owned(),
        })?);
    }
    if sets.is_empty()
        && let Some(cpu) = first
    {
        sets.push(set(&cpu.to_string())?);
    }
    let all = || CpuSet::new(0..CpuSet::LIMIT);
    match (list && sets.len() > 1, sets.as_slice()) {
        (true, _) if sets.iter().all(Option::is_none) => Ok(Affinity::Any),
        (true, _) => {
            let sets = sets.into_iter().map(|set| set.map_or_else(all, Ok)).collect::<Result<Vec<_>, _>>()?;
            Ok(Affinity::PerVcpu(List::new("cpus", sets)?))
        }
        (false, [Some(set)]) => Ok(Affinity::Same(set.clone())),
        _ => Ok(Affinity::Any),
    }
}

/// The CPUs of one text; `None` is no restriction.
pub(in crate::config) fn set(text: &str) -> Result<Option<CpuSet>, Complaint> {
    let wrong = |part: &str| {
        Complaint::new(format!("cpus: cannot read {part:?}"))
            .help("write CPUs as in 0-3,^1: ranges, and ^ to leave one out")
    };
    let mut cpus = [false; CpuSet::LIMIT as usize];
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    for part in parts {
        let (without, range) = part.strip_prefix('^').map_or((false, part), |range| (true, range));
        let (first, last) = match range {
            "all" => (0, cpus.len() - 1),
            _ if range.starts_with("node") => {
                return Err(Complaint::new("cpus: CPUs cannot be given by NUMA node")
                    .help("write the CPUs of the node; xm info -n shows them"));
            }
            _ => {
                let (first, last) = range.split_once('-').unwrap_or((range, range));
                (number(first).ok_or_else(|| wrong(part))?, number(last).ok_or_else(|| wrong(part))?)
            }
        };
        cpus.get_mut(first..=last)
            .filter(|range| !range.is_empty())
            .ok_or_else(|| wrong(part))?
            .fill(!without);
    }
    if text.trim().is_empty() || cpus.iter().all(|cpu| *cpu) {
        return Ok(None);
    }
    if !cpus.contains(&true) {
        return Err(Complaint::new(format!("cpus: {text:?} leaves no CPU"))
            .help("put what ^ leaves out behind the range it is part of"));
    }
    let numbered = (0..CpuSet::LIMIT).zip(cpus);
    Ok(Some(CpuSet::new(numbered.filter(|(_, is_in)| *is_in).map(|(cpu, _)| cpu))?))
}

fn number(text: &str) -> Option<usize> {
    text.trim().parse().ok().filter(|_| text.trim().bytes().all(|b| b.is_ascii_digit()))
}
