//! What the measurements of the Rust stages share: the sample state, its traffic, and a switch
//! without sockets or journal.
//!
//! The bundle is the sample state as the shell hands it over: `CLETS_BENCH_DOCUMENT` names that
//! document, which `bench/run.py` and `bench/instructions.py` write.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a measuring program, not a switch")]

use std::sync::Arc;

use clets_routing::LineId;
use clets_switch::{Archive, Archived, Bundle, ConnectionId, Effects, Engine, Event, Judge};
use clets_wire::framing::native;
use clets_wire::{Catalogue, Dialect, Envelope, Outbound, decode, encode};

#[path = "../../../rust/switch/tests/engine/policies.rs"]
mod policies;
pub mod rules;

/// Noon of a winter's day in California, microseconds since 1970.
pub const NOON_US: i64 = 1_767_614_400_000_000;
/// About 300 bytes: a plate with everything that a form may say about it. `@REF@` stands for the
/// reference.
pub const PLATE: &str = "M0010003.@REF@.U000031.IV.4A.CA0010100.LIC/1ABC234.LIS/CA.LIY/2027.\
     LIT/PC.CAP/C.RSN/TRAFFIC STOP AT MAIN STREET AND FIRST AVENUE WITH TWO PERSONS, SECOND WATCH, \
     BEAT 4, SYNTHETIC MESSAGE FOR MEASURING ONLY, NOTHING ELSE, AND A FEW WORDS MORE.\
     OCA/26-000104-ALDER SPR.ATN/OFFICER SAMPLE UNIT 12 MOB";
/// As long, from a mobile terminal to another county.
pub const NOTE: &str = "M0010003.@REF@.U000031.AM.CA0010100.A0380001.TXT\r\nSYNTHETIC \
     ADMINISTRATIVE MESSAGE OF ABOUT THREE HUNDRED BYTES FOR MEASURING ONLY. NOTHING IN IT IS \
     REAL, NOBODY IS NAMED IN IT, AND NOBODY HAS TO DO ANYTHING ABOUT IT. IT GOES FROM A MOBILE \
     TERMINAL TO ANOTHER COUNTY.";

/// A form as one message.
#[must_use]
pub fn message(form: &str, number: usize) -> String {
    form.replace("@REF@", &format!("{number:010}"))
}

fn document() -> Vec<u8> {
    let path = std::env::var("CLETS_BENCH_DOCUMENT")
        .expect("CLETS_BENCH_DOCUMENT names the document; `make bench` sets it");
    std::fs::read(path).expect("the document can be read")
}

/// The sample state.
#[must_use]
pub fn bundle() -> Arc<Bundle> {
    policies::compile(&document(), &[])
}

/// The sample state with so many other users, named `V0000000` and so on.
#[must_use]
pub fn bundle_of(users: usize) -> Arc<Bundle> {
    let mut document: serde_json::Value = serde_json::from_slice(&document()).unwrap();
    let user = |number: usize| {
        let (name, agency) = (format!("V{number:07}"), "pd-001-01");
        serde_json::json!([name, agency, "full", "active", true, true, 18_000, 18_100, 25_000])
    };
    *document.get_mut("users").unwrap() = (0..users).map(user).collect();
    policies::compile(&serde_json::to_vec(&document).unwrap(), &[])
}

/// A catalogue of so many made-up keys, the plate's last.
#[must_use]
pub fn catalogue(keys: usize) -> Catalogue {
    let mut table = "system,key,family,action,class,precedence,update,fields,required,replies,\
                     text,title,source\n"
        .to_owned();
    for number in 1..keys {
        table += &format!("IV,Z{number},vehicle,inquire,dmv,P2,false,LIC,,,false,x,none\n");
    }
    table += "IV,4A,vehicle,inquire,dmv,P2,false,LIC,,,false,x,none\n";
    Catalogue::parse(&table).unwrap()
}

/// An answer about the plate, as Nlets sends it.
#[must_use]
pub fn reply_in_xml() -> Vec<u8> {
    let message = Outbound {
        mke: b"RR",
        origin: b"AZ0000000",
        destinations: &[b"CA0010100"],
        control: Some(b"0000000001"),
        text: Some(NOTE.as_bytes()),
        received: Some((b"05:35 01/08/2026", 1)),
        sent: Some((b"05:35 01/08/2026", 1)),
        ..Outbound::default()
    };
    let mut xml = Vec::new();
    encode(&mut xml, Dialect::NiemOut, &message);
    xml
}

/// Judges without a switch: decode, identify, check, plan, judge.
pub struct Bench {
    bundle: Arc<Bundle>,
    judge: Judge,
    line: LineId,
}

impl Bench {
    /// A judge that remembers nothing yet.
    #[must_use]
    pub fn new(bundle: &Arc<Bundle>) -> Self {
        let line = bundle.directory.find_line("msc-01").expect("the sample's line");
        Self { bundle: Arc::clone(bundle), judge: Judge::new(), line }
    }

    /// One that has judged a message like this.
    #[must_use]
    pub fn knowing(bundle: &Arc<Bundle>, bytes: &[u8]) -> Self {
        let mut bench = Self::new(bundle);
        let envelope = decode(bytes, Dialect::Clets).unwrap();
        assert!(bench.decide(bytes, &envelope), "a refusal is not what this measures");
        bench
    }

    /// Whether a message passes.
    pub fn decide(&mut self, bytes: &[u8], envelope: &Envelope) -> bool {
        self.judge.decide(&self.bundle, self.line, envelope, bytes, NOON_US).passes()
    }

    /// Whether what stands in these bytes passes.
    pub fn decode_and_decide(&mut self, bytes: &[u8]) -> bool {
        decode(bytes, Dialect::Clets).is_ok_and(|envelope| self.decide(bytes, &envelope))
    }
}

/// Nothing that is measured here waits so long that it must be read again.
#[derive(Debug)]
struct Nothing;

impl Archive for Nothing {
    fn read(&mut self, number: u64) -> Result<Archived, String> {
        Err(format!("record {number} was asked for"))
    }
}

/// The engine with a line that sends and its destinations connected, and a disk of no duration.
pub struct Switch {
    engine: Engine,
    effects: Effects,
    durable: u64,
    sent: usize,
}

impl Switch {
    /// One to which nothing was sent yet.
    #[must_use]
    pub fn new(bundle: &Arc<Bundle>) -> Self {
        let engine = Engine::new(Arc::clone(bundle), Box::new(Nothing));
        let mut switch = Self { engine, effects: Effects::default(), durable: 0, sent: 0 };
        for (number, name) in (0..).zip(["msc-01", "dmv", "svs", "ncic", "county-038"]) {
            let line = bundle.directory.find_line(name).expect("the sample's line");
            let open = Event::Open { connection: ConnectionId(number), line };
            switch.engine.step(open, NOON_US, &mut switch.effects);
        }
        let logon = br#"{"line": "msc-01", "receive": [1, 1, 1, 1, 1]}"#;
        let mut bytes = Vec::new();
        let frame = native::Frame { body: logon, ..native::Frame::bare(native::Kind::Logon) };
        native::encode(&mut bytes, &frame);
        switch.advance(&bytes);
        switch
    }

    /// What the next read of the socket gives: so many messages, framed.
    pub fn read(&mut self, form: &str, batch: usize) -> Vec<u8> {
        let mut read = Vec::new();
        for _ in 0..batch {
            self.sent += 1;
            let (payload, sequence) = (message(form, self.sent), self.sent as u64);
            let data = native::Frame::bare(native::Kind::Data);
            let frame = native::Frame { sequence, body: payload.as_bytes(), ..data };
            native::encode(&mut read, &frame);
        }
        read
    }

    /// Everything the engine does for the messages of one read: frame, decode, identify, judge,
    /// plan, record; and, when the records are durable, acknowledge, queue, and encode for each
    /// destination that is up. Gives the bytes that are to be written.
    pub fn advance(&mut self, read: &[u8]) -> usize {
        let event = Event::Receive { connection: ConnectionId(0), bytes: read };
        self.engine.step(event, NOON_US, &mut self.effects);
        assert_eq!(self.effects.consumed, read.len());
        self.durable += self.effects.records.len() as u64 + 5;
        self.engine.step(Event::Durable(self.durable), NOON_US, &mut self.effects);
        let written = self.effects.writes.iter().map(|(_, bytes)| bytes.len()).sum();
        self.effects.clear();
        written
    }

    /// Messages that are turned away: so many came at once before that the disk is behind.
    #[must_use]
    pub fn overloaded(bundle: &Arc<Bundle>, form: &str, batch: usize) -> (Self, Vec<u8>) {
        const FLOOD: usize = 2_000;
        const LATE_US: i64 = 100_000;
        let mut switch = Self::new(bundle);
        for late_us in [0, LATE_US] {
            let read = switch.read(form, FLOOD);
            let event = Event::Receive { connection: ConnectionId(0), bytes: &read };
            switch.engine.step(event, NOON_US + late_us, &mut switch.effects);
            switch.effects.clear();
        }
        let read = switch.read(form, batch);
        (switch, read)
    }

    /// Takes what comes while the disk is behind; gives how many bytes are to be written.
    #[inline(never)]
    pub fn refuse(&mut self, read: &[u8]) -> usize {
        let event = Event::Receive { connection: ConnectionId(0), bytes: read };
        self.engine.step(event, NOON_US + 110_000, &mut self.effects);
        assert!(self.effects.records.is_empty(), "what is turned away has no record");
        self.effects.writes.iter().map(|(_, bytes)| bytes.len()).sum()
    }

    /// How many messages were refused.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.engine.status().lines.iter().map(|line| line.refused).sum()
    }
}
