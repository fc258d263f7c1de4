//! The same sessions on two stores: Debian's C xenstored, and this project's server.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`store`] | what a session can do to a store, and one client's connection to it |
//! | [`page`] | a ring page that two processes share |
//! | [`mod@reference`] | C xenstored as a process, with Xen played by `shim.c` |
//!
//! C xenstored needs of Xen only event channels, one page per domain and the question whether a domain lives. A
//! preloaded library gives it those from files, so it runs on any machine and serves domains over real rings.

pub mod compare;
pub mod page;
pub mod reference;
pub mod session;
pub mod store;
pub mod subject;
