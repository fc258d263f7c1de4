//! Counts instructions with callgrind: this program runs itself under it and reads what each measured call cost.

use std::env;
use std::fs;
use std::io::{self, ErrorKind};
use std::process::Command;

/// One measured call: whose it is, and its instructions.
pub(crate) type Count = (String, u64);

/// Runs `work` as one measured call of `name`.
pub(crate) fn measure(name: &str, work: &mut dyn FnMut()) {
    println!("{name}");
    xendless_measured(work);
}

#[unsafe(no_mangle)]
#[inline(never)]
#[expect(unsafe_code, reason = "callgrind finds the function by its name")]
fn xendless_measured(work: &mut dyn FnMut()) {
    work();
}

/// What the measured calls cost when this program is run with `argument`; `None` when there is no callgrind.
pub(crate) fn counts(argument: &str) -> io::Result<Option<Vec<Count>>> {
    let folder = env::temp_dir().join(format!("xendless-callgrind-{}-{argument}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let dumps = folder.join("dump");
    let outcome = Command::new("valgrind")
        .args(["--tool=callgrind", "--toggle-collect=xendless_measured", "--dump-after=xendless_measured"])
        .arg(format!("--callgrind-out-file={}", dumps.display()))
        .arg(env::current_exe()?)
        .arg(argument)
        .output();
    let output = match outcome {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        outcome => outcome?,
    };
    if !output.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    let names = String::from_utf8_lossy(&output.stdout).into_owned();
    let counts = names.lines().enumerate().map(|(index, name)| {
        let dump = fs::read_to_string(format!("{}.{}", dumps.display(), index + 1))?;
        Ok((name.to_owned(), total(&dump).ok_or(ErrorKind::InvalidData)?))
    });
    let counts = counts.collect::<io::Result<Vec<_>>>()?;
    fs::remove_dir_all(&folder)?;
    Ok(Some(counts))
}

/// The sum of a dump.
fn total(dump: &str) -> Option<u64> {
    let line = |key| dump.lines().rev().find_map(|line| line.strip_prefix(key));
    line("totals: ").or_else(|| line("summary: "))?.trim().parse().ok()
}
