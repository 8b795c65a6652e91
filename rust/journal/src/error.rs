//! What can go wrong, by whose fault, with the numbers of the project's error table (6xx).

use std::io;
use std::path::Path;
use std::sync::Arc;

/// A failure of the journal. Cheap to clone: one failure is told to many askers.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No such record: not yet durable, or removed with an old segment.
    #[error("E604: record {number} is not there: expected one from {first} to below {end}")]
    Absent {
        /// The number asked for.
        number: u64,
        /// Number of the first record there is.
        first: u64,
        /// Number behind the last durable record.
        end: u64,
    },
    /// The open batch cannot take this record; submit the batch, then append again.
    #[error("E601: the open batch is full: submit it before appending more")]
    BatchFull,
    /// A checkpoint, its key or its history does not hold: bad signature, root or form.
    #[error("E603: checkpoint: {what}")]
    Checkpoint {
        /// What does not hold.
        what: String,
    },
    /// Bytes that had been durable are no longer what was written.
    #[error("E602: segment {segment} is damaged at byte {offset}, record {number}: {what}")]
    Damaged {
        /// Number of the segment file.
        segment: u64,
        /// Byte offset in the segment file at which reading stopped.
        offset: u64,
        /// The record number expected there.
        number: u64,
        /// What does not hold.
        what: &'static str,
    },
    /// Another process (or another `Journal` of this one) writes here.
    #[error("E604: journal `{dir}` is in use by another writer")]
    InUse {
        /// The journal's directory.
        dir: String,
    },
    /// Append before the recovery was read to its end: unread records may be damaged.
    #[error("E604: the recovery must be read to its end before the first append")]
    NotRecovered,
    /// An option has no sound meaning.
    #[error("E604: option {what}")]
    Option {
        /// Which option, and what is wrong with it.
        what: String,
    },
    /// More bytes wait for the disk than `Options::waiting_bytes_max` allows.
    #[error("E601: {bytes} bytes already wait for the disk")]
    Overload {
        /// Bytes submitted and not yet durable.
        bytes: usize,
    },
    /// Reading failed.
    #[error("E604: cannot read {what}: {source}")]
    Read {
        /// Which file or directory.
        what: String,
        /// The operating system's word.
        source: Arc<io::Error>,
    },
    /// A body longer than a record may carry.
    #[error("E601: a body of {bytes} bytes is over the limit of {bytes_max}")]
    TooLarge {
        /// Length offered.
        bytes: usize,
        /// Length allowed.
        bytes_max: usize,
    },
    /// Writing or syncing failed. The journal takes nothing more: reopen it to learn what is
    /// durable.
    #[error("E601: cannot write {what}: {source}")]
    Write {
        /// Which file or directory.
        what: String,
        /// The operating system's word.
        source: Arc<io::Error>,
    },
}

impl Error {
    /// The number in the project's error table: 601 write, 602 damage, 603 checkpoint, 604
    /// unusable.
    pub fn code(&self) -> u16 {
        match self {
            Self::BatchFull | Self::Overload { .. } | Self::TooLarge { .. } => 601,
            Self::Checkpoint { .. } => 603,
            Self::Damaged { .. } => 602,
            Self::Absent { .. }
            | Self::InUse { .. }
            | Self::NotRecovered
            | Self::Option { .. }
            | Self::Read { .. } => 604,
            Self::Write { .. } => 601,
        }
    }

    pub(crate) fn checkpoint(what: impl Into<String>) -> Self {
        Self::Checkpoint { what: what.into() }
    }

    /// For `map_err`: a reading failure at `what`.
    pub(crate) fn read(what: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Read {
            what: what.as_ref().display().to_string(),
            source: Arc::new(source),
        }
    }

    /// For `map_err`: a writing failure at `what`.
    pub(crate) fn write(what: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Write {
            what: what.as_ref().display().to_string(),
            source: Arc::new(source),
        }
    }
}
