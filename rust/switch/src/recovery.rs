//! Start-up: the state of the engine is a view of the journal, rebuilt record by record.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU8;

use clets_routing::{LineId, LineKind};
use clets_wire::{Dialect, Envelope, KeyId, decode};
use thiserror::Error;

use crate::decision::find_key;
use crate::engine::Engine;
use crate::queue::{Entry, Given, Stored};
use crate::record::{
    self, Accepted, EntryRecord, InterceptEvent, Outcome, Outcomes, Refused, ServiceEvent, Target,
    UserEvent,
};
use crate::references::{Reference, References, fingerprint};
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

/// The engine while its journal is read.
#[derive(Debug)]
pub struct Replay {
    engine: Engine,
    /// Entries without an outcome so far.
    open: BTreeMap<(u64, u16), Entry>,
    orphans: u64,
}

impl Replay {
    /// Begins with an empty engine.
    #[must_use]
    pub fn new(bundle: Arc<Bundle>) -> Self {
        Self { engine: Engine::new(bundle), open: BTreeMap::new(), orphans: 0 }
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
                    self.restore(&stored, &event.entries, time_us);
                }
            }
            record::OUTCOMES => {
                let outcomes: Outcomes =
                    record::decode(body).map_err(|error| wrong(error.to_string()))?;
                for (message, index, outcome) in outcomes.items {
                    self.outcome(message, index, outcome, time_us);
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
        self.engine.next_number = number + 1;
        Ok(())
    }

    /// The engine as it was, less its connections. What was not delivered waits again, marked as
    /// possible duplicates since nobody knows what was on the wire.
    #[must_use]
    pub fn finish(mut self, now_us: i64) -> Engine {
        self.engine.durable = self.engine.next_number;
        self.engine.forget_in_time(now_us);
        self.engine.count_unanswered(&self.open);
        let mut waiting: Vec<Entry> = self.open.into_values().collect();
        waiting.sort_by_key(|entry| (entry.line, entry.precedence, entry.sequence));
        for mut entry in waiting {
            entry.possible_duplicate = true;
            self.engine.set_timers(&entry, now_us);
            if let Some(line) = self.engine.line_state(entry.line) {
                line.push(entry);
            }
        }
        self.engine.resume_collations(now_us);
        self.engine
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
        let dialect = Dialect::parse(&accepted.dialect)
            .ok_or_else(|| format!("dialect `{}` is not known", accepted.dialect))?;
        let text = if accepted.meaning.is_empty() { &accepted.body } else { &accepted.meaning };
        let envelope = decode(text, dialect).map_err(|error| error.to_string())?;
        let key = find_key(&bundle, &envelope, text);
        let line = bundle.directory.find_line(&accepted.line);
        self.note_sequence(&accepted.line, accepted.sequence, number, 0);
        let asked = accepted.parent.zip(accepted.leg).map(|(number, leg)| Control::of(number, leg));
        let pending = asked.and_then(|control| self.engine.pending.get_mut(&control));
        let mut requester: Box<[u8]> = Box::default();
        let mut asked_key = None;
        let mut entered: Box<[u8]> = accepted.entered.as_bytes().into();
        if let Some(pending) = pending {
            let awaited = key.is_some_and(|key| bundle.is_status(key))
                && text_of(&accepted.body, &envelope).starts_with(b".02.");
            pending.answered |= !awaited;
            requester = pending.stored.origin().into();
            asked_key = Some(pending.key);
            entered = pending.stored.entered.clone();
        }
        let stored = Arc::new(Stored {
            number,
            line,
            key: key.or(asked_key).unwrap_or(KeyId(0)),
            dialect,
            envelope,
            labels: accepted.labels.iter().map(ToString::to_string).collect(),
            late: accepted.late,
            responder: line.map(|id| bundle.directory.line(id).ori.clone()).unwrap_or_default(),
            requester,
            entered,
            follow_ups: AtomicU8::new(crate::follow::count_of(!accepted.follow_up.is_empty())),
            body: text.as_ref().into(),
        });
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
        self.restore(&stored, &accepted.entries, time_us);
        self.collation(accepted, &stored, asked);
        Ok(())
    }

    /// Entries as they were given to `stored`, until an outcome says what became of them.
    fn restore(&mut self, stored: &Arc<Stored>, entries: &[EntryRecord<'_>], time_us: i64) {
        let bundle = Arc::clone(self.engine.bundle());
        for (index, entry) in (0_u16..).zip(entries) {
            let Some(line) = bundle.directory.find_line(&entry.line) else {
                self.orphans += 1;
                continue;
            };
            if let Some(state) = self.engine.line_state(line) {
                state.was_assigned(entry.precedence, entry.sequence);
            }
            let entry = Entry {
                stored: Arc::clone(stored),
                index,
                line,
                precedence: entry.precedence,
                sequence: entry.sequence,
                deadline_us: entry.deadline_us,
                refusals: 0,
                possible_duplicate: false,
                target: entry.target.clone().into_owned(),
            };
            self.engine.expect_reply(&entry, time_us);
            self.open.insert((stored.number, index), entry);
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
        let name = match self.engine.bundle().directory.line(line).kind {
            LineKind::Agency if stored.reference().is_empty() => return,
            LineKind::Agency => References::name(line, &[stored.station(), stored.reference()]),
            LineKind::Host => {
                let echoed = match stored.dialect {
                    Dialect::Clets => stored.reference(),
                    _ => stored.part(stored.envelope.control),
                };
                References::name(line, &[echoed, &body.to_be_bytes()])
            }
        };
        let table = match self.engine.bundle().directory.line(line).kind {
            LineKind::Agency => &mut self.engine.references,
            LineKind::Host => &mut self.engine.host_references,
        };
        table.remember(name, reference, time_us);
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

    fn outcome(&mut self, number: u64, index: u16, outcome: Outcome, time_us: i64) {
        let control = Control::of(number, index);
        if outcome == Outcome::NoReply {
            self.open.remove(&(number, index));
            if let Some(pending) = self.engine.pending.get_mut(&control) {
                pending.overdue = true;
            }
            self.engine.note_leg(control, true);
            return;
        }
        let Some(entry) = self.open.remove(&(number, index)) else {
            return;
        };
        if outcome == Outcome::Delivered {
            self.engine.await_reply_to_update(&entry, time_us);
            if let Some(state) = self.engine.line_state(entry.line) {
                state.note_delivered(entry.precedence, entry.sequence);
            }
        } else {
            self.engine.expect_nothing(&entry);
            self.engine.note_leg(control, false);
        }
    }
}

/// The text of a message, without what is blank before it.
fn text_of<'b>(body: &'b [u8], envelope: &Envelope) -> &'b [u8] {
    envelope.text.map(|text| text.of(body)).unwrap_or_default().trim_ascii_start()
}
