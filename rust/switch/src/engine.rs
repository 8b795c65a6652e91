//! The engine: its state, and the way of an event through it.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use clets_defect::{self as defect, Defect};
use clets_routing::{Framing, LineId};
use clets_wire::framing::native;
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use smallvec::SmallVec;

use crate::admission::Admission;
use crate::archive::{self, Archive, Released, Unreadable};
use crate::collate::Collation;
use crate::confirm::Confirmations;
use crate::controls::Controls;
use crate::dead::DeadLetters;
use crate::entry::{Entry, Stored, Waiting, Withdrawn};
use crate::expiry::is_once;
use crate::habits::Habits;
use crate::intercept::Intercept;
use crate::queue::{LineState, READY_MIN, READY_WINDOWS, reserved_ahead};
use crate::record::{self, LineEvent, Outcome, Outcomes, Reserved, Started};
use crate::references::References;
use crate::reload::Suspended;
use crate::reply::Pending;
use crate::service::Services;
use crate::session::{Phase, Session};
use crate::settled::Settled;
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
    Queue(Box<Entry>),
    /// An entry for another line's queue than its first.
    Moved(LineId, u8, Waiting),
    /// Numbers of a line and precedence, up to this one, may be sent.
    Reserved(LineId, u8, u64),
    /// The peer of a connection may be told to skip numbers of a precedence up to this one.
    Closed(ConnectionId, u8, u64),
}

/// The switch, without its sockets, files and clock.
#[derive(Debug)]
pub struct Engine {
    pub(crate) bundle: Arc<Bundle>,
    pub(crate) judge: Judge,
    pub(crate) habits: Habits,
    pub(crate) lines: Vec<LineState>,
    // Fixed, so that the same events give the same effects; no stranger chooses these keys.
    pub(crate) sessions: HashMap<ConnectionId, Session, FixedState>,
    pub(crate) pending: Controls<Pending>,
    pub(crate) settled: Settled,
    pub(crate) collations: HashMap<u64, Collation, FixedState>,
    pub(crate) references: References,
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
    pub(crate) dead: DeadLetters,
    /// Updates that were perhaps sent before the start.
    pub(crate) doubtful: Vec<(LineId, u8, Waiting)>,
    pub(crate) archive: Box<dyn Archive>,
    pub(crate) released: Released,
    pub(crate) admission: Admission,
    /// When sessions were last looked at.
    pub(crate) watched_us: i64,
    /// What is below this precedence waits, until this moment.
    pub(crate) minimize: Option<(u8, i64)>,
    /// A record that could not be read: nothing more is done.
    pub(crate) unreadable: Option<Unreadable>,
    held: VecDeque<(u64, Held)>,
    pub(crate) outcomes: Outcomes,
    reservations: Vec<(LineId, u8, u64)>,
    pub(crate) closings: Vec<(ConnectionId, u8, u64)>,
}

impl Engine {
    /// An engine without history, whose records can be read again in `archive`.
    ///
    /// A journal that holds records is read first: see [`crate::Replay`].
    #[must_use]
    pub fn new(bundle: Arc<Bundle>, archive: Box<dyn Archive>) -> Self {
        let lines = bundle.directory.lines().iter().map(|_| LineState::default()).collect();
        Self {
            judge: Judge::new(),
            habits: Habits::default(),
            lines,
            sessions: HashMap::default(),
            pending: Controls::default(),
            settled: Settled::default(),
            collations: HashMap::default(),
            references: References::default(),
            intercepts: BTreeMap::new(),
            timers: Timers::default(),
            next_number: 0,
            durable: 0,
            confirmations: Confirmations::default(),
            services: Services::default(),
            shadow: None,
            suspended: Suspended::default(),
            dead: DeadLetters::default(),
            doubtful: Vec::new(),
            archive,
            released: Released::new(),
            admission: Admission::default(),
            watched_us: 0,
            minimize: None,
            unreadable: None,
            held: VecDeque::new(),
            outcomes: Outcomes::default(),
            reservations: Vec::new(),
            closings: Vec::new(),
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

    /// The first record after recovery: which bundle is in force. Updates that the last run may
    /// have sent, and whose outcome nobody knows, come to their end here.
    ///
    /// `clock_behind_us` is how far the computer's clock was behind the journal.
    pub fn start(&mut self, now_us: i64, clock_behind_us: i64, effects: &mut Effects) {
        self.record_start(record::STARTED, clock_behind_us, effects);
        for (line, precedence, waiting) in std::mem::take(&mut self.doubtful) {
            if let Some(entry) = self.load((line, precedence), waiting) {
                self.in_doubt(&entry, now_us, effects);
            }
        }
        self.flush(effects);
        effects.unreadable.clone_from(&self.unreadable);
    }

    /// The last record of an orderly stop.
    pub fn stop(&mut self, effects: &mut Effects) {
        self.flush(effects);
        self.record_start(record::STOPPED, 0, effects);
    }

    /// Takes one event at `now_us` (microseconds since 1970, UTC) and adds to `effects`.
    ///
    /// The caller appends `effects.records` to the journal in order, before it writes
    /// `effects.writes`.
    pub fn step(&mut self, event: Event<'_>, now_us: i64, effects: &mut Effects) {
        if self.unreadable.is_none() {
            self.take_event(event, now_us, effects);
        }
        effects.unreadable.clone_from(&self.unreadable);
    }

    fn take_event(&mut self, event: Event<'_>, now_us: i64, effects: &mut Effects) {
        match event {
            Event::Close { connection, unread } => self.close(connection, unread, now_us, effects),
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
                self.count_shed(now_us, effects);
                self.watch_sessions(now_us, effects);
                self.fall_due(now_us, effects);
            }
        }
        // What waited for a record that is durable already, such as the answer to a repetition.
        if self.held.front().is_some_and(|(number, _)| *number < self.durable) {
            self.release(self.durable, now_us, effects);
        }
        self.flush(effects);
        if !effects.records.is_empty() {
            self.admission.appended(self.next_number - 1, now_us);
        }
        self.admission.adjust(self.next_number.saturating_sub(self.durable), now_us);
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
        if defect::has(Defect::OutcomeTwice) {
            self.outcome(entry.stored.number, entry.index, Outcome::Delivered);
        }
        self.await_reply_to_update(Control::of(entry.stored.number, entry.index), now_us);
        if let Some(line) = self.line_state(entry.line) {
            line.tally.delivered += 1;
        }
    }

    /// Asks for the record without which a number of a line must not be sent.
    pub(crate) fn reserve(&mut self, line: LineId, precedence: u8, sequence: u64) {
        let ahead = reserved_ahead(self.bundle.directory.line(line).window);
        let state = self.line_state(line);
        if let Some(upto) = state.and_then(|state| state.reserve(precedence, sequence, ahead)) {
            self.reservations.push((line, precedence, upto));
        }
    }

    /// Puts an entry into its queue.
    pub(crate) fn push(&mut self, line: LineId, precedence: u8, waiting: Waiting) {
        let due_us = self.line_state(line).and_then(|it| it.push(precedence, waiting));
        if let Some(due_us) = due_us {
            self.timers.set(due_us, Timer::Due { line, precedence });
        }
    }

    /// The entry that waits, read again where it is not at hand. When it cannot be read, nothing
    /// more can be promised, and the engine stops.
    pub(crate) fn load(&mut self, place: (LineId, u8), mut waiting: Waiting) -> Option<Box<Entry>> {
        let archive = &mut *self.archive;
        match archive::load(archive, &self.bundle, &self.released, place, &mut waiting) {
            Ok(entry) => Some(entry),
            Err(unreadable) => {
                self.unreadable = Some(unreadable);
                None
            }
        }
    }

    /// The entry that was taken out of a queue or from the wire.
    pub(crate) fn withdrawn(
        &mut self,
        place: (LineId, u8),
        withdrawn: Withdrawn,
    ) -> Option<Box<Entry>> {
        match withdrawn {
            Withdrawn::Sent(entry) => Some(entry),
            Withdrawn::Waiting(waiting) => self.load(place, waiting),
        }
    }

    fn open(&mut self, connection: ConnectionId, line: LineId, now_us: i64, effects: &mut Effects) {
        let framing = self.bundle.directory.line(line).framing;
        let session = Session::new(connection, line, framing, now_us);
        let up = session.phase == Phase::Up;
        self.sessions.insert(connection, session);
        if up && let Some(session) = self.sessions.remove(&connection) {
            self.came_up(&session, now_us, effects);
            self.sessions.insert(connection, session);
            self.pump(line, now_us, effects);
        }
    }

    /// A session begins; it fences an older one of the same line. Gives its record's number.
    pub(crate) fn came_up(&mut self, session: &Session, now_us: i64, effects: &mut Effects) -> u64 {
        let older = self.line_state(session.line).and_then(|line| line.session);
        if let Some(older) = older.filter(|older| *older != session.connection) {
            self.drop_session(older, codes::SUPERSEDED, now_us, effects);
        }
        if let Some(line) = self.line_state(session.line) {
            line.session = Some(session.connection);
            line.up_since_us = now_us;
            let unreserved: SmallVec<[(u8, u64); 5]> = line.unreserved().collect();
            for (precedence, sequence) in unreserved {
                self.reserve(session.line, precedence, sequence);
            }
        }
        self.undivert(session.line, now_us, effects);
        self.record_line(session.line, "up", 0, effects)
    }

    /// Ends a session from our side.
    pub(crate) fn drop_session(
        &mut self,
        connection: ConnectionId,
        code: u16,
        now_us: i64,
        effects: &mut Effects,
    ) {
        if let Some(session) = self.sessions.get_mut(&connection) {
            session.closing = true;
            let line = session.line;
            if session.framing == Framing::Native {
                // The peer must know why, or two sessions of a line would fence each other forever.
                let text = codes::find(code).map_or("", |code| code.expected);
                let reject = native::Frame::bare(native::Kind::Reject);
                let frame = native::Frame { code, body: text.as_bytes(), ..reject };
                native::encode(effects.buffer(connection), &frame);
            }
            self.disconnect(connection, line, code, now_us, effects);
        }
        effects.closes.push((connection, code));
    }

    fn close(
        &mut self,
        connection: ConnectionId,
        unread: usize,
        now_us: i64,
        effects: &mut Effects,
    ) {
        let Some(session) = self.sessions.remove(&connection) else {
            return;
        };
        let code = if unread > 0 { codes::FRAME_TRUNCATED } else { 0 };
        self.disconnect(connection, session.line, code, now_us, effects);
    }

    fn disconnect(
        &mut self,
        connection: ConnectionId,
        line: LineId,
        code: u16,
        now_us: i64,
        effects: &mut Effects,
    ) {
        let bundle = Arc::clone(&self.bundle);
        let Some(state) = self.line_state(line) else {
            return;
        };
        let current = state.session == Some(connection);
        let once = |entry: &Entry| is_once(&bundle, line, entry.key);
        let in_doubt = if current { state.disconnect(&once) } else { Vec::new() };
        if current || code != 0 {
            self.record_line(line, "down", code, effects);
        }
        let known = bundle.directory.line(line);
        if current && known.alternate.is_some() {
            let after_us = i64::from(known.divert_after_ms) * 1_000;
            self.timers.set(now_us + after_us, Timer::Divert(line));
        }
        for entry in in_doubt {
            self.in_doubt(&entry, now_us, effects);
        }
    }

    /// Everything below `count` is on stable storage: answer, queue, send.
    fn release(&mut self, count: u64, now_us: i64, effects: &mut Effects) {
        self.durable = self.durable.max(count);
        self.admission.durable(self.durable, now_us);
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
                        touch(&mut touched, session.line);
                    }
                }
                // An inquiry whose reply fell due while the disk took its time has had its end.
                Some((_, Held::Queue(entry))) if self.is_overdue(&entry) => {}
                Some((_, Held::Queue(entry))) => {
                    let (line, precedence) = (entry.line, entry.precedence);
                    let window = usize::from(self.bundle.directory.line(line).window);
                    let most = (READY_WINDOWS * window).max(READY_MIN);
                    let soon = |it: &mut LineState| it.session.is_some() && it.len() < most;
                    let keep = self.line_state(line).is_some_and(soon);
                    if let Some(state) = self.line_state(line) {
                        state.joins(precedence, entry.sequence, window, now_us);
                    }
                    self.push(line, precedence, Waiting::of(entry, keep));
                    touch(&mut touched, line);
                }
                Some((_, Held::Moved(line, precedence, waiting))) => {
                    self.push(line, precedence, waiting);
                    touch(&mut touched, line);
                }
                Some((_, Held::Reserved(line, precedence, sequence))) => {
                    if let Some(state) = self.line_state(line) {
                        state.was_reserved(precedence, sequence);
                    }
                    touch(&mut touched, line);
                }
                Some((_, Held::Closed(connection, precedence, last))) => {
                    let line = self.sessions.get(&connection).map(|session| session.line);
                    let state = line.and_then(|line| self.line_state(line));
                    if let Some(state) = state.filter(|it| it.session == Some(connection)) {
                        state.was_closed(precedence, last);
                        line.into_iter().for_each(|line| touch(&mut touched, line));
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
                Timer::Due { line, precedence } => {
                    self.queue_due(line, precedence, now_us, effects);
                }
                Timer::Divert(line) => self.divert(line, now_us, effects),
                Timer::Minimize => self.minimize_over(now_us, effects),
                Timer::Move { line, by } => self.move_waiting(line, by, now_us, effects),
                Timer::Reply(control) => self.reply_overdue(control, now_us, effects),
            }
        }
        self.settled.forget(now_us);
        self.references.forget(now_us - self.duplicate_window_us());
    }

    /// Records what this step has gathered.
    pub(crate) fn flush(&mut self, effects: &mut Effects) {
        if !self.reservations.is_empty() {
            let reservations = std::mem::take(&mut self.reservations);
            let item = |(line, precedence, upto): &(LineId, u8, u64)| {
                (Cow::Owned(self.line_name(*line)), *precedence, *upto)
            };
            let body = record::encode(&Reserved { items: reservations.iter().map(item).collect() });
            let number = self.append(record::RESERVED, body, effects);
            for (line, precedence, upto) in reservations {
                self.hold(number, Held::Reserved(line, precedence, upto));
            }
        }
        if !self.outcomes.items.is_empty() {
            let outcomes = std::mem::take(&mut self.outcomes);
            self.append(record::OUTCOMES, record::encode(&outcomes), effects);
        }
        for (connection, precedence, last) in std::mem::take(&mut self.closings) {
            let closed = Held::Closed(connection, precedence, last);
            self.hold(self.next_number.saturating_sub(1), closed);
        }
    }

    fn record_start(&mut self, kind: u8, clock_behind_us: i64, effects: &mut Effects) {
        let body = record::encode(&Started {
            bundle: self.bundle.hash.as_str().into(),
            version: env!("CARGO_PKG_VERSION").into(),
            clock_behind_us,
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

    pub(crate) fn duplicate_window_us(&self) -> i64 {
        let ms = self.bundle.directory.settings().limits.duplicate_window_ms;
        i64::try_from(ms).unwrap_or(i64::MAX / 1000).saturating_mul(1000)
    }
}

fn touch(touched: &mut SmallVec<[LineId; 16]>, line: LineId) {
    if !touched.contains(&line) {
        touched.push(line);
    }
}
