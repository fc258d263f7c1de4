//! Debian's kernels as `ci/setup` unpacked them: the plain image, and the modules with those they need.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use ruzstd::decoding::FrameDecoder;
use xendless_core::builder::unpack::{Limits, Step, Unpack};
use xendless_core::bundle::checksum;

use super::elf;
use super::tree::{Node, Tree};
use crate::qemu::artifacts::{cache, replace_file};

/// The largest module, unpacked.
const MAX_MODULE: usize = 16 << 20;

/// Which of Debian's kernels.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Flavour {
    /// Made for virtual machines: small, quick to start. It cannot be a dom0.
    #[default]
    Cloud,
    /// Made for everything.
    Generic,
}

impl Flavour {
    const fn folder(self) -> &'static str {
        match self {
            Self::Cloud => "kernel-cloud",
            Self::Generic => "kernel",
        }
    }
}

/// A kernel in the cache.
#[derive(Clone, Debug)]
pub struct Kernel {
    release: String,
    compressed: PathBuf,
    /// Differs whenever another package was unpacked.
    stamp: u64,
    /// Each module's file by the module's name, with `_` for `-`.
    modules: BTreeMap<String, PathBuf>,
    built_in: Vec<String>,
}

impl Kernel {
    /// Finds the kernel that `ci/setup` put into the cache.
    pub fn find(flavour: Flavour) -> Result<Self> {
        let root = cache()?.join(flavour.folder());
        let stamp = fs::read(root.join(".stamp"))
            .with_context(|| format!("no kernel in {}: run ci/setup", root.display()))?;
        let all = root.join("lib/modules");
        let all = if all.exists() { all } else { root.join("usr/lib/modules") };
        let releases = names(&all)?;
        let [release] = &releases[..] else {
            bail!("{} has {} kernels, not one: run ci/setup --refresh", all.display(), releases.len())
        };
        let folder = all.join(release);
        let mut modules = BTreeMap::new();
        collect(&folder.join("kernel"), &mut modules)?;
        let built_in =
            fs::read_to_string(folder.join("modules.builtin")).context("reading modules.builtin")?;
        let built_in = built_in.lines().filter_map(|line| module_name(Path::new(line))).collect();
        let compressed = root.join("boot").join(format!("vmlinuz-{release}"));
        Ok(Self { release: release.clone(), compressed, stamp: checksum(&stamp), modules, built_in })
    }

    /// The kernel as Debian ships it.
    #[must_use]
    pub fn packed(&self) -> &Path {
        &self.compressed
    }

    /// The kernel as a plain ELF file, which takes no time to unpack at boot. Made once, then kept in the cache.
    pub fn plain(&self) -> Result<PathBuf> {
        let path = cache()?.join(format!("vmlinux-{}-{:016x}", self.release, self.stamp));
        if !path.exists() {
            eprintln!("ci/vm: unpacking {} once", self.compressed.display());
            let plain = unpack(&self.compressed)
                .with_context(|| format!("unpacking {}", self.compressed.display()))?;
            replace_file(&path, &plain)?;
        }
        Ok(path)
    }

    /// Puts modules and those they need into `tree`, so that `modprobe` finds them.
    pub fn install_modules(&self, tree: &mut Tree, wanted: &[&str]) -> Result<()> {
        let mut needs = BTreeMap::new();
        for name in wanted {
            self.visit(name, tree, &mut needs)?;
        }
        let list: String = needs.keys().map(|name| dependency_line(name, &needs)).collect();
        let path = format!("lib/modules/{}/modules.dep", self.release);
        tree.insert(&path, Node::File { content: list.into_bytes(), mode: 0o644 })
    }

    /// Puts the module `name` and all it needs into `tree`, and what each needs into `needs`.
    fn visit(&self, name: &str, tree: &mut Tree, needs: &mut BTreeMap<String, Vec<String>>) -> Result<()> {
        let name = name.replace('-', "_");
        if needs.contains_key(&name) || self.built_in.contains(&name) {
            return Ok(());
        }
        let path = self.modules.get(&name);
        let path = path.with_context(|| format!("kernel {} has no module {name}", self.release))?;
        let content = read_module(path).with_context(|| format!("reading {}", path.display()))?;
        let needed = elf::module_needs(&content, path)?;
        let inside = format!("lib/modules/{}/{name}.ko", self.release);
        tree.insert(&inside, Node::File { content, mode: 0o644 })?;
        needs.insert(name, needed.iter().map(|needed| needed.replace('-', "_")).collect());
        needed.iter().try_for_each(|needed| self.visit(needed, tree, needs))
    }
}

/// A line of `modules.dep`: a module's file, then the files of all it needs, each before those that it needs.
fn dependency_line(name: &str, needs: &BTreeMap<String, Vec<String>>) -> String {
    let mut order: Vec<&str> = Vec::new();
    let mut left = vec![name];
    while let Some(next) = left.pop() {
        order.retain(|known| *known != next);
        order.push(next);
        left.extend(needs.get(next).into_iter().flatten().map(String::as_str));
    }
    let files: Vec<String> = order[1..].iter().map(|name| format!(" {name}.ko")).collect();
    format!("{name}.ko:{}\n", files.concat())
}

fn unpack(file: &Path) -> Result<Vec<u8>> {
    let mut unpack = Unpack::new(fs::read(file)?, Limits::default())?;
    loop {
        match unpack.step()? {
            Step::More(rest) => unpack = rest,
            Step::Done(plain) => return Ok(plain.as_ref().to_vec()),
        }
    }
}

/// Ubuntu packs its modules, Debian does not.
fn read_module(path: &Path) -> Result<Vec<u8>> {
    let file = fs::read(path)?;
    if path.extension().is_none_or(|extension| extension != "zst") {
        return Ok(file);
    }
    let mut content = Vec::with_capacity(MAX_MODULE);
    FrameDecoder::new().decode_all_to_vec(&file, &mut content).map_err(|error| anyhow!("{error}"))?;
    Ok(content)
}

/// The module that a file is, if it is one: its name with `_` for `-`.
fn module_name(path: &Path) -> Option<String> {
    let (name, end) = path.file_name()?.to_str()?.split_once(".ko")?;
    ["", ".zst"].contains(&end).then(|| name.replace('-', "_"))
}

fn collect(folder: &Path, modules: &mut BTreeMap<String, PathBuf>) -> Result<()> {
    for name in names(folder)? {
        let path = folder.join(name);
        if path.is_dir() {
            collect(&path, modules)?;
        } else if let Some(name) = module_name(&path) {
            modules.insert(name, path);
        }
    }
    Ok(())
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let reading = || format!("reading {}: run ci/setup", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(reading)? {
        let name = entry.with_context(reading)?.file_name().into_string();
        names.push(name.ok().with_context(reading)?);
    }
    names.sort();
    ensure!(!names.is_empty(), "{} is empty", folder.display());
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_known_by_name_however_they_are_packed() {
        let name = |path: &str| module_name(Path::new(path));
        assert_eq!(name("a/xen-gntdev.ko").as_deref(), Some("xen_gntdev"));
        assert_eq!(name("a/loop.ko.zst").as_deref(), Some("loop"));
        assert_eq!(name("modules.order"), None);
        assert_eq!(name("a/loop.ko.bak"), None);
    }

    #[test]
    fn what_a_module_needs_stands_behind_what_needs_it() {
        let needs = [("a", vec!["b", "c"]), ("b", vec!["c"]), ("c", vec![])];
        let needs =
            needs.map(|(name, needs)| (name.to_owned(), needs.into_iter().map(str::to_owned).collect()));
        let needs = BTreeMap::from(needs);
        assert_eq!(dependency_line("a", &needs), "a.ko: b.ko c.ko\n");
        assert_eq!(dependency_line("c", &needs), "c.ko:\n");
    }
}
