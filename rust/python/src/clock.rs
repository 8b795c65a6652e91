//! The switch's clock: the time of day at the start, and the monotonic clock from there.
//!
//! A step of the computer's clock therefore moves no deadline while the switch runs.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

#[derive(Debug)]
pub(crate) struct Clock {
    start: Instant,
    start_us: i64,
}

impl Clock {
    pub(crate) fn start() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { start: Instant::now(), start_us: micros(since.as_micros()) }
    }

    /// Microseconds since 1970, UTC.
    pub(crate) fn now_us(&self) -> i64 {
        self.start_us.saturating_add(micros(self.start.elapsed().as_micros()))
    }
}

fn micros(count: u128) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
