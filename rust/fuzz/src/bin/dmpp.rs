#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| clets_fuzz::dmpp_stream(data));
