//! The sans-I/O core of xendless, a control plane for the Xen hypervisor.
//!
//! Bytes, events and time come in; bytes, actions and the next wake-up go out. Nothing here issues a
//! hypercall instruction, reads a clock or opens a file, so the same code runs in the control domain, in the
//! simulated hypervisor, in fuzzers and in unit tests.
//!
//! # Layers, lowest first
//!
//! | module | what it is | its rule |
//! | --- | --- | --- |
//! | [`abi`] | Xen's public interface: structures, numbers, names | declared once; sizes and offsets asserted; compared with the C headers by a test |
//! | [`shared`] | memory that another domain can change at any time | the only module with `unsafe`; every byte is read once, into a copy |
//! | [`hyper`] | what the hypervisor can do, as traits that are safe to call | typed arguments, typed errors; no Xen structure in a signature |
//! | [`events`] | pending event channels, in fair rotation, and what each is for | no hypercalls; bounded work per call |
//! | [`timers`] | deadlines that have not come yet | fixed capacity |
//! | [`lines`] | the plain text lines on Xen's console | each is written and read back here and nowhere else |
//! | [`ring`] | byte rings in shared pages | our index is ours alone, the peer's is checked at every look |
//! | [`console`] | every domain's console: history, viewers, the machine's serial line | bounded; who prints too much waits, alone |
//! | [`saved`] | a suspended domain as a stream, and reading one | what is read back is checked by Xen or decides nothing |
//! | [`builder`] | from kernel files to domains that can run | plans are data; kernels are hostile; long work goes in steps |
//! | [`images`] | kernels and ramdisks by content, and kernels unpacked before | one budget of bytes; what is in use stays |
//! | [`store`] | XenStore: protocol and server | bounded; a hostile client harms only itself |
//! | [`config`] | one domain's settings, as they travel to the control domain | cannot hold nonsense; decoding is bounded |
//! | [`rights`] | what a domain may ask of the control domain | each step includes those before it |
//! | [`bundle`] | the boot bundle: what Xen loads beside the control domain, and what is started from it | files are read in place; what it allocates is bounded by its manifest |
//! | [`pools`] | CPU pools: their names, and taking them apart | one hypercall per step |
//! | [`devices`] | what one domain uses and another serves, from the first node to the last | what a guest can write decides nothing; every wait ends |
//! | [`life`] | domains from their configuration to their end | what is made is made whole, what ends leaves nothing |
//! | [`protocol`] | what management domains and the control domain say to each other | types that cannot hold nonsense; decoding is bounded |
//! | [`journal`] | what happened lately, as text | bounded; the oldest goes first |
//! | [`chronicle`] | what happened to domains lately, for those who wait for it | bounded; who comes late learns how much was missed |
//! | [`channel`] | the control rings: requests of management domains | rights are looked at in one place; a broken client is cut off alone |
//! | [`control`] | the control domain at work | one bounded step of each kind of work per turn |
//! | [`boot`] | from Xen's hand-over to a working [`control::Control`] | all or nothing |
//!
//! A module uses only modules above it in this table, and `abi` only through types that cannot hold nonsense.
#![no_std]
#![deny(missing_docs, unsafe_code)]

extern crate alloc;

pub mod abi;
pub mod boot;
pub mod builder;
pub mod bundle;
pub mod channel;
pub mod chronicle;
pub mod config;
pub mod console;
pub mod control;
pub mod devices;
pub mod events;
pub mod hyper;
pub mod images;
pub mod journal;
pub mod life;
pub mod lines;
pub mod pools;
pub mod protocol;
pub mod rights;
pub mod ring;
pub mod saved;
#[expect(unsafe_code, reason = "views a page as words and bytes; every block states the fact it relies on")]
pub mod shared;
pub mod store;
mod table;
pub mod timers;
