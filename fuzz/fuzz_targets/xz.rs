#![no_main]
//! See `xendless_tests::fuzzing::xz`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| xendless_tests::fuzzing::xz(data));
