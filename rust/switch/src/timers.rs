//! Moments at which something falls due.

use std::cmp::Reverse;
use std::collections::binary_heap::PeekMut;
use std::collections::{BTreeMap, BinaryHeap};

use clets_routing::LineId;

use crate::Control;

/// What falls due.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Timer {
    /// A message waited for an approval as long as it may.
    Approval(u64),
    /// A collated reply is complete since before the start.
    Collate(u64),
    /// A hit confirmation request should have been answered.
    Confirmation(u64),
    /// A line may have been down long enough for its alternate.
    Divert(LineId),
    /// A sender is told that an entry still waits, or an entry's life ends.
    Due { line: LineId, precedence: u8 },
    /// What is below some precedence need not wait any more.
    Minimize,
    /// Entries of a line move to or from the one that stands in for it.
    Move { line: LineId, by: LineId },
    /// A reply should have come.
    Reply(Control),
}

/// How long a slot is, microseconds.
const SLOT_US: i64 = 100_000;

/// All of them, the earliest first. Nothing is ever cancelled: a timer whose subject is gone
/// does nothing when it falls due.
///
/// Of what is not soon due only the slot is known; setting a timer so costs O(log slots), and a
/// million of them are never put in order at once.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    /// What is due before the end of the slot that was begun last.
    soon: BinaryHeap<Reverse<(i64, Timer)>>,
    /// The end of that slot.
    soon_us: i64,
    /// What is due later, by the beginning of its slot.
    later: BTreeMap<i64, Vec<Reverse<(i64, Timer)>>>,
}

impl Timers {
    /// Sets `timer` for `at_us`, microseconds since 1970.
    pub(crate) fn set(&mut self, at_us: i64, timer: Timer) {
        let it = Reverse((at_us, timer));
        if at_us < self.soon_us {
            self.soon.push(it);
        } else {
            self.later.entry(at_us - at_us.rem_euclid(SLOT_US)).or_default().push(it);
        }
    }

    /// The next one that is due by `now_us`.
    pub(crate) fn due(&mut self, now_us: i64) -> Option<Timer> {
        while self.soon.is_empty() {
            let slot = self.later.first_entry().filter(|slot| *slot.key() <= now_us)?;
            self.soon_us = slot.key().saturating_add(SLOT_US);
            self.soon = slot.remove().into();
        }
        let next = self.soon.peek_mut()?;
        let due = next.0.0 <= now_us;
        due.then(|| PeekMut::pop(next).0.1)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn they_fall_due_in_order(
            steps in proptest::collection::vec((-500_000..2_000_000_i64, 0..150_000_i64), 1..200),
        ) {
            let (mut timers, mut naive, mut now_us) = (Timers::default(), BTreeSet::new(), 0_i64);
            for (number, (after_us, passed_us)) in (0..).zip(steps) {
                timers.set(now_us + after_us, Timer::Approval(number));
                naive.insert((now_us + after_us, number));
                now_us += passed_us;
                let due = std::iter::from_fn(|| timers.due(now_us)).collect::<Vec<_>>();
                let later = naive.split_off(&(now_us + 1, 0));
                let expected = std::mem::replace(&mut naive, later).into_iter();
                let expected = expected.map(|(_, it)| Timer::Approval(it)).collect::<Vec<_>>();
                prop_assert_eq!(due, expected);
            }
        }
    }
}
