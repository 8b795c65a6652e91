//! What was sent before: references and fingerprints, to tell a repetition from a new message.

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hash};

use clets_routing::Line;
use foldhash::fast::FixedState;

use crate::parts::Parts;

/// References remembered at most; the oldest are forgotten first.
const REFERENCES_MAX: usize = 4_000_000;

/// What senders sent lately, to tell a repetition from a new message.
#[derive(Debug)]
pub(crate) struct References {
    /// By name, with the moment.
    known: Parts<(Reference, i64)>,
    /// Names in order of time. A name that came again, long after, is there twice.
    order: VecDeque<u64>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Reference {
    pub(crate) body: u64,
    pub(crate) number: u64,
}

impl Default for References {
    fn default() -> Self {
        // A name is a hash: any bits of it will do.
        Self { known: Parts::new(58), order: VecDeque::new() }
    }
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
        self.known.get(name).map(|(reference, _)| *reference)
    }

    pub(crate) fn remember(&mut self, name: u64, reference: Reference, now_us: i64) {
        self.known.insert(name, (reference, now_us));
        self.order.push_back(name);
        if self.order.len() > REFERENCES_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(oldest);
        }
    }

    /// When, name, fingerprint and number of all, the oldest first.
    pub(crate) fn rows(&self) -> Vec<(i64, u64, u64, u64)> {
        let row = |name: &u64| {
            let (known, at_us) = self.known.get(*name)?;
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
            if self.known.get(oldest).is_some_and(|(_, at_us)| *at_us >= before_us) {
                return;
            }
            self.order.pop_front();
            self.known.remove(oldest);
        }
    }
}

/// The fingerprint of a body, to tell the same text from another.
pub(crate) fn fingerprint(body: &[u8]) -> u64 {
    FixedState::with_seed(0x626f_6479).hash_one(body)
}
