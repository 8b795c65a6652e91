//! Reading records by their numbers, beside the writer.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::Error;
use crate::index::{Index, MARK_BYTES, Place};
use crate::reader::{OwnedRecord, open_begun};
use crate::record;
use crate::segment;
use crate::shared::Shared;
use crate::storage::{Storage, read_full};

/// What one look into a segment reads.
const WINDOW_BYTES: usize = 256 << 10;
/// Limits of what is kept of such looks, so that many readers in different places do not push out
/// each other. A window grows beyond its size only for a record that is longer.
const WINDOWS_MAX: usize = 64;
const WINDOWS_BYTES_MAX: usize = 32 << 20;

/// Gives durable records by number. Clones share what was read, and take turns at reading.
#[derive(Clone)]
pub struct Archive {
    inner: Arc<Inner>,
}

struct Inner {
    storage: Arc<dyn Storage>,
    dir: PathBuf,
    shared: Arc<Shared>,
    index: Arc<Index>,
    windows: Mutex<Windows>,
}

impl Archive {
    pub(crate) fn new(
        storage: Arc<dyn Storage>,
        dir: PathBuf,
        shared: Arc<Shared>,
        index: Arc<Index>,
    ) -> Self {
        let windows = Mutex::default();
        Self { inner: Arc::new(Inner { storage, dir, shared, index, windows }) }
    }

    /// Number of the first record still there.
    pub fn first(&self) -> u64 {
        self.inner.index.first().unwrap_or(0)
    }

    /// The record of this number. Reading ascending numbers costs one read of the disk for 256 KiB,
    /// any other number at most two; a few dozen places may be read in turn at that cost.
    ///
    /// # Errors
    /// [`Error::Absent`] when the record is not durable or was removed; [`Error::Damaged`] when
    /// what stands in its place is not it; [`Error::Read`].
    pub fn read(&self, number: u64) -> Result<OwnedRecord, Error> {
        let Inner { storage, dir, shared, index, windows } = &*self.inner;
        let end = shared.durable();
        let absent = || Error::Absent { number, first: index.first().unwrap_or(0), end };
        if number >= end {
            return Err(absent());
        }
        let mut windows = windows.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut place, end) = index.find(number).ok_or_else(absent)?;
        if let Some(window) = windows.near(place.segment, number) {
            if number < window.end().number {
                return window.record(number);
            }
            place = window.end();
        }
        loop {
            let failed = Error::read(segment::path(dir, place.segment));
            let window = match windows.load(&**storage, dir, place, end) {
                Ok(window) => window,
                // Removed since the index was asked.
                Err(_) if self.first() > number => return Err(absent()),
                Err(Load::Journal(error)) => return Err(error),
                Err(Load::Storage(error)) => return Err(failed(error)),
            };
            if number < window.end().number {
                return window.record(number);
            }
            if window.end() == place {
                return Err(damaged(place));
            }
            window.marks().for_each(|mark| index.mark(mark));
            place = window.end();
        }
    }
}

fn damaged(place: Place) -> Error {
    let Place { segment, number, offset } = place;
    Error::Damaged { segment, offset, number, what: "another record or none stands here" }
}

enum Load {
    Journal(Error),
    Storage(io::Error),
}

#[derive(Default)]
struct Windows {
    windows: Vec<Window>,
    turn: u64,
}

impl Windows {
    /// The window that holds the record, or ends where it begins.
    fn near(&mut self, segment: u64, number: u64) -> Option<&mut Window> {
        self.turn += 1;
        let near = |window: &&mut Window| {
            window.segment == segment && (window.first..=window.end().number).contains(&number)
        };
        let windows = self.windows.iter_mut().filter(near);
        // One that holds it, before one that only ends there.
        let window = windows.max_by_key(|window| number < window.end().number)?;
        window.used = self.turn;
        Some(window)
    }

    /// Reads on from `place` into a window that ends there and has room, or into a new one.
    fn load(
        &mut self,
        storage: &dyn Storage,
        dir: &std::path::Path,
        place: Place,
        end: Option<u64>,
    ) -> Result<&Window, Load> {
        let begun = open_begun(storage, dir, place.segment).map_err(Load::Journal)?;
        let (file, header) = begun.ok_or_else(|| Load::Journal(damaged(place)))?;
        let seed = record::seed(header.salt);
        let left = end.unwrap_or(header.length).saturating_sub(place.offset);
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        let room = |window: &Window| {
            window.end() == place && window.seed == seed && window.bytes.len() < WINDOW_BYTES / 2
        };
        let at = self.windows.iter().position(room);
        let mut window = match at {
            Some(at) => self.windows.swap_remove(at),
            None => Window::new(place, seed),
        };
        window.used = self.turn;
        let read = |window: &mut Window, bytes: usize| {
            let start = window.bytes.len();
            window.bytes.resize(start + bytes, 0);
            let rest = window.bytes.get_mut(start..).unwrap_or_default();
            let read = read_full(&*file, rest, place.offset)?;
            window.bytes.truncate(start + read);
            Ok(())
        };
        let held = window.bytes.len();
        read(&mut window, left.min(WINDOW_BYTES - held)).map_err(Load::Storage)?;
        // A record longer than the window is read whole.
        let claimed = window.bytes.get(held..).and_then(record::claimed_bytes);
        if let Some(claimed) = claimed.filter(|claimed| *claimed > window.bytes.len() - held) {
            window.bytes.truncate(held);
            read(&mut window, claimed.min(left)).map_err(Load::Storage)?;
        }
        window.survey();
        self.make_room(window.bytes.len());
        self.windows.push(window);
        self.windows.last().ok_or_else(|| Load::Journal(damaged(place)))
    }

    fn make_room(&mut self, mut bytes: usize) {
        bytes += self.windows.iter().map(|window| window.bytes.len()).sum::<usize>();
        while self.windows.len() >= WINDOWS_MAX || bytes > WINDOWS_BYTES_MAX {
            let oldest = self.windows.iter().enumerate().min_by_key(|(_, window)| window.used);
            let Some((at, _)) = oldest else { return };
            bytes -= self.windows.swap_remove(at).bytes.len();
        }
    }
}

/// Records of one segment that follow each other, as they are in the file.
struct Window {
    segment: u64,
    seed: u32,
    first: u64,
    start: u64,
    bytes: Vec<u8>,
    /// Where in `bytes` each record begins.
    records: Vec<u32>,
    used: u64,
}

impl Window {
    fn new(place: Place, seed: u32) -> Self {
        let Place { segment, number: first, offset: start } = place;
        Self { segment, seed, first, start, bytes: Vec::new(), records: Vec::new(), used: 0 }
    }

    /// Behind the last record.
    fn end(&self) -> Place {
        Place {
            segment: self.segment,
            number: self.first + self.records.len() as u64,
            offset: self.start + self.bytes.len() as u64,
        }
    }

    /// Steps over the records read last, by their lengths and numbers alone, and drops what follows
    /// the last whole one.
    fn survey(&mut self) {
        let mut at = match self.records.last().map(|last| *last as usize) {
            Some(last) => {
                last + self.bytes.get(last..).and_then(record::claimed_bytes).unwrap_or(0)
            }
            None => 0,
        };
        while let Some(rest) = self.bytes.get(at..)
            && let Some(claimed) = record::claimed_bytes(rest)
            && claimed <= rest.len()
            && record::number_at::<u64, 8>(rest, 12) == Some(self.end().number)
            && let Ok(here) = u32::try_from(at)
        {
            self.records.push(here);
            at += claimed;
        }
        self.bytes.truncate(at);
    }

    /// The record, its check sum and number checked.
    fn record(&self, number: u64) -> Result<OwnedRecord, Error> {
        let at = usize::try_from(number - self.first).ok();
        let at = at.and_then(|at| self.records.get(at)).map_or(0, |at| *at as usize);
        let found = self.bytes.get(at..).and_then(|bytes| record::parse(bytes, self.seed));
        let found = found.filter(|found| found.number == number);
        let place = Place { segment: self.segment, number, offset: self.start + at as u64 };
        found.map(OwnedRecord::from).ok_or_else(|| damaged(place))
    }

    /// Places worth a mark.
    fn marks(&self) -> impl Iterator<Item = Place> {
        let mut marked = 0;
        let mut records = self.records.iter().enumerate();
        let inside = std::iter::from_fn(move || {
            let (at, offset) = records.find(|(_, at)| u64::from(**at) >= marked + MARK_BYTES)?;
            marked = u64::from(*offset);
            let (number, offset) = (self.first + at as u64, self.start + marked);
            Some(Place { segment: self.segment, number, offset })
        });
        inside.chain([self.end()])
    }
}
