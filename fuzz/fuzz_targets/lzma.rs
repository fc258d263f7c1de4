#![no_main]
//! See `xendless_tests::fuzzing::lzma`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| xendless_tests::fuzzing::lzma(data));
