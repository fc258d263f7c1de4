#![no_main]
//! See `xendless_tests::fuzzing::saved`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| xendless_tests::fuzzing::saved(data));
