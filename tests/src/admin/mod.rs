//! The admin domain: a Debian kernel and a root file system in memory, made from what `ci/setup` fetched.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`tree`] | a root file system as a value |
//! | [`cpio`] | the archive that Linux unpacks it from |
//! | [`elf`] | what an ELF file says about itself: libraries a program needs, modules a module needs |
//! | [`kernel`] | Debian's kernels: the plain image, and the modules with those they need |
//! | [`image`] | what is in the admin domain's root |
//! | [`stock`] | Debian's own tools for a dom0, to compare with |
//! | [`guest`] | the guests that a person starts there |
//! | [`bundle`] | boot bundles for tests |
//! | [`domain`] | an admin domain as a value, and the machine that boots it |
//! | [`session`] | commands going in; their output and exit status coming back over the console |
//!
//! The same inputs always give the same bytes, and nothing here needs to be root.

pub mod bundle;
pub mod cpio;
pub mod disk;
pub mod domain;
pub mod elf;
pub mod guest;
pub mod image;
pub mod kernel;
pub mod session;
pub mod stock;
pub mod tree;
