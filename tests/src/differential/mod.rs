//! The same sessions on two stores: Debian's C xenstored, and this project's server.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`store`] | what a session can do to a store, and one client's connection to it |
//! | [`page`] | a ring page that two processes share |
//! | [`mod@reference`] | C xenstored as a process, with Xen played by `shim.c` |
//! | [`subject`] | this project's server in this process |
//! | [`session`] | random sessions |
//! | [`compare`], [`known`] | both in lockstep, and the differences that are known |
//!
//! C xenstored needs of Xen only event channels, one page per domain and the question whether a domain lives. A
//! preloaded library gives it those from files, so it runs on any machine and serves domains over real rings.

mod choices;
pub mod compare;
pub mod known;
pub mod page;
pub mod reference;
pub mod session;
mod side;
pub mod store;
pub mod subject;
