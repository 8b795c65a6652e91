#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| clets_fuzz::native_stream(data));
