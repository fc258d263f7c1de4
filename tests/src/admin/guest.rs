//! The guests that a person starts in the admin domain: their files and configurations.

use std::fs;

use anyhow::{Context, Result};

use super::cpio;
use super::image::{busybox, skeleton, text};
use super::kernel::Kernel;
use super::tree::{Node, Tree};
use crate::qemu::artifacts;

/// Where their kernels and ramdisks are.
const FILES: &str = "boot/guest";

/// The modules that a guest's kernel needs for its devices.
const MODULES: [&str; 2] = ["xen-blkfront", "xen-netfront"];

/// Puts a Debian guest and a tiny one into the root of an admin domain.
pub fn install(tree: &mut Tree, kernel: &Kernel) -> Result<()> {
    let packed = kernel.packed();
    // As Debian ships it: unpacking it is the control domain's work.
    tree.insert_file(&format!("{FILES}/vmlinuz"), packed)?;
    let ramdisk = cpio::archive(&ramdisk(kernel)?)?;
    tree.insert(&format!("{FILES}/initrd"), Node::File { content: ramdisk, mode: 0o644 })?;
    tree.insert("etc/xen/disk.cfg", text(include_str!("guest/disk.cfg"), 0o644))?;
    tree.insert("etc/xen/guest.cfg", text(include_str!("guest/guest.cfg"), 0o644))?;
    let tiny = artifacts::guest()?;
    let tiny = fs::read(&tiny).with_context(|| format!("reading {}", tiny.display()))?;
    tree.insert(&format!("{FILES}/tiny"), Node::File { content: tiny, mode: 0o644 })?;
    tree.insert("etc/xen/tiny.cfg", text(include_str!("guest/tiny.cfg"), 0o644))
}

/// What the Debian guest's kernel finds: its root, and the drivers for disks and interfaces.
fn ramdisk(kernel: &Kernel) -> Result<Tree> {
    let mut tree = disk_root()?;
    tree.insert("init", text(include_str!("guest/init"), 0o755))?;
    kernel.install_modules(&mut tree, &MODULES)?;
    Ok(tree)
}

/// The Debian guest's root: busybox, and a terminal to log in at.
pub(super) fn disk_root() -> Result<Tree> {
    let mut tree = skeleton()?;
    tree.insert("mnt", Node::Folder)?;
    tree.insert("etc/inittab", text(include_str!("guest/inittab"), 0o644))?;
    tree.insert("etc/rc", text(include_str!("guest/rc"), 0o755))?;
    tree.insert("etc/issue", text("\nA Debian guest. Log in as root; there is no password.\n\n", 0o644))?;
    busybox(&mut tree)?;
    Ok(tree)
}
