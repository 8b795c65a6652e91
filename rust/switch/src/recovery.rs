//! Start-up: the state of the engine is a view of the journal, rebuilt record by record.

use std::collections::BTreeMap;
use std::sync::Arc;

use clets_defect::{self as defect, Defect};
use clets_routing::{LineId, LineKind};
use clets_wire::Dialect;
use thiserror::Error;

use crate::archive::Archive;
use crate::engine::Engine;
use crate::entry::{Stored, Waiting};
use crate::expiry::is_once;
use crate::queue::Given;
use crate::record::{
    self, Accepted, EntryRecord, InterceptEvent, Moved, OrderEvent, Outcome, Outcomes, Refused,
    Reserved, ServiceEvent, Target, UserEvent,
};
use crate::references::{Reference, References, fingerprint};
use crate::settled::End;
use crate::{Bundle, Control, Service};

/// A record that the engine cannot read.
#[derive(Debug, Error)]
#[error("record {number} (`{kind}`): {reason}")]
pub struct ReplayError {
    /// The record's number.
    pub number: u64,
    /// Its kind.
    pub kind: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

pub(crate) const DAY_US: i64 = 86_400_000_000;

/// An entry without an outcome.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) line: LineId,
    pub(crate) precedence: u8,
    pub(crate) waiting: Waiting,
}

/// The engine while its journal is read.
#[derive(Debug)]
pub struct Replay {
    pub(crate) engine: Engine,
    /// Entries without an outcome so far.
    pub(crate) open: BTreeMap<(u64, u16), Open>,
    pub(crate) orphans: u64,
    /// The first record of each day, UTC, in days since 1970.
    pub(crate) days: Vec<(i64, u64)>,
    pub(crate) newest_us: i64,
}

impl Replay {
    /// Begins with an empty engine.
    #[must_use]
    pub fn new(bundle: Arc<Bundle>, archive: Box<dyn Archive>) -> Self {
        Self {
            engine: Engine::new(bundle, archive),
            open: BTreeMap::new(),
            orphans: 0,
            days: Vec::new(),
            newest_us: 0,
        }
    }

    /// Takes the next record, in order of number.
    ///
    /// # Errors
    /// When the body is not what its kind says: another program wrote it, or it is damaged.
    pub fn record(
        &mut self,
        number: u64,
        kind: u8,
        time_us: i64,
        body: &[u8],
    ) -> Result<(), ReplayError> {
        let wrong = |reason: String| ReplayError { number, kind: record::kind_name(kind), reason };
        match kind {
            record::ACCEPTED => {
                let accepted = record::decode(body).map_err(|error| wrong(error.to_string()))?;
                self.accepted(number, time_us, &accepted).map_err(wrong)?;
            }
            record::REFUSED => {
                let refused: Refused<'_> =
                    record::decode(body).map_err(|error| wrong(error.to_string()))?;
                self.note_sequence(&refused.line, refused.sequence, number, refused.code);
            }
            record::INTERCEPT => {
                let event: InterceptEvent<'_> =
                    record::decode(body).map_err(|error| wrong(error.to_string()))?;
                if let Some(stored) = self.engine.intercept_again(&event) {
                    self.restore(&stored, number, &event.entries, time_us);
                }
            }
            record::OUTCOMES => {
                let outcomes: Outcomes =
                    record::decode(body).map_err(|error| wrong(error.to_string()))?;
                for (message, index, outcome) in outcomes.items {
                    self.outcome(message, index, outcome, time_us);
                }
            }
            record::ORDER => {
                let event: OrderEvent<'_> =
                    record::decode(body).map_err(|error| wrong(error.to_string()))?;
                self.ordered(&event, time_us);
            }
            record::RESERVED => {
                let reserved: Reserved<'_> =
                    record::decode(body).map_err(|error| wrong(error.to_string()))?;
                for (line, precedence, upto) in reserved.items {
                    let line = self.engine.bundle().directory.find_line(&line);
                    if let Some(state) = line.and_then(|line| self.engine.line_state(line)) {
                        state.was_reserved(precedence, upto);
                    }
                }
            }
            record::USER => {
                let event: UserEvent<'_> =
                    record::decode(body).map_err(|error| wrong(error.to_string()))?;
                self.engine.suspend_again(&event.user, event.suspended);
            }
            record::SERVICE => {
                let event: ServiceEvent<'_> =
                    record::decode(body).map_err(|error| wrong(error.to_string()))?;
                let state = Service::parse(&event.state).ok_or_else(|| {
                    wrong(format!("service state `{}` is not known", event.state))
                })?;
                if let Some(line) = self.engine.bundle().directory.find_line(&event.line) {
                    self.engine.services.set(line, &event.family, state);
                }
            }
            _ => {}
        }
        self.engine.settled.forget(time_us);
        self.engine.next_number = number + 1;
        self.newest_us = self.newest_us.max(time_us);
        let day = time_us.div_euclid(DAY_US);
        if self.days.last().is_none_or(|(last, _)| *last < day) {
            self.days.push((day, number));
        }
        Ok(())
    }

    /// The engine as it was, less its connections. What was not delivered waits again; marked as
    /// possible duplicates are those that may have been on the wire.
    #[must_use]
    pub fn finish(mut self, now_us: i64) -> Engine {
        self.engine.durable = self.engine.next_number;
        self.engine.count_unanswered(&self.open);
        let mut open: Vec<Open> = self.open.into_values().collect();
        open.sort_unstable_by_key(|it| (it.line, it.precedence, it.waiting.sequence));
        let bundle = Arc::clone(self.engine.bundle());
        for Open { line, precedence, mut waiting } in open {
            let state = self.engine.line_state(line);
            let sent = state.is_some_and(|it| it.is_reserved(precedence, waiting.sequence));
            waiting.possible_duplicate |= sent && !defect::has(Defect::MarkLostAtRestart);
            if sent && is_once(&bundle, line, waiting.key) {
                self.engine.doubtful.push((line, precedence, waiting));
            } else {
                self.engine.push(line, precedence, waiting);
            }
        }
        self.engine.resume_collations(now_us);
        self.engine
    }

    /// The newest time of a record, microseconds since 1970, UTC; 0 without any.
    #[must_use]
    pub fn newest_us(&self) -> i64 {
        self.newest_us
    }

    /// Entries whose line is no longer in the bundle: they stay in the journal and nowhere else.
    #[must_use]
    pub fn orphans(&self) -> u64 {
        self.orphans
    }

    fn accepted(
        &mut self,
        number: u64,
        time_us: i64,
        accepted: &Accepted<'_>,
    ) -> Result<(), String> {
        let bundle = Arc::clone(self.engine.bundle());
        let stored = Arc::new(Stored::of_record(&bundle, number, accepted)?);
        let line = stored.line;
        self.note_sequence(&accepted.line, accepted.sequence, number, 0);
        let asked = accepted.parent.zip(accepted.leg).map(|(number, leg)| Control::of(number, leg));
        if let Some(control) = asked {
            let awaited = bundle.is_status(stored.key)
                && stored.part(stored.envelope.text).trim_ascii_start().starts_with(b".02.");
            if !awaited {
                self.engine.settle(control, End::Answered, time_us);
            }
        }
        // What an operator wrote, or a rule asked, is no message of the line: its reference stays
        // the original's.
        if let (Some(line), None) = (line, &accepted.edit)
            && accepted.follow_up.is_empty()
        {
            self.remember(line, &stored, &accepted.body, time_us);
        }
        if let Some(parent) = accepted.parent.filter(|_| !accepted.follow_up.is_empty()) {
            self.engine.followed(parent);
        }
        self.engine.follow(&stored, accepted.parent, time_us);
        if let Some(edit) = &accepted.edit {
            self.engine.intercepts.remove(&edit.replaces);
        }
        if accepted.held_until_us != 0 {
            self.engine.hold_for_approval(&stored, accepted, time_us);
        }
        self.restore(&stored, number, &accepted.entries, time_us);
        self.collation(accepted, &stored, asked);
        Ok(())
    }

    /// Entries as record `number` gave them to `stored`, until an outcome says what became of them.
    fn restore(
        &mut self,
        stored: &Arc<Stored>,
        number: u64,
        entries: &[EntryRecord<'_>],
        time_us: i64,
    ) {
        let bundle = Arc::clone(self.engine.bundle());
        if number != stored.number {
            self.engine.released.insert(stored.number, number);
        }
        for (index, given) in (0_u16..).zip(entries) {
            let Some(line) = bundle.directory.find_line(&given.line) else {
                self.orphans += 1;
                continue;
            };
            let precedence = given.precedence;
            if let Some(state) = self.engine.line_state(line) {
                state.was_assigned(precedence, given.sequence);
            }
            let given = EntryRecord {
                line: "".into(),
                home: given.home.clone().into_owned().into(),
                target: given.target.clone().into_owned(),
                ..*given
            };
            let entry = self.engine.entry(stored, index, line, given, time_us);
            self.engine.expect_reply(&entry, time_us);
            let waiting = Waiting::of(Box::new(entry), false);
            self.open.insert((stored.number, index), Open { line, precedence, waiting });
        }
    }

    /// A collation begins with its inquiry, grows with each reply, and ends with its one message.
    fn collation(&mut self, accepted: &Accepted<'_>, stored: &Arc<Stored>, asked: Option<Control>) {
        let bundle = Arc::clone(self.engine.bundle());
        let directory = &bundle.directory;
        if let Some(down) = &accepted.collate {
            let down: Vec<_> = down.iter().filter_map(|name| directory.find_line(name)).collect();
            let legs: Vec<(u16, LineId, &Target<'_>)> = (0_u16..)
                .zip(&accepted.entries)
                .filter_map(|(index, entry)| {
                    Some((index, directory.find_line(&entry.line)?, &entry.target))
                })
                .collect();
            self.engine.begin_collation(stored, legs.into_iter(), &down);
        }
        if let Some(parent) = accepted.parent.filter(|_| accepted.collated) {
            self.engine.collations.remove(&parent);
        }
        let held = accepted.held_until_us != 0;
        if let Some(control) = asked.filter(|_| accepted.entries.is_empty() && !held) {
            self.engine.collate_reply(control, Arc::clone(stored));
        } else if let Some(control) = asked {
            self.engine.holds_back(control, usize::MAX);
        }
    }

    /// Repetitions are recognised after a restart as before it.
    fn remember(&mut self, line: LineId, stored: &Stored, body: &[u8], time_us: i64) {
        let body = fingerprint(body);
        let reference = Reference { body, number: stored.number };
        let bundle = Arc::clone(self.engine.bundle());
        let known = bundle.directory.line(line);
        let name = match known.kind {
            LineKind::Agency if stored.reference().is_empty() => return,
            LineKind::Agency => References::name(known, &[stored.station(), stored.reference()]),
            LineKind::Host => {
                let echoed = match stored.dialect {
                    Dialect::Clets => stored.reference(),
                    _ => stored.part(stored.envelope.control),
                };
                References::name(known, &[echoed, &body.to_be_bytes()])
            }
        };
        let forgotten_us = time_us - self.engine.duplicate_window_us();
        let table = match known.kind {
            LineKind::Agency => Some(&mut self.engine.references),
            LineKind::Host => self.engine.line_state(line).map(|it| &mut it.said),
        };
        if let Some(table) = table {
            table.forget(forgotten_us);
            if known.kind == LineKind::Host {
                table.forget_repeatable(time_us);
            }
            if !defect::has(Defect::ReferencesForgotten) {
                table.remember(name, reference, time_us);
            }
        }
    }

    fn note_sequence(&mut self, line: &str, sequence: u64, number: u64, code: u16) {
        if sequence == 0 {
            return;
        }
        let line = self.engine.bundle().directory.find_line(line);
        if let Some(state) = line.and_then(|line| self.engine.line_state(line)) {
            state.note_answer(Given { sequence, number, code });
        }
    }

    /// What an order changed, and which entries stand elsewhere because of it.
    fn ordered(&mut self, event: &OrderEvent<'_>, time_us: i64) {
        let bundle = Arc::clone(self.engine.bundle());
        let find = |name: &str| bundle.directory.find_line(name);
        match &*event.action {
            "minimize" => self.engine.minimized(Some((event.precedence, event.until_us))),
            "normal" => self.engine.minimized(None),
            "cancel" | "cancel_asked" => {
                let person = format!("{} ({})", event.operator, event.account);
                let asked_by = (event.action == "cancel_asked").then_some(&*person);
                for moved in &event.moved {
                    self.engine.cancelled((moved.message, moved.entry), asked_by);
                }
            }
            "move" | "replay" => {
                let Some((line, to)) = find(&event.line).zip(find(&event.to)) else {
                    self.orphans += event.moved.len() as u64;
                    return;
                };
                for moved in &event.moved {
                    self.moved(moved, (event.action == "replay", line), to, time_us);
                }
            }
            action => {
                if let Some(line) = find(&event.line) {
                    self.engine.ordered(line, action, &event.to, time_us);
                }
            }
        }
    }

    /// An entry stands in another queue, or a dead letter stands in one again.
    fn moved(&mut self, moved: &Moved, (replayed, line): (bool, LineId), to: LineId, time_us: i64) {
        let name = (moved.message, moved.entry);
        if let Some(state) = self.engine.line_state(to) {
            state.was_assigned(moved.precedence, moved.sequence);
        }
        let waiting = if replayed {
            let key = self.engine.dead.find(name).and_then(|letter| letter.key);
            self.engine.dead.remove(name);
            Waiting {
                number: moved.message,
                index: moved.entry,
                sequence: moved.sequence,
                deadline_us: moved.deadline_us,
                ready: None,
                notice_s: 0,
                key,
                refusals: 0,
                possible_duplicate: true,
                home: (line != to).then_some(line),
            }
        } else {
            let Some(open) = self.open.remove(&name) else {
                return;
            };
            let home = open.waiting.home.unwrap_or(line);
            let home = (home != to).then_some(home);
            let possible_duplicate = moved.possible_duplicate;
            Waiting { sequence: moved.sequence, home, possible_duplicate, ..open.waiting }
        };
        if replayed {
            self.engine.expect_again(&waiting, to, moved.precedence, time_us);
        } else {
            self.engine.expect_elsewhere(&waiting, to, moved.precedence);
        }
        self.open.insert(name, Open { line: to, precedence: moved.precedence, waiting });
    }

    fn outcome(&mut self, number: u64, index: u16, outcome: Outcome, time_us: i64) {
        let control = Control::of(number, index);
        match outcome {
            Outcome::Delayed => {
                if let Some(open) = self.open.get_mut(&(number, index)) {
                    open.waiting.notice_s = 0;
                }
                return;
            }
            Outcome::NoReply => {
                self.open.remove(&(number, index));
                self.engine.settle(control, End::Overdue, time_us);
                self.engine.note_leg(control, true);
                return;
            }
            _ => {}
        }
        let Some(Open { line, precedence, waiting }) = self.open.remove(&(number, index)) else {
            return;
        };
        if outcome == Outcome::Delivered {
            self.engine.await_reply_to_update(control, time_us);
            if let Some(state) = self.engine.line_state(line) {
                state.note_delivered(precedence, waiting.sequence);
            }
            return;
        }
        if outcome.is_dead_letter() {
            let place = (waiting.home.unwrap_or(line), precedence);
            self.engine.dead.bury((number, index), place, waiting.key, outcome, time_us);
        }
        self.engine.expect_no_delivery(control, line, outcome, time_us);
        self.engine.note_leg(control, false);
    }
}
