//! The three kinds of line: one that sends, one that takes, and the host.

use std::collections::VecDeque;
use std::io;
use std::net::Ipv4Addr;

use clets_wire::dmpp::{self, function, status};
use clets_wire::native::{self, Frame, Kind};
use memchr::memmem;
use serde::Deserialize;

use crate::net::Connection;

const FRAME_BYTES_MAX: usize = 128 << 10;
/// Of one line: beyond, its computer has nowhere to put messages and they are not even sent.
const UNSENT_BYTES_MAX: usize = 4 << 20;
/// What becomes the reference in a message, and what becomes its intended time.
const REFERENCE: &str = "<REF>";
const DUE: &str = "<DUE>";
/// The switch's reminder of a confirmation that nobody gave repeats the request with its time.
const REMINDER: &[u8] = b".HCN.";

/// A native line of the bundle.
#[derive(Clone, Deserialize)]
pub(crate) struct Place {
    name: String,
    peer: Ipv4Addr,
    /// By precedence, what it sends; none for a line that only takes. `<REF>` stands for the
    /// reference, `<DUE>` for the intended time.
    #[serde(default)]
    messages: Vec<String>,
}

/// What a line was told.
pub(crate) enum News {
    /// An answer to one of its own messages.
    Answered { sent: Sent, code: u16 },
    /// A message came whose text names an intended time.
    Came { precedence: u8, due_us: u64 },
    /// A message came that is no more than a notice.
    Notice,
    /// The switch reminds of what was delivered and not answered.
    Reminder,
    /// The switch ends the line, and why.
    Cut(u16),
}

/// A message that has no answer.
#[derive(Clone, Copy)]
pub(crate) struct Sent {
    pub(crate) precedence: u8,
    pub(crate) span: u8,
    pub(crate) due_us: u64,
}

/// The number behind a mark in a text.
fn number_behind(text: &[u8], mark: &[u8]) -> Option<u64> {
    let at = memmem::find(text, mark)? + mark.len();
    let digits = text.get(at..)?.iter().take_while(|byte| byte.is_ascii_digit());
    Some(digits.fold(0, |number, digit| 10 * number + u64::from(digit - b'0')))
}

/// A station's line or a sender's: the same protocol.
pub(crate) struct Native {
    pub(crate) connection: Connection,
    pub(crate) up: bool,
    /// Reads nothing any more.
    pub(crate) deaf: bool,
    place: Place,
    /// The last number that came, by precedence.
    received: [u64; 5],
    parts: Vec<Vec<Vec<u8>>>,
    /// Messages without an answer, or with one out of turn; the first has the number `first`.
    waiting: VecDeque<Option<Sent>>,
    first: u64,
    answered: u64,
    text: Vec<u8>,
}

impl Native {
    pub(crate) fn dial(place: &Place, port: u16) -> io::Result<Self> {
        let received = [0; 5];
        let connection = Self::log_on(place, port, received)?;
        // A reference, a text, an intended time and so on: every second piece is one of the two.
        let parts = |message: &String| {
            let (head, rest) = message.split_once(REFERENCE).unwrap_or((message, ""));
            std::iter::once(head).chain(rest.split(DUE)).map(|it| it.as_bytes().to_vec()).collect()
        };
        let parts = place.messages.iter().map(parts).collect();
        Ok(Self {
            connection,
            up: false,
            deaf: false,
            place: place.clone(),
            received,
            parts,
            waiting: VecDeque::new(),
            first: 1,
            answered: 0,
            text: Vec::new(),
        })
    }

    fn log_on(place: &Place, port: u16, received: [u64; 5]) -> io::Result<Connection> {
        let mut connection = Connection::dial(place.peer, port)?;
        let receive = received.map(|last| last + 1);
        let body = serde_json::json!({ "line": place.name, "receive": receive }).to_string();
        let logon = Frame { body: body.as_bytes(), ..Frame::bare(Kind::Logon) };
        native::encode(&mut connection.out, &logon);
        connection.flush();
        Ok(connection)
    }

    /// A line that hung up comes back and goes on where it was.
    pub(crate) fn redial(&mut self, port: u16) -> io::Result<()> {
        self.connection = Self::log_on(&self.place, port, self.received)?;
        self.up = false;
        Ok(())
    }

    pub(crate) fn sends(&self) -> bool {
        !self.parts.is_empty()
    }

    pub(crate) fn has_room(&self) -> bool {
        self.connection.open && self.connection.unsent() < UNSENT_BYTES_MAX
    }

    pub(crate) fn unanswered(&self) -> u64 {
        self.first + self.waiting.len() as u64 - 1 - self.answered
    }

    /// Puts a message into what is to be written.
    pub(crate) fn send(&mut self, sent: Sent) {
        let sequence = self.first + self.waiting.len() as u64;
        let Some(parts) = self.parts.get(usize::from(sent.precedence)) else { return };
        self.text.clear();
        for (place, part) in parts.iter().enumerate() {
            let number = if place == 1 { sequence } else { sent.due_us };
            if place > 0 {
                self.text.extend_from_slice(number.to_string().as_bytes());
            }
            self.text.extend_from_slice(part);
        }
        let frame = Frame { sequence, body: &self.text, ..Frame::bare(Kind::Data) };
        native::encode(&mut self.connection.out, &frame);
        self.waiting.push_back(Some(sent));
    }

    pub(crate) fn beat(&mut self) {
        native::encode(&mut self.connection.out, &Frame::bare(Kind::Heartbeat));
    }

    /// Takes what came, and custody of every message in it.
    pub(crate) fn take(&mut self, mut tell: impl FnMut(News)) {
        let mut highest = [0; 5];
        let mut used = 0;
        let bytes = self.connection.buffer.pending();
        let answer = |waiting: &mut VecDeque<Option<Sent>>, first, sequence: u64| {
            let at = usize::try_from(sequence - first).ok()?;
            waiting.get_mut(at)?.take()
        };
        loop {
            let rest = bytes.get(used..).unwrap_or_default();
            let Ok(found) = native::next(rest, FRAME_BYTES_MAX) else {
                tell(News::Cut(0));
                break;
            };
            let Some((frame, size)) = found else { break };
            used += size;
            match frame.kind {
                Kind::LogonAck => self.up = true,
                Kind::Accept | Kind::Reject if frame.sequence >= self.first => {
                    let sent = answer(&mut self.waiting, self.first, frame.sequence);
                    if let Some(sent) = sent {
                        self.answered += 1;
                        tell(News::Answered { sent, code: frame.code });
                    }
                    while self.waiting.front().is_some_and(Option::is_none) {
                        self.waiting.pop_front();
                        self.first += 1;
                    }
                }
                Kind::Reject => tell(News::Cut(frame.code)),
                Kind::Data => {
                    if let Some(highest) = highest.get_mut(usize::from(frame.precedence)) {
                        *highest = frame.sequence;
                    }
                    tell(match number_behind(frame.body, b"DUE ") {
                        _ if memmem::find(frame.body, REMINDER).is_some() => News::Reminder,
                        Some(due_us) => News::Came { precedence: frame.precedence, due_us },
                        None => News::Notice,
                    });
                }
                _ => {}
            }
        }
        self.connection.buffer.consume(used);
        for (received, highest) in self.received.iter_mut().zip(highest) {
            *received = highest.max(*received);
        }
        for (precedence, sequence) in (0..).zip(highest).filter(|(_, sequence)| *sequence > 0) {
            let delivered = Frame { precedence, sequence, ..Frame::bare(Kind::Delivered) };
            native::encode(&mut self.connection.out, &delivered);
        }
        self.connection.flush();
    }
}

/// The host: acknowledges each inquiry and answers it at once.
pub(crate) struct Host {
    pub(crate) connection: Connection,
    validation: u32,
}

impl Host {
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection, validation: 0 }
    }

    pub(crate) fn take(&mut self) {
        let mut used = 0;
        let bytes = self.connection.buffer.pending();
        let out = &mut self.connection.out;
        while let Ok(Some((frame, size))) =
            dmpp::next(bytes.get(used..).unwrap_or_default(), FRAME_BYTES_MAX)
        {
            used += size;
            if frame.function == function::STATUS_REQUEST {
                dmpp::encode(out, function::STATUS_REPLY, frame.validation, status::READY, 1, b"");
            }
            if !matches!(frame.function, function::DATA | function::DATA_ACK) {
                continue;
            }
            dmpp::encode(out, function::POSITIVE_ACK, frame.validation, status::OK, 1, b"");
            let mut parts = frame.data.splitn(7, |byte| *byte == b'.').skip(1);
            let (control, user, ori) = (parts.next(), parts.next(), parts.nth(2));
            let text = |part: Option<&[u8]>| {
                String::from_utf8_lossy(part.unwrap_or_default()).into_owned()
            };
            let due_us = number_behind(frame.data, b"OCA/D").unwrap_or_default();
            let (control, user, ori) = (text(control), text(user), text(ori));
            let answer = format!(
                "CLETSSVS.{control}.{user}.QVK.CA0349411.{ori}.TXT\r\nNO RECORD DUE {due_us} END"
            );
            self.validation = self.validation.wrapping_add(1);
            let validation = self.validation.to_be_bytes();
            let (kind, fine) = (function::DATA_ACK, status::OK);
            dmpp::encode(out, kind, validation, fine, 1, answer.as_bytes());
        }
        self.connection.buffer.consume(used);
        self.connection.flush();
    }
}
