#![no_main]
//! See `xendless_tests::fuzzing::migrations`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| xendless_tests::fuzzing::migrations(data));
