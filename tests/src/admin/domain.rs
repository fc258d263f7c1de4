//! An admin domain as a value, and the machine that boots it.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context, Result};
use xendless_core::bundle::Role;
use xendless_core::config::Kind;
use xendless_core::rights::Rights;
use xendless_hosttools::bundle::Start;

use super::kernel::{Flavour, Kernel};
use super::session::Session;
use super::tree::Tree;
use super::{bundle, cpio, guest, image, stock};
use crate::qemu::artifacts::Nameless;
use crate::qemu::machine::Machine;
use crate::qemu::running::{self, End, Running};

/// Lines of the serial port that are shown when the commands came to no end.
const STORY: usize = 25;

/// Enough for Debian's kernel for virtual machines, packed and unpacked, and a ramdisk.
const IMAGES_MIB: u32 = 96;

/// What manages the domains of the machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tools {
    /// Nothing.
    None,
    /// The control domain, with `xm` and `xmd` in the admin domain.
    Xendless,
    /// Debian's `xl`, xenstored and xenconsoled, in a dom0.
    Stock,
}

/// What to run in which admin domain.
#[derive(Clone, Debug)]
pub struct Admin {
    /// Shell commands.
    pub commands: String,
    /// Files and folders of this machine, and where they go in the admin domain's root.
    pub additions: Vec<(PathBuf, String)>,
    /// Its kernel.
    pub flavour: Flavour,
    /// What kind of domain it is.
    pub kind: Kind,
    /// Its virtual CPUs.
    pub vcpus: u32,
    /// Its memory.
    pub memory_mib: u32,
    /// Room for images in the control domain.
    pub images_mib: u32,
    /// What happens when it crashes.
    pub on_crash: &'static str,
    /// What it has to manage domains with; with any of them come guests to start.
    pub tools: Tools,
    /// It is Xen's initial domain, and there is no control domain.
    pub plain_dom0: bool,
    /// More lines of its configuration file.
    pub settings: &'static str,
    /// More domains that manage domains, beside it.
    pub companions: Vec<Companion>,
}

/// Another domain with the same tools, which carries out commands of its own. What they write is at its console.
#[derive(Clone, Debug)]
pub struct Companion {
    /// Its name.
    pub name: &'static str,
    /// What it may ask of the control domain.
    pub rights: Rights,
    /// Shell commands.
    pub commands: &'static str,
    /// More lines of its configuration file.
    pub settings: &'static str,
}

impl Admin {
    /// An admin domain of a usual size.
    #[must_use]
    pub fn new(commands: impl Into<String>) -> Self {
        Self {
            commands: commands.into(),
            additions: Vec::new(),
            flavour: Flavour::Cloud,
            kind: Kind::Pv,
            vcpus: 1,
            memory_mib: 512,
            images_mib: IMAGES_MIB,
            on_crash: "destroy",
            tools: Tools::Xendless,
            plain_dom0: false,
            settings: "",
            companions: Vec::new(),
        }
    }

    /// A dom0 as Debian has it, with the same guests to start.
    #[must_use]
    pub fn stock(commands: impl Into<String>) -> Self {
        Self {
            flavour: Flavour::Generic,
            memory_mib: stock::MEMORY_MIB,
            tools: Tools::Stock,
            plain_dom0: true,
            ..Self::new(commands)
        }
    }

    /// Makes `machine`, which has a control domain and no bundle yet, one that boots this and runs the commands.
    pub fn prepare(&self, machine: Machine) -> Result<Prepared> {
        let kernel = Kernel::find(self.flavour)?;
        let mut root = self.root(&kernel)?;
        let session = Session::new(&mut root, &self.commands)?;
        let (machine, module) = self.install(machine, &kernel, &root)?;
        Ok(Prepared { machine, session, _module: module })
    }

    /// Makes `machine` one that boots this with a shell for a person, at this terminal; runs it until its end.
    pub fn attend(&self, machine: Machine) -> Result<ExitStatus> {
        let kernel = Kernel::find(self.flavour)?;
        let (machine, _module) = self.install(machine, &kernel, &self.root(&kernel)?)?;
        let machine = Machine { attended: true, ..machine };
        running::command(&machine)?.status().context("cannot start QEMU through setpriv: is ci/setup done?")
    }

    /// What it finds when it boots.
    fn root(&self, kernel: &Kernel) -> Result<Tree> {
        let mut root = image::root(kernel)?;
        match self.tools {
            Tools::None => {}
            Tools::Xendless => image::install_management(&mut root)?,
            Tools::Stock => stock::install(&mut root)?,
        }
        if self.tools != Tools::None {
            guest::install(&mut root, &Kernel::find(Flavour::Cloud)?)?;
        }
        for (host, guest) in &self.additions {
            root.add(guest, host)?;
        }
        Ok(root)
    }

    /// Puts this into `machine`; the file has to live as long as the machine.
    fn install(&self, mut machine: Machine, files: &Kernel, root: &Tree) -> Result<(Machine, Nameless)> {
        let path = files.plain()?;
        let ramdisk = cpio::archive(root)?;
        let module = if self.plain_dom0 {
            machine.control = path;
            machine.control_args = image::COMMAND_LINE.into();
            machine.control_memory_mib = self.memory_mib;
            Nameless::new(&ramdisk)?
        } else {
            let kernel = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
            let config = self.config("admin") + self.settings;
            let mut domains = vec![bundle::domain(Role::Admin, &config, kernel.clone(), Some(ramdisk))?];
            for Companion { name, rights, commands, settings } in &self.companions {
                let mut root = self.root(files)?;
                root.insert("etc/init.d/zz-commands", image::text(&format!("#!/bin/sh\n{commands}"), 0o755))?;
                let (config, ramdisk) = (self.config(name) + settings, cpio::archive(&root)?);
                let domain = bundle::domain(Role::Guest, &config, kernel.clone(), Some(ramdisk))?;
                domains.push(Start { rights: *rights, ..domain });
            }
            let bundle = bundle::bundle(domains)?;
            // Xen counts the bundle as the control domain's memory.
            machine.control_memory_mib += u32::try_from(bundle.len().div_ceil(1 << 20))? + self.images_mib;
            machine.control_args = format!("images={}M {}", self.images_mib, machine.control_args);
            Nameless::new(&bundle)?
        };
        machine.bundle = Some(module.path());
        Ok((machine, module))
    }

    /// Its configuration file, under a name.
    fn config(&self, name: &str) -> String {
        let kind = match self.kind {
            Kind::Pv => "pv",
            Kind::Pvh => "pvh",
        };
        format!(
            "name = '{name}'\ntype = '{kind}'\nkernel = 'vmlinux'\nramdisk = 'root'\nmemory = {}\nvcpus = {}\n\
             extra = '{}'\non_reboot = 'destroy'\non_crash = '{}'\n",
            self.memory_mib,
            self.vcpus,
            image::COMMAND_LINE,
            self.on_crash
        )
    }
}

/// A machine with commands in it.
#[derive(Debug)]
pub struct Prepared {
    /// The machine.
    pub machine: Machine,
    session: Session,
    /// The machine's file, which lives as long as this does.
    _module: Nameless,
}

/// How the commands did not come to their end.
#[derive(Debug)]
pub struct NoEnd {
    /// What became of the machine.
    pub end: End,
    /// What the serial port said last.
    pub story: String,
}

impl Prepared {
    /// Boots it and runs the commands; what they write goes to `output`. Their exit status, or how it came that there
    /// is none.
    pub fn run<'a>(
        &'a self,
        limit: Duration,
        observer: impl FnMut(&str) + 'a,
        mut output: impl Write,
    ) -> Result<Result<u8, NoEnd>> {
        let mut running = Running::start(&self.machine, limit, observer)?;
        let outcome = self.follow(&mut running, &mut output)?;
        Ok(outcome.map_err(|end| {
            let lines = running.transcript();
            NoEnd { end, story: lines[lines.len().saturating_sub(STORY)..].join("\n") }
        }))
    }

    /// Waits for the commands' end on a machine that was just started; what they write goes to `output`.
    pub fn follow(&self, running: &mut Running<'_>, mut output: impl Write) -> Result<Result<u8, End>> {
        let mut reader = self.session.reader();
        let outcome = running.run_until(|line, _| {
            let step = reader.feed(line).and_then(|bytes| {
                output.write_all(&bytes).and_then(|()| output.flush()).context("writing the output")
            });
            match step {
                Ok(()) => reader.status().map(Ok),
                Err(error) => Some(Err(error)),
            }
        });
        outcome.map_or_else(|end| Ok(Err(end)), |status| status.map(Ok))
    }
}
