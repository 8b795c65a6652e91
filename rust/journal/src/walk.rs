//! Walking one segment batch by batch, and judging what lies behind the last good one.

use std::io;

use crate::index::Place;
use crate::reader::OwnedRecord;
use crate::record::{self, ALIGNMENT};
use crate::segment::{Header, RECORDS_AT};
use crate::storage::{Handle, read_full};

/// One segment being read in order.
pub(crate) struct Walk {
    window: Window,
    pub(crate) header: Header,
    seed: u32,
    /// Where the next batch begins.
    pub(crate) offset: u64,
    /// Number of the next record.
    pub(crate) number: u64,
}

/// What is behind the last whole batch of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tail {
    /// Zeros to the end.
    Clean,
    /// A sound record of another batch: what should have been here had been durable before it.
    Later,
    /// At most pieces of the one batch that begins here, up to the given offset: a write that never
    /// came to its end, so nothing of it was ever called durable.
    Torn(u64),
}

/// The records of a whole batch.
pub(crate) type Batch = Vec<OwnedRecord>;

impl Walk {
    pub(crate) fn new(file: Box<dyn Handle>, header: Header) -> Self {
        let seed = record::seed(header.salt);
        let number = header.first();
        Self { window: Window::new(file), header, seed, offset: RECORDS_AT, number }
    }

    /// The batch at `offset`, and a step behind it; `None`, and no step, when none is whole there.
    pub(crate) fn batch(&mut self) -> io::Result<Option<Batch>> {
        let mut batch = Batch::new();
        let mut offset = self.offset;
        let mut count = 1;
        while batch.len() < usize::from(count) {
            let place = batch.len();
            let expected = self.number + place as u64;
            let Some(record) = self.record(offset)? else {
                return Ok(None);
            };
            if usize::from(record.place) != place
                || record.number != expected
                || (place > 0 && record.count != count)
            {
                return Ok(None);
            }
            count = record.count;
            offset += record.bytes as u64;
            batch.push(OwnedRecord::from(record));
        }
        self.offset = offset;
        self.number += batch.len() as u64;
        Ok(Some(batch))
    }

    /// Where the next batch begins.
    pub(crate) fn place(&self) -> Place {
        Place { segment: self.header.segment, number: self.number, offset: self.offset }
    }

    /// Forgets what was read ahead, so that a living writer's newer bytes are seen.
    pub(crate) fn refresh(&mut self) {
        self.window.bytes.clear();
    }

    /// Whether the bytes at `offset` are zeros, without looking further.
    pub(crate) fn blank_here(&mut self) -> io::Result<bool> {
        let bytes = self.window.at(self.offset, record::HEADER_BYTES)?;
        Ok(bytes.iter().all(|byte| *byte == 0))
    }

    /// Judges everything from `offset` to the end of the segment. Reads it all once.
    pub(crate) fn tail(&mut self) -> io::Result<Tail> {
        let mut tail = Tail::Clean;
        let mut offset = self.offset;
        while offset < self.header.length {
            let bytes = self.window.at(offset, ALIGNMENT)?;
            if bytes.is_empty() {
                break;
            }
            if let Some(zeros) = leading_zeros(bytes) {
                offset += zeros;
                continue;
            }
            if let Some(record) = self.record(offset)?
                && record.batch_first() != Some(self.number)
            {
                return Ok(Tail::Later);
            }
            offset += ALIGNMENT as u64;
            tail = Tail::Torn(offset.min(self.header.length));
        }
        Ok(tail)
    }

    /// The bytes `from..to`, as they are in the file.
    pub(crate) fn bytes(&mut self, from: u64, to: u64) -> io::Result<Vec<u8>> {
        let length = usize::try_from(to.saturating_sub(from)).map_err(io::Error::other)?;
        let bytes = self.window.at(from, length)?;
        bytes.get(..length).map(<[u8]>::to_vec).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// The file, once reading is done.
    pub(crate) fn into_file(self) -> Box<dyn Handle> {
        self.window.file
    }

    fn record(&mut self, offset: u64) -> io::Result<Option<record::Record<'_>>> {
        let left = usize::try_from(self.header.length.saturating_sub(offset)).unwrap_or(usize::MAX);
        let header = self.window.at(offset, record::HEADER_BYTES)?;
        let Some(claimed) = record::claimed_bytes(header).filter(|claimed| *claimed <= left) else {
            return Ok(None);
        };
        Ok(record::parse(self.window.at(offset, claimed)?, self.seed))
    }
}

/// Whether a file from `offset` on is zeros.
pub(crate) fn blank_from(file: &dyn Handle, mut offset: u64) -> io::Result<bool> {
    let mut bytes = vec![0; WINDOW_BYTES];
    loop {
        let read = read_full(file, &mut bytes, offset)?;
        if bytes.iter().take(read).any(|byte| *byte != 0) {
            return Ok(false);
        }
        if read < bytes.len() {
            return Ok(true);
        }
        offset += read as u64;
    }
}

/// Bytes of whole aligned zero words at the front, when there is at least one; a last short piece
/// of zeros counts too.
fn leading_zeros(bytes: &[u8]) -> Option<u64> {
    let zeros = match bytes.iter().position(|byte| *byte != 0) {
        Some(at) => at - at % ALIGNMENT,
        None => bytes.len(),
    };
    (zeros > 0).then_some(zeros as u64)
}

/// A file seen through a buffer that moves forward.
struct Window {
    file: Box<dyn Handle>,
    start: u64,
    bytes: Vec<u8>,
}

const WINDOW_BYTES: usize = 256 << 10;

impl Window {
    fn new(file: Box<dyn Handle>) -> Self {
        Self { file, start: 0, bytes: Vec::new() }
    }

    /// Bytes from `offset` on: at least `length` of them unless the file ends before.
    fn at(&mut self, offset: u64, length: usize) -> io::Result<&[u8]> {
        let skipped = offset.checked_sub(self.start).and_then(|skip| usize::try_from(skip).ok());
        let held = skipped.and_then(|skip| self.bytes.len().checked_sub(skip)).unwrap_or(0);
        if held < length || held == 0 {
            self.bytes.resize(length.max(WINDOW_BYTES), 0);
            self.start = offset;
            // Cleared first on failure, so that a half-filled buffer is never taken for file bytes.
            let read = read_full(&*self.file, &mut self.bytes, offset);
            self.bytes.truncate(*read.as_ref().unwrap_or(&0));
            read?;
            return Ok(&self.bytes);
        }
        Ok(skipped.and_then(|skip| self.bytes.get(skip..)).unwrap_or_default())
    }
}
