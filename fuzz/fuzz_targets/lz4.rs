#![no_main]
//! See `xendless_tests::fuzzing::lz4`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| xendless_tests::fuzzing::lz4(data));
