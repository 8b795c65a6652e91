//! What was sent before: references and fingerprints, to tell a repetition from a new message.

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hash};

use clets_routing::Line;
use foldhash::fast::FixedState;

use crate::parts::Parts;

/// References remembered at most; the oldest are forgotten first.
const REFERENCES_MAX: usize = 4_000_000;

/// How long a host's message is remembered while its line is up, to tell a repetition: it repeats
/// on reconnection. Microseconds.
pub(crate) const HOST_REPETITION_US: i64 = 600_000_000;

/// In a replay, of older ones so many are remembered of each host. However long it was away, it may
/// begin with what it sent and saw no acknowledgement for; that is less.
const HOST_REPETITIONS_MIN: usize = 10_000;

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
        self.forget_but(0, before_us);
    }

    /// Forgets what a host that may come back will not repeat.
    pub(crate) fn forget_repeatable(&mut self, now_us: i64) {
        self.forget_but(HOST_REPETITIONS_MIN, now_us - HOST_REPETITION_US);
    }

    /// Forgets what is older than `before_us`, but not the last `kept`.
    fn forget_but(&mut self, kept: usize, before_us: i64) {
        while self.order.len() > kept
            && let Some(oldest) = self.order.front().copied()
        {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_keeps_ten_minutes_of_a_host_and_of_older_ones_the_last() {
        let mut said = References::default();
        let extra = 500;
        for name in 0..(HOST_REPETITIONS_MIN + extra) as u64 {
            said.remember(name, Reference { body: name, number: name }, 0);
        }
        said.forget_repeatable(HOST_REPETITION_US);
        assert_eq!(said.rows().len(), HOST_REPETITIONS_MIN + extra);
        said.forget_repeatable(HOST_REPETITION_US + 1);
        assert_eq!(said.rows().len(), HOST_REPETITIONS_MIN);
        assert!(said.find(extra as u64 - 1).is_none());
        assert!(said.find(extra as u64).is_some_and(|known| known.number == extra as u64));
        said.forget(1);
        assert_eq!(said.rows().len(), 0);
    }
}
