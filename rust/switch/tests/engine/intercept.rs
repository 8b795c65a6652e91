//! Addressing and the intercept queue.

use clets_switch::record::{self, Accepted, InterceptEvent, Refused};
use clets_switch::{Command, CommandError, Performed, Step};

use clets_wire::framing::native::Kind;
use proptest::prelude::*;

use crate::world::{DOCUMENT, Seen, World, bundle};
use crate::{ALPHA, BETA, connected};

const NLETS: u32 = 5;
const REGION: &str = "ALPHA1.REF7.U1.AM.CA0010100.A1.TXT\r\nKIDNAPPING, WHITE SEDAN";

fn with_nlets() -> World {
    let mut world = connected();
    world.connect(NLETS, "nlets");
    world.sync();
    world.seen(NLETS);
    world
}

/// What the sender of `payload` is told, and the last record of the kind.
fn sent(world: &mut World, payload: &str) -> Vec<String> {
    world.dmpp(ALPHA, payload);
    world.sync();
    world.acknowledge(ALPHA);
    world.sync();
    world.data(ALPHA)
}

fn command(action: Step, message: u64) -> Command {
    Command {
        action,
        message,
        operator: "SAMPLE".to_owned(),
        account: "center".to_owned(),
        reason: "checked with the sergeant".to_owned(),
        text: None,
        to: Vec::new(),
    }
}

/// A region broadcast that waits; gives its number.
fn held(world: &mut World) -> u64 {
    let told = sent(world, REGION);
    assert!(told[0].contains("HELD FOR APPROVAL"), "{told:?}");
    let waiting = world.engine.intercepts(world.now_us);
    assert_eq!(waiting.len(), 1);
    waiting[0].message
}

fn operate(world: &mut World, command: &Command) -> Result<Performed, CommandError> {
    let done = world.operate(command);
    world.sync();
    done
}

fn code(world: &mut World, command: &Command) -> u16 {
    let records = world.journal.len();
    let error = operate(world, command).unwrap_err();
    assert_eq!(world.journal.len(), records, "a refused step is not recorded");
    error.code
}

fn refusal(payload: &str) -> (u16, Vec<String>) {
    let mut world = with_nlets();
    sent(&mut world, payload);
    let (_, _, body) = world.journal.iter().rfind(|(kind, ..)| *kind == record::REFUSED).unwrap();
    let refused: Refused<'_> = record::decode(body).unwrap();
    (refused.code, refused.rules.iter().map(ToString::to_string).collect())
}

/// Who gets an administrative message: entries in order, a host's with its destinations.
fn reached(payload: &str) -> Vec<String> {
    let mut world = with_nlets();
    sent(&mut world, payload);
    let accepted = world.journal.iter().filter(|(kind, ..)| *kind == record::ACCEPTED);
    let mut accepted = accepted.map(|(_, _, body)| record::decode::<Accepted<'_>>(body).unwrap());
    let own = accepted.rfind(|it| it.line == "alpha").unwrap();
    own.entries
        .iter()
        .map(|entry| match &entry.target {
            record::Target::Host { destinations, .. } => {
                format!("{} {}", entry.line, destinations.join(" "))
            }
            record::Target::Station { mnemonic, .. } => mnemonic.to_string(),
        })
        .collect()
}

#[test]
fn addresses_of_every_kind_mix_and_each_station_is_reached_once() {
    let mixed = "ALPHA1.R.U1.AM.CA0010100.BETA1,CA0020000,BAYAREA,AZ,NY,AZ.TXT\r\nALL OF YOU";
    assert_eq!(reached(mixed), ["BETA1", "ALPHA1", "BETA2", "nlets AZ NY"]);
    let ori = "ALPHA1.R.U1.AM.CA0010100.CA0020000,AZ0070000.TXT\r\nBOTH";
    assert_eq!(reached(ori), ["BETA1", "nlets AZ0070000"]);
    assert_eq!(reached("ALPHA1.R.U1.AM.CA0010100.CN.TXT\r\nHELLO"), ["nlets CN"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_mix_of_addresses_reaches_what_each_alone_reaches(
        picked in prop::collection::vec(0..POOL.len(), 1..12),
    ) {
        let names: Vec<&str> = picked.iter().map(|at| POOL[*at].0).collect();
        let mut stations: Vec<&str> = Vec::new();
        let mut beyond: Vec<&str> = Vec::new();
        for at in picked {
            for station in POOL[at].1 {
                if !stations.contains(station) {
                    stations.push(station);
                }
            }
            if POOL[at].1.is_empty() && !beyond.contains(&POOL[at].0) {
                beyond.push(POOL[at].0);
            }
        }
        let mut expected: Vec<String> = stations.iter().map(ToString::to_string).collect();
        if !beyond.is_empty() {
            expected.push(format!("nlets {}", beyond.join(" ")));
        }
        let payload = format!("ALPHA1.R.U1.AM.CA0010100.{}.TXT\r\nALL", names.join(","));
        prop_assert_eq!(reached(&payload), expected);
    }
}

/// Addresses, and the stations that each reaches; none for one beyond the state.
const POOL: [(&str, &[&str]); 9] = [
    ("ALPHA1", &["ALPHA1"]),
    ("BETA2", &["BETA2"]),
    ("CA0010100", &["ALPHA1"]),
    ("CA0020000", &["BETA1"]),
    ("BAYAREA", &["ALPHA1", "BETA1", "BETA2"]),
    ("AZ", &[]),
    ("CN", &[]),
    ("TX0000000", &[]),
    ("NY", &[]),
];

#[test]
fn lists_of_addressees_have_limits_and_the_refusal_names_the_rule() {
    let six = "ALPHA1.R.U1.AM.CA0010100.AZ,NY,OH,TX,UT,WA.TXT\r\nTOO FAR";
    assert_eq!(refusal(six), (508, vec!["B-05.2".to_owned()]));
    let many: Vec<String> = (0..21).map(|at| format!("TX{at:07}")).collect();
    let joint = format!("ALPHA1.R.U1.AM.CA0010100.{}.TXT\r\nTOO MANY", many.join(","));
    assert_eq!(refusal(&joint).0, 508);
    let stations = ["BETA1"; 21].join(",");
    let joint = format!("ALPHA1.R.U1.AM.CA0010100.{stations}.TXT\r\nTOO MANY");
    assert_eq!(refusal(&joint), (508, vec!["B-03.2".to_owned()]));
}

#[test]
fn canada_is_reached_by_cn_only() {
    let place = "ALPHA1.R.U1.AM.CA0010100.CN0010000.TXT\r\nHELLO";
    assert_eq!(refusal(place), (530, vec!["B-06.2".to_owned()]));
    assert_eq!(refusal("ALPHA1.R.U1.AM.CA0010100.ON.TXT\r\nHELLO"), (530, vec![]));
    assert_eq!(refusal("ALPHA1.R.U1.AM.CA0010100.ZZ.TXT\r\nHELLO"), (502, vec![]));
}

#[test]
fn a_message_without_words_is_refused() {
    let blank = "ALPHA1.R.U1.AM.CA0010100.BETA1.TXT\r\n ";
    assert_eq!(refusal(blank), (415, vec!["B-01".to_owned()]));
}

#[test]
fn what_is_for_law_enforcement_only_says_so_everywhere() {
    let mut world = with_nlets();
    sent(&mut world, "ALPHA1.R.U1.AML.CA0010100.BETA1,AZ.TXT\r\nBODY");
    for connection in [BETA, NLETS] {
        let text = world.data(connection).join("");
        assert!(text.contains("FOR LAW ENFORCEMENT DISSEMINATION ONLY\r\nBODY"), "{text}");
    }
}

#[test]
fn broadcasts_that_need_an_approval_wait_for_it() {
    for (to, rule) in
        [("A1", "B-11"), ("A1,B1,C1", "B-05.3"), ("EVERYONE", "B-04.2"), ("AROUND", "B-04.2")]
    {
        let mut world = with_nlets();
        let payload = format!("ALPHA1.R.U1.AM.CA0010100.{to},BETA1.TXT\r\nBOLO");
        let told = sent(&mut world, &payload);
        assert!(told[0].contains("HELD FOR APPROVAL"), "{told:?}");
        assert_eq!((world.data(BETA), world.data(NLETS)), (vec![], vec![]), "{to}");
        let waiting = world.engine.intercepts(world.now_us);
        assert_eq!(waiting[0].rules, [rule]);
    }
}

#[test]
fn who_may_not_send_to_a_group_may_not_by_way_of_another() {
    let mut world = with_nlets();
    for (sequence, group) in [(1, "EVERYONE"), (2, "AROUND")] {
        let payload = format!("BETA1.R{sequence}.U2.AM.CA0020000.{group}.TXT\r\nBOLO");
        world.native(BETA, Kind::Data, 0, sequence, payload.as_bytes());
        world.sync();
        let seen = world.seen(BETA);
        assert!(matches!(seen[0], Seen::Reject(_, 509, _)), "{seen:?}");
    }
}

#[test]
fn a_released_broadcast_is_delivered_after_its_record_is_durable() {
    let mut world = with_nlets();
    let number = held(&mut world);
    let done = world.operate(&command(Step::Forward, number)).unwrap();
    assert_eq!((done.entries, done.message), (1, number));
    assert_eq!(world.data(NLETS), Vec::<String>::new());
    world.sync();
    let sent = world.data(NLETS);
    assert!(sent[0].contains("KIDNAPPING") && sent[0].contains("A1"), "{sent:?}");
    assert!(world.engine.intercepts(world.now_us).is_empty());
    assert_eq!(code(&mut world, &command(Step::Forward, number)), 532);
    let (kind, _, body) = &world.journal[usize::try_from(done.record).unwrap()];
    assert_eq!(*kind, record::INTERCEPT);
    let event: InterceptEvent<'_> = record::decode(body).unwrap();
    let words = [&event.operator, &event.account, &event.reason];
    assert_eq!(words, ["SAMPLE", "center", "checked with the sergeant"]);
}

#[test]
fn an_operator_may_choose_other_destinations_within_the_limits() {
    let mut world = with_nlets();
    let number = held(&mut world);
    let to = |names: &[&str]| Command {
        to: names.iter().map(ToString::to_string).collect(),
        ..command(Step::Forward, number)
    };
    assert_eq!(code(&mut world, &to(&["NOBODY"])), 502);
    assert_eq!(code(&mut world, &to(&["AZ", "NY", "OH", "TX", "UT", "WA"])), 508);
    let done = operate(&mut world, &to(&["AZ", "BETA1"])).unwrap();
    assert_eq!(done.entries, 2);
    assert!(world.data(BETA)[0].contains("KIDNAPPING"));
    let sent = world.data(NLETS);
    assert!(sent[0].contains(".AZ.") && !sent[0].contains(".A1."), "{sent:?}");
}

#[test]
fn a_returned_broadcast_goes_nowhere_and_its_sender_is_told_why() {
    let mut world = with_nlets();
    let number = held(&mut world);
    operate(&mut world, &command(Step::Return, number)).unwrap();
    let told = world.data(ALPHA).join("");
    assert!(told.contains("E531") && told.contains("CHECKED WITH THE SERGEANT"), "{told}");
    assert_eq!(world.data(NLETS), Vec::<String>::new());
}

#[test]
fn nobody_decides_in_time_and_the_sender_is_told() {
    let mut world = with_nlets();
    held(&mut world);
    world.wait_in_silence(86_401);
    world.sync();
    assert!(world.engine.intercepts(world.now_us).is_empty());
    world.disconnect(ALPHA);
    world.connect(ALPHA, "alpha");
    world.sync();
    assert!(world.data(ALPHA).join("").contains("E505 NOT APPROVED"));
}

#[test]
fn one_operator_at_a_time_and_a_lock_ends_by_itself() {
    let mut world = with_nlets();
    let number = held(&mut world);
    let other = |action| Command { operator: "EXAMPLE".to_owned(), ..command(action, number) };
    let locked = operate(&mut world, &command(Step::Lock, number)).unwrap();
    assert_eq!(locked.waiting.unwrap().locked_by.as_deref(), Some("SAMPLE"));
    for action in [Step::Lock, Step::Forward, Step::Return, Step::Edit, Step::Unlock] {
        assert_eq!(code(&mut world, &other(action)), 533);
    }
    let shown = operate(&mut world, &other(Step::Show)).unwrap();
    assert_eq!(shown.text.as_deref(), Some("KIDNAPPING, WHITE SEDAN"));
    operate(&mut world, &command(Step::Unlock, number)).unwrap();
    operate(&mut world, &other(Step::Lock)).unwrap();
    world.wait(601);
    operate(&mut world, &command(Step::Lock, number)).unwrap();
    let unnamed = Command { reason: " ".to_owned(), ..command(Step::Return, number) };
    assert_eq!(code(&mut world, &unnamed), 534);
}

#[test]
fn an_edit_is_a_new_message_linked_to_the_original() {
    let mut world = with_nlets();
    let number = held(&mut world);
    let edit = |text: &str| Command { text: Some(text.to_owned()), ..command(Step::Edit, number) };
    assert_eq!(code(&mut world, &edit(" ")), 535);
    let done = operate(&mut world, &edit("KIDNAPPING, SEDAN 9SYN999")).unwrap();
    assert_ne!(done.message, number);
    let waiting = done.waiting.unwrap();
    assert_eq!(waiting.original, Some(number));
    assert_eq!(waiting.locked_by.as_deref(), Some("SAMPLE"));
    assert_eq!(code(&mut world, &command(Step::Forward, number)), 532);
    operate(&mut world, &command(Step::Forward, done.message)).unwrap();
    assert!(world.data(NLETS)[0].contains("9SYN999"));
    // What the sender sent is still known as theirs: the same again is no second message.
    assert_eq!(sent(&mut world, REGION), Vec::<String>::new());
    let original: Accepted<'_> = record::decode(&world.journal[number as usize].2).unwrap();
    assert!(String::from_utf8_lossy(&original.body).contains("WHITE SEDAN"));
}

#[test]
fn the_queue_is_rebuilt_from_the_journal() {
    let mut world = with_nlets();
    let number = held(&mut world);
    operate(&mut world, &command(Step::Lock, number)).unwrap();
    let edit = Command {
        text: Some("KIDNAPPING, SEDAN 9SYN999".to_owned()),
        ..command(Step::Edit, number)
    };
    let edited = operate(&mut world, &edit).unwrap().message;
    let before = format!("{:?}", world.engine.intercepts(world.now_us));
    world.restart();
    assert_eq!(format!("{:?}", world.engine.intercepts(world.now_us)), before);
    world.connect(ALPHA, "alpha");
    world.sync();
    assert!(!sent(&mut world, REGION).join("").contains("REFERENCE"));
    operate(&mut world, &command(Step::Forward, edited)).unwrap();
    world.restart();
    assert!(world.engine.intercepts(world.now_us).is_empty());
    world.connect(NLETS, "nlets");
    world.sync();
    assert!(world.data(NLETS)[0].contains("9SYN999"));
    world.acknowledge(NLETS);
    world.sync();
    world.restart();
    world.connect(NLETS, "nlets");
    world.sync();
    assert_eq!(world.data(NLETS), Vec::<String>::new());
}

#[test]
fn who_lost_their_rights_while_a_broadcast_waited_does_not_send_it() {
    let mut world = with_nlets();
    let number = held(&mut world);
    let entitled = r#"["U1", "alpha-pd", "full", "active""#;
    assert!(DOCUMENT.contains(entitled));
    let lapsed = DOCUMENT.replace(entitled, r#"["U1", "alpha-pd", "full", "suspended""#);
    world.restart_with(bundle(&lapsed));
    world.connect(NLETS, "nlets");
    world.sync();
    assert_eq!(code(&mut world, &command(Step::Forward, number)), 424);
    assert_eq!(world.data(NLETS), Vec::<String>::new());
    // It still waits: the operator can tell the sender why.
    operate(&mut world, &command(Step::Return, number)).unwrap();
    assert!(world.engine.intercepts(world.now_us).is_empty());
}

#[test]
fn a_release_that_was_not_durable_did_not_happen() {
    let mut world = with_nlets();
    let number = held(&mut world);
    world.operate(&command(Step::Forward, number)).unwrap();
    world.restart();
    assert_eq!(world.engine.intercepts(world.now_us)[0].message, number);
    world.connect(NLETS, "nlets");
    world.sync();
    assert_eq!(world.data(NLETS), Vec::<String>::new());
}
