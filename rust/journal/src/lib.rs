//! The journal: a durable, tamper-evident log of records that the switch may rely on.
//!
//! Records are numbered from 0 without gaps, written in batches to preallocated segment files and
//! counted durable only after an fsync. Over all of them stands an RFC 6962 Merkle tree whose head
//! is signed at intervals, so that the log can be proved unchanged years later by tools we did not
//! write. The bytes on disk are specified in `docs/internals/journal-format.md`.
//!
//! What a record means is not the journal's business: it sees a kind, a time and bytes.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! use clets_journal::{Journal, Options};
//! let options = Options { origin: "clets.example/switch".into(), ..Options::default() };
//! let (mut journal, recovery) = Journal::open(dir.path(), options, Box::new(|| {}))?;
//! for record in recovery {
//!     record?; // what earlier runs made durable, in order
//! }
//! let number = journal.append(1, 1_700_000_000_000_000, b"body")?;
//! journal.submit()?; // the writer thread now makes it durable, then calls the closure
//! journal.close()?;
//! assert_eq!(clets_journal::verify(dir.path())?.records, number + 1);
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod archive;
mod checkpoint;
mod error;
mod index;
mod journal;
mod keeper;
mod note;
mod reader;
mod record;
mod recovery;
mod reserve;
mod segment;
mod shared;
mod snapshot;
mod storage;
mod tree;
mod verify;
mod walk;
mod worker;
mod writer;

pub use archive::Archive;
pub use error::Error;
pub use journal::{Journal, Options};
pub use note::{Checkpoint, VerifyingKey};
pub use reader::{OwnedRecord, Reader, read, read_from, read_from_on, read_on};
pub use record::BODY_BYTES_MAX;
pub use recovery::Recovery;
pub use segment::SEGMENT_BYTES_MIN;
pub use snapshot::{Snapshot, Snapshots, State};
pub use storage::{Access, Disk, Handle, Space, Storage};
pub use tree::{Hash, Tree, leaf_hash};
pub use verify::{Report, verify, verify_against, verify_on};
