//! How a line talks: county dialects, file codes, regions, collated replies, follow-ups.

use std::sync::{Arc, LazyLock};

use clets_switch::record::{self, Accepted, Target};
use clets_switch::{Bundle, Service};
use clets_wire::framing::native::Kind;

use crate::nation::set;
use crate::world::{DOCUMENT, World, bundle};
use crate::{ALPHA, BETA, NCIC, SVS, control};

const DMV: u32 = 5;
const NLETS: u32 = 6;
const LEDS: u32 = 7;

const COUNTY: &str = "ALPHA1.REF1.U1.QV.CA0010100.LICN/1ABC234.PTYP/MC.CAP/C.RSN/TRAFFIC STOP";

static TALKING: LazyLock<Arc<Bundle>> = LazyLock::new(|| {
    let host = |name: &str, system: &str, dialect: &str, members: &str| {
        format!(
            r#"{{"name": "{name}", "title": "{name}", "system": "{system}", "framing": "dmpp",
            "dialect": "{dialect}", "ori": "CA0349700", "station": "SWITCH", "window": 9,
            "dedupes": false, "reply_deadline_ms": 30000, "members": [{members}]}}"#
        )
    };
    let leg = |host: &str, rest: &str| {
        format!(r#"{{"host": "{host}", "destination_field": null, "destination": null, {rest}}}"#)
    };
    let dmv = host("dmv", "dmv", "clets", "");
    let leds = leg("leds", r#""key": null, "addressed": false"#);
    let oregon = host("leds", "oregon", "clets", "");
    let plain = leg("dmv", r#""key": null, "addressed": false"#);
    let region = leg("nlets", r#""key": null, "addressed": true, "region_key": "RQG""#);
    let document = DOCUMENT
        .replacen(
            r#""county": 1, "agencies""#,
            r#""county": 1, "dialect": "county", "collate_field": "COL", "follow_ups": true,
               "agencies""#,
            1,
        )
        .replacen("]}],\n \"oris\"", &format!(r#"]}}, {dmv}, {oregon}], "oris""#), 1)
        .replacen(r#""legs": ["#, &format!(r#""legs": [{plain},"#), 1)
        .replacen(
            r#""routes": ["#,
            &format!(
                r#""dialects": [{{"name": "county",
                    "renames": [["LICN", "LIC"], ["PTYP", "LIT"]],
                    "keys": [{{"entered": "QV", "key": "IV.4A", "with": "LIC",
                               "destination_field": null, "defaults": [["LIS", "CA"]]}},
                              {{"entered": "RQP", "key": "NLTS.RQ", "with": null,
                               "destination_field": "LIS", "defaults": []}},
                              {{"entered": "RQO", "key": "IO.RQ", "with": null,
                               "destination_field": null, "defaults": []}}]}}],
                   "file_codes": [{{"key": "IV.4A", "field": "LIT",
                    "codes": [["MC", "IV.4M"], ["DL", "IL.A1"]]}}],
                   "follow_ups": [{{"name": "owner", "after": ["IV.4A", "IN.L1"],
                    "hosts": ["dmv"], "key": "IN.L1", "locators": [
                     {{"field": "NAM", "label": "R/O:", "until": "", "bytes_max": 30}}]}}],
                   "routes": [
                    {{"keys": ["NLTS.RQ"], "condition": null, "legs": [{region}]}},
                    {{"keys": ["IO.RQ"], "condition": null, "legs": [{leds}]}},
                    {{"keys": ["IN.L1"], "condition": null, "legs": [{plain}]}},"#
            ),
            1,
        );
    bundle(&document)
});

fn connected() -> World {
    let mut world = World::of(Arc::clone(&TALKING));
    for (connection, line) in LINES {
        world.connect(connection, line);
    }
    world.sync();
    for (connection, _) in LINES {
        world.seen(connection);
    }
    world
}

const LINES: [(u32, &str); 7] = [
    (BETA, "beta"),
    (LEDS, "leds"),
    (ALPHA, "alpha"),
    (SVS, "svs"),
    (NCIC, "ncic"),
    (DMV, "dmv"),
    (NLETS, "nlets"),
];

fn reconnect(world: &mut World) {
    world.restart();
    for (connection, line) in LINES {
        world.connect(connection, line);
    }
    world.sync();
}

/// Everything that waits for a DMPP connection, each acknowledged.
fn all(world: &mut World, connection: u32) -> Vec<String> {
    let mut texts = Vec::new();
    loop {
        world.sync();
        let more = world.data(connection);
        if more.is_empty() {
            return texts;
        }
        texts.extend(more);
        world.acknowledge(connection);
    }
}

/// What a host was asked, its acknowledgement sent.
fn asked(world: &mut World, connection: u32) -> String {
    let text = world.data(connection).remove(0);
    world.acknowledge(connection);
    text
}

fn reply(host: u32, asked: &str, text: &str) -> String {
    let control = control(asked);
    match host {
        NCIC => format!("1L01{control}\r\nCA0010100\r\n\r\n{text}"),
        _ => format!("SWITCH.{control}.U1.XX.CA0349700.CA0010100.TXT\r\n{text}"),
    }
}

fn accepted(world: &World) -> Vec<Accepted<'_>> {
    let records = world.journal.iter().filter(|(kind, ..)| *kind == record::ACCEPTED);
    records.map(|(_, _, body)| record::decode(body).unwrap()).collect()
}

#[test]
fn a_county_inquiry_reaches_each_file_in_its_own_form_and_keeps_its_own_key() {
    let mut world = connected();
    world.dmpp(ALPHA, COUNTY);
    world.sync();
    let fields = "LIC/1ABC234.LIT/MC.CAP/C.RSN/TRAFFIC STOP.LIS/CA";
    let dmv = asked(&mut world, DMV);
    assert!(dmv.contains(".U1.IV.4M.CA0010100.LIC/1ABC234"), "the file of its plate: {dmv}");
    let svs = asked(&mut world, SVS);
    assert!(svs.ends_with(&format!(".U1.IA.QV.CA0010100.{fields}")), "{svs}");
    let ncic = asked(&mut world, NCIC);
    assert!(ncic.ends_with(".QV.CA0010100.LIC/1ABC234.LIT/MC.LIS/CA"), "{ncic}");

    let records = accepted(&world);
    let record = &records[0];
    assert_eq!(record.body, COUNTY.as_bytes(), "as it was entered");
    assert_eq!((record.key.as_ref(), record.entered.as_ref()), ("IV.4A", "QV"));
    let meaning = String::from_utf8_lossy(&record.meaning);
    assert_eq!(meaning, format!("ALPHA1.REF1.U1.IV.4A.CA0010100.{fields}"));

    // A repetition is known by what was entered, before and after a restart.
    world.sync();
    reconnect(&mut world);
    world.dmpp(ALPHA, COUNTY);
    world.sync();
    assert_eq!(world.data(DMV), Vec::<String>::new());
    world.dmpp(NCIC, &reply(NCIC, &ncic, "NO RECORD  QV.LICN/X\r\n"));
    world.dmpp(SVS, &reply(SVS, &svs, "STOLEN"));
    let texts = all(&mut world, ALPHA);
    let head = "ALPHA1.REF1.U1.QV.";
    assert_eq!(
        texts,
        [
            format!("{head}DCNCIC000.CA0010100.TXT\r\nNO RECORD  QV.LICN/X\r\n"),
            format!("{head}CA0349700.CA0010100.TXT\r\nSTOLEN"),
        ]
    );
}

#[test]
fn the_same_inquiry_is_the_same_to_each_system_however_it_is_entered() {
    let rest = "LIC/X1.LIY/2027.LIT/PC.LIS/AZ.CAP/C.RSN/TRAFFIC STOP";
    let county = rest.replace("LIC/", "LICN/").replace("LIT/", "PTYP/");
    let mut world = connected();
    for (place, (key, fields)) in
        [("NLTS.RQ.CA0020000.AZ", rest), ("RQP.CA0020000", &county), ("RQP.CA0020000.AZ", rest)]
            .into_iter()
            .enumerate()
    {
        // Beta is a native line without a dialect, alpha a DMPP line with one.
        if place == 0 {
            let message = format!("BETA1.R{place}.U2.{key}.{fields}");
            world.native(BETA, Kind::Data, 0, 1, message.as_bytes());
        } else {
            let key = key.replace("CA0020000", "CA0010100");
            world.dmpp(ALPHA, &format!("ALPHA1.R{place}.U1.{key}.{fields}"));
        }
        world.sync();
        let nlets = asked(&mut world, NLETS).replace("CA0020000", "CA0010100");
        assert!(nlets.starts_with("RQ.CA0010100.AZ.*"), "{nlets}");
        assert!(nlets.ends_with("TXT\r\nLIC/X1.LIY/2027.LIT/PC.LIS/AZ"), "{nlets}");
    }
    for (reference, key, fields) in [("L1", "IO.RQ", rest), ("L2", "RQO", &county)] {
        world.dmpp(ALPHA, &format!("ALPHA1.{reference}.U1.{key}.CA0010100.{fields}"));
        world.sync();
        let leds = asked(&mut world, LEDS);
        assert!(leds.contains(".U1.IO.RQ.CA0010100.LIC/X1.LIY/2027.LIT/PC"), "{leds}");
    }
}

#[test]
fn what_a_county_did_not_translate_is_the_states_and_is_judged_by_what_it_means() {
    let mut world = connected();
    let plain = COUNTY.replace(".QV.", ".IV.4A.").replace("LICN", "LIC");
    let plain = plain.replace("PTYP/MC", "LIT/PC");
    world.dmpp(ALPHA, &plain);
    world.sync();
    assert!(asked(&mut world, DMV).contains(".IV.4A."));
    assert!(accepted(&world)[0].meaning.is_empty());
    world.dmpp(ALPHA, &COUNTY.replace(".RSN/TRAFFIC STOP", "").replace("REF1", "REF2"));
    let texts = all(&mut world, ALPHA).join("");
    assert!(texts.contains("E413") && texts.contains("QV.CA0010100.LICN"), "{texts}");
}

#[test]
fn a_region_is_asked_with_its_own_key_behind_everything_else() {
    let mut world = connected();
    world.dmpp(
        ALPHA,
        "ALPHA1.REF1.U1.NLTS.RQ.CA0010100.E1,AZ.LIC/X1.LIY/2027.LIT/PC.CAP/C.RSN/TRAFFIC STOP",
    );
    world.sync();
    let texts = world.data(NLETS);
    assert!(texts[0].starts_with("RQ.CA0010100.AZ."), "{texts:?}");
    assert!(texts[1].starts_with("RQG.CA0010100.E1."), "{texts:?}");
    let records = accepted(&world);
    let precedences: Vec<u8> = records[0].entries.iter().map(|it| it.precedence).collect();
    assert_eq!(precedences, [4, 2]);
}

#[test]
fn a_collated_reply_comes_once_and_names_hit_no_hit_and_silence() {
    for crash in [false, true] {
        let mut world = connected();
        world.dmpp(ALPHA, &format!("{COUNTY}.COL/Y"));
        world.sync();
        asked(&mut world, DMV);
        let (svs, ncic) = (asked(&mut world, SVS), asked(&mut world, NCIC));
        assert!(!svs.contains("COL/"), "{svs}");
        world.dmpp(SVS, &reply(SVS, &svs, "*** STOLEN VEHICLE ***\r\nLIC/1ABC234\r\n"));
        world.dmpp(NCIC, &reply(NCIC, &ncic, "NO RECORD LIC/1ABC234"));
        assert_eq!(all(&mut world, ALPHA), Vec::<String>::new(), "the third is waited for");
        if crash {
            reconnect(&mut world);
        }
        world.wait(31);
        let texts = all(&mut world, ALPHA);
        assert_eq!(
            texts,
            ["ALPHA1.REF1.U1.QV.CA0000000.CA0010100.TXT\r\nCOLLATED REPLY\r\n\
              ASKED: DMV, STOLEN VEHICLES, NCIC\r\nHIT: STOLEN VEHICLES\r\nNO HIT: NCIC\r\n\
              NO REPLY: DMV\r\n----- 1 OF 2: STOLEN VEHICLES, 37 BYTES\r\n\
              *** STOLEN VEHICLE ***\r\nLIC/1ABC234\r\n\r\n----- 2 OF 2: NCIC, 21 BYTES\r\n\
              NO RECORD LIC/1ABC234\r\n"]
        );
        let records = accepted(&world);
        let replies: Vec<_> = records.iter().filter(|it| it.leg.is_some()).collect();
        assert_eq!(replies.len(), 2, "each reply is its own record");
        assert!(replies.iter().all(|it| it.entries.is_empty() && it.parent.is_some()));
        assert!(records.last().unwrap().collated);
        reconnect(&mut world);
        world.wait(2);
        assert_eq!(all(&mut world, ALPHA), Vec::<String>::new(), "it was sent before");
    }
}

#[test]
fn a_collation_that_was_complete_when_the_process_died_is_sent_after_it() {
    let mut world = connected();
    world.disconnect(DMV);
    world.dmpp(ALPHA, &format!("{COUNTY}.COL/Y"));
    world.sync();
    let (svs, ncic) = (asked(&mut world, SVS), asked(&mut world, NCIC));
    world.dmpp(SVS, &reply(SVS, &svs, "HIT"));
    world.dmpp(NCIC, &reply(NCIC, &ncic, "REJ - FIELD"));
    // The reply became durable; the message that gathers them did not.
    world.durable = world.journal.len() - 1;
    reconnect(&mut world);
    world.wait(1);
    let text = all(&mut world, ALPHA).join("");
    assert!(text.contains("REJECTED: NCIC\r\n"), "{text}");
    assert!(text.contains("ANSWERED: STOLEN VEHICLES\r\n"), "{text}");
    assert!(text.contains("OUT OF SERVICE, NOT ASKED: DMV\r\n"), "{text}");
}

#[test]
fn a_removal_ends_its_part_of_a_collated_reply() {
    for crash in [false, true] {
        let mut world = connected();
        set(&mut world, "dmv", "", Service::Hold);
        world.dmpp(ALPHA, &format!("{COUNTY}.COL/Y"));
        world.sync();
        let (svs, ncic) = (asked(&mut world, SVS), asked(&mut world, NCIC));
        world.dmpp(SVS, &reply(SVS, &svs, "HIT"));
        world.dmpp(NCIC, &reply(NCIC, &ncic, "NO RECORD LIC/1ABC234"));
        let early = all(&mut world, ALPHA).join("");
        assert!(!early.contains("COLLATED"), "the third is waited for: {early}");
        if crash {
            reconnect(&mut world);
        }
        set(&mut world, "dmv", "", Service::Remove);
        let texts = all(&mut world, ALPHA).join("");
        assert!(texts.contains("OUT OF SERVICE, NOT ASKED: DMV\r\n"), "{texts}");
        assert!(texts.contains("ANSWERED: STOLEN VEHICLES\r\n"), "{texts}");
        world.wait(31);
        assert_eq!(all(&mut world, ALPHA), Vec::<String>::new(), "one end for each leg");
    }
}

#[test]
fn too_much_for_one_message_goes_by_itself() {
    let mut world = connected();
    world.dmpp(ALPHA, &format!("{COUNTY}.COL/Y"));
    world.sync();
    let long = "X".repeat(30_000);
    let svs = asked(&mut world, SVS);
    for place in 0..9 {
        world.dmpp(SVS, &reply(SVS, &svs, &format!("{place}{long}")));
    }
    let texts = all(&mut world, ALPHA);
    assert_eq!(texts.len(), 1, "the ninth");
    world.wait(31);
    all(&mut world, ALPHA);
    let records = accepted(&world);
    let text = String::from_utf8_lossy(&records.last().unwrap().body);
    assert!(text.contains("SENT BY ITSELF: STOLEN VEHICLES\r\n"), "not by itself");
    assert!(text.contains("----- 8 OF 8: STOLEN VEHICLES, 30001 BYTES\r\n"));
}

#[test]
fn a_reply_is_followed_in_the_name_of_the_one_who_asked() {
    let mut world = connected();
    world.dmpp(ALPHA, COUNTY);
    world.sync();
    let first = asked(&mut world, DMV);
    world.dmpp(DMV, &reply(DMV, &first, "LIC#: 1ABC234\r\nR/O: SAMPLE,STELLA\r\nADR: X"));
    world.sync();
    let second = asked(&mut world, DMV);
    let asked_further = ".U1.IN.L1.CA0010100.NAM/SAMPLE,STELLA.CAP/C.RSN/TRAFFIC STOP";
    assert!(second.ends_with(asked_further), "{second}");
    let records = accepted(&world);
    let followed = records.iter().find(|it| !it.follow_up.is_empty()).unwrap();
    assert_eq!(followed.follow_up, "owner");
    assert_eq!((followed.line.as_ref(), followed.user.as_ref()), ("alpha", "U1"));
    let inquiry = records.iter().find(|it| it.entered == "QV").unwrap();
    assert_eq!(inquiry.key, "IV.4A");
    let Target::Host { key, .. } = &followed.entries[0].target else { panic!("{followed:?}") };
    assert_eq!(key, "L1");
    assert!(followed.parent.is_some() && followed.leg.is_none());
    drop(records);
    // What follows is followed no further, and its reply comes back under the same reference.
    world.dmpp(DMV, &reply(DMV, &second, "DL/NO: S1\r\nR/O: SAMPLE,ALEX"));
    world.sync();
    assert_eq!(world.data(DMV), Vec::<String>::new());
    let texts = all(&mut world, ALPHA);
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(texts[1].starts_with("ALPHA1.REF1.U1.") && texts[1].contains("DL/NO"), "{texts:?}");
}

#[test]
fn follow_ups_have_a_limit_that_a_restart_does_not_lift() {
    let mut world = connected();
    world.dmpp(ALPHA, COUNTY);
    world.sync();
    let first = asked(&mut world, DMV);
    for name in ["A", "B", "C", "D", "E", "F"] {
        if name == "C" {
            world.sync();
            reconnect(&mut world);
        }
        world.dmpp(DMV, &reply(DMV, &first, &format!("R/O: SAMPLE,{name}")));
    }
    world.sync();
    let count = accepted(&world).iter().filter(|it| !it.follow_up.is_empty()).count();
    assert_eq!(count, 4);
    // The reference is still the inquiry's own.
    world.dmpp(ALPHA, COUNTY);
    world.sync();
    assert!(!all(&mut world, ALPHA).join("").contains("E211"));
}

#[test]
fn nothing_is_followed_without_a_value_or_without_the_line_asking_for_it() {
    let mut world = connected();
    world.dmpp(ALPHA, COUNTY);
    world.sync();
    let first = asked(&mut world, DMV);
    world.dmpp(DMV, &reply(DMV, &first, "NO RECORD FOR CRITERIA GIVEN"));
    world.sync();
    assert_eq!(world.data(DMV), Vec::<String>::new());
}
