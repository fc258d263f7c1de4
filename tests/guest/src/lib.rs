//! A tiny PV kernel for whole-system tests: a guest that behaves, or attacks, as its command line says.
//!
//! What it does stands here and knows the machine only as a [`World`], so it is tested on any machine against the
//! real XenStore server. The kernel, `main.rs`, is the [`World`] on Xen.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`word`] | the words of the command line |
//! | [`world`] | what the machine offers |
//! | [`console`], [`store`] | lines on our console; XenStore over our ring |
//! | [`honest`] | what well-behaved guests do |
//! | [`attacks`] | what hostile guests do |
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate alloc;

pub mod attacks;
pub mod console;
pub mod honest;
pub mod store;
pub mod word;
pub mod world;

use console::say;
use store::Trouble;
use word::{Ending, Word, words};
use world::World;

/// Does what the words of `command_line` say, one after the other. The ending they came to; without one the domain
/// stays.
pub fn run(world: &impl World, command_line: &[u8]) -> Option<Ending> {
    for word in words(command_line) {
        let Some(word) = word else {
            say!(world, "cannot read the command line: {}", command_line.escape_ascii());
            return Some(Ending::Crash);
        };
        match perform(world, word) {
            Ok(None) => {}
            Ok(ending) => return ending,
            Err(trouble) => say!(world, "{word:?}: {trouble}"),
        }
    }
    None
}

fn perform(world: &impl World, word: Word<'_>) -> Result<Option<Ending>, Trouble> {
    match word {
        Word::Say(text) => say!(world, "{}", text.escape_ascii()),
        Word::Store => honest::store(world)?,
        Word::Mark => honest::mark(world)?,
        Word::TimeStore(count) => honest::time_store(world, count)?,
        Word::Tick(count) => honest::tick(world, count),
        Word::Obey => return honest::obey(world).map(Some),
        Word::End(ending) => return Ok(Some(ending)),
        Word::Hang => loop {
            core::hint::spin_loop();
        },
        Word::StoreIndices => attacks::store::indices(world)?,
        Word::StoreOversize => attacks::store::oversize(world)?,
        Word::StoreHalf => attacks::store::half(world)?,
        Word::StoreWreck => attacks::store::wreck(world)?,
        Word::StoreFlood(count) => attacks::store::flood(world, count)?,
        Word::StoreNeverRead => attacks::store::never_read(world)?,
        Word::GarbageStates => attacks::store::garbage_states(world)?,
        Word::GarbageDisk => attacks::store::garbage_disk(world)?,
        Word::GarbageVif => attacks::store::garbage_vif(world)?,
        Word::IgnoreShutdown => attacks::store::ignore_shutdown(world)?,
        Word::ConsoleFlood(count) => attacks::console::flood(world, count),
        Word::ConsoleIndices => attacks::console::indices(world),
        Word::EventStorm(count) => attacks::event_storm(world, count),
        Word::ReadMemory => attacks::read_memory(world),
        Word::RevokeGrants => attacks::revoke_grants(world),
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
