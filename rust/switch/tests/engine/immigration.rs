//! The immigration rules on their way through the whole switch: as entered, on each leg, in a
//! follow-up, in messages between people, and on what comes back.

use std::sync::{Arc, LazyLock};

use clets_switch::Bundle;
use clets_switch::record::{self, Refused};
use clets_wire::framing::native;
use serde_json::{Value, json};

use crate::nation::{ALPHA, BETA, III, NCIC, SVS};
use crate::world::{DOCUMENT, World, bundle};

/// The small state, where the second line belongs to Homeland Security.
static HOMELAND: LazyLock<Arc<Bundle>> = LazyLock::new(|| homeland(false));
static ATTESTED: LazyLock<Arc<Bundle>> = LazyLock::new(|| homeland(true));

/// The small state, where an answer with a history makes the switch ask for a license.
static FOLLOWED: LazyLock<Arc<Bundle>> = LazyLock::new(|| {
    let mut document = crate::nation::document(false);
    document["lines"][0]["follow_ups"] = json!(true);
    document["follow_ups"] = json!([{"name": "license", "after": ["QH"], "hosts": ["iii"],
        "key": "IN.L1", "locators": [{"field": "NAM", "label": "NAME: ", "until": "",
        "bytes_max": 30}]}]);
    let leg = json!({"host": "svs", "key": "IN.L1", "destination_field": null,
        "destination": null, "addressed": false});
    let routes = document["routes"].as_array_mut().unwrap();
    routes.push(json!({"keys": ["IN.L1"], "condition": null, "legs": [leg]}));
    bundle(&document.to_string())
});

fn homeland(attested: bool) -> Arc<Bundle> {
    let mut document: Value = serde_json::from_str(DOCUMENT).unwrap();
    document["agencies"][1][2] = json!("fed_ice_hsi");
    document["agencies"][1].as_array_mut().unwrap().push(json!(attested));
    let leg = json!({"host": "nlets", "key": "LQ", "destination_field": null,
        "destination": null, "addressed": true});
    let routes = document["routes"].as_array_mut().unwrap();
    routes.push(json!({"keys": ["NLTS.LQ"], "condition": null, "legs": [leg]}));
    bundle(&document.to_string())
}

fn connected(world: &mut World) {
    for (connection, line) in [(ALPHA, "alpha"), (BETA, "beta"), (SVS, "svs"), (NCIC, "ncic")] {
        world.connect(connection, line);
    }
    world.sync();
    for connection in [ALPHA, BETA, SVS, NCIC] {
        world.seen(connection);
    }
}

fn plate(reference: &str, reason: &str) -> String {
    format!("ALPHA1.{reference}.U1.IV.4A.CA0010100.LIC/1ABC234.LIS/CA.CAP/C.RSN/{reason}")
}

fn refusals(world: &World) -> Vec<(u16, Vec<String>)> {
    let records = world.journal.iter().filter(|(kind, ..)| *kind == record::REFUSED);
    let refused = records.map(|(.., body)| record::decode::<Refused<'_>>(body).unwrap());
    refused.map(|it| (it.code, it.rules.iter().map(ToString::to_string).collect())).collect()
}

#[test]
fn nothing_is_asked_of_any_file_and_the_sender_is_not_told_which_rule() {
    let mut world = World::new();
    connected(&mut world);
    for (place, reason) in
        ["ICE DETAINER", "T/S. REMOVAL ORDER, ALIEN", "8 USC 1325", "8 usc 1227"].iter().enumerate()
    {
        world.dmpp(ALPHA, &plate(&format!("R{place}"), reason));
        world.sync();
        let told = world.data(ALPHA).join("");
        assert!(told.contains("E430"), "{told}");
        for secret in ["I-01", "I-07", "15160", "MIGRATION"] {
            assert!(!told.to_uppercase().contains(secret), "{secret} in {told}");
        }
        world.acknowledge(ALPHA);
        world.sync();
    }
    assert_eq!(world.data(SVS).len() + world.data(NCIC).len(), 0);
    let refused = refusals(&world);
    assert!(refused.iter().all(|(code, _)| *code == 430), "{refused:?}");
    for ((_, rules), blocks) in refused.iter().zip(["I-01.1", "I-01.1", "I-07", "I-01.1"]) {
        assert!(rules.iter().any(|rule| rule == blocks), "{rules:?}");
    }
}

#[test]
fn a_reason_hides_in_no_other_field_and_innocent_words_pass() {
    let mut world = World::new();
    connected(&mut world);
    let hidden = format!("{}.ATN/ERO OFFICER SAMPLE", plate("R1", "DETAINER"));
    world.dmpp(ALPHA, &hidden);
    let twice = format!("{}.RSN/ICE DETAINER", plate("R2", "TRAFFIC STOP"));
    world.dmpp(ALPHA, &twice);
    world.sync();
    assert_eq!(refusals(&world).iter().map(|it| it.0).collect::<Vec<_>>(), [430, 430]);
    world.dmpp(ALPHA, &plate("R3", "POSS ICE / METH SALES"));
    world.sync();
    assert_eq!(world.data(SVS).len() + world.data(NCIC).len(), 2);
}

#[test]
fn an_inquiry_in_words_says_its_reason_there() {
    let mut world = World::of(Arc::clone(&HOMELAND));
    connected(&mut world);
    let ask = |reference: &str, text: &str| {
        format!("ALPHA1.{reference}.U1.NLTS.LQ.CA0010100.AZ.TXT\r\n{text}")
    };
    world.dmpp(ALPHA, &ask("R1", "WHERE IS SAMPLE,SUE? IMMIGRATION HOLD"));
    world.dmpp(ALPHA, &ask("R2", "WHERE IS SAMPLE,SUE? FOUND PROPERTY"));
    world.sync();
    assert_eq!(refusals(&world).iter().map(|it| it.0).collect::<Vec<_>>(), [430]);
}

#[test]
fn homeland_security_is_answered_in_a_crime_once_it_has_attested() {
    for (state, refused) in [(&HOMELAND, vec![430]), (&ATTESTED, vec![])] {
        let mut world = World::of(Arc::clone(state));
        connected(&mut world);
        let asked = plate("R1", "BURGLARY SUSPECT").replace("ALPHA1", "BETA1");
        let asked = asked.replace("CA0010100", "CA0020000").replace(".U1.", ".U2.");
        world.native(BETA, native::Kind::Data, 0, 1, asked.as_bytes());
        world.sync();
        assert_eq!(refusals(&world).iter().map(|it| it.0).collect::<Vec<u16>>(), refused);
        assert_eq!(world.data(SVS).len(), usize::from(refused.is_empty()));
    }
}

#[test]
fn a_release_date_for_homeland_security_waits_for_the_control_center() {
    let mut world = World::of(Arc::clone(&HOMELAND));
    connected(&mut world);
    let message = |reference: &str, to: &str, text: &str| {
        format!("ALPHA1.{reference}.U1.AM.CA0010100.{to}.TXT\r\n{text}")
    };
    for (place, to) in ["BETA1", "CA0020000", "BAYAREA"].iter().enumerate() {
        let text = "RELEASE DATE 01/06 0800, HOME ADDRESS 1 MAIN ST";
        world.dmpp(ALPHA, &message(&format!("R{place}"), to, text));
        world.sync();
        assert_eq!(world.data(BETA), [""; 0], "{to}");
    }
    let accepted = world.journal.iter().filter(|(kind, ..)| *kind == record::ACCEPTED);
    let held = accepted.filter(|(.., body)| {
        let accepted: record::Accepted<'_> = record::decode(body).unwrap();
        accepted.held_until_us > 0 && accepted.rules.iter().any(|rule| rule == "I-15")
    });
    assert_eq!(held.count(), 3);
    world.dmpp(ALPHA, &message("R9", "BETA1", "MEET AT THE COUNTY LINE 0800"));
    world.sync();
    assert_eq!(world.data(BETA).len(), 1);
}

#[test]
fn a_civil_record_in_an_answer_is_labelled_and_whole() {
    let mut world = World::new();
    connected(&mut world);
    world.dmpp(ALPHA, &plate("R1", "TRAFFIC STOP"));
    world.sync();
    world.seen(ALPHA);
    let asked = world.data(NCIC).remove(0);
    world.acknowledge(NCIC);
    let control = crate::nation::control(&asked);
    // Another system's answer in fields is read as one in words.
    let asked = world.data(SVS).remove(0);
    world.acknowledge(SVS);
    let reference = asked.split('.').nth(1).unwrap();
    world.dmpp(
        SVS,
        &format!("CASVS0000.{reference}.U1.QV.CASVS0000.CA0010100.MKE/DEPORTED FELON.LIC/1ABC234"),
    );
    world.sync();
    let told = world.data(ALPHA).join("");
    assert!(told.contains("DEPORTED FELON RECORD: CRIMINAL"), "{told}");
    world.acknowledge(ALPHA);
    world.sync();
    let text = "MKE/IMMIGRATION VIOLATOR\r\nOUTSTANDING ADMINISTRATIVE WARRANT OF REMOVAL\r\nEND";
    world.dmpp(NCIC, &format!("1L01{control}\r\nCA0010100\r\n\r\n{text}"));
    world.sync();
    let told = world.data(ALPHA).join("");
    assert!(told.contains("CIVIL IMMIGRATION RECORD: NO DETENTION"), "{told}");
    assert!(told.ends_with(text), "{told}");
}

/// A criminal history may be asked for with such a reason; what follows from it by itself may not.
#[test]
fn a_follow_up_is_judged_by_the_reason_of_the_one_who_asked() {
    for (reason, followed) in [("BURGLARY", true), ("ICE DETAINER", false)] {
        let mut world = crate::nation::joined(World::of(Arc::clone(&FOLLOWED)));
        world.dmpp(
            ALPHA,
            &format!(
                "ALPHA1.H1.U1.IH.R.QH.CA0010100.NAM/DOE,JOHN.SEX/M.RAC/W.DOB/19800101.PUR/C\
                 .ATN/SGT SAMPLE.OCA/26-1.RSN/{reason}"
            ),
        );
        world.sync();
        let asked = world.data(III).remove(0);
        world.acknowledge(III);
        let control = crate::nation::control(&asked);
        world.dmpp(III, &format!("1L01{control}\r\nCA0010100\r\n\r\nNAME: SAMPLE,SUE\r\nEND"));
        world.sync();
        assert_eq!(world.data(SVS).len(), usize::from(followed), "{reason}");
        let refused = world.journal.iter().filter(|(kind, ..)| *kind == record::REFUSED);
        let refused: Vec<Refused<'_>> =
            refused.map(|(.., body)| record::decode(body).unwrap()).collect();
        assert_eq!(refused.len(), usize::from(!followed));
        for it in refused {
            assert_eq!((it.code, &*it.follow_up), (430, "license"));
            assert!(it.rules.iter().any(|rule| rule == "I-01.1"), "{:?}", it.rules);
        }
    }
}

/// CITE: test vector T-08.
#[test]
fn homeland_security_asks_the_state_nothing_through_nlets_and_a_case_is_opened() {
    let mut world = World::of(Arc::clone(&HOMELAND));
    connected(&mut world);
    world.connect(crate::nation::NLETS, "nlets");
    let ask = crate::nation::from_nlets("DQ", "CA0020000", "CA0010100", "", "OLN/D1234567");
    world.dmpp(crate::nation::NLETS, &ask);
    world.sync();
    assert_eq!(refusals(&world), [(430, vec!["I-04".to_owned()])]);
    let cases = world.journal.iter().filter(|(kind, ..)| *kind == record::CASE);
    assert_eq!(cases.count(), 1);
    assert_eq!(world.seen(crate::nation::NLETS), [crate::world::Seen::Ack], "taken, and kept");
    for connection in [ALPHA, BETA, SVS, NCIC] {
        assert_eq!(world.data(connection), [""; 0]);
    }
}
