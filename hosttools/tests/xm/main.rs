//! `xm` as a person and as scripts run it, against a server that says what the test wants.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests state expectations")]

mod block;
mod completing;
mod console;
mod create;
mod dump;
mod events;
mod every;
mod faults;
mod listing;
mod managed;
mod migrate;
mod network;
mod pool;
mod relay;
mod resources;
mod saved;
mod sched;
mod security;
mod serve;
mod server;
mod shell;
mod shutdown;
mod suspended;
mod terminal;
mod top;
mod words;
mod world;

use std::process::Output;

/// Exit status, standard output, standard error.
fn parts(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}
