//! The command line of `ci/vm`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use lexopt::{Arg, Parser, ValueExt as _};
use xendless_core::config::Kind;
use xendless_tests::admin::domain::{Admin, Tools};
use xendless_tests::admin::kernel::Flavour;

pub(crate) const USAGE: &str = "\
ci/vm: boot the whole system in QEMU, without a terminal.

usage: ci/vm [options] -- 'shell commands'
       ci/vm --shell [options]
       ci/vm --no-admin [options]

Builds what is stale, runs the shell commands as root in the admin domain, prints only their output and ends with
their exit status.

  --shell              a shell in the admin domain at this terminal instead; Ctrl-A x ends it

  --stock              boot a classic dom0 with Debian's xl, xenstored and xenconsoled in place of xendless, to
                       compare with
  --plain-dom0         boot the admin domain as Xen's initial domain, without a control domain, to compare with
  --generic            run Debian's generic kernel in it, not the one for virtual machines; as a dom0 it always does
  --add HOST:GUEST     put a file or folder into the admin domain's root (repeatable)
  --pvh                make it a PVH domain, not a PV one
  --vcpus N            virtual CPUs of the admin domain (default 1)
  --admin-mem MIB      memory of the admin domain (default 512; with --stock: 768)

  --no-admin           boot only what the bundle says, print what the serial port says, end when the control
                       domain is ready
  --stay               with --no-admin: go on after that, until the machine ends, Ctrl-C or the timeout
  --bundle FILE        with --no-admin: another boot bundle than the empty one

  --mem MIB            memory of the machine (default 1536)
  --cpus N             CPUs of the machine (default 1)
  --icount             count instructions instead of time: figures repeat exactly, whatever the host is doing
  --timeout SECONDS    give up after this long (default 300; with --stay: none)
  --xen FILE           another hypervisor, uncompressed
  --xen-args WORDS     more words for Xen's command line
  --serial-log FILE    keep all that the serial port says

Exit status: that of the commands; or 124 timeout, 125 the machine ended or failed before the commands did.
With --no-admin: 0 the control domain was ready, 1 it was not or ended badly, 124 timeout. 2 wrong usage.
";

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) boot: Boot,
    pub(crate) memory_mib: Option<u32>,
    pub(crate) cpus: Option<u32>,
    pub(crate) icount: bool,
    pub(crate) timeout: Option<Duration>,
    pub(crate) xen: Option<PathBuf>,
    pub(crate) xen_args: Option<String>,
    pub(crate) serial_log: Option<PathBuf>,
}

/// What to boot.
#[derive(Debug)]
pub(crate) enum Boot {
    /// The control domain, and what this bundle says.
    Bundle { file: Option<PathBuf>, stay: bool },
    /// An admin domain that runs commands.
    Admin(Admin),
    /// An admin domain for a person at this terminal.
    Shell(Admin),
}

/// The words, before it is known whether they go together.
#[derive(Default)]
struct Words {
    no_admin: bool,
    shell: bool,
    plain_dom0: bool,
    stock: bool,
    generic: bool,
    pvh: bool,
    stay: bool,
    icount: bool,
    memory_mib: Option<u32>,
    admin_mib: Option<u32>,
    vcpus: Option<u32>,
    cpus: Option<u32>,
    timeout: Option<Duration>,
    xen: Option<PathBuf>,
    xen_args: Option<String>,
    bundle: Option<PathBuf>,
    serial_log: Option<PathBuf>,
    additions: Vec<(PathBuf, String)>,
    commands: Vec<String>,
}

/// Reads the command line; `None` when help is wanted.
pub(crate) fn parse(mut parser: Parser) -> Result<Option<Options>> {
    let mut words = Words::default();
    while let Some(word) = parser.next()? {
        match word {
            Arg::Short('h') | Arg::Long("help") => return Ok(None),
            Arg::Long("shell") => words.shell = true,
            Arg::Long("no-admin") => words.no_admin = true,
            Arg::Long("plain-dom0") => words.plain_dom0 = true,
            Arg::Long("stock") => words.stock = true,
            Arg::Long("generic") => words.generic = true,
            Arg::Long("pvh") => words.pvh = true,
            Arg::Long("vcpus") => words.vcpus = Some(number(&mut parser, "--vcpus")?),
            Arg::Long("stay") => words.stay = true,
            Arg::Long("icount") => words.icount = true,
            Arg::Long("mem") => words.memory_mib = Some(number(&mut parser, "--mem")?),
            Arg::Long("admin-mem") => words.admin_mib = Some(number(&mut parser, "--admin-mem")?),
            Arg::Long("cpus") => words.cpus = Some(number(&mut parser, "--cpus")?),
            Arg::Long("timeout") => {
                words.timeout = Some(Duration::from_secs(number(&mut parser, "--timeout")?.into()));
            }
            Arg::Long("xen") => words.xen = Some(parser.value()?.into()),
            Arg::Long("xen-args") => words.xen_args = Some(parser.value()?.string()?),
            Arg::Long("bundle") => words.bundle = Some(parser.value()?.into()),
            Arg::Long("serial-log") => words.serial_log = Some(parser.value()?.into()),
            Arg::Long("add") => words.additions.push(addition(parser.value()?)?),
            Arg::Value(command) => words.commands.push(command.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    words.check().map(Some)
}

impl Words {
    fn check(self) -> Result<Options> {
        let boot = if self.no_admin {
            let admin = self.plain_dom0 || self.stock || self.generic || self.pvh;
            let sizes = self.admin_mib.is_some() || self.vcpus.is_some();
            let content = !self.additions.is_empty() || !self.commands.is_empty() || self.shell;
            ensure!(
                !(admin || sizes || content),
                "--no-admin boots without an admin domain, and something here is for one (see --help)"
            );
            Boot::Bundle { file: self.bundle, stay: self.stay }
        } else {
            ensure!(!self.stay && self.bundle.is_none(), "--stay and --bundle need --no-admin (see --help)");
            ensure!(self.shell == self.commands.is_empty(), "either commands or --shell (see --help)");
            ensure!(
                !self.shell || (self.timeout.is_none() && self.serial_log.is_none()),
                "--shell has no --timeout and no --serial-log: it is this terminal (see --help)"
            );
            ensure!(!(self.plain_dom0 && self.stock), "either --plain-dom0 or --stock (see --help)");
            let is_dom0 = self.plain_dom0 || self.stock;
            ensure!(
                !is_dom0 || !(self.pvh || self.vcpus.is_some()),
                "--pvh and --vcpus are for an admin domain that the control domain makes (see --help)"
            );
            let commands = self.commands.join(" ");
            let usual = if self.stock { Admin::stock(commands) } else { Admin::new(commands) };
            let boot = if self.shell { Boot::Shell } else { Boot::Admin };
            boot(Admin {
                additions: self.additions,
                flavour: if self.generic || is_dom0 { Flavour::Generic } else { usual.flavour },
                kind: if self.pvh { Kind::Pvh } else { usual.kind },
                vcpus: self.vcpus.unwrap_or(usual.vcpus),
                memory_mib: self.admin_mib.unwrap_or(usual.memory_mib),
                tools: if self.plain_dom0 { Tools::None } else { usual.tools },
                plain_dom0: is_dom0,
                ..usual
            })
        };
        Ok(Options {
            boot,
            memory_mib: self.memory_mib,
            cpus: self.cpus,
            icount: self.icount,
            timeout: self.timeout,
            xen: self.xen,
            xen_args: self.xen_args,
            serial_log: self.serial_log,
        })
    }
}

fn number(words: &mut Parser, option: &str) -> Result<u32> {
    let value = words.value()?;
    let number = value.to_str().and_then(|text| text.parse().ok());
    number.ok_or_else(|| anyhow!("{option} wants a number, not '{}'", value.display()))
}

/// Splits `HOST:GUEST`. Names of the host can hold colons, those in the admin domain cannot.
fn addition(value: OsString) -> Result<(PathBuf, String)> {
    let text = value.string()?;
    let (host, guest) =
        text.rsplit_once(':').with_context(|| format!("--add wants HOST:GUEST, not '{text}'"))?;
    ensure!(!host.is_empty() && !guest.is_empty(), "--add wants HOST:GUEST, not '{text}'");
    Ok((host.into(), guest.into()))
}
