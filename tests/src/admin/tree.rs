//! A root file system as a value: what is where, before any of it is written.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

/// One thing in the tree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Node {
    /// A folder.
    Folder,
    /// A file, with its permissions.
    File {
        /// The bytes.
        content: Vec<u8>,
        /// Permission bits.
        mode: u32,
    },
    /// A symbolic link to this.
    Link(String),
    /// A character device.
    Device {
        /// The driver.
        major: u32,
        /// Which of its devices.
        minor: u32,
    },
}

/// More links than this on one path are taken for a loop, as Linux does.
const MAX_LINKS: usize = 40;

/// Paths without a leading `/`, and what is there. All parents are in it, as folders.
#[derive(Clone, Default, Debug)]
pub struct Tree {
    nodes: BTreeMap<String, Node>,
}

impl Tree {
    /// All nodes, parents first.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.nodes.iter().map(|(path, node)| (path.as_str(), node))
    }

    /// What is at `path`, links followed in all of it but its last part.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Node> {
        self.nodes.get(&self.resolve(path).ok()?)
    }

    /// Puts `node` at `path`, in place of a file that may be there; makes the folders above it.
    pub fn insert(&mut self, path: &str, node: Node) -> Result<()> {
        let path = self.resolve(path)?;
        match self.nodes.get(&path) {
            Some(Node::Folder) if node == Node::Folder => return Ok(()),
            Some(Node::Folder) => bail!("/{path} is a folder already"),
            _ => {}
        }
        if let Some((parent, _)) = path.rsplit_once('/') {
            self.insert(parent, Node::Folder)?;
        }
        self.nodes.insert(path, node);
        Ok(())
    }

    /// Puts a program or another file of the host at `path`, as it is there.
    pub fn insert_file(&mut self, path: &str, host: &Path) -> Result<()> {
        let read = || -> std::io::Result<Node> {
            let mode = fs::metadata(host)?.permissions().mode() & 0o777;
            Ok(Node::File { content: fs::read(host)?, mode })
        };
        self.insert(path, read().with_context(|| format!("reading {}", host.display()))?)
    }

    /// Puts a file or a folder of the host, with all that is in it, at `path`. Links stay links inside of a folder.
    pub fn add(&mut self, path: &str, host: &Path) -> Result<()> {
        let reading = || format!("reading {}", host.display());
        let meta = fs::metadata(host).with_context(reading)?;
        if meta.is_file() {
            return self.insert_file(path, host);
        }
        ensure!(meta.is_dir(), "{} is neither a file nor a folder", host.display());
        self.insert(path, Node::Folder)?;
        for entry in fs::read_dir(host).with_context(reading)? {
            let entry = entry.with_context(reading)?;
            let name = entry.file_name();
            let name =
                name.to_str().with_context(|| format!("{}: the name is no text", entry.path().display()))?;
            let inside = format!("{path}/{name}");
            if entry.file_type().with_context(reading)?.is_symlink() {
                let target = fs::read_link(entry.path()).with_context(reading)?;
                self.insert(&inside, Node::Link(target.to_string_lossy().into_owned()))?;
            } else {
                self.add(&inside, &entry.path())?;
            }
        }
        Ok(())
    }

    /// The path without `.`, `..` and links in all but its last part, and without a leading `/`.
    fn resolve(&self, path: &str) -> Result<String> {
        let mut done: Vec<String> = Vec::new();
        let mut left: Vec<String> = parts(path).rev().collect();
        ensure!(!left.is_empty(), "'{path}' names no file");
        let mut links = 0;
        while let Some(part) = left.pop() {
            if part == ".." {
                done.pop();
                continue;
            }
            done.push(part);
            let Some(Node::Link(target)) = self.nodes.get(&done.join("/")) else { continue };
            if left.is_empty() {
                break;
            }
            links += 1;
            ensure!(links <= MAX_LINKS, "'{path}' goes round in circles");
            done.pop();
            if target.starts_with('/') {
                done.clear();
            }
            left.extend(parts(target).rev());
        }
        Ok(done.join("/"))
    }
}

fn parts(path: &str) -> impl DoubleEndedIterator<Item = String> {
    path.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &str) -> Node {
        Node::File { content: content.into(), mode: 0o644 }
    }

    fn paths(tree: &Tree) -> Vec<&str> {
        tree.iter().map(|(path, _)| path).collect()
    }

    #[test]
    fn parents_come_by_themselves_and_first() {
        let mut tree = Tree::default();
        tree.insert("/a/b/c", file("")).unwrap();
        tree.insert("a/./b", Node::Folder).unwrap();
        assert_eq!(paths(&tree), ["a", "a/b", "a/b/c"]);
        assert!(tree.insert("a/b", file("")).is_err(), "a file in place of a full folder");
        assert!(tree.insert("/", Node::Folder).is_err());
    }

    #[test]
    fn links_to_folders_are_followed() {
        let mut tree = Tree::default();
        tree.insert("bin", Node::Folder).unwrap();
        tree.insert("usr/bin", Node::Link("../bin".into())).unwrap();
        tree.insert("opt", Node::Link("/usr".into())).unwrap();
        tree.insert("/opt/bin/tool", file("x")).unwrap();
        assert_eq!(tree.get("bin/tool"), Some(&file("x")));
        assert_eq!(paths(&tree), ["bin", "bin/tool", "opt", "usr", "usr/bin"]);
        // The last part is the link itself: it can be replaced.
        tree.insert("opt", file("y")).unwrap();
        assert_eq!(tree.get("opt"), Some(&file("y")));
    }

    #[test]
    fn links_in_a_circle_are_an_error_not_a_hang() {
        let mut tree = Tree::default();
        tree.insert("a", Node::Link("b".into())).unwrap();
        tree.insert("b", Node::Link("a".into())).unwrap();
        assert!(tree.insert("a/file", file("")).is_err());
    }

    #[test]
    fn a_folder_of_the_host_comes_with_all_that_is_in_it() {
        let host = tempfile::tempdir().unwrap();
        fs::create_dir(host.path().join("sub")).unwrap();
        fs::write(host.path().join("sub/file"), "content").unwrap();
        std::os::unix::fs::symlink("sub/file", host.path().join("link")).unwrap();
        let mut tree = Tree::default();
        tree.add("/there", host.path()).unwrap();
        assert_eq!(paths(&tree), ["there", "there/link", "there/sub", "there/sub/file"]);
        assert_eq!(tree.get("there/link"), Some(&Node::Link("sub/file".into())));
        assert!(tree.add("/there", &host.path().join("nothing")).is_err());
    }
}
