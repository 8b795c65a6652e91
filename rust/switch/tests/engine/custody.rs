//! The delivery contract: marks, doubts, dead letters, shares of a line, orders of an operator.

use clets_switch::record::{Accepted, Outcome};
use clets_switch::{Action, Event, Order, Ordered, Service, record};

use clets_wire::framing::native::Kind;

use crate::nation::set;
use crate::world::{DOCUMENT, Seen, World, bundle};
use crate::{ALPHA, BETA, NCIC, NOTE, PLATE, SVS, connected, control};

/// An update of a record: the host of the world would enter it twice.
const ENTRY: &str = "ALPHA1.REF7.U1.IA.EV.CA0010100.LIC/1ABC234.LIS/CA.LIY/2026.LIT/PC\
    .VMA/FORD.VYR/2020.DOT/20260101.OCA/26-1.CAP/C.RSN/STOLEN VEHICLE";

fn order(action: Action) -> Order {
    Order {
        action,
        line: String::new(),
        to: String::new(),
        precedence: 0,
        minutes: 0,
        message: 0,
        entry: 0,
        operator: "SAMPLE".to_owned(),
        account: "clets".to_owned(),
        reason: "A TEST".to_owned(),
    }
}

fn on(action: Action, line: &str) -> Order {
    Order { line: line.to_owned(), ..order(action) }
}

fn done(world: &mut World, order: &Order) -> Ordered {
    world.order(order).unwrap_or_else(|error| panic!("{error}"))
}

fn outcomes(world: &World) -> Vec<Outcome> {
    world.ends().into_values().flatten().collect()
}

#[test]
fn after_a_restart_only_what_may_have_been_sent_is_marked() {
    let roomy = DOCUMENT.replace("\"queue_entries\": 10", "\"queue_entries\": 1000");
    let mut world = World::of(bundle(&roomy));
    world.connect(ALPHA, "alpha");
    world.connect(BETA, "beta");
    for number in 0..200 {
        world.dmpp(ALPHA, &NOTE.replace("REF2", &format!("N{number}")));
        world.sync();
    }
    let sent = world.data(BETA).len();
    assert_eq!(sent, 64, "the window of the line");
    world.restart();
    world.connect(BETA, "beta");
    let mut marks = Vec::new();
    while marks.len() < 200 {
        world.sync();
        let texts = world.data(BETA);
        assert!(!texts.is_empty(), "after {}", marks.len());
        marks.extend(texts.iter().map(|text| text.starts_with("PD ")));
        world.native(BETA, Kind::Delivered, 3, marks.len() as u64, b"");
    }
    assert!(marks[..sent].iter().all(|mark| *mark), "what was sent is never unmarked");
    let marked = marks.iter().filter(|mark| **mark).count();
    assert!(marked <= sent + 64, "{marked} marks for {sent} sent");
    assert!(!marks[marked..].iter().any(|mark| *mark));
}

#[test]
fn an_update_of_unknown_outcome_is_not_repeated_and_its_sender_is_told() {
    for restart in [false, true] {
        let mut world = connected();
        world.dmpp(ALPHA, ENTRY);
        world.sync();
        assert_eq!(world.data(SVS).len(), 1);
        if restart {
            world.restart();
            world.connect(ALPHA, "alpha");
        } else {
            world.disconnect(SVS);
        }
        world.sync();
        world.sync();
        let told = world.data(ALPHA).join("");
        assert!(told.contains("E510 IN DOUBT"), "{restart} {told}");
        world.connect(SVS, "svs");
        world.sync();
        world.sync();
        assert_eq!(world.data(SVS), [""; 0]);
        assert_eq!(outcomes(&world)[0], Outcome::InDoubt);
        let letters = world.engine.dead_letters();
        assert_eq!((letters.len(), letters[0].reason), (1, "in_doubt"));
        // An operator who has asked may send it again: marked.
        let replay = Order { message: letters[0].message, ..order(Action::Replay) };
        done(&mut world, &replay);
        world.sync();
        world.sync();
        let sent = world.data(SVS);
        assert_eq!(sent.len(), 1);
        assert!(world.engine.dead_letters().is_empty());
        assert_eq!(world.order(&replay).unwrap_err().code, 543);
    }
}

#[test]
fn an_inquiry_is_repeated_when_its_outcome_is_unknown() {
    let mut world = connected();
    world.dmpp(ALPHA, PLATE);
    world.sync();
    assert_eq!(world.data(SVS).len(), 1);
    world.disconnect(SVS);
    world.connect(SVS, "svs");
    world.sync();
    world.sync();
    assert_eq!(world.data(SVS).len(), 1);
}

#[test]
fn what_expires_between_people_is_kept_and_given_up_by_two() {
    let mut world = connected();
    world.disconnect(BETA);
    world.dmpp(ALPHA, NOTE);
    world.sync();
    world.wait(1);
    world.now_us += 259_200_000_000;
    world.wait(1);
    world.sync();
    let told = world.seen(ALPHA);
    assert!(format!("{told:?}").contains("E505"), "{told:?}");
    for again in [false, true] {
        if again {
            world.restart();
        }
        let letters = world.engine.dead_letters();
        assert_eq!((letters.len(), letters[0].reason, &*letters[0].line), (1, "overdue", "beta"));
    }
    let message = world.engine.dead_letters()[0].message;
    let cancel = Order { message, ..order(Action::Cancel) };
    assert!(done(&mut world, &cancel).second_person);
    assert_eq!(world.order(&cancel).unwrap_err().code, 544);
    world.sync();
    world.restart();
    assert_eq!(world.engine.dead_letters()[0].cancel_asked_by.as_deref(), Some("SAMPLE (clets)"));
    let other = Order { operator: "OTHER".to_owned(), ..cancel };
    assert!(!done(&mut world, &other).second_person);
    world.sync();
    world.restart();
    assert!(world.engine.dead_letters().is_empty());
}

#[test]
fn a_delay_is_told_once_whatever_happens_between() {
    let mut world = connected();
    world.disconnect(BETA);
    world.dmpp(ALPHA, NOTE);
    world.sync();
    world.wait(901);
    world.sync();
    world.restart();
    world.connect(ALPHA, "alpha");
    world.sync();
    world.wait(901);
    world.sync();
    let told = world.data(ALPHA);
    assert_eq!(told.iter().filter(|text| text.contains("DELAYED")).count(), 1, "{told:?}");
}

#[test]
fn a_held_line_is_sent_nothing_until_it_is_released() {
    let mut world = connected();
    done(&mut world, &on(Action::Hold, "beta"));
    world.dmpp(ALPHA, NOTE);
    world.sync();
    assert_eq!(world.data(BETA), [""; 0]);
    world.restart();
    world.connect(BETA, "beta");
    world.sync();
    assert_eq!(world.data(BETA), [""; 0], "an order outlives the process");
    assert_eq!(world.engine.queue("beta", 9).unwrap().len(), 1);
    assert_eq!(done(&mut world, &on(Action::Release, "beta")).waiting, 1);
    world.sync();
    assert_eq!(world.data(BETA).len(), 1);
    assert_eq!(world.order(&on(Action::Hold, "nobody")).unwrap_err().code, 542);
    let unnamed = Order { reason: " ".to_owned(), ..on(Action::Hold, "beta") };
    assert_eq!(world.order(&unnamed).unwrap_err().code, 534);
}

#[test]
fn a_drained_line_is_sent_what_waits_and_takes_nothing_new() {
    let mut world = connected();
    world.disconnect(BETA);
    world.dmpp(ALPHA, NOTE);
    world.sync();
    world.seen(ALPHA);
    done(&mut world, &on(Action::Drain, "beta"));
    world.dmpp(ALPHA, &NOTE.replace("REF2", "REF9"));
    world.sync();
    assert!(world.data(ALPHA).join("").contains("E503"), "told that it will not be forwarded");
    world.connect(BETA, "beta");
    world.sync();
    assert_eq!(world.data(BETA).len(), 1);
}

#[test]
fn a_minimize_lets_only_what_is_urgent_pass_until_its_time_is_over() {
    let mut world = connected();
    let minimize = |precedence, minutes| Order { precedence, minutes, ..order(Action::Minimize) };
    assert_eq!(world.order(&minimize(4, 5)).unwrap_err().code, 545);
    assert_eq!(world.order(&minimize(2, 0)).unwrap_err().code, 545);
    done(&mut world, &minimize(2, 5));
    world.dmpp(ALPHA, NOTE);
    world.dmpp(ALPHA, PLATE);
    world.sync();
    assert_eq!(world.data(BETA), [""; 0], "a note is P3");
    assert_eq!(world.data(SVS).len(), 1, "an inquiry is P2");
    world.wait(301);
    world.sync();
    assert_eq!(world.data(BETA).len(), 1);
    done(&mut world, &minimize(2, 5));
    world.dmpp(ALPHA, &NOTE.replace("REF2", "REF9"));
    world.sync();
    done(&mut world, &order(Action::Normal));
    world.sync();
    assert_eq!(world.data(BETA).len(), 1);
}

/// The world with a second line of beta's agency, which stands in for the first when it is down.
fn with_alternate() -> World {
    let second = r#"  {"name": "gamma", "title": "Beta County, second way", "framing": "dmpp",
   "window": 1, "dedupes": false, "county": 2, "agencies": ["beta-so"]}],"#;
    let text = DOCUMENT.replace(
        r#""county": 2, "agencies": ["beta-so"]}],"#,
        &format!(
            r#""county": 2, "agencies": ["beta-so"],
   "alternate": "gamma", "divert_after_ms": 5000}},
{second}"#
        ),
    );
    let mut world = World::of(bundle(&text));
    world.connect(ALPHA, "alpha");
    world.connect(GAMMA, "gamma");
    world.sync();
    world
}

const GAMMA: u32 = 9;

#[test]
fn an_alternate_takes_over_after_its_time_and_gives_back() {
    for restart in [false, true] {
        let mut world = with_alternate();
        world.connect(BETA, "beta");
        world.sync();
        world.disconnect(BETA);
        world.dmpp(ALPHA, NOTE);
        world.sync();
        world.wait(3);
        world.sync();
        assert_eq!(world.data(GAMMA), [""; 0], "not before its time");
        world.wait(3);
        world.sync();
        world.wait(1);
        world.sync();
        world.sync();
        let sent = world.data(GAMMA);
        assert!(sent.len() == 1 && sent[0].contains("BETA1"), "{sent:?}");
        // One after the other: the second waits for the acknowledgement of the first.
        world.dmpp(ALPHA, &NOTE.replace("REF2", "REF8"));
        world.dmpp(ALPHA, &NOTE.replace("REF2", "REF9"));
        world.sync();
        if restart {
            world.restart();
            world.connect(GAMMA, "gamma");
            world.sync();
            world.sync();
            assert_eq!(world.data(GAMMA).len(), 1);
        }
        world.acknowledge(GAMMA);
        world.sync();
        assert_eq!(world.data(GAMMA).len(), 1, "new messages go the same way");
        world.connect(BETA, "beta");
        world.sync();
        world.wait(1);
        world.sync();
        world.sync();
        let back = world.data(BETA);
        assert_eq!(back.len(), 1, "what still waited comes back: {back:?}");
        world.acknowledge(GAMMA);
        let ends = world.ends();
        assert!(ends.values().all(|ends| ends.len() == 1), "{ends:?}");
    }
}

#[test]
fn an_operator_sends_a_line_s_traffic_another_way() {
    let mut world = with_alternate();
    world.dmpp(ALPHA, NOTE);
    world.sync();
    let other = |line: &str, to: &str| Order { to: to.to_owned(), ..on(Action::Reroute, line) };
    for (line, to) in [("beta", "alpha"), ("beta", "svs"), ("beta", "beta"), ("beta", "x")] {
        assert_eq!(world.order(&other(line, to)).unwrap_err().code, 542, "{line} by {to}");
    }
    done(&mut world, &other("beta", "gamma"));
    assert_eq!(world.order(&other("gamma", "beta")).unwrap_err().code, 542, "in a circle");
    world.wait(1);
    world.sync();
    world.sync();
    assert_eq!(world.data(GAMMA).len(), 1);
    world.connect(BETA, "beta");
    world.dmpp(ALPHA, &NOTE.replace("REF2", "REF9"));
    world.sync();
    world.acknowledge(GAMMA);
    world.sync();
    assert_eq!(world.data(GAMMA).len(), 1, "until it is released, though beta is up");
    done(&mut world, &on(Action::Release, "beta"));
    world.dmpp(ALPHA, &NOTE.replace("REF2", "REFA"));
    world.sync();
    assert_eq!(world.data(BETA).len(), 1);
}

#[test]
fn a_line_that_has_counted_more_than_it_was_sent_is_refused() {
    let mut world = connected();
    world.disconnect(BETA);
    let line = World::line("beta");
    world.step(Event::Open { connection: clets_switch::ConnectionId(77), line });
    world.logon(77, [1, 1, 1, 900, 1]);
    let seen = world.seen(77);
    assert!(matches!(seen[..], [Seen::Reject(0, 807, _), Seen::Close(807)]), "{seen:?}");
}

#[test]
fn the_journal_says_for_each_order_who_and_why() {
    let mut world = connected();
    let record = done(&mut world, &on(Action::Hold, "beta")).record;
    let (kind, _, body) = &world.journal[usize::try_from(record).unwrap()];
    assert_eq!(*kind, record::ORDER);
    let event: record::OrderEvent<'_> = record::decode(body).unwrap();
    assert_eq!((&*event.operator, &*event.account, &*event.reason), ("SAMPLE", "clets", "A TEST"));
}

#[test]
fn a_line_that_sends_more_than_its_rate_is_turned_away_at_once() {
    let limited = DOCUMENT.replace(
        r#""reply_deadline_ms": 30000,
  "fields""#,
        r#""reply_deadline_ms": 30000,
  "rates": {"line": {"per_second": 2, "burst": 3}, "ori": {"per_second": 0, "burst": 0},
   "user": {"per_second": 0, "burst": 0}, "urgent": {"per_second": 1, "burst": 1}},
  "fields""#,
    );
    assert_ne!(limited, DOCUMENT);
    let mut world = World::of(bundle(&limited));
    world.connect(ALPHA, "alpha");
    world.connect(BETA, "beta");
    world.sync();
    world.seen(ALPHA);
    let send = |world: &mut World, number: usize| {
        world.dmpp(ALPHA, &NOTE.replace("REF2", &format!("R{number}")));
    };
    (0..10).for_each(|number| send(&mut world, number));
    let records = world.journal.len();
    assert_eq!(world.seen(ALPHA), vec![Seen::Nak(0x12); 7], "before anything is durable");
    world.sync();
    assert_eq!(world.seen(ALPHA), vec![Seen::Ack; 3]);
    assert_eq!(world.data(BETA).len(), 3);
    world.wait(1);
    let shed = world.journal[records..].iter().find(|(kind, ..)| *kind == record::SHED).unwrap();
    let shed: record::Shed<'_> = record::decode(&shed.2).unwrap();
    assert_eq!(shed.items, [("alpha".into(), 512, 3, 7)]);
    (3..10).for_each(|number| send(&mut world, number));
    world.sync();
    let seen = world.seen(ALPHA);
    assert_eq!(seen.iter().filter(|it| **it == Seen::Ack).count(), 2, "{seen:?}");
}

#[test]
fn with_little_space_only_what_is_urgent_is_taken() {
    let mut world = connected();
    world.engine.set_space(90);
    world.dmpp(ALPHA, NOTE);
    assert_eq!(world.seen(ALPHA), [Seen::Nak(0x12)]);
    world.dmpp(ALPHA, PLATE);
    world.sync();
    assert_eq!(world.seen(ALPHA), [Seen::Ack]);
    world.engine.set_space(40);
    world.dmpp(ALPHA, &PLATE.replace("REF1", "REF9"));
    assert_eq!(world.seen(ALPHA), [Seen::Nak(0x12)]);
    world.engine.set_space(500);
    world.dmpp(ALPHA, NOTE);
    world.sync();
    assert_eq!(world.seen(ALPHA), [Seen::Ack]);
}

#[test]
fn many_wait_and_are_read_again_and_go_out_in_order() {
    // The whole way of many: more than are kept at hand, so that most are read again.
    let roomy = DOCUMENT.replace("\"queue_entries\": 10", "\"queue_entries\": 10000");
    let mut world = World::of(bundle(&roomy));
    world.connect(ALPHA, "alpha");
    for number in 0..2_000 {
        world.dmpp(
            ALPHA,
            &NOTE.replace("REF2", &format!("M{number}")).replace("NOON", &format!("{number:05}")),
        );
    }
    world.sync();
    world.connect(BETA, "beta");
    let mut got = Vec::new();
    while got.len() < 2_000 {
        world.sync();
        let texts = world.data(BETA);
        assert!(!texts.is_empty(), "after {}", got.len());
        got.extend(
            texts.into_iter().map(|text| text.chars().skip(text.len() - 5).collect::<String>()),
        );
        world.native(BETA, Kind::Delivered, 3, got.len() as u64, b"");
    }
    assert!(got.iter().enumerate().all(|(place, text)| *text == format!("{place:05}")));
}

#[test]
fn what_is_old_and_needed_by_nothing_may_leave_the_journal() {
    let mut world = connected();
    world.dmpp(ALPHA, NOTE);
    world.sync();
    assert_eq!(world.data(BETA).len(), 1);
    world.native(BETA, Kind::Delivered, 3, 1, b"");
    world.disconnect(BETA);
    let waits = world.journal.len();
    world.dmpp(ALPHA, &NOTE.replace("REF2", "REF9"));
    world.sync();
    let waits = waits as u64;
    world.now_us += 86_400_000_000 * 2;
    world.dmpp(ALPHA, PLATE);
    world.sync();
    let replay = world.replay();
    assert_eq!(replay.prunable(3, world.now_us), 0, "nothing is as old as that");
    let message = world.engine.queue("beta", 1).unwrap()[0].message;
    assert!(message >= waits);
    assert_eq!(replay.prunable(1, world.now_us), message, "what waits is needed");
    world.connect(BETA, "beta");
    world.sync();
    world.native(BETA, Kind::Delivered, 3, 2, b"");
    world.sync();
    let old = world.replay().prunable(1, world.now_us);
    assert!(old > message, "{old}");
}

#[test]
fn what_was_asked_long_ago_keeps_nothing_in_the_journal() {
    let mut world = connected();
    let mut controls = Vec::new();
    for (reference, days) in [("REF1", 2), ("REF5", 2), ("REF6", 0)] {
        world.dmpp(ALPHA, &PLATE.replace("REF1", reference));
        world.sync();
        let asked = world.data(SVS).remove(0);
        world.acknowledge(SVS);
        world.acknowledge(NCIC);
        controls.push(control(&asked));
        // One file answers, and of the other the sender is told that it did not.
        let answer = format!("SWITCH.{}.U1.QV.CASVS0000.CA0010100.TXT\r\nHIT", control(&asked));
        world.dmpp(SVS, &answer);
        world.wait(31);
        world.sync();
        for _ in 0..3 {
            world.acknowledge(ALPHA);
        }
        world.now_us += 86_400_000_000 * days;
    }
    let replay = world.replay();
    let third = clets_switch::Control::parse(controls[2].as_bytes()).unwrap().number();
    assert_eq!(replay.needed_from(), third, "not the first nor the second");
    assert_eq!(replay.prunable(1, world.now_us), third);
    // What is kept of the third is enough for one more answer, also after a restart.
    world.restart();
    world.connect(ALPHA, "alpha");
    world.connect(SVS, "svs");
    world.sync();
    let more = format!("SWITCH.{}.U1.QV.CASVS0000.CA0010100.TXT\r\nMORE", controls[2]);
    world.dmpp(SVS, &more);
    world.sync();
    let mut got = Vec::new();
    for _ in 0..4 {
        got.extend(world.data(ALPHA));
        world.acknowledge(ALPHA);
        world.sync();
    }
    let last = got.last().expect("an answer");
    assert!(last.contains("REF6") && last.contains("MORE"), "to whoever asked: {got:?}");
}

#[test]
fn a_switch_that_was_busy_calls_nobody_silent() {
    let mut world = connected();
    world.dmpp(ALPHA, NOTE);
    world.sync();
    world.wait_in_silence(9);
    // One turn took a minute; what the lines sent meanwhile waits to be read.
    world.now_us += 60_000_000;
    world.step(Event::Tick);
    assert!(!world.seen(BETA).iter().any(|it| matches!(it, Seen::Close(_))));
    world.wait_in_silence(15);
    assert!(world.seen(BETA).contains(&Seen::Close(804)), "its own silence still counts");
}

/// What the file answered to what it was asked.
fn answer_of_svs(asked: &str) -> String {
    let control = control(asked);
    format!("SWITCH.{control}.U1.QV.CASVS0000.CA0010100.TXT\r\nNO RECORD")
}

#[test]
fn a_file_that_has_answered_was_asked_though_it_did_not_say_so() {
    for message in [PLATE, ENTRY] {
        let mut world = connected();
        world.dmpp(ALPHA, message);
        world.sync();
        let asked = world.data(SVS).remove(0);
        world.dmpp(SVS, &answer_of_svs(&asked));
        world.sync();
        world.disconnect(SVS);
        world.connect(SVS, "svs");
        world.sync();
        world.sync();
        assert_eq!(world.data(SVS), [""; 0]);
        assert_eq!(outcomes(&world)[0], Outcome::Delivered);
        assert!(world.engine.dead_letters().is_empty());
    }
}

#[test]
fn an_inquiry_that_fell_due_before_it_was_durable_has_one_end() {
    let mut world = connected();
    world.dmpp(ALPHA, PLATE);
    world.wait(31);
    world.sync();
    world.sync();
    assert_eq!(world.data(SVS), [""; 0]);
    world.wait(60);
    world.sync();
    assert!(world.ends().values().all(|ends| *ends == [Outcome::NoReply]), "{:?}", world.ends());
}

#[test]
fn what_may_have_reached_a_file_can_be_answered_late_however_busy_the_switch_was() {
    let mut world = connected();
    world.dmpp(ALPHA, &PLATE.replace("REF1", "REF3"));
    world.sync();
    world.acknowledge(SVS);
    world.wait(35);
    world.dmpp(ALPHA, PLATE);
    world.sync();
    let asked = world.data(SVS).remove(1);
    // The queue's timer, set for the first, finds both deadlines of the second past.
    world.now_us += 70_000_000;
    world.step(Event::Tick);
    world.sync();
    for (line, name) in [(ALPHA, "alpha"), (SVS, "svs")] {
        world.disconnect(line);
        world.connect(line, name);
    }
    world.dmpp(SVS, &answer_of_svs(&asked));
    world.sync();
    let told: Vec<String> = (0..9)
        .flat_map(|_| {
            world.acknowledge(ALPHA);
            world.data(ALPHA)
        })
        .collect();
    assert!(told.iter().any(|it| it.contains("REF1") && it.contains("LATE REPLY")), "{told:?}");
}

#[test]
fn what_a_file_refused_and_answers_all_the_same_is_the_askers_and_late() {
    for restart in [false, true] {
        let mut world = connected();
        world.dmpp(ALPHA, PLATE);
        world.sync();
        let asked = world.data(SVS).remove(0);
        for _ in 1..5 {
            world.refuse(SVS);
        }
        // The first answer is in the journal before the end of the question is.
        world.refuse_and_send(SVS, &answer_of_svs(&asked));
        world.sync();
        assert!(outcomes(&world).contains(&Outcome::DeadLettered));
        if restart {
            world.restart();
            world.connect(ALPHA, "alpha");
            world.connect(SVS, "svs");
        }
        world.dmpp(SVS, &answer_of_svs(&asked).replace("NO RECORD", "HIT"));
        world.sync();
        let accepted = world.journal.iter().filter(|(kind, ..)| *kind == record::ACCEPTED);
        let decoded = accepted.map(|(.., body)| record::decode::<Accepted<'_>>(body).unwrap());
        let answers: Vec<bool> = decoded.filter(|it| it.line == "svs").map(|it| it.late).collect();
        assert_eq!(answers, [true, true], "{restart}");
    }
}

#[test]
fn what_waited_for_a_held_file_and_expired_on_a_broken_line_can_be_answered_late() {
    for restart in [false, true] {
        let mut world = connected();
        set(&mut world, "svs", "", Service::Hold);
        world.dmpp(ALPHA, PLATE);
        world.sync();
        set(&mut world, "svs", "", Service::Up);
        let asked = world.data(SVS).remove(0);
        world.disconnect(SVS);
        // As long as what waits for a held file lives.
        world.now_us += 259_200_000_000;
        world.wait(1);
        world.sync();
        if restart {
            world.restart();
        }
        world.connect(SVS, "svs");
        world.dmpp(SVS, &answer_of_svs(&asked));
        world.sync();
        let accepted = world.journal.iter().filter(|(kind, ..)| *kind == record::ACCEPTED);
        let mut decoded = accepted.map(|(.., body)| record::decode::<Accepted<'_>>(body).unwrap());
        let answer = decoded.find(|it| it.line == "svs").unwrap();
        assert!(answer.late && answer.parent.is_some(), "{restart} {answer:?}");
    }
}

#[test]
fn a_file_that_was_away_for_hours_is_known_to_repeat_itself() {
    let mut world = connected();
    world.dmpp(ALPHA, PLATE);
    world.sync();
    let asked = world.data(SVS).remove(0);
    world.acknowledge(SVS);
    world.dmpp(SVS, &answer_of_svs(&asked));
    world.sync();
    world.now_us += 3_600_000_000;
    world.restart();
    world.wait(1);
    world.connect(SVS, "svs");
    world.dmpp(SVS, &answer_of_svs(&asked));
    world.sync();
    let accepted = world.journal.iter().filter(|(kind, ..)| *kind == record::ACCEPTED);
    let decoded = accepted.map(|(.., body)| record::decode::<Accepted<'_>>(body).unwrap());
    assert_eq!(decoded.filter(|it| it.line == "svs").count(), 1);
}

#[test]
fn a_repeated_reference_is_answered_with_its_number_whatever_came_between() {
    let mut world = connected();
    let note = b"BETA1.R1.U2.AM.CA0020000.ALPHA1.TXT\r\nHELLO";
    world.native(BETA, Kind::Data, 0, 1, note);
    world.sync();
    let first = world.seen(BETA);
    world.dmpp(ALPHA, NOTE);
    for _ in 0..2 {
        world.native(BETA, Kind::Data, 0, 2, note);
        world.sync();
        let seen = world.seen(BETA);
        assert_eq!(seen.iter().find(|it| matches!(it, Seen::Accept(_))), first.first());
    }
}

#[test]
fn a_number_is_skipped_once_it_is_durable_why() {
    let mut world = connected();
    done(&mut world, &on(Action::Hold, "beta"));
    // Two answers wait for the line, and the first expires there.
    for number in [1, 2] {
        let plate = format!("BETA1.R{number}.U2.IV.4A.CA0020000.LIC/1ABC234.LIS/CA.CAP/C");
        world.native(BETA, Kind::Data, 0, number, format!("{plate}.RSN/TRAFFIC STOP").as_bytes());
        world.sync();
        world.acknowledge(NCIC);
        let asked = world.data(SVS).remove(0);
        world.acknowledge(SVS);
        world.dmpp(SVS, &answer_of_svs(&asked).replace("CA0010100", "CA0020000"));
        world.sync();
        world.wait(31);
    }
    done(&mut world, &on(Action::Release, "beta"));
    let numbered = |world: &mut World| -> Vec<Seen> {
        let answers = |it: &Seen| match it {
            Seen::Data(text) => text.contains("NO RECORD"),
            other => matches!(other, Seen::Skip(..)),
        };
        world.seen(BETA).into_iter().filter(answers).collect()
    };
    assert_eq!(numbered(&mut world), [], "after a crash the first would wait again");
    // Under load there is always something that is not durable yet.
    let ended = world.journal.len() as u64;
    world.dmpp(ALPHA, NOTE);
    world.step(Event::Durable(ended));
    let seen = numbered(&mut world);
    assert!(matches!(seen[..], [Seen::Skip(2, 1), Seen::Data(_)]), "{seen:?}");
}

#[test]
fn what_was_refused_keeps_its_place() {
    let mut world = connected();
    for reference in ["R1", "R2", "R3", "R4"] {
        world.dmpp(ALPHA, &PLATE.replace("REF1", reference));
    }
    world.sync();
    let asked = world.data(SVS);
    assert_eq!(asked.len(), 4);
    done(&mut world, &on(Action::Hold, "svs"));
    world.refuse(SVS);
    world.sync();
    let numbers: Vec<u64> =
        world.engine.queue("svs", 9).unwrap().iter().map(|it| it.sequence).collect();
    assert!(numbers.is_sorted(), "{numbers:?}");
    // Each is found when its reply is overdue, and then not sent any more.
    world.wait(31);
    done(&mut world, &on(Action::Release, "svs"));
    world.sync();
    assert_eq!(world.data(SVS), [""; 0]);
}
