//! Hit confirmation: requests wait for their answer, in the state and beyond.

use crate::nation::{ALPHA, BETA, NLETS, connect, control, from_nlets, nation, told};
use crate::world::World;

const REQUEST: &str = "ALPHA1.H1.U1.YQ.CA0010100.BETA1\
    .RTY/SV.RNO/1.PRI/U.OCA/26-77.NIC/V123456789.LIC/1ABC234.RNA/DOE";
const ANSWER: &str =
    "BETA1.A1.U2.YR.CA0020000.CA0010100.RTY/SV.RNO/1.OCA/26-77.NIC/V123456789.CON/Y";

fn request(number: u8) -> String {
    REQUEST.replace("H1", &format!("H{number}")).replace("RNO/1", &format!("RNO/{number}"))
}

fn answer(world: &mut World, text: &str) {
    let kind = clets_wire::framing::native::Kind::Data;
    world.native(BETA, kind, 0, 1, text.as_bytes());
    world.sync();
}

/// Alarms and requests that still wait.
fn counted(world: &World) -> (u64, usize) {
    let status = world.engine.status();
    (status.alarms, status.confirmations)
}

fn last_precedence(world: &World) -> u8 {
    use clets_switch::record::{self, Accepted};
    let body = &world.journal.iter().rfind(|(kind, ..)| *kind == record::ACCEPTED).unwrap().2;
    record::decode::<Accepted<'_>>(body).unwrap().entries[0].precedence
}

#[test]
fn urgency_is_in_the_message() {
    let mut world = nation();
    world.dmpp(ALPHA, REQUEST);
    assert_eq!(last_precedence(&world), 0, "PRI/U");
    world.sync();
    world.dmpp(ALPHA, &REQUEST.replace("PRI/U", "PRI/R").replace("H1", "H9"));
    assert_eq!(last_precedence(&world), 1, "PRI/R");
}

#[test]
fn an_unanswered_request_goes_from_one_to_three_and_to_the_control_center() {
    let mut world = nation();
    for number in 1..=2 {
        world.dmpp(ALPHA, &request(number));
        told(&mut world);
        world.wait(599);
        assert_eq!(told(&mut world), Vec::<String>::new(), "ten minutes are not over");
        world.wait(2);
        let notices = told(&mut world);
        assert_eq!(notices.len(), 1, "{notices:?}");
        let next = format!("RNO/{}", number + 1);
        assert!(notices[0].contains(".HCN.") && notices[0].contains(&next), "{notices:?}");
        assert!(notices[0].contains("RTY/SV"), "it carries the next request: {notices:?}");
        assert_eq!(counted(&world), (0, 0));
    }
    world.dmpp(ALPHA, &request(3));
    told(&mut world);
    world.data(BETA);
    world.wait(601);
    let alarm = told(&mut world);
    assert!(alarm.len() == 1 && alarm[0].contains(".ALM."), "{alarm:?}");
    let control = world.data(BETA);
    assert!(control.len() == 1 && control[0].contains("ALARM."), "{control:?}");
    assert_eq!(counted(&world), (1, 0));
    world.wait(700);
    assert_eq!(told(&mut world), Vec::<String>::new(), "once");
}

#[test]
fn an_answer_ends_the_wait_and_only_its_own() {
    for (text, waits) in [
        (ANSWER.to_owned(), 0),
        (ANSWER.replace(".NIC/V123456789", ""), 0),
        (ANSWER.replace(".OCA/26-77", ""), 0),
        (ANSWER.replace("V123456789", "V999999999").replace("26-77", "26-78"), 1),
    ] {
        let mut world = nation();
        world.dmpp(ALPHA, REQUEST);
        told(&mut world);
        answer(&mut world, &text);
        assert_eq!(told(&mut world).len(), 1, "the answer arrives: {text}");
        assert_eq!(counted(&world).1, waits, "{text}");
        world.wait(601);
        assert_eq!(told(&mut world).len(), waits, "{text}");
    }
}

#[test]
fn a_routine_request_has_an_hour() {
    let mut world = nation();
    world.dmpp(ALPHA, &REQUEST.replace("PRI/U", "PRI/R"));
    told(&mut world);
    world.wait(3_599);
    assert_eq!(told(&mut world), Vec::<String>::new());
    world.wait(2);
    assert_eq!(told(&mut world).len(), 1);
}

#[test]
fn a_newer_request_takes_the_place_of_the_older() {
    let mut world = nation();
    world.dmpp(ALPHA, REQUEST);
    told(&mut world);
    world.wait(300);
    world.dmpp(ALPHA, &request(2));
    told(&mut world);
    world.wait(301);
    assert_eq!(told(&mut world), Vec::<String>::new());
    world.wait(300);
    assert!(told(&mut world).join("").contains("RNO/3"));
}

#[test]
fn through_nlets_there_is_no_other_notice_and_the_answer_finds_the_way_back() {
    let request = REQUEST.replace("BETA1", "AZ0010000").replace(".YQ.", ".NLTS.YQ.");
    let request = request.replace("AZ0010000", "AZ");
    let mut world = nation();
    world.dmpp(ALPHA, &request);
    told(&mut world);
    let asked = world.data(NLETS).remove(0);
    assert!(asked.starts_with("YQ.CA0010100.AZ."), "{asked}");
    world.acknowledge(NLETS);
    world.wait(60);
    assert_eq!(told(&mut world), Vec::<String>::new(), "no NO REPLY after 30 seconds");
    let body = "RTY/SV.OCA/26-77.CON/Y";
    world.dmpp(NLETS, &from_nlets("YR", "AZ0010000", "CA0010100", &control(&asked), body));
    let texts = told(&mut world);
    assert!(texts.len() == 1 && texts[0].starts_with("ALPHA1.H1.U1.YR.AZ0010000."), "{texts:?}");
    assert_eq!(counted(&world), (0, 0));

    let mut silent = nation();
    silent.dmpp(ALPHA, &request);
    told(&mut silent);
    silent.acknowledge(NLETS);
    silent.wait(601);
    let texts = told(&mut silent);
    assert!(texts.len() == 1 && texts[0].contains(".HCN."), "one notice: {texts:?}");
}

#[test]
fn a_restart_forgets_no_request_and_repeats_no_notice() {
    let mut world = nation();
    world.dmpp(ALPHA, REQUEST);
    told(&mut world);
    world.restart();
    connect(&mut world);
    assert_eq!(counted(&world).1, 1);
    told(&mut world);
    world.wait(601);
    assert_eq!(told(&mut world).len(), 1);
    world.restart();
    connect(&mut world);
    told(&mut world);
    world.wait(60);
    assert_eq!(told(&mut world), Vec::<String>::new(), "the notice is in the journal");

    let mut answered = nation();
    answered.dmpp(ALPHA, REQUEST);
    told(&mut answered);
    answer(&mut answered, ANSWER);
    answered.restart();
    assert_eq!(counted(&answered).1, 0, "the answer is in the journal");
}
