//! AMBER alerts, messages for law enforcement only, and what NCIC sends unasked.

use clets_switch::record::{self, Accepted};

use crate::nation::{ALPHA, BETA, NCIC, NLETS, alerting, from_nlets, nation, told};
use crate::world::World;

fn last(world: &World) -> (Vec<u8>, Vec<String>) {
    let body = &world.journal.iter().rfind(|(kind, ..)| *kind == record::ACCEPTED).unwrap().2;
    let accepted: Accepted<'_> = record::decode(body).unwrap();
    let precedences = accepted.entries.iter().map(|entry| entry.precedence).collect();
    (precedences, accepted.labels.iter().map(ToString::to_string).collect())
}

#[test]
fn an_amber_alert_reaches_every_fixed_station_first_and_labelled() {
    let mut world = nation();
    world.dmpp(NLETS, &from_nlets("AA", "AZ0010000", "CA0000000", "", "CHILD ABDUCTED"));
    assert_eq!(last(&world), (vec![0, 0], vec!["AMBER ALERT".to_owned()]));
    let texts = told(&mut world);
    assert!(texts[0].ends_with("AMBER ALERT\r\nCHILD ABDUCTED"), "{texts:?}");
    assert_eq!(world.data(BETA).len(), 1, "not the mobile one");
}

#[test]
fn an_amber_alert_reaches_its_group_where_the_bundle_names_one() {
    let mut world = alerting();
    world.dmpp(NLETS, &from_nlets("AA", "AZ0010000", "CA0000000", "", "CHILD ABDUCTED"));
    assert_eq!(last(&world).0, [0, 0, 0]);
    let alert = "ALPHA1.AA1.U1.AA.CA0010100.BAYAREA.TXT\r\nCHILD ABDUCTED";
    world.dmpp(ALPHA, alert);
    assert_eq!(last(&world).0, [0, 0, 0], "a broadcast, and still before all else");
}

#[test]
fn a_message_for_law_enforcement_only_says_so() {
    let mut world = nation();
    for (number, key, labelled) in [(1, "AML", true), (2, "AM", false)] {
        let note = format!("ALPHA1.L{number}.U1.{key}.CA0010100.BETA1.TXT\r\nMEET AT NOON");
        world.dmpp(ALPHA, &note);
        world.sync();
        let text = world.data(BETA).remove(0);
        assert_eq!(text.contains("FOR LAW ENFORCEMENT DISSEMINATION ONLY\r\n"), labelled, "{text}");
        assert!(text.ends_with("MEET AT NOON"));
    }
}

#[test]
fn the_dollar_messages_of_ncic_have_their_own_precedence_and_go_by_ori() {
    let mut world = nation();
    for (number, kind, precedence) in [
        (0, 'H', 1),
        (1, '8', 1),
        (2, 'K', 3),
        (3, 'A', 3),
        (4, 'E', 3),
        (5, 'F', 3),
        (6, 'L', 3),
        (7, 'M', 3),
        (8, 'P', 4),
    ] {
        let text = format!("1L01ABC{number}\r\nCA0010100\r\n\r\n$.{kind}.SYNTHETIC TEXT");
        world.dmpp(NCIC, &text);
        assert_eq!(last(&world).0, [precedence], "$.{kind}.");
        let texts = told(&mut world);
        assert!(texts[0].starts_with("ALPHA1.") && texts[0].contains("$."), "{texts:?}");
    }
    world.dmpp(NCIC, "1L01ABCX\r\nCA0010100\r\n\r\n$.Z.UNKNOWN KIND");
    assert_eq!(last(&world).0, [3], "an administrative text");
}
