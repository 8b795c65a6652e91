#![no_main]

use clets_wire::Dialect;

libfuzzer_sys::fuzz_target!(|data: &[u8]| clets_fuzz::dialect(data, Dialect::NiemOut));
