//! What a file takes: up, held, removed, by message type.

use clets_switch::Service;
use clets_switch::record::{self, Outcome, ServiceEvent};

use crate::nation::{
    ALPHA, III, NCIC, NLETS, SVS, connect, control, from_nlets, nation, set, told,
};
use crate::world::{Seen, World};

const PLATE: &str =
    "ALPHA1.REF1.U1.IV.4A.CA0010100.LIC/1ABC234.LIS/CA.CAP/C.RSN/TRAFFIC STOP.OCA/26-1";
const ENTRY: &str = "ALPHA1.REF2.U1.IA.EV.CA0010100.LIC/1ABC234.LIS/CA.LIY/2026.LIT/PC\
    .VMA/FORD.VYR/2020.DOT/20260101.OCA/26-1.CAP/C.RSN/STOLEN VEHICLE";
const FOREIGN: &str = "ALPHA1.REF3.U1.NLTS.RQ.CA0010100.AZ\
    .LIC/ABC123.LIS/AZ.LIY/2026.LIT/PC.CAP/C.RSN/TRAFFIC STOP.OCA/26-1";

fn person(number: u8) -> String {
    format!(
        "ALPHA1.P{number}.U1.IW.QW.CA0010100.NAM/DOE,JOHN.DOB/19800101.CAP/C\
         .RSN/TRAFFIC STOP.OCA/{number}"
    )
}

fn history(number: u8) -> String {
    format!(
        "ALPHA1.Q{number}.U1.IH.R.QH.CA0010100.NAM/DOE,JOHN.SEX/M.RAC/W.DOB/19800101.PUR/C\
         .ATN/SGT ROE.CAP/C.RSN/CASE.OCA/26-1"
    )
}

fn status_text(world: &mut World, number: u8, text: &str) {
    let sm = format!("SWITCH.S{number}..SM.CASVS0000.CA0000000.TXT\r\n{text}");
    world.dmpp(SVS, &sm);
    world.sync();
    let seen = world.seen(SVS);
    assert!(seen.contains(&Seen::Ack), "a status message is never rejected: {seen:?}");
}

#[test]
fn held_waits_is_told_at_once_and_is_sent_in_order_on_return() {
    let mut world = nation();
    set(&mut world, "svs", "vehicle", Service::Hold);
    world.dmpp(ALPHA, PLATE);
    world.dmpp(ALPHA, ENTRY);
    let texts = told(&mut world);
    let held = texts.iter().filter(|text| text.contains("WILL BE FORWARDED")).count();
    assert_eq!(held, 2, "{texts:?}");
    assert_eq!(world.data(SVS), Vec::<String>::new());
    assert_eq!(world.data(NCIC).len(), 1, "another file takes what it is sent");
    world.wait(45);
    assert!(!told(&mut world).join("").contains("NO REPLY FROM STOLEN"), "it was not asked yet");
    set(&mut world, "svs", "vehicle", Service::Up);
    let asked = world.data(SVS);
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!(asked[0].contains(".QV.") && asked[1].contains(".EV."), "{asked:?}");
    world.acknowledge(SVS);
    world.wait(31);
    let texts = told(&mut world).join("");
    assert!(texts.contains("NO REPLY FROM STOLEN"), "now the reply is awaited: {texts}");
}

#[test]
fn removed_is_not_forwarded_and_the_sender_is_told_so() {
    let mut world = nation();
    set(&mut world, "svs", "QV", Service::Remove);
    world.dmpp(ALPHA, PLATE);
    let texts = told(&mut world).join("");
    assert!(texts.contains("E503") && texts.contains("WILL NOT BE FORWARDED"), "{texts}");
    set(&mut world, "svs", "QV", Service::Up);
    assert_eq!(world.data(SVS), Vec::<String>::new());
    world.dmpp(ALPHA, ENTRY);
    world.sync();
    assert_eq!(world.data(SVS).len(), 1);
}

#[test]
fn what_waits_is_taken_back_when_a_hold_becomes_a_removal() {
    let mut world = nation();
    set(&mut world, "svs", "", Service::Hold);
    world.dmpp(ALPHA, ENTRY);
    told(&mut world);
    set(&mut world, "svs", "", Service::Remove);
    assert!(told(&mut world).join("").contains("WILL NOT BE FORWARDED"));
    set(&mut world, "svs", "", Service::Up);
    assert_eq!(world.data(SVS), Vec::<String>::new());
}

#[test]
fn an_inquiry_that_a_file_does_not_take_ends_once() {
    for crash in [false, true] {
        let mut world = nation();
        world.dmpp(ALPHA, PLATE);
        world.sync();
        for _ in 0..5 {
            world.refuse(SVS);
            world.sync();
        }
        assert!(told(&mut world).join("").contains("E507"));
        is_told_no_more(&mut world, crash);
    }
}

#[test]
fn an_inquiry_that_waits_out_its_time_ends_once() {
    for crash in [false, true] {
        let mut world = nation();
        // The file's window is four, and it acknowledges nothing: the fifth waits.
        for number in 1..=5 {
            world.dmpp(ALPHA, &PLATE.replace("REF1", &format!("W{number}")));
            told(&mut world);
        }
        world.wait(29);
        world.disconnect(SVS);
        world.wait(2);
        let texts = told(&mut world).join("");
        assert_eq!(texts.matches("STOLEN VEHICLES").count(), 5, "{texts}");
        is_told_no_more(&mut world, crash);
    }
}

#[test]
fn a_late_answer_is_passed_on_even_to_what_was_never_acknowledged() {
    for crash in [false, true] {
        let mut world = nation();
        world.dmpp(ALPHA, PLATE);
        world.sync();
        let asked = world.data(SVS).remove(0);
        world.wait(31);
        assert!(told(&mut world).join("").contains("NO REPLY FROM STOLEN"));
        if crash {
            world.restart();
        } else {
            world.disconnect(SVS);
        }
        connect(&mut world);
        world.sync();
        assert_eq!(world.data(SVS), Vec::<String>::new(), "it is not asked again");
        let asked = crate::control(&asked);
        let reply = format!("SWITCH.{asked}.U1.QV.CASVS0000.CA0010100.TXT\r\nSTOLEN");
        world.dmpp(SVS, &reply);
        let late = told(&mut world).join("");
        assert!(late.contains("REF1") && late.contains("LATE"), "{late}");
        ended_once(&world);
    }
}

/// What has ended stays so, and nobody is told of it again, also after a restart.
fn is_told_no_more(world: &mut World, crash: bool) {
    if crash {
        world.restart();
        connect(world);
    }
    world.wait(31);
    let later = told(world).join("");
    assert!(!later.contains("STOLEN VEHICLES"), "{later}");
    ended_once(world);
}

/// A reply may be missing after delivery; nothing else ends twice.
fn ended_once(world: &World) {
    for (entry, ends) in world.ends() {
        let once = ends.len() == 1 || ends == [Outcome::Delivered, Outcome::NoReply];
        assert!(once, "{entry:?}: {ends:?}");
    }
}

#[test]
fn status_texts_of_a_file_set_its_state() {
    let mut world = nation();
    for (number, text, said) in [
        (1, ".02. OUT OF SERVICE, WILL BE FORWARDED", "YOUR MESSAGE WILL BE FORWARDED"),
        (2, ".04. ON REMOVE STATUS", "WILL NOT BE FORWARDED"),
        (3, ".01. DOES NOT TAKE TYPE QV", "WILL NOT BE FORWARDED"),
        (4, "TEMPORARILY OUT OF SERVICE UNTIL 1400 PST", "YOUR MESSAGE WILL BE FORWARDED"),
    ] {
        status_text(&mut world, number, text);
        world.dmpp(ALPHA, &PLATE.replace("REF1", &format!("T{number}")));
        let texts = told(&mut world).join("");
        assert!(texts.contains(said), "{text}: {texts}");
    }
    told(&mut world);
    status_text(&mut world, 5, "IN SERVICE");
    world.dmpp(ALPHA, &PLATE.replace("REF1", "T5"));
    let texts = told(&mut world).join("");
    assert!(!texts.contains("FORWARDED"), "{texts}");
    assert!(world.data(SVS).iter().any(|text| text.contains(".QV.")));
}

#[test]
fn ncic_announces_its_service_in_a_text_without_a_key() {
    let mut world = nation();
    world.dmpp(NCIC, "1L01SM1\r\nDC0000000\r\n\r\n.02. OUT OF SERVICE");
    world.sync();
    assert_eq!(world.seen(NCIC), [Seen::Ack]);
    world.dmpp(ALPHA, &person(1));
    assert!(told(&mut world).join("").contains("YOUR MESSAGE WILL BE FORWARDED"));
    assert_eq!(world.data(NCIC), Vec::<String>::new());
}

#[test]
fn a_status_text_of_another_system_is_passed_on_and_changes_nothing() {
    let mut world = nation();
    let text = from_nlets("SM", "AZNLETS00", "CA0010100", "", "OUT OF SERVICE UNTIL 1400 MST");
    world.dmpp(NLETS, &text);
    assert!(told(&mut world).join("").contains("OUT OF SERVICE UNTIL 1400"));
    world.dmpp(ALPHA, FOREIGN);
    world.sync();
    assert_eq!(world.data(NLETS).len(), 1);
}

#[test]
fn the_state_survives_a_restart() {
    let mut world = nation();
    set(&mut world, "svs", "vehicle", Service::Hold);
    world.dmpp(ALPHA, PLATE);
    world.sync();
    world.restart();
    connect(&mut world);
    told(&mut world);
    assert_eq!(world.data(SVS), Vec::<String>::new());
    set(&mut world, "svs", "vehicle", Service::Up);
    assert_eq!(world.data(SVS).len(), 1);
    let records = world.journal.iter().filter(|(kind, ..)| *kind == record::SERVICE);
    let states: Vec<String> = records
        .map(|(.., body)| record::decode::<ServiceEvent<'_>>(body).unwrap().state.into_owned())
        .collect();
    assert_eq!(states, ["held", "up"]);
}

#[test]
fn each_file_of_the_nation_has_its_own_state() {
    let mut world = nation();
    set(&mut world, "iii", "", Service::Hold);
    world.dmpp(ALPHA, &history(1));
    world.dmpp(ALPHA, &person(1));
    world.sync();
    assert_eq!((world.data(III).len(), world.data(NCIC).len()), (0, 1));
    set(&mut world, "iii", "", Service::Up);
    assert_eq!(world.data(III).len(), 1);
}

#[test]
fn a_metered_file_has_so_many_inquiries_at_once() {
    let mut world = nation();
    for number in 1..=4 {
        world.dmpp(ALPHA, &person(number));
        world.sync();
    }
    let asked = world.data(NCIC);
    assert_eq!(asked.len(), 2, "outstanding = 2");
    world.acknowledge(NCIC);
    assert_eq!(world.data(NCIC), Vec::<String>::new(), "an acknowledgement is no answer");
    let reply = |asked: &str| format!("1L01{}\r\nCA0010100\r\n\r\nNO RECORD", control(asked));
    world.dmpp(NCIC, &reply(&asked[0]));
    assert_eq!(world.data(NCIC).len(), 1);
    // The wire broke: what is unanswered but delivered still counts, and after its deadline not.
    world.sync();
    world.acknowledge(NCIC);
    world.sync();
    world.restart();
    connect(&mut world);
    assert_eq!(world.engine.status().line_unanswered("ncic"), 2);
    assert_eq!(world.data(NCIC), Vec::<String>::new());
    world.wait(31);
    world.sync();
    assert_eq!(world.engine.status().line_unanswered("ncic"), 0);
}

trait Unanswered {
    fn line_unanswered(&self, name: &str) -> usize;
}

impl Unanswered for clets_switch::Status {
    fn line_unanswered(&self, name: &str) -> usize {
        self.lines.iter().find(|line| line.name == name).unwrap().unanswered
    }
}

#[test]
fn an_error_from_nlets_is_the_outcome_and_none_is_ever_sent_there() {
    let mut world = nation();
    world.dmpp(ALPHA, FOREIGN);
    world.sync();
    let asked = world.data(NLETS).remove(0);
    world.acknowledge(NLETS);
    world.seen(ALPHA);
    let text = ".02. TYPE NOT ALLOWED TO DESTINATION";
    let control = control(&asked);
    world.dmpp(NLETS, &from_nlets("ER", "NL0000000", "CA0010100", &control, text));
    let texts = told(&mut world);
    assert!(texts.len() == 1 && texts[0].starts_with("ALPHA1.REF3.U1.ER."), "{texts:?}");
    world.wait(60);
    assert_eq!(told(&mut world), Vec::<String>::new(), "it was the outcome: no NO REPLY");

    // Not even where a route of the bundle leads there.
    for (number, (key, code)) in [("ER", 501), ("NLTS.ER", 210)].into_iter().enumerate() {
        world.dmpp(ALPHA, &format!("ALPHA1.E{number}.U1.{key}.CA0010100.AZ.TXT\r\n.01. NO"));
        let texts = told(&mut world).join("");
        assert!(texts.contains(&format!("REJECTED E{code} ")), "{key}: {texts}");
    }
    world.dmpp(NLETS, "GARBAGE");
    world.dmpp(NLETS, &from_nlets("RR", "AZ0010000", "XX9999999", "", "FOR NOBODY"));
    world.sync();
    assert_eq!(world.data(NLETS), Vec::<String>::new());
}

#[test]
fn held_at_nlets_is_no_answer_yet() {
    let mut world = nation();
    world.dmpp(ALPHA, FOREIGN);
    world.sync();
    let asked = control(&world.data(NLETS).remove(0));
    world.acknowledge(NLETS);
    world.seen(ALPHA);
    let text = ".02. AZ OUT OF SERVICE, WILL BE FORWARDED";
    world.dmpp(NLETS, &from_nlets("SM", "NL0000000", "CA0010100", &asked, text));
    let texts = told(&mut world);
    assert!(texts.len() == 1 && texts[0].starts_with("ALPHA1.REF3.U1.SM."), "{texts:?}");
    world.wait(31);
    assert!(told(&mut world).join("").contains("NO REPLY"), "the reply is still owed");
}
