//! Snapshots: the caller's state after the records below a number, so that recovery need not read
//! from the beginning.
//!
//! ```text
//! 0   8 bytes   magic "CLETSNAP"
//! 8   u32       format version, 1
//! 12  4 bytes   zeros
//! 16  u64       number: the state is that after every record below it
//! 24  u64       length of the state
//! 32  u64       first record of the segment that holds, or would hold, that number
//! 40  32 bytes  root of the Merkle tree over the records before that segment
//! 72  state
//!     32 bytes  SHA-256 of everything before
//! ```

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::index::Index;
use crate::reader::open_begun;
use crate::record::number_at;
use crate::shared::Shared;
use crate::storage::{Access, Storage, create_fresh, fresh, read_full, write_all};
use crate::tree::Hash;

pub(crate) const SUFFIX: &str = ".snapshot";

const MAGIC: &[u8; 8] = b"CLETSNAP";
const VERSION: u32 = 1;
const HEAD_BYTES: usize = 72;
const SUM_BYTES: usize = 32;
/// How many are kept: one, and one to fall back to when that one is damaged.
const KEPT: usize = 2;
const CHUNK_BYTES: usize = 256 << 10;

/// A caller's state, read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The state is that after every record below this number.
    pub number: u64,
    /// The caller's bytes.
    pub state: Vec<u8>,
}

/// Where snapshots are written, for any thread, beside the writer.
#[derive(Clone)]
pub struct Snapshots {
    storage: Arc<dyn Storage>,
    dir: PathBuf,
    shared: Arc<Shared>,
    index: Arc<Index>,
    /// One at a time.
    writing: Arc<Mutex<()>>,
}

impl Snapshots {
    pub(crate) fn new(
        storage: Arc<dyn Storage>,
        dir: PathBuf,
        shared: Arc<Shared>,
        index: Arc<Index>,
    ) -> Self {
        Self { storage, dir, shared, index, writing: Arc::default() }
    }

    /// Keeps `state` as that after every record below `number`, and of earlier ones only the last.
    /// Once this returns it is on the disk; if it fails, the earlier ones are as they were, and the
    /// journal goes on.
    ///
    /// # Errors
    /// [`Error::Absent`] when not all those records are durable, or the segment they end in was
    /// removed; [`Error::Read`], [`Error::Write`].
    pub fn write(&self, number: u64, state: &[u8]) -> Result<(), Error> {
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let head = Head { number, length: state.len() as u64, base: self.base(number)? };
        let path = path(&self.dir, number);
        let written = self.replace(&path, &head, state);
        if written.is_err() {
            // It may fill a disk that is full; if this fails too, the next opening removes it.
            let _ = self.storage.remove(&fresh(&path));
        }
        written.map_err(Error::write(&path))?;
        for old in list(&*self.storage, &self.dir)?.into_iter().skip(KEPT) {
            let old = self::path(&self.dir, old);
            self.storage.remove(&old).map_err(Error::write(&old))?;
        }
        Ok(())
    }

    /// The newest sound one.
    ///
    /// # Errors
    /// As [`crate::Journal::resume`].
    pub fn newest(&self) -> Result<Option<Snapshot>, Error> {
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        newest(&*self.storage, &self.dir, &self.index, self.shared.durable())
    }

    fn base(&self, number: u64) -> Result<Base, Error> {
        let end = self.shared.durable();
        let first = self.index.first().unwrap_or(0);
        let segment = self.index.segment(number).filter(|_| number <= end);
        let (segment, first) = segment.ok_or(Error::Absent { number, first, end })?;
        let begun = open_begun(&*self.storage, &self.dir, segment)?;
        let (_, header) = begun.ok_or(Error::Absent { number, first, end })?;
        Ok(Base { first, root: header.before.root() })
    }

    fn replace(&self, path: &Path, head: &Head, state: &[u8]) -> io::Result<()> {
        let file = create_fresh(&*self.storage, path, Access::Owner)?;
        let head = head.encode();
        let sum = Sha256::new().chain_update(&head).chain_update(state).finalize();
        let mut offset = 0;
        for piece in [&head, state, sum.as_slice()] {
            write_all(&*file, piece, offset)?;
            offset += piece.len() as u64;
        }
        file.sync()?;
        self.storage.rename(&fresh(path), path)?;
        self.storage.sync_dir(&self.dir)
    }
}

/// What ties a snapshot to its journal: the tree before the segment in which its records end.
#[derive(Debug)]
struct Base {
    first: u64,
    root: Hash,
}

#[derive(Debug)]
struct Head {
    number: u64,
    length: u64,
    base: Base,
}

impl Head {
    fn encode(&self) -> Vec<u8> {
        let mut head = Vec::with_capacity(HEAD_BYTES);
        head.extend_from_slice(MAGIC);
        head.extend_from_slice(&VERSION.to_be_bytes());
        head.extend_from_slice(&[0; 4]);
        for field in [self.number, self.length, self.base.first] {
            head.extend_from_slice(&field.to_be_bytes());
        }
        head.extend_from_slice(&self.base.root);
        head
    }

    fn parse(head: &[u8]) -> Option<Self> {
        let base = Base { first: number_at(head, 32)?, root: *head.get(40..)?.first_chunk()? };
        let parsed = Self { number: number_at(head, 16)?, length: number_at(head, 24)?, base };
        (parsed.encode() == head).then_some(parsed)
    }
}

/// The newest snapshot that is sound and of this journal, of which `records` were found. `None`
/// when there is none and the records begin at 0.
///
/// Errors: [`Error::Damaged`] when neither a snapshot nor the first record is there to begin with,
/// or when a sound snapshot says that more records had been durable.
pub(crate) fn newest(
    storage: &dyn Storage,
    dir: &Path,
    index: &Index,
    records: u64,
) -> Result<Option<Snapshot>, Error> {
    let gone = |number, what| Error::Damaged { segment: 0, offset: 0, number, what };
    for number in list(storage, dir)? {
        let mut state = Vec::new();
        // One that cannot be read is as good as damaged: the one before it will do.
        let sound = sound(storage, dir, number, &mut |bytes| state.extend_from_slice(bytes));
        let Some(base) = sound.ok().flatten() else { continue };
        if !belongs(storage, dir, index, &base) {
            continue;
        }
        if number > records {
            return Err(gone(records, "records that a snapshot covers are gone"));
        }
        return Ok(Some(Snapshot { number, state }));
    }
    match index.first() {
        None | Some(0) => Ok(None),
        Some(_) => Err(gone(0, "it was removed, and no sound snapshot covers it")),
    }
}

/// Records below this number are covered by two sound snapshots: should the newer one be damaged
/// later, the older one must still find the records behind it.
pub(crate) fn covered(storage: &dyn Storage, dir: &Path, index: &Index) -> Result<u64, Error> {
    let mut bases = Vec::new();
    for number in list(storage, dir)? {
        let sound = sound(storage, dir, number, &mut |_| {}).ok().flatten();
        bases.extend(sound.filter(|base| belongs(storage, dir, index, base)));
    }
    // The segment that its base is the beginning of stays, so that it can be held against it.
    Ok(bases.get(KEPT - 1).map_or(0, |base| base.first))
}

/// Numbers of the snapshot files, newest first.
fn list(storage: &dyn Storage, dir: &Path) -> Result<Vec<u64>, Error> {
    let names = storage.list(dir).map_err(Error::read(dir))?;
    let digits = names.iter().filter_map(|name| name.strip_suffix(SUFFIX));
    let digits = digits.filter(|digits| digits.len() == 20);
    let mut numbers: Vec<u64> = digits.filter_map(|digits| digits.parse().ok()).collect();
    numbers.sort_unstable_by(|a, b| b.cmp(a));
    Ok(numbers)
}

/// Reads one through, giving its state to `take` piece by piece; `None` when it is not what was
/// written.
fn sound(
    storage: &dyn Storage,
    dir: &Path,
    number: u64,
    take: &mut dyn FnMut(&[u8]),
) -> io::Result<Option<Base>> {
    let file = storage.open(&path(dir, number), false)?;
    let length = file.length()?;
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut head = [0; HEAD_BYTES];
    read_full(&*file, &mut head, 0)?;
    let whole = (HEAD_BYTES + SUM_BYTES) as u64;
    let Some(parsed) = Head::parse(&head).filter(|parsed| {
        parsed.number == number && parsed.length.checked_add(whole) == Some(length)
    }) else {
        return Ok(None);
    };
    let mut hasher = Sha256::new_with_prefix(head);
    let mut sum = [0; SUM_BYTES];
    let sum_at = length - SUM_BYTES as u64;
    let mut offset = HEAD_BYTES as u64;
    while offset < sum_at {
        let wanted = usize::try_from(sum_at - offset).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
        let part = chunk.get_mut(..wanted).unwrap_or_default();
        if read_full(&*file, part, offset)? != wanted {
            return Ok(None);
        }
        hasher.update(&*part);
        take(part);
        offset += wanted as u64;
    }
    read_full(&*file, &mut sum, sum_at)?;
    Ok((<[u8; SUM_BYTES]>::from(hasher.finalize()) == sum).then_some(parsed.base))
}

/// Whether the journal has the tree that the snapshot was made upon.
fn belongs(storage: &dyn Storage, dir: &Path, index: &Index, base: &Base) -> bool {
    let segment = index.segment(base.first).filter(|(_, first)| *first == base.first);
    let begun = segment.and_then(|(segment, _)| open_begun(storage, dir, segment).ok().flatten());
    begun.is_some_and(|(_, header)| header.before.root() == base.root)
}

fn path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:020}{SUFFIX}"))
}
