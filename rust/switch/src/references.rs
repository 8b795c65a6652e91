//! What was sent before: references and fingerprints, to tell a repetition from a new message.

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hash};

use clets_routing::Line;
use foldhash::fast::FixedState;
use hashbrown::HashMap;

/// References remembered at most; the oldest are forgotten first.
const REFERENCES_MAX: usize = 4_000_000;

/// A table that grows moves all it has; of many small ones each takes a moment that nobody notices.
const PARTS: usize = 64;

type Part = HashMap<u64, (Reference, i64), foldhash::fast::RandomState>;

/// What senders sent lately, to tell a repetition from a new message.
#[derive(Debug, Default)]
pub(crate) struct References {
    /// By name, with the moment; no parts before there is something to remember.
    known: Vec<Part>,
    /// Names in order of time. A name that came again, long after, is there twice.
    order: VecDeque<u64>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Reference {
    pub(crate) body: u64,
    pub(crate) number: u64,
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
        self.get(name).map(|(reference, _)| *reference)
    }

    fn get(&self, name: u64) -> Option<&(Reference, i64)> {
        self.known.get(part_of(name))?.get(&name)
    }

    fn forget_one(&mut self, name: u64) {
        if let Some(part) = self.known.get_mut(part_of(name)) {
            part.remove(&name);
        }
    }

    pub(crate) fn remember(&mut self, name: u64, reference: Reference, now_us: i64) {
        if self.known.is_empty() {
            self.known.resize_with(PARTS, Part::default);
        }
        if let Some(part) = self.known.get_mut(part_of(name)) {
            part.insert(name, (reference, now_us));
        }
        self.order.push_back(name);
        if self.order.len() > REFERENCES_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.forget_one(oldest);
        }
    }

    /// When, name, fingerprint and number of all, the oldest first.
    pub(crate) fn rows(&self) -> Vec<(i64, u64, u64, u64)> {
        let row = |name: &u64| {
            let (known, at_us) = self.get(*name)?;
            Some((*at_us, *name, known.body, known.number))
        };
        self.order.iter().filter_map(row).collect()
    }

    /// Remembers what [`References::rows`] gave.
    pub(crate) fn fill(&mut self, rows: Vec<(i64, u64, u64, u64)>) {
        for (at_us, name, body, number) in rows {
            self.remember(name, Reference { body, number }, at_us);
        }
    }

    /// Forgets what is older than `before_us`.
    pub(crate) fn forget(&mut self, before_us: i64) {
        while let Some(oldest) = self.order.front().copied() {
            if self.get(oldest).is_some_and(|(_, at_us)| *at_us >= before_us) {
                return;
            }
            self.order.pop_front();
            self.forget_one(oldest);
        }
    }
}

fn part_of(name: u64) -> usize {
    (name >> 58) as usize % PARTS
}

/// The fingerprint of a body, to tell the same text from another.
pub(crate) fn fingerprint(body: &[u8]) -> u64 {
    FixedState::with_seed(0x626f_6479).hash_one(body)
}
