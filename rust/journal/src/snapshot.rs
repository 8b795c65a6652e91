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

use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::index::Index;
use crate::reader::open_begun;
use crate::record::number_at;
use crate::shared::Shared;
use crate::storage::{Access, Handle, Storage, create_fresh, fresh, read_full, write_all};
use crate::tree::Hash;

pub(crate) const SUFFIX: &str = ".snapshot";

const MAGIC: &[u8; 8] = b"CLETSNAP";
const VERSION: u32 = 1;
const HEAD_BYTES: usize = 72;
const SUM_BYTES: usize = 32;
/// How many are kept: one, and one to fall back to when that one is damaged.
const KEPT: usize = 2;
const CHUNK_BYTES: usize = 256 << 10;
/// So much of it is on its way to the disk at a time, for the journal's batches wait behind that.
const UNSYNCED_BYTES: u64 = 2 << 20;

/// A caller's state, to be read back.
pub struct Snapshot {
    /// The state is that after every record below this number.
    pub number: u64,
    file: Box<dyn Handle>,
    head: Head,
}

impl Snapshot {
    /// The caller's bytes, from the disk. The last are given only when all have the sum that was
    /// written; before, that is an error.
    #[must_use]
    pub fn state(&self) -> impl Read {
        BufReader::with_capacity(CHUNK_BYTES, Reading::of(&*self.file, &self.head))
    }
}

/// The state in a file, on the way.
struct Reading<'f> {
    file: &'f dyn Handle,
    hasher: Sha256,
    offset: u64,
    sum_at: u64,
}

impl<'f> Reading<'f> {
    fn of(file: &'f dyn Handle, head: &Head) -> Self {
        let offset = HEAD_BYTES as u64;
        let hasher = Sha256::new_with_prefix(head.encode());
        Self { file, hasher, offset, sum_at: offset + head.length }
    }

    /// Whether what was read has the sum that stands behind it.
    fn is_sound(&self) -> io::Result<bool> {
        let mut sum = [0; SUM_BYTES];
        read_full(self.file, &mut sum, self.sum_at)?;
        Ok(<[u8; SUM_BYTES]>::from(self.hasher.clone().finalize()) == sum)
    }
}

impl Read for Reading<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.sum_at - self.offset).unwrap_or(usize::MAX);
        let wanted = left.min(bytes.len());
        let bytes = bytes.get_mut(..wanted).unwrap_or_default();
        let read = read_full(self.file, bytes, self.offset)?;
        self.hasher.update(bytes.get(..read).unwrap_or_default());
        self.offset += read as u64;
        if read < wanted || (read > 0 && self.offset == self.sum_at && !self.is_sound()?) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the snapshot has changed"));
        }
        Ok(read)
    }
}

/// The state on its way into a file, or only counted where there is none.
struct Writing<'f> {
    file: Option<&'f dyn Handle>,
    hasher: Sha256,
    bytes: Vec<u8>,
    offset: u64,
}

impl<'f> Writing<'f> {
    fn to(file: Option<&'f dyn Handle>) -> Self {
        Self { file, hasher: Sha256::new(), bytes: Vec::with_capacity(CHUNK_BYTES), offset: 0 }
    }

    fn pass_on(&mut self) -> io::Result<()> {
        let begun = self.offset;
        self.offset += self.bytes.len() as u64;
        if let Some(file) = self.file {
            self.hasher.update(&self.bytes);
            write_all(file, &self.bytes, begun)?;
            if begun / UNSYNCED_BYTES != self.offset / UNSYNCED_BYTES {
                file.sync()?;
            }
        }
        self.bytes.clear();
        Ok(())
    }
}

impl Write for Writing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > CHUNK_BYTES {
            self.pass_on()?;
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pass_on()
    }
}

/// Writes a caller's state, the same each time.
pub type State<'s> = dyn Fn(&mut dyn Write) -> io::Result<()> + 's;

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

    /// Keeps what `state` writes as the state after every record below `number`, and of those
    /// before only the last. It is asked twice, first for its length, and must write the same. Once
    /// this returns it is on the disk; if it fails, those before are as they were, and the journal
    /// goes on.
    ///
    /// # Errors
    /// [`Error::Absent`] when not all those records are durable, or the segment they end in was
    /// removed; [`Error::Read`], [`Error::Write`].
    pub fn write(&self, number: u64, state: &State<'_>) -> Result<(), Error> {
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let path = path(&self.dir, number);
        let mut counted = Writing::to(None);
        state(&mut counted).and_then(|()| counted.flush()).map_err(Error::write(&path))?;
        let head = Head { number, length: counted.offset, base: self.base(number)? };
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

    fn replace(&self, path: &Path, head: &Head, state: &State<'_>) -> io::Result<()> {
        let file = create_fresh(&*self.storage, path, Access::Owner)?;
        let mut writing = Writing::to(Some(&*file));
        writing.write_all(&head.encode())?;
        state(&mut writing)?;
        writing.flush()?;
        let sum = writing.hasher.finalize();
        if writing.offset != HEAD_BYTES as u64 + head.length {
            return Err(io::Error::other("the state was written twice and not alike"));
        }
        write_all(&*file, &sum, writing.offset)?;
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
        // One that cannot be read is as good as damaged: the one before it will do.
        let sound = sound(storage, dir, number).ok().flatten();
        let Some(snapshot) = sound.filter(|it| belongs(storage, dir, index, &it.head.base)) else {
            continue;
        };
        if number > records {
            return Err(gone(records, "records that a snapshot covers are gone"));
        }
        return Ok(Some(snapshot));
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
        let base = sound(storage, dir, number).ok().flatten().map(|it| it.head.base);
        bases.extend(base.filter(|base| belongs(storage, dir, index, base)));
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

/// Reads one through; `None` when it is not what was written.
fn sound(storage: &dyn Storage, dir: &Path, number: u64) -> io::Result<Option<Snapshot>> {
    let file = storage.open(&path(dir, number), false)?;
    let mut head = [0; HEAD_BYTES];
    read_full(&*file, &mut head, 0)?;
    let whole = (HEAD_BYTES + SUM_BYTES) as u64;
    let length = Some(file.length()?);
    let head = Head::parse(&head)
        .filter(|it| it.number == number && it.length.checked_add(whole) == length);
    let Some(head) = head else {
        return Ok(None);
    };
    let mut reading = Reading::of(&*file, &head);
    let mut chunk = vec![0; CHUNK_BYTES];
    while reading.offset < reading.sum_at {
        if reading.read(&mut chunk).is_err() {
            return Ok(None);
        }
    }
    let sound = reading.is_sound()?;
    Ok(sound.then_some(Snapshot { number, file, head }))
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
