//! What is in use in this domain.

use std::fs;

use anyhow::{Context, Result};

use crate::report;

/// Prints KiB in use, without what Linux only keeps in case it is wanted again; and how much of it is that of processes
/// with one of these names, shared pages divided among those who share them.
pub(crate) fn measure(label: &str, programs: &[&str]) -> Result<()> {
    let all = fs::read_to_string("/proc/meminfo").context("reading /proc/meminfo")?;
    let of = |name| field(&all, name).with_context(|| format!("no {name} in /proc/meminfo"));
    let used = of("MemTotal")? - of("MemFree")? - of("Buffers")? - of("Cached")? - of("SReclaimable")?;
    report(&format!("{label}-linux"), &[used.into()]);
    let mut processes = 0;
    for entry in fs::read_dir("/proc").context("reading /proc")? {
        let folder = entry?.path();
        let name = fs::read_to_string(folder.join("comm")).unwrap_or_default();
        if programs.contains(&name.trim_end()) {
            // It may have ended just now.
            let rollup = fs::read_to_string(folder.join("smaps_rollup")).unwrap_or_default();
            processes += field(&rollup, "Pss").unwrap_or(0);
        }
    }
    report(&format!("{label}-processes"), &[processes.into()]);
    Ok(())
}

/// The value of a line like `Name:   12 kB`.
fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.split_whitespace().next()?.parse().ok()
}
