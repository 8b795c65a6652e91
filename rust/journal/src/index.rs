//! Where in the segments the records stand, sparsely, for those who look for one by its number.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::segment::RECORDS_AT;

/// Least distance between two marks, in bytes of a segment. A search reads on from a mark, so this
/// is also what it reads in vain at most.
pub(crate) const MARK_BYTES: u64 = 128 << 10;

/// Most marks kept: 16 MiB of memory, for 128 GiB of journal. Beyond, those of the oldest segment
/// go; a search in it lays them anew.
const MARKS_MAX: usize = 1 << 20;

/// A record's number and where it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) segment: u64,
    pub(crate) number: u64,
    pub(crate) offset: u64,
}

/// The segments that hold records, by their first, each with marks inside.
#[derive(Debug, Default)]
pub(crate) struct Index {
    map: Mutex<Map>,
}

#[derive(Debug, Default)]
struct Map {
    segments: BTreeMap<u64, Begun>,
    marks: usize,
    /// Behind the last record that is on the disk.
    end: Option<Place>,
}

#[derive(Debug)]
struct Begun {
    segment: u64,
    /// Number and offset, ascending.
    marks: Vec<(u64, u64)>,
}

impl Index {
    /// A segment was begun; `first` is the number of its first record.
    pub(crate) fn begin(&self, segment: u64, first: u64) {
        let begun = Begun { segment, marks: Vec::new() };
        self.hold().segments.insert(first, begun);
    }

    /// Records up to `end` are on the disk. A batch ended there.
    pub(crate) fn extend(&self, end: Place) {
        let mut map = self.hold();
        map.end = Some(end);
        map.mark(end);
    }

    /// A record begins at `place`.
    pub(crate) fn mark(&self, place: Place) {
        self.hold().mark(place);
    }

    /// The nearest known place at or before the record, and where the records of that segment end
    /// when it is the last; `None` when its segment is not there.
    pub(crate) fn find(&self, number: u64) -> Option<(Place, Option<u64>)> {
        let map = self.hold();
        let (first, begun) = map.segments.range(..=number).next_back()?;
        let behind = begun.marks.partition_point(|(mark, _)| *mark <= number);
        let mark = behind.checked_sub(1).and_then(|at| begun.marks.get(at));
        let (number, offset) = mark.copied().unwrap_or((*first, RECORDS_AT));
        let end = map.end.filter(|end| end.segment == begun.segment).map(|end| end.offset);
        Some((Place { segment: begun.segment, number, offset }, end))
    }

    /// Segment that holds, or would hold, the record, and that segment's first.
    pub(crate) fn segment(&self, number: u64) -> Option<(u64, u64)> {
        let map = self.hold();
        map.segments.range(..=number).next_back().map(|(first, begun)| (begun.segment, *first))
    }

    /// Number of the first record there is, once there is a segment.
    pub(crate) fn first(&self) -> Option<u64> {
        self.hold().segments.keys().next().copied()
    }

    /// The oldest segment, if all its records are below `before` and another follows it.
    pub(crate) fn oldest(&self, before: u64) -> Option<u64> {
        let map = self.hold();
        let mut segments = map.segments.iter();
        let (_, oldest) = segments.next()?;
        segments.next().filter(|(next, _)| **next <= before).map(|_| oldest.segment)
    }

    /// Forgets the oldest segment.
    pub(crate) fn forget_oldest(&self) {
        let mut map = self.hold();
        if let Some((_, gone)) = map.segments.pop_first() {
            map.marks -= gone.marks.len();
        }
    }

    fn hold(&self) -> MutexGuard<'_, Map> {
        // Nothing is left half-done under this lock.
        self.map.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Map {
    fn mark(&mut self, place: Place) {
        let Some((_, begun)) = self.segments.range_mut(..=place.number).next_back() else {
            return;
        };
        // The end of one segment has the number with which the next begins.
        if begun.segment != place.segment {
            return;
        }
        let at = begun.marks.partition_point(|(_, offset)| *offset <= place.offset);
        let before = at.checked_sub(1).and_then(|at| begun.marks.get(at));
        let before = before.map_or(RECORDS_AT, |(_, offset)| *offset);
        let after = begun.marks.get(at).map_or(u64::MAX, |(_, offset)| *offset);
        if place.offset - before < MARK_BYTES || after - place.offset < MARK_BYTES {
            return;
        }
        begun.marks.insert(at, (place.number, place.offset));
        self.marks += 1;
        if self.marks > MARKS_MAX {
            let marked =
                |begun: &&mut Begun| begun.segment != place.segment && !begun.marks.is_empty();
            if let Some(oldest) = self.segments.values_mut().find(marked) {
                self.marks -= oldest.marks.len();
                oldest.marks = Vec::new();
            }
        }
    }
}
