//! The computers at the other end of the lines, with what they know for certain.
//! No crash of the switch takes that from them, so it can judge the switch.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use clets_routing::{Framing, LineId};
use clets_wire::framing::dmpp::{self, function, status};
use clets_wire::framing::native::{self, Kind};

use crate::chance::Chance;

const FRAME_BYTES_MAX: usize = 1 << 20;
/// Messages that a sender has on the wire without an answer.
const UNANSWERED_MAX: usize = 8;

/// A message that the sender still has, because nobody has answered for it.
#[derive(Debug)]
struct Unanswered {
    reference: String,
    payload: String,
    /// Its number on a native line; on another, the validation it was last sent under, 0 before.
    number: u64,
    sent: bool,
}

/// What a sender was told of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Answer {
    /// The switch has it: its SMN where the protocol says so.
    Taken(Option<u64>),
    /// This code.
    Refused(u16),
}

/// A message as it came from the switch.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    pub(crate) payload: String,
    /// Marked as a possible duplicate.
    pub(crate) marked: bool,
    /// The peer had it before, and dropped it.
    pub(crate) again: bool,
    /// The peer refused it.
    pub(crate) refused: bool,
}

/// One peer.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) line: LineId,
    pub(crate) framing: Framing,
    pub(crate) link: Option<u32>,
    /// Bytes for the switch, and bytes from it that are no whole frame yet.
    pub(crate) out: Vec<u8>,
    inbox: Vec<u8>,
    /// A native line was told that its session is open.
    open: bool,
    unanswered: VecDeque<Unanswered>,
    /// By reference, the first answer and any other.
    pub(crate) answers: BTreeMap<String, Vec<Answer>>,
    next_number: u64,
    validation: u32,
    pub(crate) taken: Vec<Taken>,
    /// In custody up to these numbers (native lines).
    pub(crate) cursor: [u64; 5],
    /// What `cursor` says and the switch was told.
    told: [u64; 5],
    /// Acknowledgements that a DMPP peer has not given yet.
    owed: VecDeque<([u8; 4], bool)>,
    /// What the line did wrong.
    pub(crate) wrong: Vec<String>,
    /// Rare things that happened.
    pub(crate) reached: BTreeSet<&'static str>,
}

impl Peer {
    pub(crate) fn new(name: &'static str, line: LineId, framing: Framing) -> Self {
        Self {
            name,
            line,
            framing,
            link: None,
            out: Vec::new(),
            inbox: Vec::new(),
            open: false,
            unanswered: VecDeque::new(),
            answers: BTreeMap::new(),
            next_number: 0,
            validation: 0,
            taken: Vec::new(),
            cursor: [0; 5],
            told: [0; 5],
            owed: VecDeque::new(),
            wrong: Vec::new(),
            reached: BTreeSet::new(),
        }
    }

    fn is_native(&self) -> bool {
        self.framing == Framing::Native
    }

    /// Nothing of it waits for an answer, and it owes none.
    pub(crate) fn is_quiet(&self) -> bool {
        self.unanswered.is_empty() && self.owed.is_empty() && self.told == self.cursor
    }

    /// For people: what keeps it from being quiet.
    pub(crate) fn state(&self) -> String {
        let (owed, told, cursor) = (self.owed.len(), self.told, self.cursor);
        let (unanswered, open) = (&self.unanswered, self.open);
        format!("open {open}, owes {owed}, told {told:?} of {cursor:?}, unanswered {unanswered:?}")
    }

    /// Begins on a new connection.
    pub(crate) fn connect(&mut self, connection: u32, chance: &mut Chance) {
        self.link = Some(connection);
        self.out.clear();
        self.inbox.clear();
        self.owed.clear();
        self.open = !self.is_native();
        self.unanswered.iter_mut().for_each(|it| it.sent = false);
        if self.is_native() {
            // Now and then it has gone back to an older copy of its own counts.
            let back = if chance.often(10) { 1 + chance.below(3) } else { 0 };
            let receive = self.cursor.map(|it| it.saturating_sub(back) + 1);
            if back > 0 {
                self.reached.insert("resumed from older counts");
                self.cursor = receive.map(|it| it - 1);
            }
            self.told = self.cursor;
            let body = format!(r#"{{"line": "{}", "receive": {receive:?}}}"#, self.name);
            self.native(Kind::Logon, 0, 0, body.as_bytes());
        }
        self.send();
    }

    /// The connection is gone, with all that was on its way.
    pub(crate) fn lose(&mut self) {
        self.link = None;
        self.out.clear();
        self.inbox.clear();
        self.owed.clear();
        self.told = self.cursor;
        self.open = false;
    }

    /// Has a message to send.
    pub(crate) fn submit(&mut self, reference: &str, payload: &str) {
        let (reference, payload) = (reference.to_owned(), payload.to_owned());
        self.unanswered.push_back(Unanswered { reference, payload, number: 0, sent: false });
        self.send();
    }

    fn send(&mut self) {
        if self.link.is_none() || !self.open {
            return;
        }
        let native = self.is_native();
        let mut frames = Vec::new();
        for message in self.unanswered.iter_mut().take(UNANSWERED_MAX).filter(|it| !it.sent) {
            message.sent = true;
            if native {
                if message.number == 0 {
                    self.next_number += 1;
                    message.number = self.next_number;
                }
                let frame = native::Frame {
                    kind: Kind::Data,
                    precedence: 0,
                    flags: 0,
                    code: 0,
                    sequence: message.number,
                    body: message.payload.as_bytes(),
                };
                native::encode(&mut frames, &frame);
            } else {
                self.validation += 1;
                message.number = u64::from(self.validation);
                let validation = self.validation.to_be_bytes();
                let body = message.payload.as_bytes();
                dmpp::encode(&mut frames, function::DATA_ACK, validation, status::OK, 1, body);
            }
        }
        self.out.extend_from_slice(&frames);
    }

    fn native(&mut self, kind: Kind, precedence: u8, sequence: u64, body: &[u8]) {
        let frame = native::Frame { kind, precedence, flags: 0, code: 0, sequence, body };
        native::encode(&mut self.out, &frame);
    }

    /// Says that it is there.
    pub(crate) fn greet(&mut self) {
        if self.is_native() {
            self.native(Kind::Heartbeat, 0, 0, b"");
        } else {
            dmpp::encode(&mut self.out, function::STATUS_REPLY, [0; 4], status::READY, 1, b"");
        }
    }

    /// Bytes came from the switch.
    pub(crate) fn receive(&mut self, bytes: &[u8], refuses: bool) {
        self.inbox.extend_from_slice(bytes);
        let inbox = std::mem::take(&mut self.inbox);
        let mut at = 0;
        while let Some(size) = self.frame(&inbox[at..], refuses) {
            at += size;
        }
        self.inbox = inbox[at..].to_vec();
        self.send();
    }

    fn frame(&mut self, bytes: &[u8], refuses: bool) -> Option<usize> {
        if self.is_native() {
            let (frame, size) = native::next(bytes, FRAME_BYTES_MAX).unwrap()?;
            self.native_frame(&frame);
            Some(size)
        } else {
            let (frame, size) = dmpp::next(bytes, FRAME_BYTES_MAX).unwrap()?;
            self.dmpp_frame(&frame, refuses);
            Some(size)
        }
    }

    fn answered(&mut self, is: impl Fn(&Unanswered) -> bool, answer: Answer) {
        if let Some(at) = self.unanswered.iter().position(|it| it.sent && is(it)) {
            let message = self.unanswered.remove(at).unwrap();
            self.answers.entry(message.reference).or_default().push(answer);
        }
    }

    fn dmpp_frame(&mut self, frame: &dmpp::Frame<'_>, refused: bool) {
        let number = u64::from(u32::from_be_bytes(frame.validation));
        match frame.function {
            function::DATA_ACK => {
                let payload = String::from_utf8(frame.data.to_vec()).unwrap();
                let marked = payload.contains("POSSIBLE DUPLICATE MESSAGE\r\n");
                self.taken.push(Taken { payload, marked, again: false, refused });
                self.owed.push_back((frame.validation, refused));
            }
            function::POSITIVE_ACK => {
                self.answered(|it| it.number == number, Answer::Taken(None));
            }
            function::NEGATIVE_ACK => {
                self.answered(|it| it.number == number, Answer::Refused(frame.status));
            }
            function::STATUS_REQUEST => self.greet(),
            function::STATUS_REPLY => {}
            other => self.wrong.push(format!("{}: function {other}", self.name)),
        }
    }

    fn native_frame(&mut self, frame: &native::Frame<'_>) {
        let class = usize::from(frame.precedence);
        match frame.kind {
            Kind::LogonAck => {
                self.open = true;
                let text = String::from_utf8(frame.body.to_vec()).unwrap();
                let digits = text.rsplit(':').next().unwrap().trim_end_matches('}').trim();
                let received: u64 = digits.parse().unwrap();
                // The rest is numbered from there on; it was never taken.
                if received > self.next_number {
                    let name = self.name;
                    self.wrong.push(format!("{name}: {received} received, {}", self.next_number));
                }
                let mut next = received;
                for message in self.unanswered.iter_mut().filter(|it| it.number > received) {
                    next += 1;
                    message.number = next;
                }
                self.next_number = next.max(received);
            }
            Kind::Accept => {
                let smn = frame.body.try_into().map(u64::from_be_bytes).unwrap();
                let sequence = frame.sequence;
                self.answered(|it| it.number == sequence, Answer::Taken(Some(smn)));
            }
            Kind::Reject if frame.sequence > 0 => {
                let (sequence, code) = (frame.sequence, frame.code);
                self.answered(|it| it.number == sequence, Answer::Refused(code));
            }
            // The connection's end follows.
            Kind::Reject => {
                self.reached.insert(match frame.code {
                    803 => "fenced",
                    804 => "silent",
                    806 => "unacknowledged",
                    _ => "connection refused",
                });
            }
            Kind::Skip => {
                self.reached.insert("skip");
                self.cursor[class] = self.cursor[class].max(frame.sequence);
            }
            Kind::Gap => {
                self.reached.insert("gap");
                self.cursor[class] = self.cursor[class].max(frame.sequence);
            }
            Kind::Data => {
                let payload = String::from_utf8(frame.body.to_vec()).unwrap();
                let next = self.cursor[class] + 1;
                let marked = frame.flags & native::POSSIBLE_DUPLICATE != 0;
                if frame.sequence > next {
                    let (name, came) = (self.name, frame.sequence);
                    self.wrong.push(format!("{name}: P{class} {came} came, {next} was next"));
                }
                let again = frame.sequence < next;
                self.taken.push(Taken { payload, marked, again, refused: false });
                self.cursor[class] = self.cursor[class].max(frame.sequence);
            }
            Kind::Heartbeat => {}
            other => self.wrong.push(format!("{}: {other:?}", self.name)),
        }
    }

    /// Gives acknowledgements: all, or only the oldest.
    pub(crate) fn acknowledge(&mut self, all: bool) {
        if self.link.is_none() {
            return;
        }
        while let Some((validation, refused)) = self.owed.pop_front() {
            let answer = if refused { function::NEGATIVE_ACK } else { function::POSITIVE_ACK };
            dmpp::encode(&mut self.out, answer, validation, status::OK, 1, b"");
            if !all {
                return;
            }
        }
        for (class, (told, cursor)) in self.told.into_iter().zip(self.cursor).enumerate() {
            if told < cursor {
                self.native(Kind::Delivered, class as u8, cursor, b"");
                self.told[class] = cursor;
            }
        }
    }
}
