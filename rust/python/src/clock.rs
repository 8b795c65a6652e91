//! The switch's clock: the time of day at the start, and the monotonic clock from there.
//!
//! A step of the computer's clock therefore moves no deadline while the switch runs. Nor does one
//! before the start move time back: the journal's newest time is the earliest that it can be.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

#[derive(Debug)]
pub(crate) struct Clock {
    start: Instant,
    start_us: i64,
    behind_us: i64,
}

impl Clock {
    /// Begins with the time of day, or with `newest_us` when that is later.
    pub(crate) fn start(newest_us: i64) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let start_us = micros(since.as_micros());
        Self {
            start: Instant::now(),
            start_us: start_us.max(newest_us),
            behind_us: newest_us.saturating_sub(start_us).max(0),
        }
    }

    /// How far the computer's clock was behind the journal at the start, microseconds.
    pub(crate) fn behind_us(&self) -> i64 {
        self.behind_us
    }

    /// Microseconds since 1970, UTC.
    pub(crate) fn now_us(&self) -> i64 {
        self.start_us.saturating_add(micros(self.start.elapsed().as_micros()))
    }
}

fn micros(count: u128) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
