//! What was sent before: references and fingerprints, to tell a repetition from a new message.

use std::hash::{BuildHasher, Hash};

use clets_routing::Line;
use foldhash::fast::{FixedState, RandomState};

use crate::fifo::Fifo;
use crate::parts::Parts;
use crate::rows::Rows;

/// References remembered at most; the oldest are forgotten first.
const REFERENCES_MAX: usize = 4_000_000;

/// How long a host's message is remembered while its line is up, to tell a repetition: it repeats
/// on reconnection. Microseconds.
pub(crate) const HOST_REPETITION_US: i64 = 600_000_000;

/// In a replay, of older ones so many are remembered of each host. However long it was away, it may
/// begin with what it sent and saw no acknowledgement for; that is less.
const HOST_REPETITIONS_MIN: usize = 10_000;

/// What senders sent lately, to tell a repetition from a new message.
#[derive(Debug, Default)]
pub(crate) struct References {
    /// All in order of time. A name that came again, long after, is there twice.
    known: Fifo<Known>,
    /// So many were forgotten: the number of the first.
    forgotten: u32,
    /// Where each name stands last.
    places: Parts<Place>,
    /// Names are hashes that a stranger can choose; their places here are secret.
    secret: RandomState,
}

/// When, name, fingerprint, number.
pub(crate) type ReferenceRow = (i64, u64, u64, u64);

#[derive(Clone, Copy, Debug)]
struct Known {
    name: u64,
    at_us: i64,
    reference: Reference,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Reference {
    pub(crate) body: u64,
    pub(crate) number: u64,
}

/// What a table keeps of a name, so that it grows without looking at [`References::known`].
#[derive(Clone, Copy, Debug)]
struct Place {
    hash: u32,
    number: u32,
}

impl References {
    /// The name of (line, who, reference) in this table: 64 bits. Two names that fall together, one
    /// in many millions of days, cost a refusal with E211 and no message.
    ///
    /// A line counts by its name, for numbers of lines change with the bundle.
    pub(crate) fn name(line: &Line, parts: &[&[u8]]) -> u64 {
        let mut hasher = FixedState::with_seed(0x0063_6c65_7473).build_hasher();
        (&line.name, parts).hash(&mut hasher);
        std::hash::Hasher::finish(&hasher)
    }

    pub(crate) fn find(&self, name: u64) -> Option<Reference> {
        let hash = self.hash(name);
        let known = |place: &Place| self.at(place.number).filter(|it| it.name == name);
        let is_it = |place: &Place| place.hash == hash && known(place).is_some();
        Some(known(self.places.find(whole(hash), is_it)?)?.reference)
    }

    pub(crate) fn remember(&mut self, name: u64, reference: Reference, now_us: i64) {
        self.forget_name(name, None);
        let number = self.forgotten.wrapping_add(self.known.len() as u32);
        let place = Place { hash: self.hash(name), number };
        self.known.push_back(Known { name, at_us: now_us, reference });
        self.places.insert(whole(place.hash), place, |place| whole(place.hash));
        if self.known.len() > REFERENCES_MAX {
            self.forget_first();
        }
    }

    fn hash(&self, name: u64) -> u32 {
        self.secret.hash_one(name) as u32
    }

    fn at(&self, number: u32) -> Option<&Known> {
        self.known.get(number.wrapping_sub(self.forgotten) as usize)
    }

    /// All, the oldest first.
    pub(crate) fn rows(&self) -> Rows<'_, ReferenceRow> {
        let row = |it: &Known| (it.at_us, it.name, it.reference.body, it.reference.number);
        Rows::of(self.known.len(), move || self.known.iter().map(row))
    }

    /// Remembers what [`References::rows`] gave.
    pub(crate) fn fill(&mut self, rows: Rows<'_, ReferenceRow>) {
        for (at_us, name, body, number) in rows.drain() {
            self.remember(name, Reference { body, number }, at_us);
        }
    }

    /// Forgets what is older than `before_us`.
    pub(crate) fn forget(&mut self, before_us: i64) {
        self.forget_but(0, before_us);
    }

    /// Forgets what a host that may come back will not repeat.
    pub(crate) fn forget_repeatable(&mut self, now_us: i64) {
        self.forget_but(HOST_REPETITIONS_MIN, now_us - HOST_REPETITION_US);
    }

    /// Forgets what is older than `before_us`, but not the last `kept`.
    fn forget_but(&mut self, kept: usize, before_us: i64) {
        while self.known.len() > kept
            && self.known.front().is_some_and(|oldest| oldest.at_us < before_us)
        {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        if let Some(oldest) = self.known.front().copied() {
            self.forget_name(oldest.name, Some(self.forgotten));
            self.known.pop_front();
            self.forgotten = self.forgotten.wrapping_add(1);
        }
    }

    /// No longer finds a name; where it must stand at `number`, not one that came later.
    fn forget_name(&mut self, name: u64, number: Option<u32>) {
        let hash = self.hash(name);
        let Self { known, forgotten, places, .. } = self;
        places.remove(whole(hash), |it| {
            let at = it.number.wrapping_sub(*forgotten) as usize;
            it.hash == hash
                && number.is_none_or(|number| it.number == number)
                && known.get(at).is_some_and(|it| it.name == name)
        });
    }
}

/// A hash of which a half is kept, as tables ask for it.
fn whole(half: u32) -> u64 {
    u64::from(half) << 32 | u64::from(half)
}

/// The fingerprint of a body, to tell the same text from another.
pub(crate) fn fingerprint(body: &[u8]) -> u64 {
    FixedState::with_seed(0x626f_6479).hash_one(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_finds_the_last_of_a_name_as_long_as_it_is_kept(
            steps in proptest::collection::vec((0..40_u64, 0..3_i64, 0..8_u8), 1..300),
        ) {
            let (mut references, mut naive) = (References::default(), Vec::new());
            let mut now_us = 0;
            for (number, (name, passed_us, choice)) in (0..).zip(steps) {
                now_us += passed_us;
                if choice == 0 {
                    references.forget(now_us - 20);
                    naive.retain(|(_, at_us, _)| *at_us >= now_us - 20);
                } else {
                    references.remember(name, Reference { body: !number, number }, now_us);
                    naive.push((name, now_us, number));
                }
                for name in 0..40 {
                    let known = references.find(name).map(|it| (it.number, it.body));
                    let last = naive.iter().rev().find(|(it, ..)| *it == name);
                    prop_assert_eq!(known, last.map(|(.., number)| (*number, !*number)));
                }
            }
            let all = naive.iter().map(|(name, at_us, number)| (*at_us, *name, !number, *number));
            prop_assert!(references.rows().drain().eq(all.clone()));
            let mut again = References::default();
            again.fill(references.rows());
            prop_assert!(again.rows().drain().eq(all));
        }
    }

    #[test]
    fn a_replay_keeps_ten_minutes_of_a_host_and_of_older_ones_the_last() {
        let mut said = References::default();
        let extra = 500;
        for name in 0..(HOST_REPETITIONS_MIN + extra) as u64 {
            said.remember(name, Reference { body: name, number: name }, 0);
        }
        said.forget_repeatable(HOST_REPETITION_US);
        assert_eq!(said.rows().drain().count(), HOST_REPETITIONS_MIN + extra);
        said.forget_repeatable(HOST_REPETITION_US + 1);
        assert_eq!(said.rows().drain().count(), HOST_REPETITIONS_MIN);
        assert!(said.find(extra as u64 - 1).is_none());
        assert!(said.find(extra as u64).is_some_and(|known| known.number == extra as u64));
        said.forget(1);
        assert_eq!(said.rows().drain().count(), 0);
    }
}
