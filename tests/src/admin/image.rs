//! What is in the admin domain's root.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, str};

use anyhow::{Context, Result, ensure};

use super::elf;
use super::kernel::Kernel;
use super::tree::{Node, Tree};
use crate::qemu::artifacts::{self, cache};

/// What the admin domain's kernel is told: one console, no word on it but from processes, no self-tests of
/// algorithms, no waiting for entropy that the processor has, and no going on after a panic.
pub const COMMAND_LINE: &str =
    "console=hvc0 quiet loglevel=0 cryptomgr.notests=1 rcupdate.rcu_expedited=1 random.trust_cpu=on panic=-1";

/// The modules that are loaded at boot.
const MODULES: [&str; 10] = [
    "xen-evtchn",
    "xen-gntdev",
    "xen-gntalloc",
    "xen-privcmd",
    "xenfs",
    "xen-blkback",
    "xen-blkfront",
    "xen-netback",
    "loop",
    "bridge",
];

/// Debian's own programs for XenStore.
const XENSTORE_PROGRAMS: [&str; 8] = ["ls", "list", "read", "write", "exists", "rm", "chmod", "watch"];

/// The folder of the cache with Debian's tools for Xen.
const TOOLS: &str = "xen-tools";

/// Where Debian keeps libraries.
const LIBRARIES: [&str; 2] = ["lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"];

const INIT: &str = include_str!("init.sh");

/// The root of an admin domain that runs `kernel`, before anything is added to it.
pub fn root(kernel: &Kernel) -> Result<Tree> {
    let mut tree = skeleton()?;
    tree.insert("init", text(INIT, 0o755))?;
    tree.insert("etc/motd", text(include_str!("motd"), 0o644))?;
    tree.insert("etc/modules", text(&(MODULES.join("\n") + "\n"), 0o644))?;
    busybox(&mut tree)?;
    kernel.install_modules(&mut tree, &MODULES)?;
    for program in XENSTORE_PROGRAMS {
        install_tool(&mut tree, &format!("usr/bin/xenstore-{program}"))?;
    }
    Ok(tree)
}

/// Puts `xm` and `xmd` into the root of an admin domain, with the script that starts `xmd`.
pub fn install_management(tree: &mut Tree) -> Result<()> {
    tree.insert("etc/default/xmd", text("OPTIONS='--bridge xenbr0'\n", 0o644))?;
    tree.insert("etc/init.d/xmd", text(include_str!("../../../hosttools/dist/xmd.init"), 0o755))?;
    let programs = artifacts::host_tools()?;
    for name in ["xm", "xmd"] {
        let program = programs.join(name);
        let content = fs::read(&program).with_context(|| format!("reading {}", program.display()))?;
        ensure!(elf::needs(&content, &program)? == elf::Needs::default(), "{name} is not linked statically");
        tree.insert(&format!("usr/bin/{name}"), Node::File { content, mode: 0o755 })?;
    }
    Ok(())
}

/// What every root has: the usual folders, and one user.
pub(super) fn skeleton() -> Result<Tree> {
    let mut tree = Tree::default();
    for folder in ["dev", "proc", "root", "run", "sys", "tmp", "usr/bin", "usr/lib", "var"] {
        tree.insert(folder, Node::Folder)?;
    }
    let links = [
        ("bin", "usr/bin"),
        ("sbin", "usr/bin"),
        ("usr/sbin", "bin"),
        ("lib", "usr/lib"),
        ("lib64", "usr/lib"),
    ];
    for (path, target) in links {
        tree.insert(path, Node::Link(target.into()))?;
    }
    // Linux opens it for the first process, which is before that process can mount anything.
    tree.insert("dev/console", Node::Device { major: 5, minor: 1 })?;
    tree.insert("etc/passwd", text("root::0:0:root:/root:/bin/sh\n", 0o644))?;
    tree.insert("etc/profile", text("PS1='\\h:\\w\\$ '\n", 0o644))?;
    tree.insert("etc/group", text("root:x:0:\n", 0o644))?;
    Ok(tree)
}

/// A file with this in it.
#[must_use]
pub fn text(content: &str, mode: u32) -> Node {
    Node::File { content: content.into(), mode }
}

/// Puts busybox into `tree`, under all its names.
pub(super) fn busybox(tree: &mut Tree) -> Result<()> {
    let folder = cache()?.join("busybox");
    let program =
        ["bin/busybox", "usr/bin/busybox"].iter().map(|path| folder.join(path)).find(|path| path.exists());
    let program = program.with_context(|| format!("no busybox in {}: run ci/setup", folder.display()))?;
    let list = Command::new(&program).arg("--list").output().context("asking busybox what it can do")?;
    ensure!(list.status.success(), "busybox does not run here: {}", list.status);
    tree.insert_file("usr/bin/busybox", &program)?;
    for name in str::from_utf8(&list.stdout)?.lines().filter(|name| *name != "busybox") {
        tree.insert(&format!("usr/bin/{name}"), Node::Link("busybox".into()))?;
    }
    Ok(())
}

/// Puts a program of Debian's tools for Xen into `tree`, with its loader and the libraries it needs. `path` is where
/// Debian has it; here it is in `/usr/bin`.
pub(super) fn install_tool(tree: &mut Tree, path: &str) -> Result<()> {
    install_program(tree, TOOLS, path)
}

/// The same for another package of the cache; its libraries are among those of the tools.
pub(super) fn install_program(tree: &mut Tree, package: &str, path: &str) -> Result<()> {
    let program = cache()?.join(package).join(path);
    tree.insert_file(&format!("usr/bin/{}", file_name(&program)?), &program)?;
    install_needs(tree, program)
}

/// Puts a library into `tree` that programs load without saying so, with those it needs.
pub(super) fn install_library(tree: &mut Tree, name: &str) -> Result<()> {
    let library = library(&tools()?, name).with_context(|| format!("{name} is not in the cache"))?;
    tree.insert_file(&format!("usr/lib/{name}"), &library)?;
    install_needs(tree, library)
}

/// Debian's tools for Xen with all their libraries, unpacked.
pub(super) fn tools() -> Result<PathBuf> {
    Ok(cache()?.join(TOOLS))
}

/// Puts into `tree` the loader and the libraries that a program or library of the tools needs.
fn install_needs(tree: &mut Tree, file: PathBuf) -> Result<()> {
    let tools = tools()?;
    let mut left = vec![file];
    while let Some(file) = left.pop() {
        let content = fs::read(&file).with_context(|| format!("reading {}: run ci/setup", file.display()))?;
        let needs = elf::needs(&content, &file)?;
        let loader = needs.loader.as_deref().map(|loader| file_name(Path::new(loader))).transpose()?;
        for name in loader.into_iter().chain(needs.libraries.iter().map(String::as_str)) {
            let inside = format!("usr/lib/{name}");
            if tree.get(&inside).is_none() {
                let library = library(&tools, name)
                    .with_context(|| format!("{} needs {name}, which is not in the cache", file.display()))?;
                tree.insert_file(&inside, &library)?;
                left.push(library);
            }
        }
    }
    Ok(())
}

fn library(packages: &Path, name: &str) -> Option<PathBuf> {
    LIBRARIES.iter().map(|folder| packages.join(folder).join(name)).find(|path| path.exists())
}

fn file_name(path: &Path) -> Result<&str> {
    path.file_name().and_then(|name| name.to_str()).with_context(|| format!("{} has no name", path.display()))
}
