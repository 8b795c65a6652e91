//! What each stage of the hot path costs, on one core: `cargo bench -p clets-switch`.
//!
//! The bundle is the sample state as the shell hands it over; `bench/run.py` writes that document
//! and names it in `CLETS_BENCH_DOCUMENT`. Each figure is the best of several runs, since on a
//! shared machine only noise can make a run slower.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measuring program, not a part of the switch"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use clets_routing::Directory;
use clets_switch::{Archive, Archived, Bundle, ConnectionId, Effects, Engine, Event, Judge};
use clets_wire::framing::native;
use clets_wire::{Catalogue, Dialect, Outbound, decode, encode, text_form};

#[path = "../tests/engine/policies.rs"]
mod policies;

const RUNS: usize = 9;
const NOON_US: i64 = 1_767_614_400_000_000;
/// About 300 bytes: a plate with everything that a form may say about it.
const PLATE: &str = "M0010003.@REF@.U000031.IV.4A.CA0010100.LIC/1ABC234.LIS/CA.LIY/2027.LIT/PC.\
                     CAP/C.RSN/TRAFFIC STOP AT MAIN STREET AND FIRST AVENUE WITH TWO PERSONS, \
                     SECOND WATCH, BEAT 4, SYNTHETIC MESSAGE FOR MEASURING ONLY, NOTHING ELSE, \
                     AND A FEW WORDS MORE.OCA/26-000104-ALDER SPR.ATN/OFFICER SAMPLE UNIT 12 MOB";
const NOTE: &str = "M0010003.@REF@.U000031.AM.CA0010100.A0380001.TXT\r\nSYNTHETIC \
                    ADMINISTRATIVE MESSAGE OF ABOUT THREE HUNDRED BYTES FOR MEASURING ONLY. \
                    NOTHING IN IT IS REAL, NOBODY IS NAMED IN IT, AND NOBODY HAS TO DO ANYTHING \
                    ABOUT IT. IT GOES FROM A MOBILE TERMINAL TO ANOTHER COUNTY.";

/// An answer about the plate, as Nlets sends it.
fn reply_in_xml() -> Vec<u8> {
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

/// Nothing that is measured here waits so long that it must be read again.
#[derive(Debug)]
struct Nothing;

impl Archive for Nothing {
    fn read(&mut self, number: u64) -> Result<Archived, String> {
        Err(format!("record {number} was asked for"))
    }
}

fn main() {
    let bundle = bundle();
    let line = bundle.directory.find_line("msc-01").expect("the sample's line");
    let plate = PLATE.replace("@REF@", "0000000001");
    println!(
        "message of {} bytes, batches of 32; nanoseconds per message, best of {RUNS}",
        plate.len()
    );

    let bytes = plate.as_bytes();
    report("decode", 100_000, || {
        black_box(decode(black_box(bytes), Dialect::Clets).unwrap());
    });
    let envelope = decode(bytes, Dialect::Clets).unwrap();
    let xml = reply_in_xml();
    report(&format!("decode Nlets XML of {} bytes", xml.len()), 5_000, || {
        let text = text_form(black_box(&xml), Dialect::NiemOut).unwrap();
        black_box(decode(&text, Dialect::NiemOut).unwrap());
    });
    for keys in [400, 40_000] {
        let catalogue = catalogue(keys);
        report(&format!("find the key among {keys}, ask for a field"), 100_000, || {
            let id = black_box(&catalogue).find_message(black_box(bytes), &envelope);
            let key = id.and_then(|id| catalogue.key(id)).unwrap();
            black_box((key, envelope.field(bytes, b"RSN")));
        });
    }
    let mut judge = Judge::new();
    let verdict = judge.decide(&bundle, line, &envelope, bytes, NOON_US);
    assert!(verdict.passes(), "a refusal is not what this measures");
    report("decide, remembered", 50_000, || {
        black_box(judge.decide(&bundle, line, &envelope, black_box(bytes), NOON_US));
    });
    let mut days = (NOON_US..).step_by(1);
    report("decide, asked of Cedar", 50, || {
        let mut fresh = Judge::new();
        let now_us = days.next().unwrap();
        black_box(fresh.decide(&bundle, line, &envelope, bytes, now_us));
    });
    for users in [1_000, 1_000_000] {
        decide_among(users);
    }
    advance(&bundle, "advance and release, inquiry with 3 legs", PLATE);
    advance(&bundle, "advance and release, message with 1 leg", NOTE);
}

/// A decision on a message of any of so many users, and what one of them costs in memory.
fn decide_among(users: usize) {
    let mut document: serde_json::Value = serde_json::from_slice(&document()).unwrap();
    let user = |number: usize| {
        serde_json::json!([
            format!("V{number:07}"),
            "pd-001-01",
            "full",
            "active",
            true,
            true,
            18_000,
            18_100,
            25_000
        ])
    };
    *document.get_mut("users").unwrap() = (0..users).map(user).collect();
    let json = serde_json::to_vec(&document).unwrap();
    drop(document);
    let before = resident_bytes();
    let directory = Directory::compile(&json).unwrap();
    let each = resident_bytes().saturating_sub(before) / users as u64;
    drop(directory);
    let bundle = policies::compile(&json, &[]);
    let line = bundle.directory.find_line("msc-01").expect("the sample's line");
    let messages: Vec<String> = (0..10_000)
        .map(|place| PLATE.replace("U000031", &format!("V{:07}", place * 7_919 % users)))
        .collect();
    let envelopes: Vec<_> =
        messages.iter().map(|it| decode(it.as_bytes(), Dialect::Clets).unwrap()).collect();
    let mut judge = Judge::new();
    let mut pairs = messages.iter().zip(&envelopes).cycle();
    report(&format!("decide, remembered, among {users} users"), 50_000, || {
        let (message, envelope) = pairs.next().unwrap();
        black_box(judge.decide(&bundle, line, envelope, message.as_bytes(), NOON_US));
    });
    println!("{:45} {each:12} bytes", format!("a user among {users}"));
}

fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

/// A catalogue that has the plate's key last, behind made-up ones.
fn catalogue(keys: usize) -> Catalogue {
    let mut table =
        "system,key,family,action,class,precedence,update,fields,required,replies,text,\
                     title,source\n"
            .to_owned();
    for number in 1..keys {
        table.push_str(&format!("IV,Z{number},vehicle,inquire,dmv,P2,false,LIC,,,false,x,none\n"));
    }
    table.push_str("IV,4A,vehicle,inquire,dmv,P2,false,LIC,,,false,x,none\n");
    Catalogue::parse(&table).unwrap()
}

/// Everything the engine does for a message: frame, decode, identify, judge, plan, record; and,
/// when the record is durable, acknowledge, queue and encode for each destination that is up.
fn advance(bundle: &Arc<Bundle>, title: &str, form: &str) {
    const BATCH: usize = 32;
    const BATCHES: usize = 300;
    let mut best = f64::INFINITY;
    for _ in 0..RUNS {
        let mut engine = Engine::new(Arc::clone(bundle), Box::new(Nothing));
        let mut effects = Effects::default();
        let mut records = 0;
        for (number, name) in ["msc-01", "dmv", "svs", "ncic", "county-038"].iter().enumerate() {
            let line = bundle.directory.find_line(name).expect("the sample's line");
            let connection = ConnectionId(u32::try_from(number).unwrap());
            engine.step(Event::Open { connection, line }, NOON_US, &mut effects);
        }
        let logon = br#"{"line": "msc-01", "receive": [1, 1, 1, 1, 1]}"#;
        let mut bytes = Vec::new();
        native::encode(&mut bytes, &frame(native::Kind::Logon, 0, logon));
        records += feed(&mut engine, &mut effects, &bytes);
        engine.step(Event::Durable(records + 5), NOON_US, &mut effects);
        let reads: Vec<Vec<u8>> = (0..BATCHES)
            .map(|batch| {
                let mut read = Vec::new();
                for place in 0..BATCH {
                    let number = batch * BATCH + place + 1;
                    let payload = form.replace("@REF@", &format!("{number:010}"));
                    let data = native::Kind::Data;
                    native::encode(&mut read, &frame(data, number as u64, payload.as_bytes()));
                }
                read
            })
            .collect();
        let mut durable = u64::MAX / 2;
        let begun = Instant::now();
        for read in &reads {
            feed(&mut engine, &mut effects, read);
            durable += 1;
            engine.step(Event::Durable(durable), NOON_US, &mut effects);
            effects.clear();
        }
        let spent = begun.elapsed().as_nanos() as f64;
        assert_eq!(engine.status().lines.iter().map(|line| line.refused).sum::<u64>(), 0);
        best = best.min(spent / (BATCH * BATCHES) as f64);
    }
    println!("{title:45} {best:12.0} ns {:12.0} /s", 1e9 / best);
}

fn feed(engine: &mut Engine, effects: &mut Effects, bytes: &[u8]) -> u64 {
    let event = Event::Receive { connection: ConnectionId(0), bytes };
    engine.step(event, NOON_US, effects);
    assert_eq!(effects.consumed, bytes.len());
    effects.records.len() as u64
}

fn frame(kind: native::Kind, sequence: u64, body: &[u8]) -> native::Frame<'_> {
    native::Frame { kind, precedence: 0, flags: 0, code: 0, sequence, body }
}

fn report(title: &str, count: u32, mut work: impl FnMut()) {
    let mut best = f64::INFINITY;
    for _ in 0..RUNS {
        let begun = Instant::now();
        for _ in 0..count {
            work();
        }
        best = best.min(begun.elapsed().as_nanos() as f64 / f64::from(count));
    }
    println!("{title:45} {best:12.0} ns {:12.0} /s", 1e9 / best);
}

fn document() -> Vec<u8> {
    let path = std::env::var("CLETS_BENCH_DOCUMENT")
        .expect("CLETS_BENCH_DOCUMENT names the document; `make bench` sets it");
    std::fs::read(path).expect("the document can be read")
}

fn bundle() -> Arc<Bundle> {
    policies::compile(&document(), &[])
}
