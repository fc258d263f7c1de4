//! A disk image with the root of a guest in it, made without being root.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::guest;
use super::tree::{Node, Tree};

/// Its size, in MiB.
const SIZE_MIB: u64 = 32;

/// Makes the image in `folder`, packed: most of it is empty. Returns where it is.
pub fn image(folder: &Path) -> Result<PathBuf> {
    let (root, image) = (folder.join("root"), folder.join("disk.img"));
    unfold(&guest::disk_root()?, &root)?;
    let file = fs::File::create(&image)?;
    file.set_len(SIZE_MIB << 20)?;
    // The same files always make the same image.
    let owner = "root_owner=0:0,hash_seed=5e7a6f0e-0c39-4f3d-9c2e-0d6b9f5d7a11";
    let uuid = "5e7a6f0e-0c39-4f3d-9c2e-0d6b9f5d7a12";
    run(Command::new("mke2fs")
        .args(["-q", "-F", "-t", "ext4", "-E", owner, "-U", uuid, "-d"])
        .arg(&root)
        .arg(&image))?;
    run(Command::new("gzip").args(["-1", "-n", "-f"]).arg(&image))?;
    Ok(folder.join("disk.img.gz"))
}

/// Writes a tree to a folder, without devices: the kernel brings its own.
fn unfold(tree: &Tree, folder: &Path) -> Result<()> {
    fs::create_dir(folder)?;
    for (path, node) in tree.iter() {
        let path = folder.join(path);
        match node {
            Node::Folder => fs::create_dir(&path)?,
            Node::Link(target) => symlink(target, &path)?,
            Node::File { content, mode } => {
                fs::write(&path, content)?;
                fs::set_permissions(&path, fs::Permissions::from_mode(*mode))?;
            }
            Node::Device { .. } => {}
        }
    }
    Ok(())
}

fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_owned();
    let program = program.to_string_lossy();
    let status = command.status().with_context(|| format!("starting {program}: is ci/setup done?"))?;
    ensure!(status.success(), "{program}: {status}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_has_the_files_of_its_tree() {
        let folder = tempfile::tempdir().unwrap();
        let mut tree = Tree::default();
        tree.insert("etc/rc", Node::File { content: b"x".to_vec(), mode: 0o755 }).unwrap();
        tree.insert("init", Node::Link("etc/rc".into())).unwrap();
        tree.insert("dev/console", Node::Device { major: 5, minor: 1 }).unwrap();
        let root = folder.path().join("r");
        unfold(&tree, &root).unwrap();
        assert_eq!(fs::read(root.join("init")).unwrap(), b"x");
        assert!(!root.join("dev/console").exists() && root.join("dev").is_dir());
    }
}
