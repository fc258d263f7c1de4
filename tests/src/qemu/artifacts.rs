//! The files a machine boots: Xen from the cache that `ci/setup` fills, control domain and bundle built here.

use std::env;
use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use xendless_hosttools::bundle::Maker;

/// Which build of the control domain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Build {
    /// What people run.
    Release,
    /// The same with the word `fault=`, which makes one hypercall fail.
    Faults,
}

/// The cache folder of `ci/setup`.
pub fn cache() -> Result<PathBuf> {
    let of = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    of("XENDLESS_CACHE")
        .or_else(|| of("XDG_CACHE_HOME").map(|base| base.join("xendless")))
        .or_else(|| of("HOME").map(|home| home.join(".cache/xendless")))
        .context("no cache folder: neither XENDLESS_CACHE nor HOME is set")
}

/// The hypervisor.
pub fn xen() -> Result<PathBuf> {
    cached("xen/xen")
}

/// The same with labels and the rtds scheduler; it enforces Xen's own policy.
pub fn xen_with_labels() -> Result<PathBuf> {
    cached("xen-flask/xen")
}

/// That policy, before it was compiled.
pub fn policy() -> Result<PathBuf> {
    cached("xen-flask/policy.conf")
}

fn cached(name: &str) -> Result<PathBuf> {
    let path = cache()?.join(name);
    ensure!(path.exists(), "{} is missing: run ci/setup", path.display());
    Ok(path)
}

/// The control domain's image, built when it is stale.
pub fn control_domain(build: Build) -> Result<PathBuf> {
    match build {
        Build::Release => kernel(&[], &target()),
        // A folder of its own: what people run must never be this build.
        Build::Faults => kernel(&["--features", "faults"], &target().join("faults")),
    }
}

/// The image of the guest that behaves, or attacks, as its command line says; built when it is stale.
pub fn guest() -> Result<PathBuf> {
    kernel(&["--guest"], &target())
}

/// The folder with the programs of an admin domain, built when they are stale. They run in any Linux.
pub fn host_tools() -> Result<PathBuf> {
    let mut command = Command::new(repository().join("ci/build-hosttools"));
    command.env("CARGO_TARGET_DIR", target());
    Ok(PathBuf::from(run(command)?.trim()))
}

/// The Debian package, built when it is stale.
pub fn package() -> Result<PathBuf> {
    let mut command = Command::new(repository().join("ci/build-deb"));
    command.env("CARGO_TARGET_DIR", target());
    Ok(PathBuf::from(run(command)?.trim()))
}

/// The program that measures in a management domain, built when it is stale. It runs in any Linux.
pub fn stopwatch() -> Result<PathBuf> {
    let mut command = Command::new(repository().join("ci/build-hosttools"));
    command.args(["--package", "xendless-stopwatch", "--bin", "stopwatch"]);
    command.env("CARGO_TARGET_DIR", target());
    Ok(PathBuf::from(run(command)?.trim()).join("stopwatch"))
}

fn kernel(options: &[&str], folder: &Path) -> Result<PathBuf> {
    let mut command = Command::new(repository().join("ci/build-stubdom"));
    command.args(options).env("CARGO_TARGET_DIR", folder);
    Ok(PathBuf::from(run(command)?.trim()))
}

/// A boot bundle that starts nothing.
pub fn empty_bundle() -> Result<PathBuf> {
    let path = target().join("empty.bundle");
    replace_file(&path, &Maker::new().make()?)?;
    Ok(path)
}

/// A file for one machine. It has no name, so it is gone when we are, however we end.
#[derive(Debug)]
pub struct Nameless(File);

impl Nameless {
    /// One with this in it.
    pub fn new(content: &[u8]) -> Result<Self> {
        let mut file = tempfile::tempfile_in(target()).context("creating a file for the machine")?;
        file.write_all(content).context("writing a file for the machine")?;
        Ok(Self(file))
    }

    /// Where QEMU, or any process of this user, finds it.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        format!("/proc/{}/fd/{}", std::process::id(), self.0.as_raw_fd()).into()
    }
}

/// Writes a file in one step: others see the old content or the new.
pub fn replace_file(path: &Path, content: &[u8]) -> Result<()> {
    let folder = path.parent().context("a file without a folder")?;
    let write = || {
        let mut fresh = tempfile::NamedTempFile::new_in(folder)?;
        fresh.write_all(content)?;
        fresh.persist(path)?;
        Ok::<_, std::io::Error>(())
    };
    write().with_context(|| format!("writing {}", path.display()))
}

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The folder of build products.
pub fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository().join("target"), PathBuf::from)
}

/// Runs a build step to its end and gives what it printed.
fn run(mut command: Command) -> Result<String> {
    let name = format!("{command:?}");
    let output = command.stderr(Stdio::inherit()).output().with_context(|| format!("running {name}"))?;
    if !output.status.success() {
        bail!("{name} failed: {}", output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("{name} printed what is no text"))
}
