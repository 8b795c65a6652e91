//! More comes than the disk can take.

use clets_switch::codes;
use clets_wire::framing::native::Kind;

use crate::world::{DOCUMENT, Seen, World, bundle};
use crate::{ALPHA, BETA};

const INQUIRY: &str = "BETA1.Q@.U2.IV.4A.CA0020000.LIC/1ABC234.LIS/CA.CAP/C.RSN/TRAFFIC STOP";

/// So many native messages, behind a flood that the disk has not taken for a tenth of a second;
/// gives the codes that they are answered with at once.
fn answered_in_a_flood(messages: &[&str]) -> Vec<u16> {
    let roomy = DOCUMENT.replace("\"queue_entries\": 10", "\"queue_entries\": 10000");
    let mut world = World::of(bundle(&roomy));
    world.connect(ALPHA, "alpha");
    world.connect(BETA, "beta");
    world.sync();
    let mut sequence = 0;
    let mut send = |world: &mut World, payload: &str| {
        sequence += 1;
        let payload = payload.replace('@', &sequence.to_string());
        world.native(BETA, Kind::Data, 0, sequence, payload.as_bytes());
    };
    for _ in 0..2_000 {
        send(&mut world, INQUIRY);
    }
    assert_eq!(world.seen(BETA).len(), 1, "the answer to LOGON and nothing before it is durable");
    world.now_us += 100_000;
    send(&mut world, INQUIRY);
    world.seen(BETA);
    for payload in messages {
        send(&mut world, payload);
    }
    let codes = world.seen(BETA).into_iter().filter_map(|it| match it {
        Seen::Reject(_, code, _) => Some(code),
        _ => None,
    });
    codes.collect()
}

#[test]
fn what_is_turned_away_is_read_as_far_as_its_key() {
    let broken = INQUIRY.replace("LIC/1ABC234", "LIC/");
    assert_eq!(answered_in_a_flood(&[INQUIRY, &broken]), [codes::OVERLOADED; 2]);
    let unknown = INQUIRY.replace(".4A.", ".ZZ9.");
    assert!(answered_in_a_flood(&[&unknown]).is_empty(), "its refusal waits for its record");
}

#[test]
fn urgency_that_stands_behind_the_key_is_seen() {
    let request = "BETA1.H@.U2.YQ.CA0020000.ALPHA1.PRI/@P.NIC/V000000001.LIC/1ABC234";
    let [urgent, routine] = ["U", "R"].map(|it| request.replace("@P", it));
    assert!(answered_in_a_flood(&[&urgent]).is_empty());
    assert_eq!(answered_in_a_flood(&[&routine]), [codes::OVERLOADED]);
}
