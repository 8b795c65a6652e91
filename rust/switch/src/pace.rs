//! How long what joins a queue will wait there, by how long one did that joined it before.

/// Of one queue: the entry that is watched, and what was learnt from the last one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    watched: Option<Watched>,
    /// How long one entry took before it, nanoseconds.
    entry_ns: i64,
}

#[derive(Clone, Copy, Debug)]
struct Watched {
    sequence: u64,
    ahead: i64,
    since_us: i64,
}

impl Pace {
    /// An entry joined, behind so many. While these all fit on the wire nobody waits for anybody.
    pub(crate) fn joined(&mut self, sequence: u64, ahead: usize, window: usize, now_us: i64) {
        if ahead < window {
            *self = Self::default();
        } else if self.watched.is_none() {
            let ahead = i64::try_from(ahead).unwrap_or(i64::MAX);
            self.watched = Some(Watched { sequence, ahead, since_us: now_us });
        }
    }

    /// An entry was sent.
    pub(crate) fn left(&mut self, sequence: u64, now_us: i64) {
        if let Some(watched) = self.watched.take_if(|it| it.sequence <= sequence) {
            self.entry_ns = 1_000 * (now_us - watched.since_us) / watched.ahead.max(1);
        }
    }

    /// How long one that joins behind so many will wait, microseconds; no less than the watched one
    /// has.
    pub(crate) fn wait_us(&self, ahead: usize, window: usize, now_us: i64) -> i64 {
        if ahead < window {
            return 0;
        }
        let ahead = i64::try_from(ahead).unwrap_or(i64::MAX);
        let so_far_us = self.watched.map_or(0, |it| now_us - it.since_us);
        (self.entry_ns.saturating_mul(ahead) / 1_000).max(so_far_us)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: usize = 4;

    /// So many join at once, and one is sent every `entry_us`; gives how long one more is said to
    /// wait when all but so many are gone.
    fn said_us(joining: u64, entry_us: i64, left: u64) -> i64 {
        let mut pace = Pace::default();
        for sequence in 1..=joining {
            pace.joined(sequence, sequence as usize - 1, WINDOW, 0);
        }
        let sent = joining - left;
        (1..=sent).for_each(|sequence| pace.left(sequence, sequence as i64 * entry_us));
        pace.wait_us(left as usize, WINDOW, sent as i64 * entry_us)
    }

    #[test]
    fn it_is_as_long_as_the_queue_and_as_each_takes() {
        // The fifth is the first that is watched, behind four: it goes as the fifth.
        assert_eq!(said_us(100, 1_000, 80), 80 * 1_250);
        assert_eq!(said_us(100, 2_000, 40), 40 * 2_500);
    }

    #[test]
    fn a_queue_that_fits_on_the_wire_is_none() {
        assert_eq!(said_us(100, 1_000, 3), 0);
        let mut pace = Pace::default();
        pace.joined(1, 9, WINDOW, 0);
        pace.left(1, 9_000_000);
        assert_eq!(pace.wait_us(9, WINDOW, 9_000_000), 9_000_000);
        pace.joined(2, 0, WINDOW, 9_000_000);
        assert_eq!(pace.wait_us(9, WINDOW, 9_000_000), 0, "forgotten: it was another time");
    }

    #[test]
    fn one_that_does_not_move_is_as_old_as_its_watched_entry() {
        let mut pace = Pace::default();
        pace.joined(1, 4, WINDOW, 1_000);
        pace.joined(2, 5, WINDOW, 400_000);
        assert_eq!(pace.wait_us(6, WINDOW, 801_000), 800_000);
    }
}
