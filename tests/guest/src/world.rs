//! What the machine offers a guest.

use xendless_core::shared::Page;

/// A second, in nanoseconds.
pub const SECOND: u64 = 1_000_000_000;

/// The rings that a builder gives a domain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ring {
    /// The console, served by the control domain.
    Console,
    /// XenStore.
    Store,
}

/// The machine, as far as the guest uses it.
pub trait World {
    /// The page of a ring. The initial domain has none.
    fn page(&self, ring: Ring) -> Option<&Page>;

    /// Tells the other end of a ring to look.
    fn notify(&self, ring: Ring);

    /// Waits until the other end of any ring does so, or for this many nanoseconds.
    fn wait(&self, at_most: Option<u64>);

    /// Nanoseconds since some moment.
    fn now(&self) -> u64;

    /// Prints on Xen's own console: what the initial domain has instead of a ring.
    fn print(&self, text: &[u8]);

    /// All memory that we were given, that is mapped, and that we never wrote.
    fn untouched(&self) -> &[Page];

    /// Pages in which the builder left us something, and the byte behind it: from there on they were given empty.
    fn tails(&self) -> [Option<(&Page, usize)>; 3];

    /// Takes back the grant of a ring's page; gives the flags it had.
    fn revoke(&self, ring: Ring) -> Option<u16>;
}
