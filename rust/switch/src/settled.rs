//! Inquiries whose reply came, or of which the sender was told that none did.
//!
//! A host may answer again, or late. For that it is enough to know where the question stands in the
//! journal, so that of each only a few bytes are kept: for ten minutes after an answer, longer of
//! the last ones of a host, and for a day without an answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use clets_routing::LineId;
use clets_wire::KeyId;

use crate::Control;
use crate::archive::{self, Unreadable};
use crate::controls::Controls;
use crate::engine::Engine;
use crate::entry::Stored;
use crate::fifo::Fifo;
use crate::reply::Pending;
use crate::rows::Rows;

/// How long a correlation is kept after its deadline, for late answers: a day, microseconds.
const LATE_US: i64 = 86_400_000_000;
/// How long it is kept after the first answer, for further ones: ten minutes.
const FURTHER_US: i64 = 600_000_000;
/// So many of each host are kept for a day all the same: it may have been away, or the switch, and
/// then goes on where it was.
const ANSWERED_MIN: usize = 10_000;

/// What is kept of an inquiry to one host.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Past {
    /// The host that was asked.
    pub(crate) host: LineId,
    /// The key that it was asked with.
    pub(crate) key: KeyId,
    /// The deadline passed, and the sender was told.
    pub(crate) overdue: bool,
    answered: bool,
    /// Where the entry stood in the host's queue.
    pub(crate) precedence: u8,
    pub(crate) sequence: u64,
    follow_ups: u8,
    until_us: i64,
}

impl Past {
    /// Whether it stands in a queue of these, with this time.
    fn stands(&self, answered: bool, until_us: i64) -> bool {
        (self.answered, self.until_us) == (answered, until_us)
    }
}

/// All of them, by control field.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    known: Controls<Past>,
    /// Those with an answer, by host, and those without, in order of the time until which they are
    /// kept. One that was answered late is in both.
    answered: BTreeMap<LineId, Fifo<(i64, Control)>>,
    overdue: Fifo<(i64, Control)>,
}

/// What a snapshot says of one: number, leg, host, key, answered, overdue, precedence, sequence,
/// follow-ups, until.
pub(crate) type PastRow = (u64, u16, u16, u16, bool, bool, u8, u64, u8, i64);

/// How an inquiry was settled.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum End {
    /// A reply came.
    Answered,
    /// None came in time.
    Overdue,
}

impl Settled {
    pub(crate) fn get(&self, control: Control) -> Option<&Past> {
        self.known.get(control)
    }

    pub(crate) fn get_mut(&mut self, control: Control) -> Option<&mut Past> {
        self.known.get_mut(control)
    }

    /// The lowest number of a message that may be read again.
    pub(crate) fn oldest(&self) -> Option<u64> {
        self.known.iter().map(|(control, _)| control.number()).min()
    }

    fn keep(&mut self, control: Control, mut past: Past, end: End, now_us: i64) {
        self.forget(now_us);
        let kept_us = if end == End::Answered { FURTHER_US } else { LATE_US };
        past.until_us = now_us + kept_us;
        self.line_up(control, past);
    }

    fn line_up(&mut self, control: Control, past: Past) {
        let queue = match past.answered {
            true => self.answered.entry(past.host).or_default(),
            false => &mut self.overdue,
        };
        // Its end may be told twice in one moment.
        if !self.known.get(control).is_some_and(|it| it.stands(past.answered, past.until_us)) {
            queue.push_back((past.until_us, control));
        }
        self.known.insert(control, past);
    }

    /// Forgets what was kept until now.
    pub(crate) fn forget(&mut self, now_us: i64) {
        let known = &mut self.known;
        let mut forget = |answered, (until_us, control): (i64, Control)| {
            // It stands elsewhere when it was answered after all.
            if known.get(control).is_some_and(|it| it.stands(answered, until_us)) {
                known.remove(control);
            }
        };
        while let Some(oldest) = self.overdue.pop_front_if(|(until_us, _)| *until_us <= now_us) {
            forget(false, oldest);
        }
        for queue in self.answered.values_mut() {
            while let Some((until_us, _)) = queue.front()
                && *until_us <= now_us
                && (queue.len() > ANSWERED_MIN || *until_us + LATE_US <= now_us)
            {
                queue.pop_front().into_iter().for_each(|it| forget(true, it));
            }
        }
    }

    /// What a snapshot keeps: those without an answer, then those of each host, in order of time.
    pub(crate) fn rows(&self) -> Rows<'_, PastRow> {
        let row = |control: Control, it: &Past| {
            let place = (it.precedence, it.sequence);
            let (number, leg, host, key) = (control.number(), control.leg(), it.host.0, it.key.0);
            let (answered, overdue) = (it.answered, it.overdue);
            let (follow_ups, until_us) = (it.follow_ups, it.until_us);
            (number, leg, host, key, answered, overdue, place.0, place.1, follow_ups, until_us)
        };
        Rows::of(self.known.len(), move || {
            let overdue = self.overdue.iter().map(|it| (false, it));
            let answered = self.answered.values().flat_map(Fifo::iter).map(|it| (true, it));
            overdue.chain(answered).filter_map(move |(answered, (until_us, control))| {
                let past = self.get(*control).filter(|it| it.stands(answered, *until_us))?;
                Some(row(*control, past))
            })
        })
    }

    /// Keeps what [`Settled::rows`] gave. A row of a host that is gone is dropped: nobody is left
    /// to answer.
    pub(crate) fn fill(&mut self, rows: Rows<'_, PastRow>, line: &dyn Fn(u16) -> Option<LineId>) {
        for row in rows.drain() {
            let (number, leg, host, key, answered, overdue, ..) = row;
            let (.., precedence, sequence, follow_ups, until_us) = row;
            let Some(host) = line(host) else { continue };
            let past = Past {
                host,
                key: KeyId(key),
                overdue,
                answered,
                precedence,
                sequence,
                follow_ups,
                until_us,
            };
            let control = Control::of(number, leg);
            self.line_up(control, past);
        }
    }

    /// One more question was asked because of a leg's answer.
    pub(crate) fn followed(&mut self, control: Control) {
        if let Some(past) = self.get_mut(control) {
            past.follow_ups = past.follow_ups.saturating_add(1);
        }
    }
}

impl Engine {
    /// Ends the wait for a reply; gives what waited, if it still did.
    pub(crate) fn settle(&mut self, control: Control, end: End, now_us: i64) -> Option<Pending> {
        let pending = self.pending.remove(control);
        let past = match &pending {
            Some(it) => Some(Past {
                host: it.host,
                key: it.key,
                overdue: false,
                answered: false,
                precedence: it.precedence,
                sequence: it.sequence,
                follow_ups: it.stored.follow_ups.load(Ordering::Relaxed),
                until_us: 0,
            }),
            None => self.settled.get(control).copied(),
        };
        let mut past = past?;
        // Whoever was answered is kept no longer for being answered again.
        let (first, host) = (!past.answered, past.host);
        past.answered |= end == End::Answered;
        past.overdue |= end == End::Overdue;
        if first {
            self.settled.keep(control, past, end, now_us);
        } else if let Some(kept) = self.settled.get_mut(control) {
            // In a replay the record of how it ended may stand behind that of a late answer.
            kept.overdue = past.overdue;
        }
        if let Some(line) = self.line_state(host) {
            line.no_longer_asked(control);
        }
        pending
    }

    /// The question of an inquiry that was settled, read again.
    pub(crate) fn question(&mut self, control: Control) -> Option<Arc<Stored>> {
        let past = *self.settled.get(control)?;
        match archive::message(&mut *self.archive, &self.bundle, control.number()) {
            Ok(stored) => {
                stored.follow_ups.fetch_max(past.follow_ups, Ordering::Relaxed);
                Some(Arc::new(stored))
            }
            Err(reason) => {
                self.unreadable = Some(Unreadable { record: control.number(), reason });
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past(host: u16) -> Past {
        Past {
            host: LineId(host),
            key: KeyId(0),
            overdue: false,
            answered: true,
            precedence: 2,
            sequence: 1,
            follow_ups: 0,
            until_us: 0,
        }
    }

    #[test]
    fn the_last_of_each_host_are_kept_for_a_day_and_what_is_more_for_ten_minutes() {
        let mut settled = Settled::default();
        let extra = 500;
        for number in 0..(ANSWERED_MIN + extra) as u64 {
            settled.keep(Control::of(number, 0), past(1), End::Answered, 0);
        }
        settled.keep(Control::of(1 << 40, 0), past(2), End::Answered, 0);
        settled.forget(FURTHER_US - 1);
        assert_eq!(settled.rows().drain().count(), ANSWERED_MIN + extra + 1);
        settled.forget(FURTHER_US);
        assert_eq!(settled.rows().drain().count(), ANSWERED_MIN + 1);
        assert_eq!(settled.oldest(), Some(extra as u64));
        assert!(settled.get(Control::of(1 << 40, 0)).is_some(), "each host has its own");
        settled.forget(FURTHER_US + LATE_US);
        assert_eq!(settled.rows().drain().count(), 0);
    }

    #[test]
    fn one_without_an_answer_is_kept_for_a_day_and_an_answer_changes_that() {
        let mut settled = Settled::default();
        let overdue = Past { overdue: true, answered: false, ..past(1) };
        let (silent, late) = (Control::of(1, 0), Control::of(2, 3));
        settled.keep(silent, overdue, End::Overdue, 0);
        settled.keep(late, overdue, End::Overdue, 0);
        let answered = Past { answered: true, ..overdue };
        settled.keep(late, answered, End::Answered, LATE_US - 1);
        settled.forget(LATE_US);
        assert!(settled.get(silent).is_none());
        assert!(
            settled.get(late).is_some_and(|past| past.overdue),
            "its further ones are late too"
        );
        let mut again = Settled::default();
        again.fill(settled.rows(), &|host| Some(LineId(host)));
        assert!(again.rows().drain().eq(settled.rows().drain()));
        again.forget(2 * LATE_US + FURTHER_US);
        assert!(again.get(late).is_none());
    }

    #[test]
    fn whose_end_is_told_twice_in_one_moment_is_one_row() {
        let mut settled = Settled::default();
        let control = Control::of(1, 0);
        let overdue = Past { overdue: true, answered: false, ..past(1) };
        settled.keep(control, overdue, End::Overdue, 0);
        settled.keep(control, overdue, End::Overdue, 0);
        // Answered in the moment in which both times are the same.
        settled.keep(control, past(1), End::Answered, LATE_US - FURTHER_US);
        settled.keep(control, past(1), End::Answered, LATE_US - FURTHER_US);
        let written = rmp_serde::to_vec(&settled.rows()).unwrap();
        let read: Vec<PastRow> = rmp_serde::from_slice(&written).unwrap();
        assert_eq!(read.len(), 1);
        settled.forget(LATE_US);
        assert!(settled.get(control).is_some(), "it is one of the last that were answered");
    }
}
