//! A classic dom0: Debian's own tools for Xen in place of xendless, to compare with.

use anyhow::Result;

use super::image::{install_library, install_program, install_tool, text, tools};
use super::tree::{Node, Tree};

/// Memory of the dom0. Each domain that `xl` starts leaves a process that waits for its end.
pub const MEMORY_MIB: u32 = 768;

/// Where Debian keeps the programs, and where these look for each other.
const FOLDER: &str = "usr/lib/xen-4.17/bin";

const PROGRAMS: [&str; 5] = ["xl", "xenstored", "xenconsoled", "xenconsole", "xen-init-dom0"];

/// What the scripts by which `xl` sets up devices want beside busybox, and the packages it is in.
const FOR_SCRIPTS: [(&str, &str); 2] = [("bash", "bin/bash"), ("util-linux", "usr/bin/flock")];

/// Puts them into the root of a dom0, with a script that starts them.
pub fn install(tree: &mut Tree) -> Result<()> {
    for program in PROGRAMS {
        install_tool(tree, &format!("{FOLDER}/{program}"))?;
    }
    // The C library takes it when a thread is cancelled.
    install_library(tree, "libgcc_s.so.1")?;
    for (package, program) in FOR_SCRIPTS {
        install_program(tree, package, program)?;
    }
    tree.add("etc/xen/scripts", &tools()?.join("etc/xen/scripts"))?;
    tree.insert_file("etc/xen/xl.conf", &tools()?.join("etc/xen/xl.conf"))?;
    tree.insert("etc/motd", text(include_str!("stock.motd"), 0o644))?;
    tree.insert(FOLDER, Node::Link("/usr/bin".into()))?;
    tree.insert("etc/init.d/xen", text(include_str!("stock.sh"), 0o755))
}
