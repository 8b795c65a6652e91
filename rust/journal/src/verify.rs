//! Proving a journal: every record, every segment, every checkpoint against the tree.

use std::iter::Peekable;
use std::path::Path;
use std::slice::Iter;
use std::sync::Arc;

use crate::checkpoint::{Extent, Known, load_vkey};
use crate::error::Error;
use crate::note::{Checkpoint, VerifyingKey};
use crate::reader::read_on;
use crate::segment::{self, Header, Page, RECORDS_AT};
use crate::storage::{Disk, Storage};
use crate::tree::{Hash, Tree};
use crate::walk::blank_from;

/// What a verified journal holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The log's name, as its key has it.
    pub origin: String,
    /// Number of the first record still there: 0 unless old segments were removed.
    pub first_number: u64,
    /// Records read.
    pub records: u64,
    /// Segments that hold records or have at least been begun.
    pub segments: u64,
    /// Checkpoints whose signature was checked.
    pub checkpoints: u64,
    /// Records that the latest checkpoint covers.
    pub signed: u64,
    /// Checkpoints among `checkpoints` whose root could not be computed, because they end in
    /// removed segments: of them only the signature was checked.
    pub checkpoints_unproved: u64,
    /// Whether a checkpoint confirms the tree before the first record still there. Always so when
    /// nothing was removed; else false means that the removed part is taken on the header's word.
    pub front_proved: bool,
    /// RFC 6962 root over all records, those removed included.
    pub root: Hash,
    /// Pieces of an unfinished write stand behind the last record; opening will cut them. Beside a
    /// living writer it may just be writing.
    pub torn_tail: bool,
}

/// Verifies the journal in `dir` against the verifier key that lies beside it. Works beside a
/// living writer. Whoever may change the journal may change that key too: an auditor keeps a copy
/// and uses [`verify_against`].
///
/// # Errors
/// [`Error::Damaged`], [`Error::Checkpoint`] or [`Error::Read`], at the first thing that
/// does not hold.
pub fn verify(dir: &Path) -> Result<Report, Error> {
    verify_on(Arc::new(Disk), dir, None)
}

/// [`verify`] with a verifier key kept elsewhere, in the text form of `checkpoint.vkey`.
///
/// # Errors
/// As [`verify`].
pub fn verify_against(dir: &Path, vkey: &str) -> Result<Report, Error> {
    verify_on(Arc::new(Disk), dir, Some(&VerifyingKey::parse(vkey.trim_end())?))
}

/// [`verify`] on another storage.
///
/// # Errors
/// As [`verify`].
pub fn verify_on(
    storage: Arc<dyn Storage>,
    dir: &Path,
    trusted: Option<&VerifyingKey>,
) -> Result<Report, Error> {
    let stored = load_vkey(&*storage, dir)?;
    let key = match (trusted, &stored) {
        (Some(trusted), Some(stored)) if trusted != stored => {
            return Err(Error::checkpoint("the vkey file is not the trusted key"));
        }
        (Some(key), _) | (None, Some(key)) => key,
        (None, None) => return Err(Error::checkpoint("there is no vkey file")),
    };
    // Before the records: what they cover then is surely there, also beside a living writer.
    let known = Known::load(&*storage, dir, key, Extent::All)?;
    let mut reader = read_on(Arc::clone(&storage), dir)?;
    let mut audit = Audit::new(&known.history);
    while let Some(record) = reader.next().transpose()? {
        audit.segment(reader.header())?;
        audit.push(record.leaf_hash())?;
    }
    audit.segment(reader.header())?;
    audit.finish()?;
    let unfinished = unused(&*storage, dir, audit.last)?;
    Ok(Report {
        origin: key.name().to_owned(),
        first_number: audit.first_number,
        records: audit.tree.size() - audit.first_number,
        segments: audit.segments,
        checkpoints: known.history.len() as u64,
        signed: known.history.last().map_or(0, |last| last.size),
        checkpoints_unproved: audit.unproved,
        front_proved: audit.first_number == 0
            || known.history.last().is_some_and(|last| last.size >= audit.first_number),
        root: audit.tree.root(),
        torn_tail: reader.torn_tail() || unfinished,
    })
}

/// The tree grown anew from the records, held against headers and checkpoints on the way.
struct Audit<'a> {
    tree: Tree,
    first_number: u64,
    segments: u64,
    last: Option<u64>,
    unproved: u64,
    checkpoints: Peekable<Iter<'a, Checkpoint>>,
}

impl<'a> Audit<'a> {
    fn new(history: &'a [Checkpoint]) -> Self {
        Self {
            tree: Tree::default(),
            first_number: 0,
            segments: 0,
            last: None,
            unproved: 0,
            checkpoints: history.iter().peekable(),
        }
    }

    /// The segment that the last record came from, or the one begun last.
    fn segment(&mut self, header: Option<&Header>) -> Result<(), Error> {
        let Some(header) = header.filter(|header| Some(header.segment) != self.last) else {
            return Ok(());
        };
        // A segment without records was never left behind, so none is stepped over here; the number
        // of the first record has been held against the one before by the reader.
        if self.last.is_none() {
            self.first_number = header.first();
            self.tree = header.before.clone();
            // Tree heads inside the removed part cannot be computed any more.
            while self.checkpoints.next_if(|next| next.size < header.first()).is_some() {
                self.unproved += 1;
            }
            self.roots()?;
        } else if self.tree != header.before {
            let what = "the header's tree is not that of the records before it";
            return Err(Error::Damaged {
                segment: header.segment,
                offset: 0,
                number: header.first(),
                what,
            });
        }
        self.last = Some(header.segment);
        self.segments += 1;
        Ok(())
    }

    fn push(&mut self, leaf: Hash) -> Result<(), Error> {
        self.tree.push(leaf);
        self.roots()
    }

    /// Every checkpoint of the present size must have the present root.
    fn roots(&mut self) -> Result<(), Error> {
        while let Some(next) = self.checkpoints.next_if(|next| next.size == self.tree.size()) {
            if next.root != self.tree.root() {
                let what = format!("the root at size {} is another", next.size);
                return Err(Error::checkpoint(what));
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Error> {
        if self.last.is_none() {
            self.roots()?;
        }
        if self.checkpoints.peek().is_some() {
            let (segment, number) = (self.last.unwrap_or(0), self.tree.size());
            let what = "records that a checkpoint covers are gone";
            return Err(Error::Damaged { segment, offset: 0, number, what });
        }
        Ok(())
    }
}

/// Segments behind the last one begun must be blank; a header that never became whole can stand in
/// the first of them, and then the answer is true.
fn unused(storage: &dyn Storage, dir: &Path, last: Option<u64>) -> Result<bool, Error> {
    let mut unfinished = false;
    let segments = segment::list(storage, dir)?;
    let next = last.map_or(segments.first().copied().unwrap_or(0), |last| last + 1);
    for segment in segments.into_iter().filter(|segment| *segment >= next) {
        let path = segment::path(dir, segment);
        let failed = || Error::read(&path);
        let file = storage.open(&path, false).map_err(failed())?;
        let page = segment::read_page(&*file).map_err(failed())?;
        let what = match page {
            // A living writer has begun it since.
            Page::Begun(_) if segment == next => continue,
            Page::Begun(_) => "a segment was begun before the one in front of it",
            Page::Bad if segment == next => {
                unfinished = true;
                continue;
            }
            Page::Bad => "the header is bad in a segment never begun",
            Page::Blank if blank_from(&*file, RECORDS_AT).map_err(failed())? => continue,
            Page::Blank => "a segment never begun is not blank",
        };
        return Err(Error::Damaged { segment, offset: 0, number: 0, what });
    }
    Ok(unfinished)
}
