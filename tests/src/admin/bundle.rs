//! The boot bundle that starts an admin domain.

use std::fs;

use anyhow::{Context, Result, anyhow};
use xendless_core::bundle::Role;
use xendless_core::config::Uuid;
use xendless_core::rights::Rights;
use xendless_hosttools::bundle::{Maker, Start};
use xendless_hosttools::config::host::Host;
use xendless_hosttools::config::{Limits, Request, evaluate};

use super::image::COMMAND_LINE;
use super::kernel::Kernel;

const UUID: &str = "5e7a6f0e-0c39-4f3d-9c2e-0d6b9f5d7a11";

/// A bundle with nothing but an admin domain: `kernel`, this ramdisk, this memory.
pub fn bundle(kernel: &Kernel, ramdisk: Vec<u8>, memory_mib: u32) -> Result<Vec<u8>> {
    let text = format!(
        "name = 'admin'\nkernel = 'vmlinux'\nramdisk = 'root'\nmemory = {memory_mib}\nextra = '{COMMAND_LINE}'\n\
         on_reboot = 'destroy'\non_crash = 'destroy'\n"
    );
    let host = Host::unknown(UUID.parse::<Uuid>()?);
    let request =
        Request { path: "admin.cfg", text: &text, arguments: &[], host: &host, limits: Limits::default() };
    let config = evaluate(&request).map_err(|errors| anyhow!("{errors}"))?.config;
    let path = kernel.plain()?;
    let kernel = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
    let mut maker = Maker::new();
    let rights = Rights::Everything;
    maker.start(Start { role: Role::Admin, rights, config, kernel, ramdisk: Some(ramdisk) })?;
    Ok(maker.make()?)
}
