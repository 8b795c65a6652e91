//! Moments at which something falls due.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

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

/// All of them, the earliest first. Nothing is ever cancelled: a timer whose subject is gone
/// does nothing when it falls due.
#[derive(Debug, Default)]
pub(crate) struct Timers(BinaryHeap<Reverse<(i64, Timer)>>);

impl Timers {
    /// Sets `timer` for `at_us`, microseconds since 1970.
    pub(crate) fn set(&mut self, at_us: i64, timer: Timer) {
        self.0.push(Reverse((at_us, timer)));
    }

    /// The next one that is due by `now_us`.
    pub(crate) fn due(&mut self, now_us: i64) -> Option<Timer> {
        let Reverse((at_us, _)) = self.0.peek()?;
        if *at_us > now_us {
            return None;
        }
        self.0.pop().map(|Reverse((_, timer))| timer)
    }
}
