//! A small state around the real engine: two agency lines, two hosts, and a journal in memory
//! that is durable only when a test says so.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};

use clets_routing::LineId;
use clets_switch::record::{self, Outcome, Outcomes};
use clets_switch::{
    Archive, Archived, Bundle, Command, CommandError, ConnectionId, Effects, Engine, Event, Order,
    Ordered, Performed, Replay,
};
use clets_wire::framing::dmpp::{self, function};
use clets_wire::framing::native;

use crate::policies;

/// 2026-01-05 12:00 UTC, microseconds.
pub(crate) const NOON_US: i64 = 1_767_614_400_000_000;

pub(crate) const DOCUMENT: &str = r#"{
 "settings": {"name": "Test", "ori": "CA0000000", "origin": "clets.example/test",
  "limits": {"frame_bytes": 65536, "queue_entries": 10, "destinations": 20,
   "group_stations": 100, "inquiries": 1000, "duplicate_window_ms": 86400000},
  "deadline_ms": {"p0": 600000, "p1": 3600000, "p2": 60000, "p2_update": 259200000,
   "p3": 259200000, "p4": 86400000},
  "delay_notice_ms": {"p0": 30000, "p1": 60000, "p2": 0, "p2_update": 900000, "p3": 900000,
   "p4": 6000000},
  "reply_deadline_ms": 30000,
  "fields": {"purpose": "PUR", "california_purpose": "CAP", "reason": "RSN",
   "attention": "ATN", "case": "OCA"}},
 "agencies": [["alpha-pd", "Alpha Police", "ca_lea", "active", 1],
              ["beta-so", "Beta Sheriff", "ca_lea", "active", 2]],
 "lines": [
  {"name": "alpha", "title": "Alpha County", "framing": "dmpp", "window": 1, "dedupes": false,
   "county": 1, "agencies": ["alpha-pd"]},
  {"name": "beta", "title": "Beta County", "framing": "native", "window": 64, "dedupes": true,
   "county": 2, "agencies": ["beta-so"]}],
 "hosts": [
  {"name": "svs", "title": "Stolen Vehicles", "system": "state", "framing": "dmpp",
   "dialect": "clets", "ori": "CASVS0000", "station": "SWITCH", "window": 4, "dedupes": false,
   "reply_deadline_ms": 30000, "members": []},
  {"name": "ncic", "title": "NCIC", "system": "ncic", "framing": "dmpp", "dialect": "ncic",
   "ori": "DCNCIC000", "station": "SWITCH", "window": 4, "dedupes": false,
   "reply_deadline_ms": 30000, "members": []},
  {"name": "nlets", "title": "Nlets", "system": "nlets", "framing": "dmpp", "dialect": "nlets",
   "ori": "NL0000000", "station": "SWITCH", "window": 4, "dedupes": false,
   "reply_deadline_ms": 30000,
   "members": ["AZ", "NY", "OH", "TX", "UT", "WA", "NV", "CN", "A1", "B1", "C1", "E1"]}],
 "oris": [["CA0010100", "alpha-pd", true, true, "ALPHA1"],
          ["CA0020000", "beta-so", true, true, "BETA1"]],
 "stations": [["ALPHA1", "alpha", "CA0010100", "fixed"], ["BETA1", "beta", "CA0020000", "fixed"],
              ["BETA2", "beta", "CA0020000", "mobile"]],
 "users": [["U1", "alpha-pd", "full", "active", true, true, 18000, 18100, 25000],
           ["U2", "beta-so", "full", "active", true, true, 18000, 18100, 25000],
           ["U3", "alpha-pd", "less_than_full", "active", true, true, 18000, 18100, 19000]],
 "groups": [{"code": "BAYAREA", "title": "Bay", "scope": "group",
             "members": ["ALPHA1", "BETA1", "BETA2"], "senders": null},
            {"code": "EVERYONE", "title": "The state", "scope": "state",
             "members": ["BAYAREA"], "senders": ["alpha-pd"]},
            {"code": "AROUND", "title": "The state by another name", "scope": "group",
             "members": ["EVERYONE"], "senders": null}],
 "routes": [
  {"keys": ["IV.4A"], "condition": null, "legs": [
   {"host": "svs", "key": "IA.QV", "destination_field": null, "destination": null,
    "addressed": false},
   {"host": "ncic", "key": "QV", "destination_field": null, "destination": null,
    "addressed": false}]},
  {"keys": ["NLTS.AM", "NLTS.AML"], "condition": null, "legs": [
   {"host": "nlets", "key": null, "destination_field": null, "destination": null,
    "addressed": true}]},
  {"keys": ["IA.EV"], "condition": null, "legs": [
   {"host": "svs", "key": "IA.EV", "destination_field": null, "destination": null,
    "addressed": false}]}]
}"#;

static BUNDLE: LazyLock<Arc<Bundle>> = LazyLock::new(|| bundle(DOCUMENT));

/// A bundle of this document and the sample's policies.
pub(crate) fn bundle(document: &str) -> Arc<Bundle> {
    bundle_with(document, &[])
}

/// The same, with other files in the place of the sample's.
pub(crate) fn bundle_with(document: &str, files: &[(&str, &str)]) -> Arc<Bundle> {
    policies::compile(document.as_bytes(), files)
}

/// What a connection was sent, as frames.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Seen {
    Accept(u64),
    Ack,
    Close(u16),
    Data(String),
    Gap(u8, u64),
    LogonAck(String),
    Nak(u16),
    Reject(u64, u16, String),
    Skip(u8, u64),
}

/// The journal as the engine reads it.
#[derive(Debug)]
struct Shelf(Records);

type Records = Arc<Mutex<Vec<(u8, i64, Vec<u8>)>>>;

impl Archive for Shelf {
    fn read(&mut self, number: u64) -> Result<Archived, String> {
        let records = self.0.lock().unwrap();
        let record = records.get(usize::try_from(number).unwrap());
        let (kind, time_us, body) = record.cloned().ok_or("no such record")?;
        Ok(Archived { kind, time_us, body })
    }
}

pub(crate) struct World {
    shelf: Records,
    pub(crate) bundle: Arc<Bundle>,
    pub(crate) engine: Engine,
    pub(crate) now_us: i64,
    /// Every record, in order: kind, time, body.
    pub(crate) journal: Vec<(u8, i64, Vec<u8>)>,
    pub(crate) durable: usize,
    /// What each connection was sent since it was last looked at.
    seen: Vec<(u32, Seen)>,
    partial: std::collections::HashMap<u32, Vec<u8>>,
    /// Validations of DMPP data not yet acknowledged, by connection.
    owed: Vec<(u32, [u8; 4])>,
    connected: Vec<(u32, String)>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::of(Arc::clone(&BUNDLE))
    }

    /// A world with another bundle than the usual one.
    pub(crate) fn of(bundle: Arc<Bundle>) -> Self {
        let shelf = Arc::default();
        Self {
            engine: Engine::new(Arc::clone(&bundle), Box::new(Shelf(Arc::clone(&shelf)))),
            shelf,
            bundle,
            now_us: NOON_US,
            journal: Vec::new(),
            durable: 0,
            seen: Vec::new(),
            partial: std::collections::HashMap::new(),
            owed: Vec::new(),
            connected: Vec::new(),
        }
    }

    /// The same world after it was started again with another bundle.
    pub(crate) fn restart_with(&mut self, bundle: Arc<Bundle>) {
        self.bundle = bundle;
        self.restart();
    }

    /// The same world after the process died: only what was durable is left.
    pub(crate) fn restart(&mut self) {
        self.journal.truncate(self.durable);
        self.shelf.lock().unwrap().truncate(self.durable);
        let replay = self.replay();
        self.resume_anywhere(&replay);
        self.engine = replay.finish(self.now_us);
        let mut effects = Effects::default();
        self.engine.start(self.now_us, 0, &mut effects);
        self.seen.clear();
        self.partial.clear();
        self.owed.clear();
        self.connected.clear();
        self.take(effects);
    }

    /// The journal as a start reads it.
    pub(crate) fn replay(&self) -> Replay {
        let archive = Box::new(Shelf(Arc::clone(&self.shelf)));
        let mut replay = Replay::new(Arc::clone(&self.bundle), archive);
        for (number, (kind, time_us, body)) in self.journal.iter().enumerate().take(self.durable) {
            replay.record(number as u64, *kind, *time_us, body).unwrap();
        }
        replay
    }

    /// A start from a snapshot ends in the same state as one that reads everything, wherever the
    /// snapshot was made.
    fn resume_anywhere(&self, whole: &Replay) {
        let state = |replay: &Replay| {
            let mut state = Vec::new();
            replay.snapshot(&mut state).unwrap();
            state
        };
        let expected = state(whole);
        let archive = || Box::new(Shelf(Arc::clone(&self.shelf)));
        for cut in [0, self.durable / 3, self.durable / 2, self.durable] {
            let mut replay = Replay::new(Arc::clone(&self.bundle), archive());
            let take = |replay: &mut Replay, from: usize, to: usize| {
                for (number, record) in self.journal.iter().enumerate().take(to).skip(from) {
                    replay.record(number as u64, record.0, record.1, &record.2).unwrap();
                }
            };
            take(&mut replay, 0, cut);
            let snapshot = state(&replay);
            let bundle = Arc::clone(&self.bundle);
            let mut replay = Replay::resume(bundle, archive(), &mut snapshot.as_slice()).unwrap();
            assert_eq!(state(&replay), snapshot, "made again at {cut}");
            take(&mut replay, cut, self.durable);
            assert_eq!(state(&replay), expected, "resumed at {cut}");
            assert_eq!(replay.needed_from(), whole.needed_from());
        }
    }

    pub(crate) fn line(name: &str) -> LineId {
        BUNDLE.directory.find_line(name).unwrap()
    }

    pub(crate) fn step(&mut self, event: Event<'_>) {
        let mut effects = Effects::default();
        self.engine.step(event, self.now_us, &mut effects);
        self.take(effects);
    }

    /// One step of an operator.
    pub(crate) fn operate(&mut self, command: &Command) -> Result<Performed, CommandError> {
        let mut effects = Effects::default();
        let done = self.engine.operate(command, self.now_us, &mut effects);
        self.take(effects);
        done
    }

    /// An order of an operator.
    pub(crate) fn order(&mut self, order: &Order) -> Result<Ordered, CommandError> {
        let mut effects = Effects::default();
        let done = self.engine.order(order, self.now_us, &mut effects);
        self.take(effects);
        done
    }

    pub(crate) fn take(&mut self, effects: Effects) {
        assert_eq!(effects.unreadable, None);
        for record in effects.records {
            self.shelf.lock().unwrap().push((record.kind, self.now_us, record.body.clone()));
            self.journal.push((record.kind, self.now_us, record.body));
        }
        for (connection, bytes) in effects.writes {
            self.read(connection.0, &bytes);
        }
        for (connection, code) in effects.closes {
            self.seen.push((connection.0, Seen::Close(code)));
        }
    }

    /// Connects a DMPP line, or a native one with its LOGON.
    pub(crate) fn connect(&mut self, connection: u32, line: &str) {
        let id = self.bundle.directory.find_line(line).unwrap();
        let event = Event::Open { connection: ConnectionId(connection), line: id };
        self.step(event);
        self.connected.push((connection, line.to_owned()));
        if line == "beta" {
            self.logon(connection, [1; 5]);
        }
    }

    pub(crate) fn logon(&mut self, connection: u32, receive: [u64; 5]) {
        let body = format!(r#"{{"line": "beta", "receive": {receive:?}}}"#);
        self.native(connection, native::Kind::Logon, 0, 0, body.as_bytes());
    }

    pub(crate) fn disconnect(&mut self, connection: u32) {
        self.step(Event::Close { connection: ConnectionId(connection), unread: 0 });
        self.partial.remove(&connection);
        self.connected.retain(|(owner, _)| *owner != connection);
        self.owed.retain(|(owner, _)| *owner != connection);
    }

    pub(crate) fn bytes(&mut self, connection: u32, bytes: &[u8]) -> usize {
        let mut effects = Effects::default();
        let event = Event::Receive { connection: ConnectionId(connection), bytes };
        self.engine.step(event, self.now_us, &mut effects);
        let consumed = effects.consumed;
        self.take(effects);
        consumed
    }

    /// Sends a message on a DMPP line.
    pub(crate) fn dmpp(&mut self, connection: u32, payload: &str) {
        let mut out = Vec::new();
        dmpp::encode(&mut out, function::DATA_ACK, *b"2120", 1, 1, payload.as_bytes());
        assert_eq!(self.bytes(connection, &out), out.len());
    }

    pub(crate) fn native(
        &mut self,
        connection: u32,
        kind: native::Kind,
        precedence: u8,
        sequence: u64,
        body: &[u8],
    ) {
        let mut out = Vec::new();
        let frame = native::Frame { kind, precedence, flags: 0, code: 0, sequence, body };
        native::encode(&mut out, &frame);
        self.bytes(connection, &out);
    }

    /// Acknowledges everything that a DMPP connection was sent.
    pub(crate) fn acknowledge(&mut self, connection: u32) {
        self.answer(connection, function::POSITIVE_ACK).into_iter().for_each(|out| {
            self.bytes(connection, &out);
        });
    }

    /// The answers to everything that a DMPP connection was sent.
    fn answer(&mut self, connection: u32, answer: u16) -> Vec<Vec<u8>> {
        self.owed
            .extract_if(.., |(owner, _)| *owner == connection)
            .map(|(_, validation)| {
                let mut out = Vec::new();
                dmpp::encode(&mut out, answer, validation, 1, 1, b"");
                out
            })
            .collect()
    }

    /// Refuses everything that a DMPP connection was sent.
    pub(crate) fn refuse(&mut self, connection: u32) {
        self.answer(connection, function::NEGATIVE_ACK).into_iter().for_each(|out| {
            self.bytes(connection, &out);
        });
    }

    /// The same, and in the same read comes a message.
    pub(crate) fn refuse_and_send(&mut self, connection: u32, payload: &str) {
        let mut out = self.answer(connection, function::NEGATIVE_ACK).concat();
        dmpp::encode(&mut out, function::DATA_ACK, *b"2121", 1, 1, payload.as_bytes());
        self.bytes(connection, &out);
    }

    /// Each entry that ended, with all that the journal says of its end.
    pub(crate) fn ends(&self) -> BTreeMap<(u64, u16), Vec<Outcome>> {
        let mut ends: BTreeMap<(u64, u16), Vec<Outcome>> = BTreeMap::new();
        for (_, _, body) in self.journal.iter().filter(|(kind, ..)| *kind == record::OUTCOMES) {
            for (number, index, outcome) in record::decode::<Outcomes>(body).unwrap().items {
                ends.entry((number, index)).or_default().push(outcome);
            }
        }
        ends
    }

    /// Everything recorded so far reaches the disk.
    pub(crate) fn sync(&mut self) {
        self.durable = self.journal.len();
        self.step(Event::Durable(self.durable as u64));
    }

    /// Lets time pass, with every connection heard from often enough.
    pub(crate) fn wait(&mut self, seconds: i64) {
        for _ in 0..seconds {
            (0..10).for_each(|_| {
                self.now_us += 100_000;
                self.step(Event::Tick);
            });
            for (connection, line) in self.connected.clone() {
                if line == "beta" {
                    self.native(connection, native::Kind::Heartbeat, 0, 0, b"");
                } else {
                    let mut out = Vec::new();
                    dmpp::encode(&mut out, function::STATUS_REPLY, [0; 4], 1, 1, b"");
                    self.bytes(connection, &out);
                }
            }
            self.step(Event::Tick);
        }
    }

    /// Lets time pass in silence.
    pub(crate) fn wait_in_silence(&mut self, seconds: i64) {
        for _ in 0..seconds * 10 {
            self.now_us += 100_000;
            self.step(Event::Tick);
        }
    }

    /// What a connection was sent since the last look.
    pub(crate) fn seen(&mut self, connection: u32) -> Vec<Seen> {
        self.seen.extract_if(.., |(owner, _)| *owner == connection).map(|(_, it)| it).collect()
    }

    /// The texts that a connection was sent since the last look.
    pub(crate) fn data(&mut self, connection: u32) -> Vec<String> {
        let texts = self.seen(connection).into_iter();
        texts.filter_map(|it| if let Seen::Data(text) = it { Some(text) } else { None }).collect()
    }

    fn read(&mut self, connection: u32, bytes: &[u8]) {
        let buffer = self.partial.entry(connection).or_default();
        buffer.extend_from_slice(bytes);
        let bytes = std::mem::take(buffer);
        let mut at = 0;
        let text = |body: &[u8]| String::from_utf8(body.to_vec()).unwrap();
        while at < bytes.len() {
            let rest = &bytes[at..];
            if rest.starts_with(b"CL") {
                let (frame, size) = native::next(rest, 1 << 20).unwrap().unwrap();
                at += size;
                let seen = match frame.kind {
                    native::Kind::Accept => {
                        Seen::Accept(u64::from_be_bytes(frame.body.try_into().unwrap()))
                    }
                    native::Kind::Data => {
                        let mark = if frame.flags == 1 { "PD " } else { "" };
                        Seen::Data(format!("{mark}{}", text(frame.body)))
                    }
                    native::Kind::Gap => Seen::Gap(frame.precedence, frame.sequence),
                    native::Kind::Heartbeat => continue,
                    native::Kind::LogonAck => Seen::LogonAck(text(frame.body)),
                    native::Kind::Reject => {
                        Seen::Reject(frame.sequence, frame.code, text(frame.body))
                    }
                    native::Kind::Skip => Seen::Skip(frame.precedence, frame.sequence),
                    other => panic!("the switch sent {other:?}"),
                };
                self.seen.push((connection, seen));
            } else {
                let (frame, size) = dmpp::next(rest, 1 << 20).unwrap().unwrap();
                at += size;
                let seen = match frame.function {
                    function::DATA_ACK => {
                        self.owed.push((connection, frame.validation));
                        Seen::Data(text(frame.data))
                    }
                    // Of a message in several blocks only the last is looked at.
                    function::DATA_MORE => continue,
                    function::POSITIVE_ACK => Seen::Ack,
                    function::NEGATIVE_ACK => Seen::Nak(frame.status),
                    function::STATUS_REQUEST | function::STATUS_REPLY => continue,
                    other => panic!("the switch sent function {other}"),
                };
                self.seen.push((connection, seen));
            }
        }
    }
}
