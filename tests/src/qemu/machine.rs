//! A machine as a value, and the QEMU command line that it means.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// How guest instructions are executed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Accel {
    /// Emulated: works everywhere.
    Tcg,
    /// Emulated, and guest time is the count of instructions: the same figures in every run, whatever the host
    /// is doing. Time in which the guest sleeps is skipped.
    Icount,
    /// The host's own virtualisation, where [`super::accel`] found that it works.
    Kvm,
}

impl Accel {
    fn arguments(self) -> &'static [&'static str] {
        // Xen runs PVH guests only where it finds SVM with nested paging, and Linux wants RDRAND's entropy.
        const EMULATED: &str = "qemu64,+svm,+npt,+rdrand";
        match self {
            Self::Tcg => &["-accel", "tcg", "-cpu", EMULATED],
            Self::Icount => &["-accel", "tcg", "-cpu", EMULATED, "-icount", "shift=0,sleep=off"],
            Self::Kvm => &["-accel", "kvm", "-cpu", "host"],
        }
    }
}

/// What Xen finds when it starts, and on what.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The hypervisor: an uncompressed multiboot image.
    pub xen: PathBuf,
    /// Words for Xen's command line, after the usual ones (of two that contradict each other Xen takes the later).
    pub xen_args: String,
    /// The initial domain's kernel.
    pub control: PathBuf,
    /// Words for the initial domain's command line.
    pub control_args: String,
    /// The boot bundle, if there is one.
    pub bundle: Option<PathBuf>,
    /// Memory of the initial domain, its kernel and the bundle included.
    pub control_memory_mib: u32,
    /// Memory of the machine.
    pub memory_mib: u32,
    /// CPUs of the machine.
    pub cpus: u32,
    /// How to execute it.
    pub accel: Accel,
    /// Somebody sits at the serial port, and ends the machine with Ctrl-A x.
    pub attended: bool,
}

/// What the control domain has to live in (a promise, see `docs/development.md`).
pub const CONTROL_MEMORY_MIB: u32 = 32;

impl Machine {
    /// A machine of a usual size that boots `control` on `xen`, with nothing for it to start.
    #[must_use]
    pub fn new(xen: PathBuf, control: PathBuf) -> Self {
        Self {
            xen,
            xen_args: String::new(),
            control,
            control_args: String::new(),
            bundle: None,
            control_memory_mib: CONTROL_MEMORY_MIB,
            memory_mib: 1536,
            cpus: 1,
            accel: Accel::Tcg,
            attended: false,
        }
    }

    /// QEMU's arguments. The serial port is standard input and output; a reboot ends QEMU.
    pub fn arguments(&self) -> Result<Vec<OsString>> {
        let mut arguments: Vec<OsString> = self.accel.arguments().iter().map(OsString::from).collect();
        let fixed = "-nodefaults -no-user-config -display none -monitor none -no-reboot";
        arguments.extend(fixed.split(' ').map(OsString::from));
        arguments.extend(["-serial".into(), if self.attended { "mon:stdio" } else { "stdio" }.into()]);
        arguments.extend(["-m".into(), self.memory_mib.to_string().into()]);
        arguments.extend(["-smp".into(), self.cpus.to_string().into()]);
        arguments.extend(["-kernel".into(), self.xen.clone().into()]);
        arguments.extend(["-append".into(), self.xen_command_line().into()]);
        arguments.extend(["-initrd".into(), self.modules()?.into()]);
        Ok(arguments)
    }

    fn xen_command_line(&self) -> String {
        let usual = "com1=115200,8n1 console=com1 loglvl=all guest_loglvl=all";
        format!("{usual} dom0_mem={}M {}", self.control_memory_mib, self.xen_args).trim_end().to_owned()
    }

    /// Xen's multiboot modules: `KERNEL WORDS,BUNDLE`.
    fn modules(&self) -> Result<String> {
        let mut modules = format!("{} {}", module(&self.control)?, escape(&self.control_args));
        modules.truncate(modules.trim_end().len());
        if let Some(bundle) = &self.bundle {
            modules.push(',');
            modules += &module(bundle)?;
        }
        Ok(modules)
    }
}

/// A file name as QEMU's list of modules wants it: it ends at the first space, so it can contain none.
fn module(path: &Path) -> Result<String> {
    match path.to_str() {
        Some(name) if !name.contains(' ') => Ok(escape(name)),
        _ => bail!("QEMU cannot load {}: the path has a space or is no text", path.display()),
    }
}

fn escape(text: &str) -> String {
    text.replace(',', ",,")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> Machine {
        Machine::new("/cache/xen".into(), "/target/control".into())
    }

    fn value_of(machine: &Machine, option: &str) -> String {
        let arguments = machine.arguments().unwrap();
        let position = arguments.iter().position(|argument| argument == option).unwrap();
        arguments[position + 1].to_str().unwrap().to_owned()
    }

    #[test]
    fn modules_are_kernel_with_words_then_bundle() {
        let mut machine = machine();
        assert_eq!(value_of(&machine, "-initrd"), "/target/control");
        machine.bundle = Some("/target/bundle".into());
        assert_eq!(value_of(&machine, "-initrd"), "/target/control,/target/bundle");
        machine.control_args = "one two".into();
        assert_eq!(value_of(&machine, "-initrd"), "/target/control one two,/target/bundle");
    }

    #[test]
    fn commas_reach_the_guest_as_they_are() {
        let mut machine = machine();
        machine.control_args = "list=a,b".into();
        machine.bundle = Some("/tmp/a,b".into());
        assert_eq!(value_of(&machine, "-initrd"), "/target/control list=a,,b,/tmp/a,,b");
    }

    #[test]
    fn a_path_that_qemu_would_cut_is_refused() {
        let machine = Machine::new("/cache/xen".into(), "/my target/control".into());
        assert!(machine.arguments().unwrap_err().to_string().contains("/my target/control"));
    }

    #[test]
    fn own_words_for_xen_come_last() {
        let mut machine = machine();
        machine.xen_args = "dom0_mem=4M".into();
        assert!(value_of(&machine, "-append").ends_with(" dom0_mem=32M dom0_mem=4M"));
    }

    #[test]
    fn instructions_are_counted_only_on_request() {
        let mut machine = machine();
        assert!(!machine.arguments().unwrap().contains(&"-icount".into()));
        machine.accel = Accel::Icount;
        assert_eq!(value_of(&machine, "-icount"), "shift=0,sleep=off");
        assert_eq!(value_of(&machine, "-accel"), "tcg");
    }
}
