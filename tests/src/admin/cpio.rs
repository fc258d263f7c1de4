//! The archive from which Linux unpacks its first root file system.
//!
//! Source: Linux `Documentation/driver-api/early-userspace/buffer-format.rst` (format "newc").

use anyhow::{Context, Result};

use super::tree::{Node, Tree};

const FOLDER: u32 = 0o040_000;
const FILE: u32 = 0o100_000;
const LINK: u32 = 0o120_000;
const DEVICE: u32 = 0o020_000;

/// Names and contents begin at multiples of this.
const ALIGNMENT: usize = 4;

/// The tree as an archive: everything belongs to root and is as old as time itself.
pub fn archive(tree: &Tree) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for (inode, (path, node)) in (1..).zip(tree.iter()) {
        let (mode, device, content): (u32, _, &[u8]) = match node {
            Node::Folder => (FOLDER | 0o755, (0, 0), &[]),
            Node::File { content, mode } => (FILE | mode, (0, 0), content),
            Node::Link(target) => (LINK | 0o777, (0, 0), target.as_bytes()),
            Node::Device { major, minor } => (DEVICE | 0o600, (*major, *minor), &[]),
        };
        entry(&mut bytes, path, inode, mode, device, content)?;
    }
    entry(&mut bytes, "TRAILER!!!", 0, 0, (0, 0), &[])?;
    Ok(bytes)
}

fn entry(
    bytes: &mut Vec<u8>,
    path: &str,
    inode: u32,
    mode: u32,
    (major, minor): (u32, u32),
    content: &[u8],
) -> Result<()> {
    let size =
        u32::try_from(content.len()).with_context(|| format!("/{path} is too large for an archive"))?;
    let name = u32::try_from(path.len() + 1)?;
    // Owner, group, one link, time, size; the device it is on, the device it is; name, checksum (none).
    let fields = [inode, mode, 0, 0, 1, 0, size, 0, 0, major, minor, name, 0];
    bytes.extend(b"070701");
    bytes.extend(fields.iter().flat_map(|field| format!("{field:08x}").into_bytes()));
    bytes.extend(path.as_bytes());
    bytes.push(0);
    pad(bytes);
    bytes.extend(content);
    pad(bytes);
    Ok(())
}

fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use super::*;

    fn tree() -> Tree {
        let mut tree = Tree::default();
        tree.insert("etc/odd", Node::File { content: b"12345".to_vec(), mode: 0o640 }).unwrap();
        tree.insert("dev/console", Node::Device { major: 5, minor: 1 }).unwrap();
        tree.insert("sbin", Node::Link("bin".into())).unwrap();
        tree
    }

    #[test]
    fn cpio_reads_it_back() {
        let mut cpio = Command::new("cpio")
            .args(["-t", "-v", "-n", "--quiet"])
            .env("TZ", "UTC")
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        cpio.stdin.take().unwrap().write_all(&archive(&tree()).unwrap()).unwrap();
        let output = cpio.wait_with_output().unwrap();
        assert!(output.status.success());
        let listing = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<String> =
            listing.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(
            lines,
            [
                "drwxr-xr-x 1 0 0 0 Jan 1 1970 dev",
                "crw------- 1 0 0 5, 1 Jan 1 1970 dev/console",
                "drwxr-xr-x 1 0 0 0 Jan 1 1970 etc",
                "-rw-r----- 1 0 0 5 Jan 1 1970 etc/odd",
                "lrwxrwxrwx 1 0 0 3 Jan 1 1970 sbin -> bin",
            ]
        );
    }

    #[test]
    fn everything_is_aligned() {
        let bytes = archive(&tree()).unwrap();
        assert!(bytes.len().is_multiple_of(ALIGNMENT));
        let headers = bytes.windows(6).enumerate().filter(|(_, window)| *window == b"070701");
        assert_eq!(headers.clone().count(), 6);
        assert!(headers.clone().all(|(at, _)| at.is_multiple_of(ALIGNMENT)));
    }
}
