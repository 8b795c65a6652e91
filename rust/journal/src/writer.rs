//! Putting batches on the disk: the synchronous half of the writer, without thread or clock.

use std::path::PathBuf;
use std::sync::Arc;

use clets_defect::{self as defect, Defect};

use crate::error::Error;
use crate::index::{Index, Place};
use crate::record::{self, number_at};
use crate::segment::{self, Header, RECORDS_AT};
use crate::storage::{Handle, PAGE_BYTES, Storage, write_all};
use crate::tree::Tree;

/// Encoded, not yet sealed records that are kept or lost together.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) bytes: Vec<u8>,
    pub(crate) records: usize,
}

/// The segment that takes the next batch.
pub(crate) struct Current {
    pub(crate) file: Box<dyn Handle>,
    pub(crate) header: Header,
    pub(crate) offset: u64,
}

/// Writes batches in order. After the first failure it must not be used again: the kernel may have
/// dropped the pages of a failed sync, so a second one would succeed and prove nothing.
pub(crate) struct Writer {
    storage: Arc<dyn Storage>,
    dir: PathBuf,
    current: Option<Current>,
    tree: Tree,
    next_segment: u64,
    index: Arc<Index>,
    buffer: Vec<u8>,
}

impl Writer {
    pub(crate) fn new(
        storage: Arc<dyn Storage>,
        dir: PathBuf,
        current: Option<Current>,
        tree: Tree,
        next_segment: u64,
        index: Arc<Index>,
    ) -> Self {
        Self { storage, dir, current, tree, next_segment, index, buffer: Vec::new() }
    }

    /// Writes `batches` as one and syncs. Once this returns they are durable; [`Writer::account`]
    /// must follow before the next write. `prepared` gives the segment of the number it is asked
    /// for.
    pub(crate) fn write(
        &mut self,
        batches: &[Batch],
        prepared: &mut dyn FnMut(u64) -> Result<Box<dyn Handle>, Error>,
    ) -> Result<(), Error> {
        self.buffer.clear();
        for batch in batches {
            self.buffer.extend_from_slice(&batch.bytes);
        }
        let records: usize = batches.iter().map(|batch| batch.records).sum();
        let room = |current: &Current| current.header.length.saturating_sub(current.offset);
        if self.current.as_ref().is_none_or(|current| room(current) < self.buffer.len() as u64) {
            self.roll(prepared)?;
        }
        let Some(current) = &mut self.current else {
            return Ok(());
        };
        // `append` and `take` have held the count to what the field can say.
        let count = u16::try_from(records).unwrap_or(u16::MAX);
        record::seal(&mut self.buffer, count, record::seed(current.header.salt));
        debug_assert_eq!(number_at::<u64, 8>(&self.buffer, 12), Some(self.tree.size()));
        let failed = || Error::write(segment::path(&self.dir, current.header.segment));
        // To the end of a page, where there are zeros already: what is written in part would have
        // to be read first.
        let length = self.buffer.len();
        let end = (current.offset + length as u64).next_multiple_of(PAGE_BYTES as u64);
        let padded = end.min(current.header.length).saturating_sub(current.offset);
        self.buffer.resize(length.max(usize::try_from(padded).unwrap_or(0)), 0);
        let written = write_all(&*current.file, &self.buffer, current.offset);
        self.buffer.truncate(length);
        written.map_err(failed())?;
        if !defect::has(Defect::WriteUnsynced) {
            current.file.sync().map_err(failed())?;
        }
        current.offset += self.buffer.len() as u64;
        self.index.extend(Place {
            segment: current.header.segment,
            number: self.tree.size() + records as u64,
            offset: current.offset,
        });
        Ok(())
    }

    /// Takes what was written last into the tree. Apart from `write`, so that those who wait for
    /// the fsync need not wait for the hashing too.
    pub(crate) fn account(&mut self) {
        for leaf in record::leaves(&self.buffer) {
            self.tree.push(leaf);
        }
        self.buffer.clear();
    }

    /// How much of the segment in use is written, thousandths.
    pub(crate) fn used_permille(&self) -> u64 {
        let used = |it: &Current| 1000 * it.offset / it.header.length.max(1);
        self.current.as_ref().map_or(1000, used)
    }

    pub(crate) fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Begins the next segment: its header is durable before any record is written behind it.
    fn roll(
        &mut self,
        prepared: &mut dyn FnMut(u64) -> Result<Box<dyn Handle>, Error>,
    ) -> Result<(), Error> {
        let segment = self.next_segment;
        let file = prepared(segment)?;
        let failed = || Error::write(segment::path(&self.dir, segment));
        let mut salt = [0; 4];
        self.storage.random(&mut salt).map_err(failed())?;
        let header = Header {
            salt: u32::from_be_bytes(salt),
            segment,
            length: file.length().map_err(failed())?,
            before: self.tree.clone(),
        };
        write_all(&*file, &header.encode(), 0).map_err(failed())?;
        file.sync().map_err(failed())?;
        self.index.begin(segment, header.first());
        self.current = Some(Current { file, header, offset: RECORDS_AT });
        self.next_segment += 1;
        Ok(())
    }
}
