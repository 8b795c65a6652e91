//! Whose record, which habit, and what of an answer: misuse on its way through the whole switch.

use std::sync::{Arc, LazyLock};

use clets_policy::{Identifier, SubjectKey};
use clets_switch::record::{self, Accepted, Case, Refused};
use clets_switch::{Bundle, Command, Step};
use clets_wire::framing::native::Kind;
use serde_json::json;

use crate::nation::{ALPHA, BETA, III, SVS, control, document};
use crate::world::{World, bundle_with};

const KEY: &str = "000102030405060708090a0b0c0d0e0f";

/// The small state: U1's own plate and name are listed, U4 is a trainee, and the second line is of
/// Homeland Security, which has attested.
static STATE: LazyLock<Arc<Bundle>> = LazyLock::new(|| {
    let mut document = document(false);
    document["agencies"][1] = json!(["beta-so", "Beta", "fed_ice_hsi", "active", 2, true]);
    let trainee = json!(["U4", "alpha-pd", "full", "trainee", true, true, 18000, 18100, 25000]);
    document["users"].as_array_mut().unwrap().push(trainee);
    let leg = |key: &str| {
        json!({"host": "svs", "key": key, "destination_field": null,
        "destination": null, "addressed": false})
    };
    let route = |key: &str| json!({"keys": [key], "condition": null, "legs": [leg(key)]});
    let routes = document["routes"].as_array_mut().unwrap();
    routes.extend([route("ID.L1"), route("IA.XV")]);
    let key = SubjectKey::parse(KEY).unwrap();
    let row = |list: &str, user: &str, it: Identifier<'_>| {
        format!("{list},{:032x},synthetic\n", key.digest(user.as_bytes(), &it))
    };
    let plate = |value| Identifier::Number { kind: b"LIC", state: b"CA", value };
    let name = |name| Identifier::Person { name, birth: b"19800101" };
    let rows = [
        row("own", "U1", plate(b"9OWN001")),
        row("own", "U1", name(b"DOE,PAT")),
        row("watched", "", name(b"FAMOUS,FRANCES")),
        row("test", "", plate(b"9TEST01")),
    ];
    let table = format!("list,digest,cite\n{}", rows.concat());
    bundle_with(&document.to_string(), &[("subjects.csv", &table), ("subjects.key", KEY)])
});

fn state() -> World {
    crate::nation::joined(World::of(Arc::clone(&STATE)))
}

fn plate(reference: &str, user: &str, plate: &str) -> String {
    format!("ALPHA1.{reference}.{user}.IV.4A.CA0010100.LIC/{plate}.LIS/CA.CAP/C.RSN/TRAFFIC STOP")
}

/// Sends on the first line and gives what the sender is told.
fn told(world: &mut World, payload: &str) -> String {
    world.dmpp(ALPHA, payload);
    world.sync();
    let told = world.data(ALPHA).join("\n");
    world.acknowledge(ALPHA);
    world.sync();
    told
}

fn all<'w, T: serde::Deserialize<'w>>(world: &'w World, kind: u8) -> Vec<T> {
    let records = world.journal.iter().filter(|it| it.0 == kind);
    records.map(|(.., body)| record::decode(body).unwrap()).collect()
}

fn cases(world: &World) -> Vec<(u64, String, Vec<String>)> {
    let cases = all::<Case<'_>>(world, record::CASE).into_iter();
    cases
        .map(|it| {
            let rules = it.rules.iter().map(ToString::to_string).collect();
            (it.message, it.user.to_string(), rules)
        })
        .collect()
}

#[test]
fn nobody_asks_for_their_own_record_however_it_is_written() {
    let mut world = state();
    for (place, own) in ["9OWN001", "9own001", "9-OWN 001"].iter().enumerate() {
        let told = told(&mut world, &plate(&format!("R{place}"), "U1", own));
        assert!(told.contains("E430"), "{told}");
        assert!(!told.contains("D-01") && !told.contains("own"), "{told}");
    }
    let person = "ALPHA1.R7.U1.IW.QW.CA0010100.NAM/doe, pat middle.DOB/19800101.CAP/C.RSN/STOP";
    assert!(told(&mut world, person).contains("E430"));
    let refused: Vec<Refused<'_>> = all(&world, record::REFUSED);
    assert!(refused.iter().all(|it| it.rules[0] == "D-01" && it.effect == "block"));
    assert_eq!(cases(&world).len(), 4);
    assert_eq!(cases(&world)[0].1, "U1");
    assert_eq!(world.data(SVS), [""; 0]);
    // A colleague may ask, and the plate of another state is another plate.
    told(&mut world, &plate("R8", "U3", "9OWN001"));
    assert!(all::<Refused<'_>>(&world, record::REFUSED).len() == 5, "U3's training has lapsed");
    told(&mut world, &plate("R9", "U1", "9OWN001").replace("LIS/CA", "LIS/AZ"));
    assert_eq!(world.data(SVS).len(), 1);
}

#[test]
fn a_trainee_reaches_test_records_only() {
    let mut world = state();
    assert!(told(&mut world, &plate("R1", "U4", "1ABC234")).contains("E430"));
    assert_eq!(world.data(SVS), [""; 0]);
    told(&mut world, &plate("R2", "U4", "9TEST01"));
    assert_eq!(world.data(SVS).len(), 1);
    assert_eq!(all::<Refused<'_>>(&world, record::REFUSED)[0].rules, ["D-16"]);
}

#[test]
fn who_changes_their_own_record_waits_for_the_control_center() {
    let mut world = state();
    let cancel = "ALPHA1.R1.U1.IA.XV.CA0010100.LIC/9OWN001.OCA/26-1";
    assert!(told(&mut world, cancel).contains("HELD FOR APPROVAL"));
    assert_eq!(world.engine.intercepts(world.now_us)[0].rules, ["D-20"]);
    told(&mut world, &cancel.replace("R1", "R2").replace("9OWN001", "1ABC234"));
    assert_eq!(world.data(SVS).len(), 1);
}

#[test]
fn a_person_who_is_watched_over_is_answered_and_a_case_is_opened() {
    let mut world = state();
    let ask = "ALPHA1.R1.U1.IW.QW.CA0010100.NAM/FAMOUS, FRANCES.DOB/19800101.CAP/C.RSN/STOP";
    told(&mut world, ask);
    assert_eq!(all::<Refused<'_>>(&world, record::REFUSED).len(), 0);
    let [(message, _, rules)] = &cases(&world)[..] else { panic!("one case") };
    assert_eq!(*rules, ["D-05"]);
    let (kind, ..) = world.journal[usize::try_from(*message).unwrap()];
    assert_eq!(kind, record::ACCEPTED, "a case names its message's record");
}

#[test]
fn plates_in_a_row_are_stopped_and_others_are_not() {
    let mut world = state();
    let mut ask = |number: u32, row: bool| {
        let text = if row { format!("7ABC{number}") } else { format!("7ABC{}", number * 97 % 900) };
        let told = told(&mut world, &plate(&format!("R{row}{number}"), "U1", &text));
        world.acknowledge(SVS);
        world.acknowledge(crate::nation::NCIC);
        world.now_us += 1_000_000;
        told.contains("E430")
    };
    assert_eq!((100..120).filter(|number| ask(*number, true)).count(), 0);
    assert!((120..125).all(|number| ask(number, true)));
    assert_eq!((100..150).filter(|number| ask(*number, false)).count(), 0);
}

/// Asks for a history from the line of Homeland Security; gives the control field of the inquiry.
fn ask_for_history(world: &mut World) -> String {
    let ask = "BETA1.H1.U2.IH.R.QH.CA0020000.NAM/DOE,JOHN.SEX/M.RAC/W.DOB/19800101.PUR/C\
        .ATN/SGT SAMPLE.OCA/26-1";
    world.native(BETA, Kind::Data, 0, 1, ask.as_bytes());
    world.sync();
    let asked = world.data(III).remove(0);
    world.acknowledge(III);
    world.seen(BETA);
    control(&asked)
}

const ONLY: &str = "CYCLE 001\r\nCHARGE 01 8 USC 1325 ILLEGAL ENTRY\r\nEND OF RECORD";

fn step(action: Step, message: u64) -> Command {
    Command {
        action,
        message,
        operator: "SAMPLE".to_owned(),
        account: "center".to_owned(),
        reason: "the warrant is criminal".to_owned(),
        text: None,
        to: Vec::new(),
    }
}

/// CITE: test vector T-10.
#[test]
fn a_history_of_illegal_entry_alone_waits_and_is_released_to_whoever_asked() {
    for crash in [false, true] {
        let mut world = state();
        let control = ask_for_history(&mut world);
        world.dmpp(III, &format!("1L01{control}\r\nCA0020000\r\n\r\n{ONLY}"));
        world.sync();
        let told = world.data(BETA).join("");
        assert!(told.contains("HELD FOR APPROVAL") && !told.contains("1325"), "{told}");
        if crash {
            world.restart();
            world = crate::nation::joined(world);
            world.seen(BETA);
        }
        let waiting = world.engine.intercepts(world.now_us);
        assert_eq!(waiting[0].rules, ["I-08.1", "I-08.2"]);
        let message = waiting[0].message;
        let edit = Command { text: Some("X".to_owned()), ..step(Step::Edit, message) };
        assert_eq!(world.operate(&edit).unwrap_err().code, 535, "an answer is never written anew");
        let elsewhere = Command { to: vec!["ALPHA1".to_owned()], ..step(Step::Forward, message) };
        assert_eq!(world.operate(&elsewhere).unwrap_err().code, 535);
        world.operate(&step(Step::Forward, message)).unwrap();
        world.sync();
        let told = world.data(BETA).join("");
        assert!(told.contains("BETA1.H1.U2") && told.contains(ONLY), "{crash} {told}");
        assert_eq!(world.data(ALPHA), [""; 0]);
    }
}

#[test]
fn a_history_that_waits_can_be_returned_and_whoever_asked_is_told() {
    let mut world = state();
    let control = ask_for_history(&mut world);
    world.dmpp(III, &format!("1L01{control}\r\nCA0020000\r\n\r\n{ONLY}"));
    world.sync();
    world.seen(BETA);
    let message = world.engine.intercepts(world.now_us)[0].message;
    world.operate(&step(Step::Return, message)).unwrap();
    world.sync();
    let told = world.data(BETA).join("");
    assert!(told.contains("E531") && told.contains(".H1.") && !told.contains("1325"), "{told}");
}

#[test]
fn a_history_with_any_other_offense_is_answered_at_once() {
    let mut world = state();
    let control = ask_for_history(&mut world);
    let text = ONLY.replace("END", "CHARGE 02 PC 459 BURGLARY\r\nEND");
    world.dmpp(III, &format!("1L01{control}\r\nCA0020000\r\n\r\n{text}"));
    world.sync();
    assert!(world.data(BETA).join("").contains("BURGLARY"));
}

#[test]
fn a_line_is_withheld_from_homeland_security_and_kept_in_the_journal() {
    for (connection, kept) in [(BETA, false), (ALPHA, true)] {
        let mut world = state();
        let ask = "1.L1.UX.ID.L1.CA00X0000.OLN/D7654321.CAP/C.RSN/BURGLARY SUSPECT.OCA/26-1";
        if connection == BETA {
            let ask = ask.replace("CA00X0000", "CA0020000").replace("UX", "U2");
            world.native(BETA, Kind::Data, 0, 1, format!("BETA{ask}").as_bytes());
        } else {
            let ask = ask.replace("CA00X0000", "CA0010100").replace("UX", "U1");
            world.dmpp(ALPHA, &format!("ALPHA{ask}"));
        }
        world.sync();
        let asked = world.data(SVS).remove(0);
        world.acknowledge(SVS);
        world.seen(connection);
        let reference = asked.split('.').nth(1).unwrap();
        let user = asked.split('.').nth(2).unwrap();
        let lines = "NAME SAMPLE,SUE\r\nFEDERAL LIMITS APPLY\r\nCLASS C\r\n";
        let answer = format!("CASVS0000.{reference}.{user}.L1.CASVS0000.CA0010100.TXT\r\n{lines}");
        world.dmpp(SVS, &answer);
        world.sync();
        let told = world.data(connection).join("");
        assert!(told.contains("SAMPLE,SUE") && told.contains("CLASS C"), "{told}");
        assert_eq!(told.contains("FEDERAL LIMITS"), kept, "{told}");
        assert_eq!(told.contains("[WITHHELD BY RULE I-19]"), !kept, "{told}");
        let whole = all::<Accepted<'_>>(&world, record::ACCEPTED);
        let whole = whole.iter().any(|it| it.body.windows(14).any(|at| at == b"FEDERAL LIMITS"));
        assert!(whole, "the journal has what the file said");
    }
}

/// What is held is no part of what is collated, after a restart neither, and keeps nothing waiting.
#[test]
fn a_held_answer_stays_out_of_the_collated_one() {
    for crash in [false, true] {
        let mut document = document(false);
        document["agencies"][1] = json!(["beta-so", "Beta", "fed_ice_hsi", "active", 2, true]);
        document["lines"][1]["collate"] = json!(true);
        let leg = |host: &str| {
            json!({"host": host, "key": "QH", "destination_field": null,
            "destination": null, "addressed": false})
        };
        let routes = document["routes"].as_array_mut().unwrap();
        routes.retain(|route| route["keys"][0] != "IH.R.QH");
        routes.push(json!({"keys": ["IH.R.QH"], "condition": null,
            "legs": [leg("iii"), leg("ncic")]}));
        let bundle = bundle_with(&document.to_string(), &[]);
        let mut world = crate::nation::joined(World::of(bundle));
        let asked = ask_for_history(&mut world);
        let other = control(&world.data(crate::nation::NCIC).remove(0));
        world.acknowledge(crate::nation::NCIC);
        world.dmpp(III, &format!("1L01{asked}\r\nCA0020000\r\n\r\n{ONLY}"));
        world.sync();
        let mut told = world.data(BETA).join("");
        if crash {
            world.restart();
            world = crate::nation::joined(world);
        }
        world.dmpp(crate::nation::NCIC, &format!("1L01{other}\r\nCA0020000\r\n\r\nNO RECORD"));
        world.sync();
        told += &world.data(BETA).join("");
        assert!(told.contains("NO RECORD") && told.contains("COLLATED"), "{crash}: {told}");
        assert!(!told.contains("1325"), "{crash}: {told}");
        assert_eq!(world.engine.intercepts(world.now_us).len(), 1);
    }
}

#[test]
fn a_part_that_is_given_twice_counts_twice() {
    let mut world = state();
    let twice = plate("R1", "U1", "9OWN001").replace("LIS/CA", "LIS/AZ.LIS/CA");
    assert!(told(&mut world, &twice).contains("E430"));
    let names = "ALPHA1.R2.U1.IW.QW.CA0010100.NAM/SAMPLE,SUE.NAM/DOE,PAT.DOB/19990101\
        .DOB/19800101.CAP/C.RSN/STOP";
    assert!(told(&mut world, names).contains("E430"));
}
