//! `xm-bundle`: makes and shows the boot bundle that Xen loads beside the control domain.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xendless_core::bundle::Bundle;
use xendless_hosttools::bundle::{Maker, Source, describe};

/// Make and show the boot bundle that Xen loads beside the control domain.
#[derive(Parser)]
#[command(name = "xm-bundle", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a bundle. One with nothing in it is valid: it starts the control domain alone.
    Make {
        /// Where to write it.
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
        /// Start the domain that the configuration FILE describes, after those before it. FILE,admin makes it the
        /// admin domain, whose console is joined to the machine's serial line. FILE,rights=RIGHTS says what it may
        /// ask of the control domain: nothing, observe, children or everything. An admin domain has all rights
        /// unless something else is said, others have none.
        #[arg(long, value_name = "FILE[,admin][,rights=RIGHTS]")]
        domain: Vec<Source>,
        /// Put FILE into the bundle under NAME, for nothing in particular.
        #[arg(long, value_name = "NAME=FILE", value_parser = addition)]
        add: Vec<(String, PathBuf)>,
    },
    /// Check a bundle, files included, and list what is in it.
    Show {
        /// The bundle.
        file: PathBuf,
    },
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Make { output, domain, add } => make(&output, &domain, &add),
        Command::Show { file } => show(&file),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xm-bundle: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Splits `NAME=FILE`. Names cannot hold `=` here, files can.
fn addition(argument: &str) -> Result<(String, PathBuf), String> {
    match argument.split_once('=') {
        Some((name, file)) if !name.is_empty() && !file.is_empty() => Ok((name.into(), file.into())),
        _ => Err("write NAME=FILE".into()),
    }
}

fn make(output: &Path, domains: &[Source], additions: &[(String, PathBuf)]) -> Result<(), String> {
    let mut maker = Maker::new();
    for (name, file) in additions {
        maker.add(name, read(file)?).map_err(|error| error.to_string())?;
    }
    for source in domains {
        let (start, warnings) = source.load().map_err(|error| error.to_string())?;
        for warning in warnings {
            eprintln!("xm-bundle: warning: {warning}");
        }
        maker.start(start).map_err(|error| error.to_string())?;
    }
    let bytes = maker.make().map_err(|error| error.to_string())?;
    replace(output, &bytes).map_err(|error| format!("cannot write {}: {error}", shown(output)))
}

/// Writes the whole file or leaves the old one: a bundle cut short would be noticed only at the next boot.
fn replace(output: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut partial = output.as_os_str().to_owned();
    partial.push(format!(".{}.partial", std::process::id()));
    let partial = PathBuf::from(partial);
    fs::write(&partial, bytes).and_then(|()| fs::rename(&partial, output)).inspect_err(|_| {
        // The first error is the one to report.
        let _ = fs::remove_file(&partial);
    })
}

fn show(file: &Path) -> Result<(), String> {
    let bytes = read(file)?;
    let unusable = |error| format!("{} is no usable boot bundle: {error}", shown(file));
    let text = Bundle::open(&bytes).and_then(|bundle| describe(&bundle)).map_err(unusable)?;
    io::Write::write_all(&mut io::stdout(), text.as_bytes()).map_err(|error| format!("cannot write: {error}"))
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| format!("cannot read {}: {error}", shown(file)))
}

/// A path as it may be shown on a terminal.
fn shown(path: &Path) -> String {
    path.to_string_lossy().escape_debug().to_string()
}
