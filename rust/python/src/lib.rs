//! The compiled half of `clets_core`: the only crate that knows Python.
//!
//! Python crosses into Rust once per socket read and once per group commit. No object, future or
//! task exists per message; what crosses is a count of bytes, and bytes to write.

mod buffer;
mod bundle;
mod center;
mod clock;
mod convert;
mod frames;
mod journal;
mod memory;
mod message;
mod tables;

use pyo3::prelude::*;

/// The private module; `clets_core` gives its names to the world.
#[pymodule]
mod _core {
    #[pymodule_export]
    use crate::buffer::Intake;
    #[pymodule_export]
    use crate::bundle::{Snapshot, Verdict};
    #[pymodule_export]
    use crate::center::Center;
    #[pymodule_export]
    use crate::frames::{Frame, Framer, frame};
    #[pymodule_export]
    use crate::journal::{Records, journal_records, journal_verify};
    #[pymodule_export]
    use crate::memory::small_pages;
    #[pymodule_export]
    use crate::message::{Message, decode, decode_all, encode};
    #[pymodule_export]
    use crate::tables::{error_codes, message_keys, policy_rules, subject_digest};
}
