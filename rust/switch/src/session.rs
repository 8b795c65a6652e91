//! One connection of a line: the frames of its protocol, before and after logon.

use clets_defect::{self as defect, Defect};
use clets_routing::{Framing, LineId};
use clets_wire::FrameError;
use clets_wire::framing::dmpp::{self, function, status};
use clets_wire::framing::native;

use crate::engine::{Engine, Held};
use crate::queue::PRECEDENCES;
use crate::receipt::Receipt;
use crate::{ConnectionId, Effects, codes};

/// A DMPP end point sends a keep-alive this long after the last activity (DMPP-2020 §3).
const DMPP_KEEP_ALIVE_US: i64 = 30_000_000;
/// A DMPP line that was silent this long is dropped, so one keep-alive may be missed.
const DMPP_SILENCE_US: i64 = 60_000_000;
/// A native end point sends a heartbeat after this much silence of its own.
const NATIVE_HEARTBEAT_US: i64 = 5_000_000;
/// A native line that was silent this long is dead.
const NATIVE_SILENCE_US: i64 = 15_000_000;
/// What a line was sent must be acknowledged within this time, or its connection is no good.
const ACKNOWLEDGE_US: i64 = 30_000_000;
/// Blocks of one DMPP message may add up to this many frames' worth.
const DMPP_BLOCKS_MAX: usize = 32;

/// How far a session is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Phase {
    /// Native: nothing but LOGON is taken.
    Logon,
    /// Native: LOGON was taken, and is answered once everything received before it is durable.
    Opening,
    /// Traffic passes.
    Up,
}

/// The state of one connection.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) connection: ConnectionId,
    pub(crate) line: LineId,
    pub(crate) framing: Framing,
    pub(crate) phase: Phase,
    pub(crate) closing: bool,
    /// Native: the next number the peer expects, by precedence.
    pub(crate) expected: [u64; PRECEDENCES],
    pub(crate) validation: u32,
    heard_us: i64,
    pub(crate) sent_us: i64,
    /// DMPP blocks marked "more follows".
    blocks: Vec<u8>,
    blocks_count: usize,
}

impl Session {
    pub(crate) fn new(
        connection: ConnectionId,
        line: LineId,
        framing: Framing,
        now_us: i64,
    ) -> Self {
        Self {
            connection,
            line,
            framing,
            // DMPP has no logon: identity came with the connection.
            phase: if framing == Framing::Dmpp { Phase::Up } else { Phase::Logon },
            closing: false,
            expected: [1; PRECEDENCES],
            validation: 0,
            heard_us: now_us,
            sent_us: now_us,
            blocks: Vec::new(),
            blocks_count: 0,
        }
    }
}

/// The validation field of a DMPP header that was refused as a whole.
fn validation_of(header: &[u8]) -> [u8; 4] {
    header.get(12..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default()
}

impl Engine {
    /// Takes all whole frames from `bytes`; what is left over stays in the receive buffer.
    pub(crate) fn receive(
        &mut self,
        connection: ConnectionId,
        bytes: &[u8],
        now_us: i64,
        effects: &mut Effects,
    ) {
        // The session is taken out while its frames are handled, and put back.
        let Some(mut session) = self.sessions.remove(&connection) else {
            effects.consumed = bytes.len();
            return;
        };
        session.heard_us = now_us;
        let limit = self.bundle.directory.settings().limits.frame_bytes as usize;
        let mut used = 0;
        while !session.closing {
            let rest = bytes.get(used..).unwrap_or_default();
            let step = match session.framing {
                Framing::Dmpp => dmpp::next(rest, limit).map(|found| {
                    found.map(|(frame, size)| {
                        self.dmpp_frame(&mut session, &frame, now_us, effects);
                        size
                    })
                }),
                Framing::Native => native::next(rest, limit).map(|found| {
                    found.map(|(frame, size)| {
                        self.native_frame(&mut session, &frame, now_us, effects);
                        size
                    })
                }),
            };
            match step {
                Ok(Some(size)) => used += size,
                Ok(None) => break,
                Err(error) => {
                    let validation = validation_of(rest);
                    self.bad_frame(&mut session, &error, rest, validation, effects);
                    used = bytes.len();
                }
            }
        }
        effects.consumed = if session.closing { bytes.len() } else { used };
        let line = session.line;
        self.sessions.insert(connection, session);
        self.pump(line, now_us, effects);
    }

    /// Keep-alives, and lines that fell silent.
    pub(crate) fn watch_sessions(&mut self, now_us: i64, effects: &mut Effects) {
        self.excuse_silence(now_us);
        let mut dropped = Vec::new();
        for session in self.sessions.values_mut().filter(|session| !session.closing) {
            let state = self.lines.get(session.line.index());
            let oldest_us = state.and_then(|state| state.oldest_flight_us()).unwrap_or(now_us);
            let (active_us, keep_alive_us, silence_us) = match session.framing {
                Framing::Dmpp => {
                    (session.sent_us.max(session.heard_us), DMPP_KEEP_ALIVE_US, DMPP_SILENCE_US)
                }
                Framing::Native => (session.sent_us, NATIVE_HEARTBEAT_US, NATIVE_SILENCE_US),
            };
            if now_us - session.heard_us >= silence_us {
                dropped.push((session.connection, codes::PEER_SILENT));
            } else if now_us - oldest_us >= ACKNOWLEDGE_US {
                dropped.push((session.connection, codes::UNACKNOWLEDGED));
            } else if now_us - active_us >= keep_alive_us {
                let out = effects.buffer(session.connection);
                match session.framing {
                    Framing::Dmpp => dmpp::encode(
                        out,
                        function::STATUS_REQUEST,
                        session.validation.to_be_bytes(),
                        status::READY,
                        1,
                        b"",
                    ),
                    Framing::Native => {
                        native::encode(out, &native::Frame::bare(native::Kind::Heartbeat));
                    }
                }
                session.sent_us = now_us;
            }
        }
        for (connection, code) in dropped {
            self.drop_session(connection, code, now_us, effects);
        }
    }

    /// While the switch itself did not listen, nobody was silent: what came waits to be read.
    fn excuse_silence(&mut self, now_us: i64) {
        /// The shell looks ten times a second; a turn that takes this long was a busy one.
        const LATE_US: i64 = 500_000;
        let late_us = now_us - std::mem::replace(&mut self.watched_us, now_us);
        if late_us > LATE_US && late_us < now_us {
            self.sessions.values_mut().for_each(|session| session.heard_us += late_us);
            self.lines.iter_mut().for_each(|line| line.excuse(late_us));
        }
    }

    fn dmpp_frame(
        &mut self,
        session: &mut Session,
        frame: &dmpp::Frame<'_>,
        now_us: i64,
        effects: &mut Effects,
    ) {
        let validation = frame.validation;
        match frame.function {
            function::DATA_MORE => {
                session.blocks.extend_from_slice(frame.data);
                session.blocks_count += 1;
                let limit = self.bundle.directory.settings().limits.frame_bytes as usize;
                if session.blocks_count > DMPP_BLOCKS_MAX || session.blocks.len() > limit {
                    let error = FrameError {
                        code: codes::FRAME_TOO_LONG,
                        offset: 0,
                        expected: "a message within the limit of the line",
                    };
                    self.bad_frame(session, &error, frame.data, validation, effects);
                }
            }
            function::DATA | function::DATA_ACK => {
                let receipt =
                    Receipt::Dmpp { validation, wanted: frame.function == function::DATA_ACK };
                if session.blocks.is_empty() {
                    self.take(session, receipt, frame.data, now_us, effects);
                } else {
                    let mut whole = std::mem::take(&mut session.blocks);
                    session.blocks_count = 0;
                    whole.extend_from_slice(frame.data);
                    self.take(session, receipt, &whole, now_us, effects);
                }
            }
            function::POSITIVE_ACK => {
                let entry = self
                    .line_state(session.line)
                    .and_then(|line| line.acknowledged(u32::from_be_bytes(validation)));
                if let Some(entry) = entry {
                    let (precedence, sequence) = (entry.precedence, entry.sequence);
                    if let Some(line) = self.line_state(session.line) {
                        line.note_delivered(precedence, sequence);
                    }
                    self.delivered(&entry, now_us);
                }
            }
            function::NEGATIVE_ACK => {
                let entry = self
                    .line_state(session.line)
                    .and_then(|line| line.acknowledged(u32::from_be_bytes(validation)));
                if let Some(entry) = entry {
                    if defect::has(Defect::RefusalDelivers) {
                        self.delivered(&entry, now_us);
                    } else {
                        self.not_taken(entry, now_us, effects);
                    }
                }
            }
            function::STATUS_REQUEST => {
                let out = effects.buffer(session.connection);
                dmpp::encode(out, function::STATUS_REPLY, validation, status::READY, 1, b"");
                session.sent_us = now_us;
            }
            function::STATUS_REPLY => {}
            // A block that wants its own acknowledgement (0004) is refused too: an
            // acknowledgement says "stored", and only a whole message can be.
            _ => {
                let out = effects.buffer(session.connection);
                let refusal = status::BAD_FUNCTION;
                dmpp::encode(out, function::NEGATIVE_ACK, validation, refusal, 1, b"");
                session.sent_us = now_us;
            }
        }
    }

    fn native_frame(
        &mut self,
        session: &mut Session,
        frame: &native::Frame<'_>,
        now_us: i64,
        effects: &mut Effects,
    ) {
        match (frame.kind, session.phase) {
            (native::Kind::Logon, Phase::Logon) => self.logon(session, frame.body, now_us, effects),
            (native::Kind::Heartbeat, _) => {}
            (native::Kind::Data, Phase::Up) => {
                let receipt = Receipt::Native { sequence: frame.sequence };
                self.take(session, receipt, frame.body, now_us, effects);
            }
            (native::Kind::Delivered, Phase::Up) => {
                self.taken_up_to(session.line, frame.precedence, frame.sequence, now_us);
            }
            (native::Kind::Logoff, Phase::Up) => {
                session.closing = true;
                effects.closes.push((session.connection, 0));
            }
            _ => {
                let error = FrameError {
                    code: codes::ORDER_VIOLATED,
                    offset: 0,
                    expected: "LOGON first, then DATA, DELIVERED, HEARTBEAT or LOGOFF",
                };
                self.bad_frame(session, &error, frame.body, [0; 4], effects);
            }
        }
    }

    /// LOGON: the line's name and the next number the peer expects of each precedence.
    fn logon(&mut self, session: &mut Session, body: &[u8], now_us: i64, effects: &mut Effects) {
        #[derive(serde::Deserialize)]
        struct Logon {
            line: String,
            receive: [u64; PRECEDENCES],
        }
        let logon: Option<Logon> = serde_json::from_slice(body).ok();
        let name = self.line_name(session.line);
        let Some(logon) = logon.filter(|logon| logon.line == name) else {
            let error = FrameError {
                code: codes::LOGON_REFUSED,
                offset: 0,
                expected: "LOGON with the name of the line that this connection belongs to, \
                           and the next number of each precedence",
            };
            self.bad_frame(session, &error, body, [0; 4], effects);
            return;
        };
        let state = self.lines.get(session.line.index());
        let beyond = |(precedence, next): (u8, u64)| {
            state.is_none_or(|line| next > line.sent_at_most(precedence) + 1)
        };
        if (0_u8..).zip(logon.receive).any(beyond) {
            let error = FrameError {
                code: codes::RESUME_BEYOND,
                offset: 0,
                expected: "LOGON with resume points that the switch has reached; this line has \
                           counted more than it was sent, so that its count or the switch's is \
                           not the right one",
            };
            self.bad_frame(session, &error, body, [0; 4], effects);
            return;
        }
        session.phase = Phase::Opening;
        let number = self.came_up(session, now_us, effects);
        for (precedence, next) in (0_u8..).zip(logon.receive) {
            let more = u64::from(defect::has(Defect::ResumeOffByOne));
            self.taken_up_to(session.line, precedence, next.max(1) - 1 + more, now_us);
        }
        let Some(line) = self.line_state(session.line) else {
            return;
        };
        let received = line.received;
        let mut gaps = Vec::new();
        for (precedence, next) in (0_u8..).zip(logon.receive) {
            let next = next.max(1);
            let delivered = line.delivered(precedence);
            if delivered >= next {
                // The peer asks for what it acknowledged before: we no longer hold it.
                gaps.push((precedence, delivered));
            }
            if let Some(expected) = session.expected.get_mut(usize::from(precedence)) {
                *expected = next.max(delivered + 1);
            }
        }
        let mut out = Vec::new();
        let answer = serde_json::json!({ "line": name, "received": received }).to_string();
        native::encode(
            &mut out,
            &native::Frame {
                body: answer.as_bytes(),
                ..native::Frame::bare(native::Kind::LogonAck)
            },
        );
        for (precedence, sequence) in gaps {
            let gap = native::Frame::bare(native::Kind::Gap);
            native::encode(&mut out, &native::Frame { precedence, sequence, ..gap });
        }
        // `received` is a promise: it is given when the record of this logon, and so every record
        // before it, is durable.
        self.hold(number, Held::Opened(session.connection, out));
    }

    /// A native line has taken all up to a number.
    fn taken_up_to(&mut self, line: LineId, precedence: u8, sequence: u64, now_us: i64) {
        let state = self.line_state(line);
        let (sent, waited) =
            state.map(|it| it.acknowledged_to(precedence, sequence)).unwrap_or_default();
        sent.iter().for_each(|entry| self.delivered(entry, now_us));
        // After a restart it may have what still waits here.
        for waiting in waited {
            if let Some(entry) = self.load((line, precedence), waiting) {
                self.delivered(&entry, now_us);
            }
        }
    }

    /// Bytes that are no frame of the protocol end the connection; other lines notice nothing.
    fn bad_frame(
        &mut self,
        session: &mut Session,
        error: &FrameError,
        bytes: &[u8],
        validation: [u8; 4],
        effects: &mut Effects,
    ) {
        self.record_refused_bytes(session.line, error.code, bytes, effects);
        let out = effects.buffer(session.connection);
        match session.framing {
            Framing::Dmpp if error.code == codes::FRAME_TOO_LONG => {
                dmpp::encode(out, function::NEGATIVE_ACK, validation, status::TOO_LONG, 1, b"");
            }
            Framing::Dmpp => {}
            Framing::Native => {
                let text = error.to_string();
                native::encode(
                    out,
                    &native::Frame {
                        code: error.code,
                        body: text.as_bytes(),
                        ..native::Frame::bare(native::Kind::Reject)
                    },
                );
            }
        }
        session.closing = true;
        effects.closes.push((session.connection, error.code));
    }
}
