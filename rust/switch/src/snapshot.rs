//! What the journal means up to some record, written down, so that a start need not read all of it.
//!
//! A snapshot is made by reading the journal, as a start does, and never of the running engine: so
//! it costs no message any time, and it says what a start would have found. Messages themselves
//! stay in the journal; those that are still needed are read again by number.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use clets_defect::{self as defect, Defect};
use clets_routing::LineId;
use clets_wire::KeyId;
use serde::{Deserialize, Serialize};

use crate::archive::Archive;
use crate::collate::CollationState;
use crate::dead::DeadLetter;
use crate::entry::{Stored, Waiting};
use crate::intercept::InterceptState;
use crate::queue::{Diversion, Given, Passage, QueueState};
use crate::record::{self, Accepted, Outcome};
use crate::recovery::{DAY_US, Open, Replay, ReplayError};
use crate::references::ReferenceRow;
use crate::reply::PendingState;
use crate::rows::Rows;
use crate::settled::PastRow;
use crate::{Bundle, Service};

/// Changes when a field below changes its meaning; an older snapshot is then not used.
const FORMAT: u32 = 3;

#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct State<'a> {
    format: u32,
    number: u64,
    lines: Vec<LineRow<'a>>,
    /// Message, entry, line, precedence, and what waits.
    open: Rows<'a, OpenRow>,
    dead: Vec<(u64, u16, DeadRow)>,
    /// What agencies sent: when, name, fingerprint, number.
    references: Rows<'a, ReferenceRow>,
    pending: Vec<(u64, u16, PendingState)>,
    settled: Rows<'a, PastRow>,
    collations: Vec<(u64, CollationState)>,
    intercepts: Vec<(u64, InterceptState)>,
    confirmations: (Vec<u64>, u64),
    services: Vec<(u16, String, String)>,
    suspended: Vec<String>,
    released: Vec<(u64, u64)>,
    minimize: Option<(u8, i64)>,
    days: Vec<(i64, u64)>,
    newest_us: i64,
}

#[derive(Debug, Deserialize, Serialize)]
struct LineRow<'a> {
    name: String,
    queues: Vec<QueueState>,
    /// In-sequence, record, code.
    answers: Vec<(u64, u64, u16)>,
    received: u64,
    /// As `references`, for a host.
    said: Rows<'a, ReferenceRow>,
    passage: u8,
    /// The line that takes what is meant for this one, and whether the switch chose it.
    diverted: Option<(u16, bool)>,
}

/// An entry that waits: kept short, for there may be a million.
type OpenRow = (u64, u16, u16, u8, u64, i64, u32, Option<u16>, bool, Option<u16>);

#[derive(Debug, Deserialize, Serialize)]
struct DeadRow {
    line: u16,
    precedence: u8,
    key: Option<u16>,
    reason: Outcome,
    died_us: i64,
    cancelled_by: Option<String>,
}

impl Replay {
    /// Writes what the records so far mean, for [`Replay::resume`]. Not to be kept while there are
    /// [`Replay::orphans`], of which it says nothing.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn snapshot(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let engine = &self.engine;
        let id = |line: LineId| line.0;
        let lines =
            engine.bundle.directory.lines().iter().zip(&engine.lines).map(|(line, it)| LineRow {
                name: line.name.to_string(),
                queues: it.queue_states(),
                answers: it.answers().map(|it| (it.sequence, it.number, it.code)).collect(),
                received: it.received,
                said: it.said.rows(),
                passage: it.passage as u8,
                diverted: it.diverted.map(|it| (id(it.to), it.automatic)),
            });
        let open = move |((message, entry), open): (&(u64, u16), &Open)| {
            let it = &open.waiting;
            (
                *message,
                *entry,
                id(open.line),
                open.precedence,
                it.sequence,
                it.deadline_us,
                it.notice_s,
                it.key.map(|key| key.0),
                it.possible_duplicate,
                it.home.map(id),
            )
        };
        let dead = engine.dead.iter().map(|((message, entry), letter)| {
            let row = DeadRow {
                line: id(letter.line),
                precedence: letter.precedence,
                key: letter.key.map(|key| key.0),
                reason: letter.reason,
                died_us: letter.died_us,
                cancelled_by: letter.cancelled_by.as_deref().map(str::to_owned),
            };
            (message, entry, row)
        });
        // In order of name, so that the same state is the same bytes.
        let mut services: Vec<(u16, String, String)> = engine
            .bundle
            .directory
            .line_ids()
            .flat_map(|(line, _)| engine.services.of(line).iter().map(move |it| (line, it)))
            .map(|(line, (family, state))| (id(line), family.to_string(), state.name().to_owned()))
            .collect();
        services.sort();
        let mut suspended: Vec<String> = engine
            .suspended
            .iter()
            .map(|user| String::from_utf8_lossy(user).into_owned())
            .collect();
        suspended.sort();
        let state = State {
            format: FORMAT,
            number: engine.next_number,
            lines: lines.collect(),
            open: Rows::of(self.open.len(), || self.open.iter().map(open)),
            dead: dead.collect(),
            references: engine.references.rows(),
            pending: engine.pending_states(),
            settled: engine.settled.rows(),
            collations: engine.collation_states(),
            intercepts: engine.intercept_states(),
            confirmations: engine.confirmations.state(),
            services,
            suspended,
            released: engine.released.iter().map(|(message, record)| (*message, *record)).collect(),
            minimize: engine.minimize,
            days: self.days.clone(),
            newest_us: self.newest_us,
        };
        rmp_serde::encode::write_named(out, &state).map_err(io::Error::other)
    }

    /// The number below which all may leave the journal at `now_us`: nothing that waits needs it,
    /// and it is older than `keep_days`.
    #[must_use]
    pub fn prunable(&self, keep_days: u32, now_us: i64) -> u64 {
        let oldest = now_us.div_euclid(DAY_US) - i64::from(keep_days);
        let kept = self.days.iter().find(|(day, _)| *day >= oldest).map(|(_, number)| *number);
        self.needed_from().min(kept.unwrap_or(self.engine.next_number))
    }

    /// The lowest record that something still needs.
    #[must_use]
    pub fn needed_from(&self) -> u64 {
        let engine = &self.engine;
        let open = self.open.keys().map(|(message, _)| *message);
        let dead = engine.dead.iter().map(|((message, _), _)| message);
        let pending = engine.pending.iter().map(|(control, _)| control.number());
        let intercepts = engine.intercepts.keys().copied();
        let others = engine.needed_messages();
        let settled = engine.settled.oldest();
        let all = open.chain(dead).chain(pending).chain(settled).chain(intercepts).chain(others);
        all.min().unwrap_or(engine.next_number)
    }

    /// Goes on where a snapshot was made: the next record is that of its number.
    ///
    /// # Errors
    /// When it is none that this program wrote, a message that it names cannot be read, or the
    /// bundle lacks a line that it has: then everything must be read, from the first record.
    pub fn resume(
        bundle: Arc<Bundle>,
        archive: Box<dyn Archive>,
        snapshot: &mut dyn io::Read,
    ) -> Result<Self, ReplayError> {
        let wrong = |reason: String| ReplayError { number: 0, kind: "snapshot", reason };
        let state: State<'_> =
            rmp_serde::from_read(snapshot).map_err(|error| wrong(error.to_string()))?;
        if state.format != FORMAT {
            return Err(wrong(format!("format {} is not known", state.format)));
        }
        let mut replay = Self::new(Arc::clone(&bundle), archive);
        replay.days = state.days;
        replay.newest_us = state.newest_us;
        replay.engine.next_number = state.number;
        let lines: Vec<Option<LineId>> =
            state.lines.iter().map(|row| bundle.directory.find_line(&row.name)).collect();
        let line = |index: u16| lines.get(usize::from(index)).copied().flatten();
        for row in state.lines {
            // What waits for it would be lost, and its numbers given a second time.
            let Some(known) = bundle.directory.find_line(&row.name) else {
                return Err(wrong(format!("the bundle must have the line `{}`", row.name)));
            };
            let diverted = row
                .diverted
                .and_then(|(to, automatic)| Some(Diversion { to: line(to)?, automatic }));
            if let Some(it) = replay.engine.line_state(known) {
                let forget = |it: &QueueState| (it.0, it.1, 0);
                let queues: Vec<QueueState> = match defect::has(Defect::SnapshotForgets) {
                    true => row.queues.iter().map(forget).collect(),
                    false => row.queues,
                };
                it.set_queue_states(&queues);
                for (sequence, number, code) in row.answers {
                    it.note_answer(Given { sequence, number, code });
                }
                it.received = row.received;
                it.said.fill(row.said);
                it.passage = Passage::of(row.passage);
                it.diverted = diverted;
            }
        }
        for (number, index, at, precedence, sequence, deadline_us, notice_s, key, mark, home) in
            state.open.drain()
        {
            let Some(known) = line(at) else {
                return Err(wrong(format!("message {number} waits for no known line")));
            };
            let waiting = Waiting {
                number,
                sequence,
                deadline_us,
                ready: None,
                notice_s,
                key: key.map(KeyId),
                index,
                refusals: 0,
                possible_duplicate: mark,
                home: home.and_then(line),
            };
            replay.open.insert((number, index), Open { line: known, precedence, waiting });
        }
        for (message, entry, row) in state.dead {
            let Some(known) = line(row.line) else {
                return Err(wrong(format!("message {message} was for no known line")));
            };
            let letter = DeadLetter {
                line: known,
                precedence: row.precedence,
                key: row.key.map(KeyId),
                reason: row.reason,
                died_us: row.died_us,
                cancelled_by: row.cancelled_by.map(Into::into),
            };
            replay.engine.dead.insert((message, entry), letter);
        }
        replay.engine.references.fill(state.references);
        replay.engine.settled.fill(state.settled, &line);
        replay.engine.released = state.released.into_iter().collect();
        replay.engine.minimized(state.minimize);
        for (at, family, name) in state.services {
            if let Some((known, state)) = line(at).zip(Service::parse(&name)) {
                replay.engine.services.set(known, &family, state);
            }
        }
        for user in state.suspended {
            replay.engine.suspend_again(&user, true);
        }
        let mut messages = Messages { known: BTreeMap::new() };
        let (confirmations, alarms) = state.confirmations;
        replay.engine.confirmations.alarms = alarms;
        let resumed = (|| {
            for number in confirmations {
                let (stored, time_us, parent) = messages.read(&mut replay, number)?;
                replay.engine.follow(&stored, parent, time_us);
            }
            for (number, leg, pending) in state.pending {
                let (stored, ..) = messages.read(&mut replay, number)?;
                replay.engine.resume_pending(&stored, leg, &pending, &line);
            }
            for (number, intercept) in state.intercepts {
                let (stored, ..) = messages.read(&mut replay, number)?;
                let body = replay.engine.archive.read(number)?.body;
                let accepted: Accepted<'_> =
                    record::decode(&body).map_err(|error| error.to_string())?;
                replay.engine.resume_intercept(&stored, &accepted, intercept);
            }
            for (number, collation) in state.collations {
                let (asked, ..) = messages.read(&mut replay, number)?;
                let mut replies = Vec::with_capacity(collation.replies().len());
                for reply in collation.replies() {
                    replies.push(messages.read(&mut replay, reply)?.0);
                }
                replay.engine.resume_collation(asked, &collation, &replies, &line);
            }
            Ok(())
        })();
        resumed.map_err(wrong)?;
        Ok(replay)
    }
}

/// Messages that were read again; those of one number are one, as they were.
struct Messages {
    known: BTreeMap<u64, (Arc<Stored>, i64, Option<u64>)>,
}

impl Messages {
    fn read(
        &mut self,
        replay: &mut Replay,
        number: u64,
    ) -> Result<(Arc<Stored>, i64, Option<u64>), String> {
        if let Some(known) = self.known.get(&number) {
            return Ok(known.clone());
        }
        let record = replay.engine.archive.read(number)?;
        if record.kind != record::ACCEPTED {
            return Err(format!("record {number} is no message"));
        }
        let accepted: Accepted<'_> =
            record::decode(&record.body).map_err(|error| error.to_string())?;
        let stored = Arc::new(Stored::of_record(&replay.engine.bundle, number, &accepted)?);
        let read = (stored, record.time_us, accepted.parent);
        self.known.insert(number, read.clone());
        Ok(read)
    }
}
