//! The journal from outside: promises, damage, failing calls and power cuts.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its supporting functions too"
)]

mod archive;
mod basics;
mod damage;
#[expect(dead_code, reason = "the simulation needs more of it")]
mod disk;
mod faults;
mod format;
mod power;
mod retention;
mod script;
