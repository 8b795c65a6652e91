//! Reading records in order, also beside a writer that goes on.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::vec;

use crate::error::Error;
use crate::index::Place;
use crate::record::Record;
use crate::segment::{self, Header, Page, RECORDS_AT, SEGMENT_BYTES_MIN};
use crate::storage::{Disk, Handle, Storage};
use crate::tree::{Hash, leaf_hash};
use crate::walk::{Batch, Tail, Walk, blank_from};

/// A record read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedRecord {
    /// Its number: from 0, without gaps.
    pub number: u64,
    /// What the caller called it.
    pub kind: u8,
    /// Microseconds since 1970-01-01 UTC, as the caller gave it.
    pub time_us: i64,
    /// The caller's bytes.
    pub body: Vec<u8>,
}

/// Records in order. `None` means the end for now: beside a living writer, asking again later gives
/// what was written meanwhile, which may be ahead of the fsync by one batch. After damage every
/// further call gives `None`.
pub struct Reader {
    storage: Arc<dyn Storage>,
    dir: PathBuf,
    walk: Option<Walk>,
    ready: vec::IntoIter<OwnedRecord>,
    /// Records below this are passed over; `None` begins with the first there is.
    from: Option<u64>,
    /// The end that was last judged in full: segment and offset. Polling the same end again stays
    /// cheap.
    judged: Option<(u64, u64)>,
    torn: bool,
    stopped: bool,
}

/// Reads the journal in `dir` without locking it.
///
/// # Errors
/// [`Error::Read`] when the directory cannot be read, [`Error::Damaged`] when a segment is missing.
pub fn read(dir: &Path) -> Result<Reader, Error> {
    read_on(Arc::new(Disk), dir)
}

/// [`read`] on another storage.
///
/// # Errors
/// As [`read`].
pub fn read_on(storage: Arc<dyn Storage>, dir: &Path) -> Result<Reader, Error> {
    begin(storage, dir, None)
}

/// Reads the journal in `dir` from record `number` on, without locking it and without touching the
/// segments before. A record that was removed is an error ([`Error::Absent`]) at the first read;
/// one that does not exist yet is waited for like any other.
///
/// # Errors
/// As [`read`].
pub fn read_from(dir: &Path, number: u64) -> Result<Reader, Error> {
    read_from_on(Arc::new(Disk), dir, number)
}

/// [`read_from`] on another storage.
///
/// # Errors
/// As [`read`].
pub fn read_from_on(storage: Arc<dyn Storage>, dir: &Path, number: u64) -> Result<Reader, Error> {
    begin(storage, dir, Some(number))
}

fn begin(storage: Arc<dyn Storage>, dir: &Path, from: Option<u64>) -> Result<Reader, Error> {
    segment::list(&*storage, dir)?;
    Ok(Reader {
        storage,
        dir: dir.to_path_buf(),
        walk: None,
        ready: Batch::new().into_iter(),
        from,
        judged: None,
        torn: false,
        stopped: false,
    })
}

impl Reader {
    /// Whether the last end seen had pieces of an unfinished batch behind it: a torn tail, or a
    /// write that was under way just then.
    pub fn torn_tail(&self) -> bool {
        self.torn
    }

    /// The next record.
    fn next_record(&mut self) -> Result<Option<OwnedRecord>, Error> {
        loop {
            if let Some(record) = self.ready.next() {
                if self.from.is_some_and(|from| record.number < from) {
                    continue;
                }
                return Ok(Some(record));
            }
            if self.stopped {
                return Ok(None);
            }
            match self.advance() {
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(error) => {
                    self.stopped = true;
                    return Err(error);
                }
            }
        }
    }

    /// Number of the record to come, once a segment was entered.
    pub(crate) fn next_number(&self) -> Option<u64> {
        self.walk.as_ref().map(|walk| walk.number - self.ready.len() as u64)
    }

    /// Where the batch behind the one being read begins, once a segment was entered.
    pub(crate) fn place(&self) -> Option<Place> {
        self.walk.as_ref().map(Walk::place)
    }

    /// The header of the segment being read, once one is.
    pub(crate) fn header(&self) -> Option<&Header> {
        self.walk.as_ref().map(|walk| &walk.header)
    }

    /// One step: another batch is ready or another segment entered, or nothing more is there.
    fn advance(&mut self) -> Result<bool, Error> {
        let Some(walk) = &mut self.walk else {
            return self.enter_first();
        };
        let failed = Error::read(segment::path(&self.dir, walk.header.segment));
        match step(walk, &mut self.judged) {
            Err(error) => Err(failed(error)),
            Ok(Step::Batch(batch)) => {
                self.ready = batch.into_iter();
                self.torn = false;
                Ok(true)
            }
            Ok(Step::Damaged) => Err(damaged(walk, "a sound record follows a bad one")),
            Ok(Step::End { torn }) => {
                self.torn = torn;
                self.enter_next()
            }
        }
    }

    fn enter_first(&mut self) -> Result<bool, Error> {
        loop {
            let segments = segment::list(&*self.storage, &self.dir)?;
            let Some(oldest) = segments.first().copied() else {
                return Ok(false);
            };
            let open = |segment| open_begun(&*self.storage, &self.dir, segment);
            let found = match self.from {
                None => open(oldest)?,
                Some(from) => holding(&segments, from, &open)?,
            };
            let Some((file, header)) = found else {
                // Removed while we looked: what is there now may be begun.
                if segment::list(&*self.storage, &self.dir)?.first() != Some(&oldest) {
                    continue;
                }
                return Ok(false);
            };
            if let Some(number) = self.from.filter(|from| *from < header.first()) {
                return Err(removed(number, header.first()));
            }
            self.walk = Some(Walk::new(file, header));
            return Ok(true);
        }
    }

    /// From the end of one segment into the next, when the next was begun.
    fn enter_next(&mut self) -> Result<bool, Error> {
        let Some(walk) = &mut self.walk else {
            return Ok(false);
        };
        let segment = walk.header.segment;
        let Some((file, header)) = open_begun(&*self.storage, &self.dir, segment + 1)? else {
            // Segments go from the front: if later ones are there, this one and the next were
            // removed while it was read.
            let oldest = segment::list(&*self.storage, &self.dir)?.first().copied();
            if oldest.is_some_and(|oldest| oldest > segment + 1) {
                return Err(removed(walk.number, walk.number));
            }
            return Ok(false);
        };
        // The writer begins a segment only when the one before is finished and synced, so what is
        // there now is final: look again, past anything read ahead before that.
        walk.refresh();
        let failed = || Error::read(segment::path(&self.dir, segment));
        if let Some(batch) = walk.batch().map_err(failed())? {
            self.ready = batch.into_iter();
            return Ok(true);
        }
        if walk.tail().map_err(failed())? != Tail::Clean {
            return Err(damaged(walk, "an older segment has a bad record"));
        }
        if header.first() != walk.number {
            return Err(damaged(walk, "the next segment begins with another record"));
        }
        self.walk = Some(Walk::new(file, header));
        self.torn = false;
        Ok(true)
    }
}

impl Iterator for Reader {
    type Item = Result<OwnedRecord, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_record().transpose()
    }
}

impl OwnedRecord {
    /// Its leaf in the Merkle tree.
    pub(crate) fn leaf_hash(&self) -> Hash {
        let Self { number, kind, time_us, body } = self;
        leaf_hash(&[&number.to_be_bytes(), &time_us.to_be_bytes(), &[*kind], body])
    }
}

impl From<Record<'_>> for OwnedRecord {
    fn from(record: Record<'_>) -> Self {
        Self {
            number: record.number,
            kind: record.kind,
            time_us: record.time_us,
            body: record.body.to_vec(),
        }
    }
}

/// A record that was removed with its segment. Where the journal begins now is seen when it is
/// read again; so far it is known that it is not before `first`.
fn removed(number: u64, first: u64) -> Error {
    Error::Absent { number, first, end: u64::MAX }
}

/// The last begun segment whose first record is not behind `number`, or else the first of all: few
/// headers are read, however many segments there are.
fn holding(
    segments: &[u64],
    number: u64,
    open: &dyn Fn(u64) -> Result<Option<Begun>, Error>,
) -> Result<Option<Begun>, Error> {
    let mut found = None;
    let mut rest = segments;
    while !rest.is_empty() {
        let (before, behind) = rest.split_at(rest.len() / 2);
        let Some((middle, behind)) = behind.split_first() else { break };
        match open(*middle)? {
            Some(begun) if begun.1.first() <= number => {
                found = Some(begun);
                rest = behind;
            }
            _ => rest = before,
        }
    }
    match (found, segments.first()) {
        (None, Some(first)) => open(*first),
        (found, _) => Ok(found),
    }
}

/// An open segment file with its header.
pub(crate) type Begun = (Box<dyn Handle>, Header);

/// Opens a segment when it was begun; `None` when it is missing, blank, or its header never became
/// whole. Its own word must agree with its name and its length.
pub(crate) fn open_begun(
    storage: &dyn Storage,
    dir: &Path,
    segment: u64,
) -> Result<Option<Begun>, Error> {
    let path = segment::path(dir, segment);
    let failed = || Error::read(&path);
    let bad = |what| Error::Damaged { segment, offset: 0, number: 0, what };
    let file = match storage.open(&path, false) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed()(error)),
    };
    match segment::read_page(&*file).map_err(failed())? {
        Page::Begun(header) if header.segment != segment => {
            Err(bad("the header names another segment"))
        }
        Page::Begun(header) if header.length != file.length().map_err(failed())? => {
            Err(bad("the file has not the length its header gives"))
        }
        Page::Begun(header) => Ok(Some((file, header))),
        // A file gets its name at full length.
        Page::Bad | Page::Blank if file.length().map_err(failed())? < SEGMENT_BYTES_MIN => {
            Err(bad("the file is shorter than any segment"))
        }
        // The header is synced before any record is written, so records never stand behind a bad
        // one.
        Page::Bad | Page::Blank if blank_from(&*file, RECORDS_AT).map_err(failed())? => Ok(None),
        Page::Bad | Page::Blank => {
            // A living writer may have begun the segment between the two looks.
            let file = storage.open(&path, false).map_err(failed())?;
            match segment::read_page(&*file).map_err(failed())? {
                Page::Begun(header) if header.segment == segment => Ok(Some((file, header))),
                _ => Err(bad("the header is bad and records follow it")),
            }
        }
    }
}

pub(crate) fn damaged(walk: &Walk, what: &'static str) -> Error {
    Error::Damaged { segment: walk.header.segment, offset: walk.offset, number: walk.number, what }
}

enum Step {
    Batch(Batch),
    Damaged,
    End { torn: bool },
}

fn step(walk: &mut Walk, judged: &mut Option<(u64, u64)>) -> io::Result<Step> {
    if let Some(batch) = walk.batch()? {
        return Ok(Step::Batch(batch));
    }
    walk.refresh();
    let end = (walk.header.segment, walk.offset);
    if *judged == Some(end) && walk.blank_here()? {
        return Ok(Step::End { torn: false });
    }
    let tail = walk.tail()?;
    // Batches are written one after the other. So what looked bad beside a living writer is whole
    // by the time a later one can be seen, and only what stays bad is damage.
    walk.refresh();
    if let Some(batch) = walk.batch()? {
        return Ok(Step::Batch(batch));
    }
    *judged = Some(end);
    Ok(match tail {
        Tail::Clean => Step::End { torn: false },
        Tail::Later => Step::Damaged,
        Tail::Torn(_) => Step::End { torn: true },
    })
}
