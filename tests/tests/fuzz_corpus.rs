//! The fuzz targets on the kept corpus and on seeded mutations of it.
//!
//! `XENDLESS_FUZZ` multiplies the mutations; `ci/fuzz` is the place for long runs.

use std::path::PathBuf;
use std::{env, fs};

use fastrand::Rng;
use xendless_tests::fuzzing::{TARGETS, Target};

fn corpus(target: &Target) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus")).join(target.name);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut inputs: Vec<_> =
        files.map(|file| file.unwrap().path()).map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    inputs.sort();
    assert!(!inputs.is_empty(), "{} is empty", folder.display());
    inputs
}

/// Changes, inserts, removes, repeats; what a fuzzer does first.
fn mutate(rng: &mut Rng, input: &mut Vec<u8>, other: &[u8], max_len: usize) {
    for _ in 0..rng.usize(1..5) {
        let at = rng.usize(..=input.len());
        match rng.u8(..6) {
            0 => input.insert(at, rng.u8(..)),
            1 if at < input.len() => drop(input.remove(at)),
            2 if at < input.len() => input[at] = rng.u8(..),
            3 if at < input.len() => input[at] ^= 1 << rng.u8(..8),
            4 => input.truncate(at),
            _ => input.splice(at..at, other[rng.usize(..=other.len())..].iter().copied()).for_each(drop),
        }
    }
    input.truncate(max_len);
}

#[test]
fn the_corpus_and_what_is_near_it_harm_nothing() {
    let more: usize = env::var("XENDLESS_FUZZ").map_or(1, |value| value.parse().unwrap());
    for target in &TARGETS {
        let corpus = corpus(target);
        for (path, input) in &corpus {
            println!("{}", path.display());
            (target.run)(input);
        }
        let mut rng = Rng::with_seed(1);
        for round in 0..target.tries * more {
            let mut input = corpus[rng.usize(..corpus.len())].1.clone();
            let other = &corpus[rng.usize(..corpus.len())].1;
            mutate(&mut rng, &mut input, other, target.max_len);
            println!("{} round {round}", target.name);
            (target.run)(&input);
        }
    }
}
