#![no_main]
//! See `xendless_tests::fuzzing::bzip2`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| xendless_tests::fuzzing::bzip2(data));
