//! From the files a crash left to a journal that can go on, and the records it holds.

use std::io;
use std::path::Path;
use std::sync::Arc;

use clets_defect::{self as defect, Defect};

use crate::error::Error;
use crate::index::{Index, MARK_BYTES, Place};
use crate::note::Checkpoint;
use crate::reader::{OwnedRecord, Reader, damaged, open_begun, read_from_on, read_on};
use crate::reserve::RESERVE_FILE;
use crate::segment::{self, RECORDS_AT};
use crate::shared::Shared;
use crate::snapshot;
use crate::storage::{Handle, Storage, write_all};
use crate::tree::Tree;
use crate::walk::{Tail, Walk};
use crate::writer::Current;

const LOCK_FILE: &str = "lock";

/// Every record that an opened journal holds, or those behind its snapshot, in order, each check
/// sum checked again. The journal takes no append before this has given its last record; if it
/// gives an error, it never will.
pub struct Recovery {
    reader: Reader,
    records: u64,
    shared: Arc<Shared>,
    index: Arc<Index>,
    marked: Option<Place>,
}

impl Recovery {
    pub(crate) fn new(
        storage: Arc<dyn Storage>,
        dir: &Path,
        from: Option<u64>,
        records: u64,
        shared: Arc<Shared>,
        index: Arc<Index>,
    ) -> Result<Self, Error> {
        let reader = match from {
            Some(from) => read_from_on(storage, dir, from)?,
            None => read_on(storage, dir)?,
        };
        Ok(Self { reader, records, shared, index, marked: None })
    }

    /// Number of the record behind the last one: what the journal appends next.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Remembers where records stand, for who asks for them by number.
    fn mark(&mut self) {
        let near = |marked: Place, place: Place| {
            marked.segment == place.segment && place.offset - marked.offset < MARK_BYTES
        };
        if let Some(place) = self.reader.place()
            && self.marked.is_none_or(|marked| !near(marked, place))
        {
            self.index.mark(place);
            self.marked = Some(place);
        }
    }

    fn at_end(&self) -> bool {
        self.records == 0 || self.reader.next_number() == Some(self.records)
    }
}

impl Iterator for Recovery {
    type Item = Result<OwnedRecord, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        // Before the next read, which would see what is appended later.
        if self.at_end() {
            self.shared.recovered();
            return None;
        }
        let error = match self.reader.next() {
            Some(Ok(record)) => {
                self.mark();
                return Some(Ok(record));
            }
            Some(Err(error)) => error,
            None if self.at_end() => {
                self.shared.recovered();
                return None;
            }
            // Told already.
            None if self.shared.failure().is_some() => return None,
            None => {
                let number = self.reader.next_number().unwrap_or(0);
                let what = "the records end too early";
                Error::Damaged { segment: 0, offset: 0, number, what }
            }
        };
        self.shared.fail(error.clone());
        Some(Err(error))
    }
}

/// What recovery found.
pub(crate) struct Found {
    pub(crate) tree: Tree,
    pub(crate) current: Option<Current>,
    pub(crate) next_segment: u64,
}

/// Takes the directory for this writer alone.
pub(crate) fn lock(storage: &dyn Storage, dir: &Path) -> Result<Box<dyn Send>, Error> {
    let path = dir.join(LOCK_FILE);
    storage.lock(&path).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => Error::InUse { dir: dir.display().to_string() },
        _ => Error::write(&path)(error),
    })
}

/// Removes files that never got their final name.
pub(crate) fn sweep(storage: &dyn Storage, dir: &Path) -> Result<(), Error> {
    for name in storage.list(dir).map_err(Error::read(dir))? {
        let ours = name.starts_with("checkpoint")
            || name.starts_with(RESERVE_FILE)
            || name.contains(segment::SUFFIX)
            || name.contains(snapshot::SUFFIX);
        if ours && name.ends_with(".new") {
            let path = dir.join(name);
            storage.remove(&path).map_err(Error::write(&path))?;
        }
    }
    Ok(())
}

/// Finds the end of the journal, holds it against the last checkpoint, and only then changes
/// anything: cuts a torn tail, writes the last batch again, removes unused segments.
pub(crate) fn recover(
    storage: &dyn Storage,
    dir: &Path,
    checkpoint: Option<&Checkpoint>,
    index: &Index,
) -> Result<Found, Error> {
    let segments = segment::list(storage, dir)?;
    let mut begun = None;
    let mut unused = Vec::new();
    for segment in &segments {
        match open_begun(storage, dir, *segment)? {
            Some((_, header)) if unused.is_empty() => {
                index.begin(*segment, header.first());
                begun = Some(header);
            }
            Some(_) => {
                let what = "a segment was begun before the one in front of it";
                return Err(Error::Damaged { segment: *segment, offset: 0, number: 0, what });
            }
            None => unused.push(*segment),
        }
    }
    let Some(header) = begun else {
        covered(&Tree::default(), checkpoint, 0, 0)?;
        remove(storage, dir, &unused)?;
        let next_segment = segments.first().copied().unwrap_or(0);
        return Ok(Found { tree: Tree::default(), current: None, next_segment });
    };
    let path = segment::path(dir, header.segment);
    let file = storage.open(&path, true).map_err(Error::read(&path))?;
    let mut walk = Walk::new(file, header);
    let (tree, last) = replay(&mut walk, checkpoint).map_err(|fault| match fault {
        Fault::Journal(error) => error,
        Fault::Storage(error) => Error::read(&path)(error),
    })?;
    let tail = walk.tail().map_err(Error::read(&path))?;
    if tail == Tail::Later && !defect::has(Defect::DamageCut) {
        return Err(damaged(&walk, "a sound record follows a bad one"));
    }
    covered(&tree, checkpoint, walk.header.segment, walk.offset)?;
    let end = walk.place();
    let current = settle(walk, last, tail).map_err(Error::write(&path))?;
    index.extend(end);
    remove(storage, dir, &unused)?;
    let next_segment = current.header.segment + 1;
    Ok(Found { tree, current: Some(current), next_segment })
}

enum Fault {
    Journal(Error),
    Storage(io::Error),
}

/// Rebuilds the tree over the last segment; gives it and where the last batch begins.
fn replay(walk: &mut Walk, checkpoint: Option<&Checkpoint>) -> Result<(Tree, u64), Fault> {
    let mut tree = walk.header.before.clone();
    let mut last = walk.offset;
    same_root(&tree, checkpoint).map_err(Fault::Journal)?;
    loop {
        let start = walk.offset;
        let Some(batch) = walk.batch().map_err(Fault::Storage)? else {
            break;
        };
        last = start;
        for record in batch {
            tree.push(record.leaf_hash());
            same_root(&tree, checkpoint).map_err(Fault::Journal)?;
        }
    }
    Ok((tree, last))
}

fn same_root(tree: &Tree, checkpoint: Option<&Checkpoint>) -> Result<(), Error> {
    match checkpoint {
        Some(checkpoint) if checkpoint.size == tree.size() && checkpoint.root != tree.root() => {
            Err(Error::checkpoint(format!("the root at size {} is another", tree.size())))
        }
        _ => Ok(()),
    }
}

/// A signed record was durable. If it is not there any more, this is no torn tail.
fn covered(
    tree: &Tree,
    checkpoint: Option<&Checkpoint>,
    segment: u64,
    offset: u64,
) -> Result<(), Error> {
    match checkpoint {
        Some(checkpoint) if checkpoint.size > tree.size() => {
            let what = "records that a checkpoint covers are gone";
            Err(Error::Damaged { segment, offset, number: tree.size(), what })
        }
        _ => Ok(()),
    }
}

/// Makes the end sound: zeros behind it, and everything before it truly on the disk.
///
/// After a failed sync the kernel may show pages that never reached the disk, and call them clean.
/// Only the header and the last batch can be such, so both are written again and synced.
fn settle(mut walk: Walk, last: u64, tail: Tail) -> io::Result<Current> {
    let end = walk.offset;
    let bytes = walk.bytes(last, end)?;
    let header = walk.header.clone();
    let file = walk.into_file();
    if let Tail::Torn(torn) = tail {
        erase(&*file, end, torn)?;
    }
    write_all(&*file, &header.encode(), 0)?;
    if !defect::has(Defect::LastBatchNotRewritten) {
        write_all(&*file, &bytes, last)?;
    }
    file.sync()?;
    debug_assert!(last >= RECORDS_AT);
    Ok(Current { file, header, offset: end })
}

fn erase(file: &dyn Handle, mut from: u64, to: u64) -> io::Result<()> {
    let zeros = vec![0; 64 << 10];
    while from < to {
        let bytes = usize::try_from(to - from).unwrap_or(zeros.len()).min(zeros.len());
        write_all(file, zeros.get(..bytes).unwrap_or(&zeros), from)?;
        from += bytes as u64;
    }
    Ok(())
}

/// Removes segments prepared and never begun; new ones are made at the length now asked for.
fn remove(storage: &dyn Storage, dir: &Path, segments: &[u64]) -> Result<(), Error> {
    // From the end, so that a crash in between leaves no hole.
    for segment in segments.iter().rev() {
        let path = segment::path(dir, *segment);
        storage.remove(&path).map_err(Error::write(&path))?;
    }
    // Also makes durable what an earlier run renamed without coming to its own sync.
    storage.sync_dir(dir).map_err(Error::write(dir))
}
