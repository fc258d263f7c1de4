//! `ci/bench`: xendless beside Debian's own tools, in one table.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use lexopt::{Arg, Parser, ValueExt as _};
use xendless_tests::bench::course::{Course, LIMIT, Side, alone};
use xendless_tests::bench::figures::Figures;
use xendless_tests::bench::{rows, table};

const USAGE: &str = "\
ci/bench: compare xendless with Debian's own tools for Xen.

usage: ci/bench [options]

Boots real Xen in QEMU, with xendless and with a classic dom0, does the same on both, and prints one table. All time is
counted in instructions: figures repeat, whatever the host is doing.

  --guests N      make at most so many tiny guests: 10, 110 or 500 (default 500)
  --no-debian     leave out the Debian guests
  --limit MINUTES end each machine after so long, and use what it measured until then (default 120)
  --json FILE     write the table as JSON, too
  --raw FILE      write all that the stopwatch printed, too
  --stock FILE    take the figures of Debian's tools from what --raw wrote: they do not change with xendless

Exit status: 0 all was measured, whether or not it keeps its budget; 1 something was not.
";

/// What is asked for.
struct Options {
    guests: u32,
    debian: bool,
    limit: Duration,
    json: Option<PathBuf>,
    raw: Option<PathBuf>,
    stock: Option<PathBuf>,
}

fn main() -> ExitCode {
    match parse(Parser::from_env()).and_then(|options| options.map_or(Ok(true), |options| bench(&options))) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("ci/bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn parse(mut parser: Parser) -> Result<Option<Options>> {
    let mut options = Options { guests: 500, debian: true, limit: LIMIT, json: None, raw: None, stock: None };
    while let Some(word) = parser.next()? {
        match word {
            Arg::Short('h') | Arg::Long("help") => {
                print!("{USAGE}");
                return Ok(None);
            }
            Arg::Long("guests") => options.guests = parser.value()?.parse()?,
            Arg::Long("no-debian") => options.debian = false,
            Arg::Long("limit") => options.limit = Duration::from_secs(60 * parser.value()?.parse::<u64>()?),
            Arg::Long("json") => options.json = Some(parser.value()?.into()),
            Arg::Long("raw") => options.raw = Some(parser.value()?.into()),
            Arg::Long("stock") => options.stock = Some(parser.value()?.into()),
            other => return Err(other.unexpected().into()),
        }
    }
    ensure!(options.guests >= 10, "--guests wants at least 10 (see --help)");
    Ok(Some(options))
}

/// Whether all was measured.
fn bench(options: &Options) -> Result<bool> {
    // What takes longest comes last.
    let mut courses = if options.debian { vec![Course::Debian, Course::Devices] } else { Vec::new() };
    courses.push(Course::Guests(options.guests));
    let mut ours = measure(Side::Xendless, &courses, options.limit)?;
    ours.merge(alone()?);
    // The other side takes long; what there is is not to be lost with it.
    write(options.raw.as_ref(), &ours.printed_of(Side::Xendless.name()))?;
    let stock = match &options.stock {
        None => measure(Side::Stock, &courses, options.limit)?,
        Some(path) => {
            let raw = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
            Figures::parse_of(Side::Stock.name(), &raw)?
        }
    };
    let raw = [(Side::Xendless, &ours), (Side::Stock, &stock)];
    let raw = raw.map(|(side, figures)| figures.printed_of(side.name())).concat();
    let rows = rows::rows(&ours, &stock);
    let troubles = [ours.troubles, stock.troubles].concat();
    print!("{}", table::text(&rows));
    for trouble in &troubles {
        println!("\n{trouble}");
    }
    write(options.json.as_ref(), &table::json(&rows, &troubles))?;
    write(options.raw.as_ref(), &raw)?;
    Ok(troubles.is_empty())
}

/// Carries out all courses on machines of their own.
fn measure(side: Side, courses: &[Course], limit: Duration) -> Result<Figures> {
    let mut all = Figures::default();
    for course in courses {
        eprintln!("ci/bench: {}, {course:?}", side.name());
        all.merge(course.run(side, limit)?);
    }
    Ok(all)
}

fn write(path: Option<&PathBuf>, text: &str) -> Result<()> {
    let Some(path) = path else { return Ok(()) };
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}
