//! The engine: its state, and the way of an event through it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use clets_routing::{Framing, LineId};
use clets_wire::framing::native;
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use smallvec::SmallVec;

use crate::collate::Collation;
use crate::confirm::Confirmations;
use crate::habits::Habits;
use crate::intercept::Intercept;
use crate::queue::{Entry, LineState, Stored};
use crate::record::{self, LineEvent, Outcome, Outcomes, Started};
use crate::references::References;
use crate::reload::Suspended;
use crate::reply::{HOST_REPETITION_US, Pending};
use crate::service::Services;
use crate::session::{Phase, Session, bare};
use crate::shadow::Shadow;
use crate::timers::{Timer, Timers};
use crate::{Bundle, ConnectionId, Control, Effects, Event, JournalEntry, Judge, codes};

/// Something that waits until the record which carries it is durable.
#[derive(Debug)]
pub(crate) enum Held {
    /// An acknowledgement or a refusal.
    Answer(ConnectionId, SmallVec<[u8; 48]>),
    /// The answer to a logon, after which traffic passes.
    Opened(ConnectionId, Vec<u8>),
    /// An entry for its destination's queue.
    Queue(Entry),
}

/// The switch, without its sockets, files and clock.
#[derive(Debug)]
pub struct Engine {
    pub(crate) bundle: Arc<Bundle>,
    pub(crate) judge: Judge,
    pub(crate) habits: Habits,
    pub(crate) lines: Vec<LineState>,
    pub(crate) sessions: HashMap<ConnectionId, Session, RandomState>,
    pub(crate) pending: HashMap<Control, Pending, RandomState>,
    pub(crate) collations: HashMap<u64, Collation, RandomState>,
    pub(crate) references: References,
    pub(crate) host_references: References,
    /// Messages that wait for an approval, by their number.
    pub(crate) intercepts: BTreeMap<u64, Intercept>,
    pub(crate) timers: Timers,
    pub(crate) next_number: u64,
    pub(crate) durable: u64,
    pub(crate) confirmations: Confirmations,
    pub(crate) services: Services,
    /// A candidate bundle that judges beside the one in force.
    pub(crate) shadow: Option<Box<Shadow>>,
    pub(crate) suspended: Suspended,
    held: VecDeque<(u64, Held)>,
    outcomes: Outcomes,
}

impl Engine {
    /// An engine without history.
    ///
    /// A journal that holds records is read first: see [`crate::Replay`].
    #[must_use]
    pub fn new(bundle: Arc<Bundle>) -> Self {
        let lines = bundle.directory.lines().iter().map(|_| LineState::default()).collect();
        Self {
            judge: Judge::new(),
            habits: Habits::default(),
            lines,
            sessions: HashMap::default(),
            pending: HashMap::default(),
            collations: HashMap::default(),
            references: References::default(),
            host_references: References::default(),
            intercepts: BTreeMap::new(),
            timers: Timers::default(),
            next_number: 0,
            durable: 0,
            confirmations: Confirmations::default(),
            services: Services::default(),
            shadow: None,
            suspended: Suspended::default(),
            held: VecDeque::new(),
            outcomes: Outcomes::default(),
            bundle,
        }
    }

    /// The bundle in force.
    #[must_use]
    pub fn bundle(&self) -> &Arc<Bundle> {
        &self.bundle
    }

    /// How many records are known to be on stable storage.
    #[must_use]
    pub fn durable(&self) -> u64 {
        self.durable
    }

    /// The first record after recovery: which bundle is in force.
    pub fn start(&mut self, effects: &mut Effects) {
        self.record_start(record::STARTED, effects);
    }

    /// The last record of an orderly stop.
    pub fn stop(&mut self, effects: &mut Effects) {
        self.flush_outcomes(effects);
        self.record_start(record::STOPPED, effects);
    }

    /// Takes one event at `now_us` (microseconds since 1970, UTC) and adds to `effects`.
    ///
    /// The caller appends `effects.records` to the journal in order, before it writes
    /// `effects.writes`.
    pub fn step(&mut self, event: Event<'_>, now_us: i64, effects: &mut Effects) {
        match event {
            Event::Close { connection, unread } => self.close(connection, unread, effects),
            Event::Durable(count) => self.release(count, now_us, effects),
            Event::Open { connection, line } => self.open(connection, line, now_us, effects),
            Event::Receive { connection, bytes } => {
                self.receive(connection, bytes, now_us, effects);
            }
            Event::SetService { line, family, state, source } => {
                self.set_service(line, family, state, source, now_us, effects);
            }
            Event::Stranger { peer } => self.record_stranger(peer, effects),
            Event::Tick => {
                self.watch_sessions(now_us, effects);
                self.fall_due(now_us, effects);
            }
        }
        // What waited for a record that is durable already, such as the answer to a repetition.
        if self.held.front().is_some_and(|(number, _)| *number < self.durable) {
            self.release(self.durable, now_us, effects);
        }
        self.flush_outcomes(effects);
    }

    /// Appends a record and gives its number.
    pub(crate) fn append(&mut self, kind: u8, body: Vec<u8>, effects: &mut Effects) -> u64 {
        let number = self.next_number;
        self.next_number += 1;
        effects.records.push(JournalEntry { kind, body });
        number
    }

    /// Keeps `held` until record `number` is durable.
    pub(crate) fn hold(&mut self, number: u64, held: Held) {
        self.held.push_back((number, held));
    }

    pub(crate) fn line_state(&mut self, line: LineId) -> Option<&mut LineState> {
        self.lines.get_mut(line.index())
    }

    pub(crate) fn line_name(&self, line: LineId) -> String {
        self.bundle.directory.line(line).name.to_string()
    }

    /// Notes what became of an entry; written with the other outcomes of this step.
    pub(crate) fn outcome(&mut self, number: u64, index: u16, outcome: Outcome) {
        self.outcomes.items.push((number, index, outcome));
    }

    /// The destination has custody.
    pub(crate) fn delivered(&mut self, entry: &Entry, now_us: i64) {
        self.outcome(entry.stored.number, entry.index, Outcome::Delivered);
        self.await_reply_to_update(entry, now_us);
        if let Some(line) = self.line_state(entry.line) {
            line.tally.delivered += 1;
        }
    }

    /// Sets the timers of an entry that just entered its queue.
    pub(crate) fn set_timers(&mut self, entry: &Entry, now_us: i64) {
        let (line, precedence, sequence) = (entry.line, entry.precedence, entry.sequence);
        self.timers.set(entry.deadline_us, Timer::Expiry { line, precedence, sequence });
        if let Some(after_us) = self.delay_notice_us(entry) {
            self.timers.set(now_us + after_us, Timer::Delay { line, precedence, sequence });
        }
    }

    fn open(&mut self, connection: ConnectionId, line: LineId, now_us: i64, effects: &mut Effects) {
        let framing = self.bundle.directory.line(line).framing;
        let session = Session::new(connection, line, framing, now_us);
        let up = session.phase == Phase::Up;
        self.sessions.insert(connection, session);
        if up && let Some(session) = self.sessions.remove(&connection) {
            self.came_up(&session, effects);
            self.sessions.insert(connection, session);
            self.pump(line, now_us, effects);
        }
    }

    /// A session begins; it fences an older one of the same line. Gives its record's number.
    pub(crate) fn came_up(&mut self, session: &Session, effects: &mut Effects) -> u64 {
        let older = self.line_state(session.line).and_then(|line| line.session);
        if let Some(older) = older.filter(|older| *older != session.connection) {
            self.drop_session(older, codes::SUPERSEDED, effects);
        }
        if let Some(line) = self.line_state(session.line) {
            line.session = Some(session.connection);
        }
        self.record_line(session.line, "up", 0, effects)
    }

    /// Ends a session from our side.
    pub(crate) fn drop_session(
        &mut self,
        connection: ConnectionId,
        code: u16,
        effects: &mut Effects,
    ) {
        if let Some(session) = self.sessions.get_mut(&connection) {
            session.closing = true;
            let line = session.line;
            if session.framing == Framing::Native {
                // The peer must know why, or two sessions of a line would fence each other forever.
                let text = codes::find(code).map_or("", |code| code.expected);
                let reject = bare(native::Kind::Reject);
                let frame = native::Frame { code, body: text.as_bytes(), ..reject };
                native::encode(effects.buffer(connection), &frame);
            }
            self.disconnect(connection, line, code, effects);
        }
        effects.closes.push((connection, code));
    }

    fn close(&mut self, connection: ConnectionId, unread: usize, effects: &mut Effects) {
        let Some(session) = self.sessions.remove(&connection) else {
            return;
        };
        let code = if unread > 0 { codes::FRAME_TRUNCATED } else { 0 };
        self.disconnect(connection, session.line, code, effects);
    }

    fn disconnect(
        &mut self,
        connection: ConnectionId,
        line: LineId,
        code: u16,
        effects: &mut Effects,
    ) {
        let Some(state) = self.line_state(line) else {
            return;
        };
        let current = state.session == Some(connection);
        if current {
            state.disconnect();
        }
        if current || code != 0 {
            self.record_line(line, "down", code, effects);
        }
    }

    /// Everything below `count` is on stable storage: answer, queue, send.
    fn release(&mut self, count: u64, now_us: i64, effects: &mut Effects) {
        self.durable = self.durable.max(count);
        let mut touched: SmallVec<[LineId; 16]> = SmallVec::new();
        while self.held.front().is_some_and(|(number, _)| *number < count) {
            match self.held.pop_front() {
                Some((_, Held::Answer(connection, bytes))) => {
                    if let Some(session) = self.sessions.get_mut(&connection) {
                        session.sent_us = now_us;
                        effects.buffer(connection).extend_from_slice(&bytes);
                    }
                }
                Some((_, Held::Opened(connection, bytes))) => {
                    if let Some(session) = self.sessions.get_mut(&connection) {
                        session.phase = Phase::Up;
                        session.sent_us = now_us;
                        effects.buffer(connection).extend_from_slice(&bytes);
                        touched.push(session.line);
                    }
                }
                Some((_, Held::Queue(entry))) => {
                    let line = entry.line;
                    self.set_timers(&entry, now_us);
                    if let Some(state) = self.line_state(line) {
                        state.push(entry);
                    }
                    if !touched.contains(&line) {
                        touched.push(line);
                    }
                }
                None => break,
            }
        }
        for line in touched {
            self.pump(line, now_us, effects);
        }
    }

    fn fall_due(&mut self, now_us: i64, effects: &mut Effects) {
        while let Some(timer) = self.timers.due(now_us) {
            match timer {
                Timer::Confirmation(number) => self.confirmation_overdue(number, now_us, effects),
                Timer::Approval(number) => self.approval_overdue(number, now_us, effects),
                Timer::Collate(number) => self.finish_collation(number, now_us, effects),
                Timer::Delay { line, precedence, sequence } => {
                    let state = self.lines.get(line.index());
                    let waiting = state.and_then(|state| state.find(precedence, sequence));
                    if let Some(stored) = waiting.map(|entry| Arc::clone(&entry.stored)) {
                        self.tell_delayed(&stored, line, now_us, effects);
                    }
                }
                Timer::Expiry { line, precedence, sequence } => {
                    let state = self.line_state(line);
                    if let Some(entry) = state.and_then(|it| it.withdraw(precedence, sequence)) {
                        self.expired(&entry, now_us, effects);
                        self.pump(line, now_us, effects);
                    }
                }
                Timer::Forget(control) => {
                    let host = self.pending.remove(&control).map(|pending| pending.host);
                    if let Some(line) = host.and_then(|host| self.line_state(host)) {
                        line.no_longer_asked(control);
                    }
                }
                Timer::Reply(control) => self.reply_overdue(control, now_us, effects),
            }
        }
        self.references.forget(now_us - self.duplicate_window_us());
        self.host_references.forget(now_us - HOST_REPETITION_US);
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
        self.expect_nothing(entry);
        !self.leg_ended(entry, now_us, effects)
    }

    /// An entry's life ended before it could be delivered.
    pub(crate) fn expired(&mut self, entry: &Entry, now_us: i64, effects: &mut Effects) {
        if let Some(line) = self.line_state(entry.line) {
            line.tally.expired += 1;
        }
        if self.ended(entry, Outcome::Expired, now_us, effects) {
            self.tell_expired(entry, now_us, effects);
        }
    }

    /// The destination refused an entry: five times, and it is dead.
    pub(crate) fn not_taken(&mut self, mut entry: Entry, now_us: i64, effects: &mut Effects) {
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

    fn flush_outcomes(&mut self, effects: &mut Effects) {
        if !self.outcomes.items.is_empty() {
            let outcomes = std::mem::take(&mut self.outcomes);
            self.append(record::OUTCOMES, record::encode(&outcomes), effects);
        }
    }

    fn record_start(&mut self, kind: u8, effects: &mut Effects) {
        let body = record::encode(&Started {
            bundle: self.bundle.hash.as_str().into(),
            version: env!("CARGO_PKG_VERSION").into(),
        });
        self.append(kind, body, effects);
    }

    fn record_line(&mut self, line: LineId, event: &str, code: u16, effects: &mut Effects) -> u64 {
        let name = self.line_name(line);
        let body = record::encode(&LineEvent {
            line: name.into(),
            event: event.into(),
            code,
            peer: "".into(),
        });
        self.append(record::LINE, body, effects)
    }

    fn record_stranger(&mut self, peer: &str, effects: &mut Effects) {
        let body = record::encode(&LineEvent {
            line: "".into(),
            event: "refused".into(),
            code: codes::LINE_UNKNOWN,
            peer: peer.into(),
        });
        self.append(record::LINE, body, effects);
    }

    /// The message an entry belongs to, for those who tell its sender.
    pub(crate) fn sender_line(&self, stored: &Stored) -> Option<LineId> {
        let line = stored.line?;
        let kind = self.bundle.directory.line(line).kind;
        (kind == clets_routing::LineKind::Agency).then_some(line)
    }

    fn duplicate_window_us(&self) -> i64 {
        let ms = self.bundle.directory.settings().limits.duplicate_window_ms;
        i64::try_from(ms).unwrap_or(i64::MAX / 1000).saturating_mul(1000)
    }
}
