//! Segment files: their names, their header page, and making one ready before it is needed.
//!
//! ```text
//! 0     8 bytes  magic "CLETSJNL"
//! 8     u32      format version, 1
//! 12    u32      salt of the records' check sums
//! 16    u64      number of the segment, the same as in its name
//! 24    u64      length of the file
//! 32    u64      number of the first record
//! 40    zeros
//! 64    right edge of the Merkle tree before the first record: 32 bytes for each binary one of the
//!       first record's number, largest subtree first, then zeros
//! 4092  u32      CRC-32C of bytes 0 .. 4092
//! 4096  records
//! ```

use std::io;
use std::path::{Path, PathBuf};

use clets_defect::{self as defect, Defect};

use crate::error::Error;
use crate::record::number_at;
use crate::storage::{
    Access, Handle, PAGE_BYTES, Storage, create_fresh, fresh, read_full, write_all,
};
use crate::tree::{Hash, Tree};

/// Smallest segment: the header page and a little room.
pub const SEGMENT_BYTES_MIN: u64 = 8192;

/// Records begin after the header page.
pub(crate) const RECORDS_AT: u64 = 4096;

pub(crate) const HEADER_BYTES: usize = 4096;
pub(crate) const SUFFIX: &str = ".segment";

const MAGIC: &[u8; 8] = b"CLETSJNL";
const VERSION: u32 = 1;
const EDGE_AT: usize = 64;
const SUM_AT: usize = 4092;
/// A smaller piece costs as much of a processor as this one, and so the whole many times more.
const PIECE_BYTES: usize = 1 << 20;

/// What a segment says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) salt: u32,
    pub(crate) segment: u64,
    pub(crate) length: u64,
    /// The tree over every record before this segment; its size is the first record's number.
    pub(crate) before: Tree,
}

/// The first page of a segment file.
#[derive(Debug)]
pub(crate) enum Page {
    /// Neither zeros nor a header: a torn header, or damage.
    Bad,
    Begun(Header),
    /// Prepared and not yet used.
    Blank,
}

impl Header {
    pub(crate) fn first(&self) -> u64 {
        self.before.size()
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut page = Vec::with_capacity(HEADER_BYTES);
        page.extend_from_slice(MAGIC);
        page.extend_from_slice(&VERSION.to_be_bytes());
        page.extend_from_slice(&self.salt.to_be_bytes());
        page.extend_from_slice(&self.segment.to_be_bytes());
        page.extend_from_slice(&self.length.to_be_bytes());
        page.extend_from_slice(&self.first().to_be_bytes());
        page.resize(EDGE_AT, 0);
        for hash in self.before.edge() {
            page.extend_from_slice(hash);
        }
        page.resize(SUM_AT, 0);
        let sum = crc32c::crc32c(&page);
        page.extend_from_slice(&sum.to_be_bytes());
        page
    }

    fn parse(page: &[u8]) -> Option<Self> {
        let sum = crc32c::crc32c(page.get(..SUM_AT)?);
        if page.get(..8)? != MAGIC
            || number_at::<u32, 4>(page, 8)? != VERSION
            || number_at::<u32, 4>(page, SUM_AT)? != sum
        {
            return None;
        }
        let first: u64 = number_at(page, 32)?;
        let count = first.count_ones() as usize;
        let (edge, _) = page.get(EDGE_AT..EDGE_AT + 32 * count)?.as_chunks::<32>();
        let edge: Vec<Hash> = edge.to_vec();
        Some(Self {
            salt: number_at(page, 12)?,
            segment: number_at(page, 16)?,
            length: number_at(page, 24)?,
            before: Tree::from_edge(first, edge)?,
        })
    }
}

/// The first page of an open segment file.
pub(crate) fn read_page(file: &dyn Handle) -> io::Result<Page> {
    let mut page = vec![0; HEADER_BYTES];
    let read = read_full(file, &mut page, 0)?;
    page.truncate(read);
    Ok(match Header::parse(&page) {
        Some(header) => Page::Begun(header),
        None if page.iter().all(|byte| *byte == 0) => Page::Blank,
        None => Page::Bad,
    })
}

pub(crate) fn path(dir: &Path, segment: u64) -> PathBuf {
    dir.join(format!("{segment:020}{SUFFIX}"))
}

/// Numbers of the segments in `dir`, ascending. A number missing between two is damage.
pub(crate) fn list(storage: &dyn Storage, dir: &Path) -> Result<Vec<u64>, Error> {
    let mut seen = None;
    loop {
        let segments = names(storage, dir)?;
        let pairs = segments.iter().zip(segments.iter().skip(1));
        let gap = pairs.map(|(before, after)| (before + 1, *after)).find(|(a, b)| a != b);
        match gap {
            None => return Ok(segments),
            // A directory read while segments are removed from its front may show an older one and
            // lack a later one; what is truly missing is missing twice.
            Some(gap) if seen != Some(gap) => seen = Some(gap),
            Some((segment, _)) => {
                let what = "the segment file is missing";
                return Err(Error::Damaged { segment, offset: 0, number: 0, what });
            }
        }
    }
}

fn names(storage: &dyn Storage, dir: &Path) -> Result<Vec<u64>, Error> {
    let names = storage.list(dir).map_err(Error::read(dir))?;
    let mut segments: Vec<u64> = names
        .iter()
        .filter_map(|name| name.strip_suffix(SUFFIX))
        .filter(|digits| digits.len() == 20 && digits.bytes().all(|digit| digit.is_ascii_digit()))
        .filter_map(|digits| digits.parse().ok())
        .collect();
    segments.sort_unstable();
    Ok(segments)
}

/// A segment on its way to be ready: full length, zeros written and synced, its name durable. Only
/// then is a write into it a plain overwrite, whose fdatasync has no metadata to commit.
///
/// The zeros are written in small pieces, each synced, so that a batch never waits for all of them.
pub(crate) struct Preparing {
    path: PathBuf,
    file: Box<dyn Handle>,
    written: u64,
    length: u64,
}

impl Preparing {
    pub(crate) fn begin(
        storage: &dyn Storage,
        dir: &Path,
        segment: u64,
        length: u64,
    ) -> Result<Self, Error> {
        let path = path(dir, segment);
        let made = || {
            let file = create_fresh(storage, &path, Access::Owner)?;
            // All its room at once; what a file system cannot do comes with the zeros.
            match file.allocate(length) {
                Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
                allocated => allocated?,
            }
            // Nobody reads the zeros: they need not be copied into the cache, only onto the disk.
            file.bypass(length.is_multiple_of(PAGE_BYTES as u64));
            Ok(file)
        };
        let file = leave_nothing(storage, &path, made()).map_err(Error::write(&path))?;
        Ok(Self { path, file, written: 0, length })
    }

    /// How much of it is written, thousandths.
    pub(crate) fn permille(&self) -> u64 {
        1000 * self.written / self.length.max(1)
    }

    /// Writes one piece.
    pub(crate) fn step(&mut self, storage: &dyn Storage) -> Result<(), Error> {
        let write = || {
            let end = write_zeros(&*self.file, self.written, self.length)?;
            if end < self.length {
                self.file.sync()?;
            }
            Ok(end)
        };
        self.written = leave_nothing(storage, &self.path, write()).map_err(self.failed())?;
        Ok(())
    }

    /// Once all is written.
    pub(crate) fn finish(
        self,
        storage: &dyn Storage,
        dir: &Path,
    ) -> Result<Box<dyn Handle>, Error> {
        self.file.bypass(false);
        let placed = put_in_place(storage, dir, &self.path, &*self.file);
        leave_nothing(storage, &self.path, placed).map_err(self.failed())?;
        Ok(self.file)
    }

    /// It is not needed. If its removal fails, the next opening sees to it.
    pub(crate) fn abandon(self, storage: &dyn Storage) {
        let _ = storage.remove(&fresh(&self.path));
    }

    fn failed(&self) -> impl Fn(io::Error) -> Error + use<> {
        let path = self.path.clone();
        move |error| Error::write(&path)(error)
    }
}

/// Makes a file that truly takes up its length, or leaves nothing of it. Its bytes are not written
/// where the file system can do without: the records need the disk more.
pub(crate) fn allocate(
    storage: &dyn Storage,
    dir: &Path,
    path: &Path,
    length: u64,
) -> io::Result<()> {
    let made = || {
        let file = create_fresh(storage, path, Access::Owner)?;
        match file.allocate(length) {
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                let mut written = 0;
                while written < length {
                    written = write_zeros(&*file, written, length)?;
                }
            }
            outcome => outcome?,
        }
        put_in_place(storage, dir, path, &*file)
    };
    leave_nothing(storage, path, made())
}

/// Writes the next piece of zeros; gives where it ends.
fn write_zeros(file: &dyn Handle, offset: u64, length: u64) -> io::Result<u64> {
    #[repr(align(4096))]
    struct Zeros([u8; PIECE_BYTES]);
    static ZEROS: Zeros = Zeros([0; PIECE_BYTES]);
    let Zeros(zeros) = &ZEROS;
    let bytes = usize::try_from(length - offset).unwrap_or(PIECE_BYTES).min(PIECE_BYTES);
    let zeros = zeros.get(..bytes).unwrap_or(zeros);
    match write_all(file, zeros, offset) {
        // A disk with larger sectors than any: the long way, then.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
            file.bypass(false);
            write_all(file, zeros, offset)?;
        }
        wrote => wrote?,
    }
    Ok(offset + bytes as u64)
}

/// Gives it its name, durably.
fn put_in_place(
    storage: &dyn Storage,
    dir: &Path,
    path: &Path,
    file: &dyn Handle,
) -> io::Result<()> {
    file.sync()?;
    storage.rename(&fresh(path), path)?;
    if !defect::has(Defect::NameUnsynced) {
        storage.sync_dir(dir)?;
    }
    Ok(())
}

/// What there is of a failed file may fill the disk for others. If its removal fails too, or it has
/// its name already, the next attempt or the next opening sees to it.
fn leave_nothing<T>(storage: &dyn Storage, path: &Path, made: io::Result<T>) -> io::Result<T> {
    made.inspect_err(|_| {
        let _ = storage.remove(&fresh(path));
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_reads_back_and_no_flip_passes() {
        let mut before = Tree::default();
        for leaf in 0..11 {
            before.push([leaf; 32]);
        }
        let header = Header { salt: 5, segment: 3, length: 8192, before };
        let page = header.encode();
        assert_eq!(page.len(), HEADER_BYTES);
        assert_eq!(Header::parse(&page), Some(header));
        for bit in 0..page.len() * 8 {
            let mut damaged = page.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::parse(&damaged), None, "bit {bit}");
        }
    }
}
