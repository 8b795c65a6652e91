//! What waits too long, is refused or is in doubt: senders are told, lives end, letters die.

use std::sync::Arc;

use clets_defect::{self as defect, Defect};
use clets_routing::LineId;
use clets_wire::{KeyId, Precedence};

use crate::engine::Engine;
use crate::entry::{Entry, Stored};
use crate::intake::precedence_of;
use crate::record::Outcome;
use crate::settled::End;
use crate::timers::Timer;
use crate::{Bundle, Control, Effects};

/// Entries of a queue that may fall due in one step; the rest follows at the next tick.
const DUE_MAX: usize = 1_000;

/// A host that is asked with this key changes a record of its own.
pub(crate) fn is_update(bundle: &Bundle, key: Option<KeyId>) -> bool {
    key.and_then(|key| bundle.catalogue.key(key)).is_some_and(|key| key.update)
}

/// An entry that a host would carry out a second time if it were repeated.
pub(crate) fn is_once(bundle: &Bundle, line: LineId, key: Option<KeyId>) -> bool {
    is_update(bundle, key)
        && !bundle.directory.line(line).dedupes
        && !defect::has(Defect::UpdateRepeated)
}

impl Engine {
    /// When the sender of an entry is told that it waits, seconds since 1970; 0 for those that are
    /// told at once or never.
    pub(crate) fn notice_s(&self, stored: &Stored, precedence: u8, now_us: i64) -> u32 {
        if self.sender_line(stored).is_none() {
            return 0;
        }
        let update = self.bundle.catalogue.key(stored.key).is_some_and(|key| key.update);
        let times = self.bundle.directory.settings().delay_notice_ms;
        let ms = times.of(precedence_of(precedence), update);
        if ms == 0 {
            return 0;
        }
        let after_us = i64::try_from(ms).unwrap_or(i64::MAX / 1000).saturating_mul(1000);
        let at_us = now_us.saturating_add(after_us);
        u32::try_from(at_us.saturating_add(999_999) / 1_000_000).unwrap_or(0)
    }

    /// Something fell due in a queue.
    pub(crate) fn queue_due(
        &mut self,
        line: LineId,
        precedence: u8,
        now_us: i64,
        effects: &mut Effects,
    ) {
        let state = self.line_state(line);
        let due = state.map(|it| it.due(precedence, now_us, DUE_MAX)).unwrap_or_default();
        if let Some(next_us) = due.next_us {
            self.timers.set(next_us.max(now_us + 1), Timer::Due { line, precedence });
        }
        for waiting in due.delayed {
            let Some(entry) = self.load((line, precedence), waiting) else {
                return;
            };
            self.outcome(entry.stored.number, entry.index, Outcome::Delayed);
            self.tell_delayed(&entry.stored, line, now_us, effects);
        }
        let mut ended = due.unacknowledged;
        for waiting in due.expired {
            let Some(entry) = self.load((line, precedence), waiting) else {
                return;
            };
            ended.push(*entry);
        }
        if !ended.is_empty() {
            ended.iter().for_each(|entry| self.expired(entry, now_us, effects));
            self.pump(line, now_us, effects);
        }
    }

    /// An entry ended without delivery, and so did what it was to bring. True when its sender must
    /// be told; otherwise a collated reply says so.
    pub(crate) fn ended(
        &mut self,
        entry: &Entry,
        outcome: Outcome,
        now_us: i64,
        effects: &mut Effects,
    ) -> bool {
        self.outcome(entry.stored.number, entry.index, outcome);
        if outcome.is_dead_letter() {
            let name = (entry.stored.number, entry.index);
            let place = (entry.home.unwrap_or(entry.line), entry.precedence);
            self.dead.bury(name, place, entry.key, outcome, now_us);
        }
        let control = Control::of(entry.stored.number, entry.index);
        self.expect_no_delivery(control, entry.line, outcome, now_us);
        !self.leg_ended(entry, now_us, effects)
    }

    /// A dead letter may have reached its host, even one that was refused: an answer that comes yet
    /// is passed on, marked late. To what expired or was taken back none comes.
    pub(crate) fn expect_no_delivery(
        &mut self,
        control: Control,
        line: LineId,
        outcome: Outcome,
        now_us: i64,
    ) {
        if outcome.is_dead_letter() {
            self.settle(control, End::Overdue, now_us);
            return;
        }
        self.pending.remove(control);
        if let Some(line) = self.line_state(line) {
            line.no_longer_asked(control);
        }
    }

    /// An entry's life ended before it could be delivered. Updates and messages from person to
    /// person are kept as dead letters.
    pub(crate) fn expired(&mut self, entry: &Entry, now_us: i64, effects: &mut Effects) {
        if let Some(line) = self.line_state(entry.line) {
            line.tally.expired += 1;
        }
        if entry.possible_duplicate && is_once(&self.bundle, entry.line, entry.key) {
            return self.in_doubt(entry, now_us, effects);
        }
        if self.may_be_answered(entry) {
            let control = Control::of(entry.stored.number, entry.index);
            return self.no_reply(control, now_us, effects);
        }
        let outlives =
            is_update(&self.bundle, entry.key) || entry.precedence == Precedence::P3 as u8;
        let outcome = if outlives { Outcome::Overdue } else { Outcome::Expired };
        let tell = self.ended(entry, outcome, now_us, effects);
        if tell && !defect::has(Defect::NobodyTold) {
            self.tell_expired(entry, now_us, effects);
        }
    }

    /// The destination refused an entry: five times, and it is dead.
    pub(crate) fn not_taken(&mut self, mut entry: Box<Entry>, now_us: i64, effects: &mut Effects) {
        const REFUSALS_MAX: u8 = 5;
        entry.refusals += 1;
        if entry.refusals < REFUSALS_MAX {
            if let Some(line) = self.line_state(entry.line) {
                line.put_back(entry);
            }
        } else if self.ended(&entry, Outcome::DeadLettered, now_us, effects) {
            self.tell_refused_by_destination(&entry, now_us, effects);
        }
    }

    /// Whether the destination took an update nobody knows, and it would do it twice: it is not
    /// sent again, and its sender is told to ask.
    pub(crate) fn in_doubt(&mut self, entry: &Entry, now_us: i64, effects: &mut Effects) {
        if self.ended(entry, Outcome::InDoubt, now_us, effects) {
            let stored = Arc::clone(&entry.stored);
            self.tell_in_doubt(&stored, entry.line, now_us, effects);
        }
    }
}
