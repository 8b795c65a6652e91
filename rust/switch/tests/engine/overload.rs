//! More comes than the disk can take.

use clets_switch::codes;
use clets_wire::framing::native::Kind;

use crate::world::{DOCUMENT, Seen, World, bundle};
use crate::{ALPHA, BETA, NCIC, SVS};

const INQUIRY: &str = "BETA1.Q@.U2.IV.4A.CA0020000.LIC/1ABC234.LIS/CA.CAP/C.RSN/TRAFFIC STOP";
const MESSAGE: &str = "BETA1.@.U2.AM.CA0020000.ALPHA1.TXT\r\nMEET AT NOON";
const LINES: [(u32, &str); 4] = [(ALPHA, "alpha"), (BETA, "beta"), (SVS, "svs"), (NCIC, "ncic")];

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

/// Whether inquiries and messages to a station, of which far too many come for a second, are still
/// taken in the end. The hosts acknowledge nothing; they are connected or not.
fn taken_in_the_end(hosts_up: bool) -> (bool, bool) {
    let roomy = DOCUMENT.replace("\"queue_entries\": 10", "\"queue_entries\": 100000");
    let roomy = roomy.replace("\"inquiries\": 1000", "\"inquiries\": 100000");
    let mut world = World::of(bundle(&roomy));
    for (connection, line) in LINES {
        if hosts_up || connection < SVS {
            world.connect(connection, line);
        }
    }
    world.sync();
    let mut refused = [0, 0];
    for first in (1..).step_by(4_000).take(20) {
        let send = |world: &mut World, sequence: u64| {
            let payload = if sequence.is_multiple_of(2) { MESSAGE } else { INQUIRY };
            let payload = payload.replace('@', &sequence.to_string());
            world.native(BETA, Kind::Data, 0, sequence, payload.as_bytes());
        };
        (first..first + 2_000).for_each(|sequence| send(&mut world, sequence));
        world.now_us += 60_000;
        (first + 2_000..first + 4_000).for_each(|sequence| send(&mut world, sequence));
        world.sync();
        refused = [0, 0];
        for seen in world.seen(BETA) {
            if let Seen::Reject(sequence, codes::OVERLOADED, _) = seen {
                refused[(sequence % 2) as usize] += 1;
            }
        }
    }
    let [messages, inquiries] = refused;
    (inquiries < 2_000, messages < 2_000)
}

#[test]
fn inquiries_do_not_pile_up_before_a_host_that_does_not_keep_up() {
    assert_eq!(taken_in_the_end(true), (false, true));
    assert_eq!(taken_in_the_end(false), (true, true), "of one that is away their senders are told");
}

#[test]
fn too_many_inquiries_refuse_further_ones_and_nothing_else() {
    let mut world = World::of(bundle(&DOCUMENT.replace("\"inquiries\": 1000", "\"inquiries\": 3")));
    for (connection, line) in LINES {
        world.connect(connection, line);
    }
    world.sync();
    world.seen(BETA);
    let payloads = [INQUIRY, INQUIRY, INQUIRY, MESSAGE];
    for (sequence, payload) in (1..).zip(payloads) {
        let payload = payload.replace('@', &sequence.to_string());
        world.native(BETA, Kind::Data, 0, sequence, payload.as_bytes());
    }
    world.sync();
    let answers = world.seen(BETA).into_iter().filter_map(|it| match it {
        Seen::Accept(_) => Some(0),
        Seen::Reject(_, code, _) => Some(code),
        _ => None,
    });
    let answers: Vec<_> = answers.collect();
    assert_eq!(answers, [0, 0, codes::QUEUE_FULL, 0], "each asks two hosts");
}
