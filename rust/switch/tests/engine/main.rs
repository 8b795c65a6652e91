//! The engine through its only door: events in, effects out.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod bulletin;
mod conversation;
mod custody;
mod hit;
mod immigration;
mod intercept;
mod misuse;
mod nation;
mod overload;
mod policies;
mod reload;
mod service;
mod world;
mod xml;

use std::borrow::Cow;

use clets_switch::Judge;
use clets_switch::record::{self, Accepted, Refused};
use clets_wire::framing::native::Kind;
use proptest::prelude::*;
use world::{Seen, World};

const ALPHA: u32 = 1;
const BETA: u32 = 2;
const SVS: u32 = 3;
const NCIC: u32 = 4;

const PLATE: &str =
    "ALPHA1.REF1.U1.IV.4A.CA0010100.LIC/1ABC234.LIS/CA.CAP/C.RSN/TRAFFIC STOP.OCA/26-1";
const NOTE: &str = "ALPHA1.REF2.U1.AM.CA0010100.BETA1.TXT\r\nMEET AT NOON";

/// The numbers of everything that was refused, in order.
fn refusal_codes(world: &World) -> Vec<u16> {
    let records = world.journal.iter().filter(|(kind, ..)| *kind == record::REFUSED);
    records.map(|(.., body)| record::decode::<Refused<'_>>(body).unwrap().code).collect()
}

fn connected() -> World {
    let mut world = World::new();
    world.connect(ALPHA, "alpha");
    world.connect(BETA, "beta");
    world.connect(SVS, "svs");
    world.connect(NCIC, "ncic");
    world.sync();
    for connection in [ALPHA, BETA, SVS, NCIC] {
        world.seen(connection);
    }
    world
}

/// The control field under which a host was asked.
fn control(asked: &str) -> String {
    asked
        .split(['.', '\r'])
        .find(|part| part.len() == 10 || part.len() == 14)
        .unwrap()
        .trim_start_matches("1N01")
        .to_owned()
}

#[test]
fn nothing_is_acknowledged_or_forwarded_before_it_is_durable() {
    let mut world = connected();
    world.dmpp(ALPHA, PLATE);
    assert_eq!(world.seen(ALPHA), []);
    assert_eq!(world.seen(SVS), []);
    world.sync();
    assert_eq!(world.seen(ALPHA), [Seen::Ack]);
    assert_eq!(world.seen(SVS).len(), 1);
}

#[test]
fn an_inquiry_reaches_each_file_in_its_own_form_and_replies_find_the_way_back() {
    let mut world = connected();
    world.dmpp(ALPHA, PLATE);
    world.sync();
    let svs = world.data(SVS).remove(0);
    let ncic = world.data(NCIC).remove(0);
    assert!(svs.starts_with("SWITCH.") && svs.contains(".U1.IA.QV.CA0010100.LIC/1ABC234"), "{svs}");
    assert!(ncic.starts_with("1N01") && ncic.contains(".QV.CA0010100.LIC/1ABC234"), "{ncic}");
    assert!(!ncic.contains("RSN/"), "NCIC has no such field: {ncic}");

    world.acknowledge(NCIC);
    let reply = format!("1L01{}\r\nCA0010100\r\n\r\nNO RECORD LIC/1ABC234\r\n", control(&ncic));
    world.dmpp(NCIC, &reply);
    world.seen(ALPHA);
    world.sync();
    let expected = "ALPHA1.REF1.U1.QV.DCNCIC000.CA0010100.TXT\r\nNO RECORD LIC/1ABC234\r\n";
    assert_eq!(world.data(ALPHA), [expected]);
    // The window of the line is one: the second reply waits for the acknowledgement of the first.
    let reply = format!("SWITCH.{}.U1.QV.CASVS0000.CA0010100.TXT\r\nSTOLEN VEHICLE", control(&svs));
    world.dmpp(SVS, &reply);
    world.sync();
    assert_eq!(world.data(ALPHA), Vec::<String>::new());
    world.acknowledge(ALPHA);
    let expected = "ALPHA1.REF1.U1.QV.CASVS0000.CA0010100.TXT\r\nSTOLEN VEHICLE";
    assert_eq!(world.data(ALPHA), [expected]);
}

#[test]
fn no_system_answers_in_the_name_of_another() {
    let mut world = connected();
    world.dmpp(ALPHA, PLATE);
    world.sync();
    let svs = world.data(SVS).remove(0);
    let ncic = world.data(NCIC).remove(0);
    world.acknowledge(SVS);
    world.acknowledge(NCIC);
    // NCIC names the file's control field instead of its own.
    let reply = format!("1L01{}\r\nCA0010100\r\n\r\nNO RECORD LIC/1ABC234\r\n", control(&svs));
    world.dmpp(NCIC, &reply);
    world.sync();
    let told = world.data(ALPHA).join("");
    assert!(!told.contains("REF1"), "{told}");
    world.acknowledge(ALPHA);
    let own = format!("1L01{}\r\nCA0010100\r\n\r\nNO RECORD LIC/1ABC234\r\n", control(&ncic));
    world.dmpp(NCIC, &own);
    world.sync();
    assert!(world.data(ALPHA).join("").starts_with("ALPHA1.REF1.U1.QV.DCNCIC000."));
    world.acknowledge(ALPHA);
    world.wait(31);
    world.sync();
    let told = world.data(ALPHA).join("");
    assert!(told.contains("REF1") && told.contains("STOLEN VEHICLES"), "{told}");
}

#[test]
fn a_refusal_names_the_rule_and_its_law_after_its_record_is_durable() {
    let mut world = connected();
    world.dmpp(ALPHA, &PLATE.replace(".RSN/TRAFFIC STOP", ""));
    assert_eq!(world.seen(ALPHA), []);
    world.sync();
    let seen = world.seen(ALPHA);
    assert_eq!(seen[0], Seen::Ack);
    let Seen::Data(text) = &seen[1] else { panic!("{seen:?}") };
    for part in ["ALPHA1.REF1.U1.REJ.", "REJECTED E413", "RULE I-10", "AUTHORITY"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert_eq!(world.data(SVS), Vec::<String>::new());
    let refused = world.journal.iter().find(|(kind, ..)| *kind == record::REFUSED).unwrap();
    let refused: Refused<'_> = record::decode(&refused.2).unwrap();
    assert_eq!((refused.code, refused.line.as_ref()), (413, "alpha"));
    assert_eq!(refused.rules, ["I-10"]);
    world.dmpp(ALPHA, NOTE);
    let status = world.engine.status();
    let alpha = status.lines.iter().find(|line| line.name == "alpha").unwrap();
    assert_eq!((alpha.accepted, alpha.refused), (1, 1));
}

#[test]
fn what_is_decided_beforehand_is_what_the_switch_does() {
    let payloads = [
        PLATE.to_owned(),
        NOTE.to_owned(),
        PLATE.replace(".RSN/TRAFFIC STOP", ""),
        PLATE.replace("1ABC234", "12345678901"),
        PLATE.replace("IV.4A", "IV.ZZ"),
        PLATE.replace("CA0010100", "CA0020000"),
        PLATE.replace("ALPHA1", "BETA1"),
        PLATE.replace(".U1.", ".U2."),
        NOTE.replace("BETA1", "NOBODY1"),
        NOTE.replace("BETA1", "EVERYONE"),
        NOTE.replace("BETA1", &["BETA1"; 21].join(",")),
        NOTE.replace("MEET AT NOON", " "),
    ];
    let mut codes = Vec::new();
    for payload in &payloads {
        let mut world = connected();
        let (line, bundle) = (World::line("alpha"), world.bundle.clone());
        let bytes = payload.as_bytes();
        let envelope = clets_wire::decode(bytes, clets_wire::Dialect::Clets).unwrap();
        let decided = Judge::new().decide(&bundle, line, &envelope, bytes, world.now_us);
        let rules = decided.rule_ids(&bundle);
        world.dmpp(ALPHA, payload);
        let (kind, _, body) = world
            .journal
            .iter()
            .find(|(kind, ..)| [record::ACCEPTED, record::REFUSED].contains(kind))
            .unwrap();
        if *kind == record::REFUSED {
            let refused: Refused<'_> = record::decode(body).unwrap();
            assert!(!decided.passes(), "{payload}");
            assert_eq!((refused.code, refused.rules), (decided.code, to_cows(&rules)), "{payload}");
        } else {
            let accepted: Accepted<'_> = record::decode(body).unwrap();
            let told = (accepted.effect.as_ref(), accepted.rules);
            assert_eq!(told, (decided.effect.name(), to_cows(&rules)), "{payload}");
        }
        codes.push(decided.code);
    }
    codes.sort_unstable();
    codes.dedup();
    assert!(codes.len() >= 8, "few ways of refusal were tried: {codes:?}");
}

fn to_cows<'a>(rules: &[&'a str]) -> Vec<Cow<'a, str>> {
    rules.iter().map(|rule| Cow::Borrowed(*rule)).collect()
}

#[test]
fn a_wrong_field_is_refused_by_name_place_and_rule_before_it_is_judged() {
    for (body, code, said) in [
        ("LIC/12345678901", 221, "FIELD LIC AT OFFSET 35: EXPECTED 1 TO 10 CHARACTERS"),
        ("LIS/CA", 220, "FIELD LIC, OR VIN AT OFFSET 37: EXPECTED IT TO BE THERE"),
        ("LIC/1.VYR/20X6", 225, "FIELD VYR AT OFFSET 41: EXPECTED DIGITS"),
    ] {
        let mut world = connected();
        world.dmpp(ALPHA, &format!("ALPHA1.REF1.U1.IV.4A.CA0190100.{body}"));
        world.sync();
        let text = world.data(ALPHA).join("");
        assert!(text.contains(&format!("REJECTED E{code} ")), "{text}");
        assert!(text.contains(said), "{text}");
        let refused = world.journal.iter().find(|(kind, ..)| *kind == record::REFUSED).unwrap();
        let refused: Refused<'_> = record::decode(&refused.2).unwrap();
        assert_eq!(refused.code, code);
    }
}

#[test]
fn a_header_cannot_raise_rights() {
    for (payload, code) in [
        (PLATE.replace("CA0010100", "CA0020000"), 302),
        (PLATE.replace("CA0010100", "CA0990000"), 301),
        (PLATE.replace("ALPHA1", "BETA1"), 303),
        (PLATE.replace("ALPHA1", "NOBODY"), 307),
        (PLATE.replace(".U1.", ".U2."), 305),
        (PLATE.replace(".U1.", ".U9."), 304),
        (PLATE.replace(".U1.", ".."), 306),
        (PLATE.replace(".U1.", ".U3."), 422),
        (PLATE.replace("IV.4A", "IV.9Z"), 210),
        (PLATE.replace("CAP/C", "CAP/U"), 414),
    ] {
        let mut world = connected();
        world.dmpp(ALPHA, &payload);
        world.sync();
        let text = world.data(ALPHA).join("");
        assert!(text.contains(&format!("REJECTED E{code} ")), "{payload}: {text}");
        assert_eq!(world.data(SVS), Vec::<String>::new(), "{payload}");
    }
}

#[test]
fn a_message_waits_for_a_line_that_is_down() {
    let mut world = connected();
    world.disconnect(BETA);
    world.dmpp(ALPHA, NOTE);
    world.sync();
    assert_eq!(world.seen(ALPHA), [Seen::Ack]);
    world.wait(901);
    world.sync();
    assert!(world.data(ALPHA).join("").contains("DELAYED"), "the sender is told after 15 minutes");
    world.connect(BETA, "beta");
    world.sync();
    let texts = world.data(BETA);
    assert_eq!(texts.len(), 1);
    assert!(texts[0].ends_with("MEET AT NOON"), "{texts:?}");
}

#[test]
fn an_inquiry_does_not_wait_for_a_file_that_is_down() {
    let mut world = connected();
    world.disconnect(SVS);
    world.dmpp(ALPHA, PLATE);
    world.sync();
    let texts = world.data(ALPHA).join("");
    assert!(texts.contains("E503") && texts.contains("STOLEN VEHICLES"), "{texts}");
    assert_eq!(world.data(NCIC).len(), 1, "the other file is asked all the same");
}

#[test]
fn a_silent_file_gives_one_notice_and_a_late_answer_is_marked() {
    let mut world = connected();
    world.dmpp(ALPHA, PLATE);
    world.sync();
    let asked = world.data(SVS).remove(0);
    world.acknowledge(SVS);
    world.acknowledge(NCIC);
    world.wait(29);
    world.sync();
    assert_eq!(world.data(ALPHA), Vec::<String>::new());
    world.wait(2);
    world.sync();
    let mut notices = world.data(ALPHA);
    world.acknowledge(ALPHA);
    notices.extend(world.data(ALPHA));
    world.acknowledge(ALPHA);
    assert_eq!(notices.iter().filter(|text| text.contains("NRP")).count(), 2, "{notices:?}");
    world.wait(60);
    world.sync();
    assert_eq!(world.data(ALPHA), Vec::<String>::new(), "one notice for each file, no more");
    let reply = format!("SWITCH.{}.U1.QV.CASVS0000.CA0010100.TXT\r\nHIT", control(&asked));
    world.dmpp(SVS, &reply);
    world.sync();
    assert!(world.data(ALPHA).join("").contains("LATE REPLY\r\nHIT"));
}

#[test]
fn a_repeated_reference_is_answered_again_and_runs_once() {
    let mut world = connected();
    world.dmpp(ALPHA, PLATE);
    world.sync();
    assert_eq!(world.seen(ALPHA), [Seen::Ack]);
    world.dmpp(ALPHA, PLATE);
    assert_eq!(world.seen(ALPHA), [Seen::Ack], "its record is durable already");
    world.acknowledge(SVS);
    assert_eq!(world.data(SVS).len(), 1);
    world.dmpp(ALPHA, &PLATE.replace("1ABC234", "9XYZ999"));
    world.sync();
    assert!(world.data(ALPHA).join("").contains("REJECTED E211"));
}

#[test]
fn a_group_gets_one_body_and_an_entry_for_each_station() {
    let mut world = connected();
    world.dmpp(ALPHA, &NOTE.replace("BETA1", "BAYAREA"));
    world.sync();
    assert_eq!(world.data(BETA).len(), 2);
    let accepted = world.journal.iter().rfind(|(kind, ..)| *kind == record::ACCEPTED).unwrap();
    let accepted: Accepted<'_> = record::decode(&accepted.2).unwrap();
    assert_eq!(accepted.entries.len(), 3);
    assert!(accepted.entries.iter().all(|entry| entry.precedence == 4));
}

#[test]
fn after_a_crash_what_was_accepted_is_delivered_and_marked() {
    let mut world = connected();
    world.disconnect(BETA);
    world.dmpp(ALPHA, NOTE);
    world.sync();
    world.dmpp(ALPHA, &NOTE.replace("REF2", "REF3"));
    // REF3 was written but never synced: it was never acknowledged either.
    world.restart();
    world.connect(ALPHA, "alpha");
    world.connect(BETA, "beta");
    world.sync();
    let texts = world.data(BETA);
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert!(texts[0].starts_with("BETA1."), "never sent before: {texts:?}");
    world.restart();
    world.connect(ALPHA, "alpha");
    world.connect(BETA, "beta");
    world.sync();
    let texts = world.data(BETA);
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert!(texts[0].starts_with("PD BETA1."), "{texts:?}");
    world.dmpp(ALPHA, NOTE);
    world.sync();
    assert_eq!(world.seen(ALPHA), [Seen::Ack], "the old reference is answered, not run again");
    assert_eq!(world.data(BETA), Vec::<String>::new());
}

#[test]
fn after_a_crash_a_reply_still_finds_the_one_who_asked() {
    let mut world = connected();
    world.dmpp(ALPHA, PLATE);
    world.sync();
    let asked = world.data(NCIC).remove(0);
    world.acknowledge(NCIC);
    world.sync();
    world.restart();
    world.connect(ALPHA, "alpha");
    world.connect(NCIC, "ncic");
    world.sync();
    assert_eq!(world.data(NCIC), Vec::<String>::new(), "it was delivered before");
    let reply = format!("1L01{}\r\nCA0010100\r\n\r\nNO RECORD", control(&asked));
    world.dmpp(NCIC, &reply);
    world.dmpp(NCIC, &reply);
    world.sync();
    let texts = world.data(ALPHA);
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert!(texts[0].starts_with("ALPHA1.REF1.U1."), "{texts:?}");
}

#[test]
fn a_native_line_counts_resumes_and_is_told_of_holes() {
    let mut world = connected();
    let note = "BETA1.R1.U2.AM.CA0020000.ALPHA1.TXT\r\nHELLO";
    world.native(BETA, Kind::Data, 0, 1, note.as_bytes());
    world.native(BETA, Kind::Data, 0, 2, b"not a message");
    world.sync();
    let seen = world.seen(BETA);
    assert!(matches!(seen[0], Seen::Accept(number) if number > 0), "{seen:?}");
    assert!(matches!(seen[1], Seen::Reject(2, 201..=203, _)), "{seen:?}");
    world.native(BETA, Kind::Data, 0, 1, note.as_bytes());
    world.sync();
    assert_eq!(world.seen(BETA), [seen[0].clone()], "the same answer to the same number");

    for reference in ["N1", "N2", "N3"] {
        world.dmpp(ALPHA, &NOTE.replace("REF2", reference));
    }
    world.sync();
    assert_eq!(world.data(BETA).len(), 3);
    world.native(BETA, Kind::Delivered, 3, 1, b"");
    world.disconnect(BETA);
    world.seen(BETA);
    // The peer says it has two: the second is not sent again.
    let event = clets_switch::Event::Open {
        connection: clets_switch::ConnectionId(BETA),
        line: World::line("beta"),
    };
    world.step(event);
    world.logon(BETA, [1, 1, 1, 3, 1]);
    assert_eq!(world.seen(BETA), [], "what it says it has received must be durable");
    world.sync();
    let seen = world.seen(BETA);
    assert!(
        matches!(&seen[0], Seen::LogonAck(text) if text.contains(r#""received":2"#)),
        "{seen:?}"
    );
    assert!(matches!(&seen[1], Seen::Data(text) if text.starts_with("PD ")), "{seen:?}");
    assert_eq!(seen.len(), 2);
}

#[test]
fn bytes_that_are_no_frame_end_only_their_own_connection() {
    let mut world = connected();
    world.bytes(ALPHA, b"GET / HTTP/1.1\r\n\r\n");
    assert_eq!(world.seen(ALPHA), [Seen::Close(101)]);
    let note = "BETA1.R1.U2.AM.CA0020000.BETA2.TXT\r\nHELLO";
    world.native(BETA, Kind::Data, 0, 1, note.as_bytes());
    world.sync();
    assert!(matches!(world.seen(BETA)[0], Seen::Accept(_)));
}

#[test]
fn a_newer_session_of_a_line_fences_the_older() {
    let mut world = connected();
    world.connect(9, "alpha");
    assert_eq!(world.seen(ALPHA), [Seen::Close(803)]);
    world.dmpp(9, NOTE);
    world.sync();
    assert_eq!(world.seen(9), [Seen::Ack]);
    world.connect(10, "beta");
    let seen = world.seen(BETA);
    assert!(matches!(seen[..], [_, Seen::Reject(0, 803, _), Seen::Close(803)]), "{seen:?}");
}

#[test]
fn a_silent_line_is_dropped_and_its_traffic_waits() {
    let mut world = connected();
    world.wait_in_silence(15);
    let seen = world.seen(BETA);
    assert!(matches!(seen[..], [Seen::Reject(0, 804, _), Seen::Close(804)]), "{seen:?}");
    assert_eq!(world.seen(ALPHA), [], "a DMPP line may be silent for a minute");
    world.dmpp(ALPHA, NOTE);
    world.sync();
    assert_eq!(world.data(BETA), Vec::<String>::new());
    world.connect(9, "beta");
    world.sync();
    assert_eq!(world.data(9).len(), 1);
}

#[test]
fn a_line_that_does_not_acknowledge_is_dropped_and_sent_the_same_again() {
    let mut world = connected();
    world.dmpp(ALPHA, PLATE);
    world.sync();
    assert_eq!(world.data(SVS).len(), 1);
    world.wait(29);
    assert_eq!(world.seen(SVS), []);
    world.wait(1);
    assert_eq!(world.seen(SVS), [Seen::Close(806)]);
}

#[test]
fn a_full_queue_refuses_with_its_own_code() {
    let mut world = connected();
    world.disconnect(BETA);
    for number in 0..10 {
        world.dmpp(ALPHA, &NOTE.replace("REF2", &format!("Q{number}")));
    }
    world.sync();
    world.data(ALPHA);
    world.dmpp(ALPHA, &NOTE.replace("REF2", "Q10"));
    world.sync();
    assert!(world.data(ALPHA).join("").contains("REJECTED E506"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any split of a line's bytes gives the same records.
    #[test]
    fn any_split_of_the_bytes_is_the_same(cuts in prop::collection::vec(0usize..600, 0..12)) {
        let mut stream = Vec::new();
        for payload in [PLATE, NOTE, "garbage in a frame"] {
            clets_wire::framing::dmpp::encode(&mut stream, 2, *b"0001", 1, 1, payload.as_bytes());
        }
        let mut whole = connected();
        whole.bytes(ALPHA, &stream);
        let mut split = connected();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(stream.len())).collect();
        cuts.push(stream.len());
        cuts.sort_unstable();
        let mut kept = 0;
        for cut in cuts {
            kept += split.bytes(ALPHA, &stream[kept..cut]);
        }
        prop_assert_eq!(kept, stream.len());
        let bodies = |world: &World| {
            // How many reservations go into one record depends on what came together.
            let records = world.journal.iter().filter(|(kind, ..)| *kind != record::RESERVED);
            records.map(|(kind, _, body)| (*kind, body.clone())).collect::<Vec<_>>()
        };
        prop_assert_eq!(bodies(&whole), bodies(&split));
    }

    /// Wherever the process dies, what it acknowledged is delivered after the restart, and what
    /// it did not acknowledge was never forwarded.
    #[test]
    fn a_crash_at_any_point_loses_nothing_acknowledged(
        syncs in prop::collection::vec(any::<bool>(), 8),
        crash in 0usize..8,
    ) {
        let mut world = connected();
        world.disconnect(BETA);
        let mut acknowledged = 0;
        for (number, sync) in syncs.iter().take(crash).enumerate() {
            world.dmpp(ALPHA, &NOTE.replace("REF2", &format!("C{number}")));
            if *sync {
                world.sync();
            }
            acknowledged += world.seen(ALPHA).iter().filter(|it| **it == Seen::Ack).count();
        }
        world.restart();
        world.connect(BETA, "beta");
        world.sync();
        prop_assert_eq!(world.data(BETA).len(), acknowledged);
    }
}
