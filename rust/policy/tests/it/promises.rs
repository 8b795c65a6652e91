//! What holds whatever else is true of a message: each promise over thousands of situations, half
//! of them wholly random and half a good message with a few facts changed.

use crate::bundle::{Generator, california, history, plate, today, with};
use clets_policy::{
    Action, AgencyClass, DataClass, Effect, Level, Memo, Peer, Situation, Standing, Subject, Topic,
    Training, Verdict,
};

const CASES: usize = 20_000;

/// Judges generated situations that a promise is about: each is made so by `make`.
fn promise(
    seed: u64,
    mut make: impl FnMut(&mut Situation, &mut Generator),
    holds: fn(&Verdict) -> bool,
) {
    let mut generator = Generator(seed);
    let mut memo = Memo::new(CASES);
    for _ in 0..CASES {
        let mut situation = generator.situation();
        make(&mut situation, &mut generator);
        let verdict = memo.judge(california(), &situation, today());
        assert!(holds(verdict), "{verdict:?} of {situation:?}");
    }
}

/// The control: the same promise about nothing in particular does not hold.
#[test]
fn the_situations_would_show_a_broken_promise() {
    let mut generator = Generator(1);
    let mut memo = Memo::new(CASES);
    let passed = (0..CASES).filter(|_| {
        let mut situation = generator.situation();
        situation.peer = Peer::Agency;
        !memo.judge(california(), &situation, today()).refuses()
    });
    assert!(passed.count() > CASES / 50);
}

const HISTORY: [DataClass; 4] =
    [DataClass::ChiIii, DataClass::ChiLocal, DataClass::ChiNlets, DataClass::ChiState];

#[test]
fn immigration_enforcement_gets_nothing_but_criminal_history() {
    promise(
        2,
        |it, _| {
            (it.peer, it.action, it.topic) = (Peer::Agency, Action::Inquire, Topic::Immigration);
            if HISTORY.contains(&it.data_class) {
                it.data_class = DataClass::DmvDl;
            }
        },
        Verdict::refuses,
    );
}

#[test]
fn illegal_entry_alone_gets_nothing_at_all() {
    promise(
        3,
        |it, _| (it.peer, it.action, it.illegal_entry) = (Peer::Agency, Action::Inquire, true),
        |verdict| verdict.effect == Effect::Block,
    );
}

#[test]
fn homeland_security_without_an_attestation_gets_nothing_but_criminal_history() {
    let offices = [
        AgencyClass::FedCbp,
        AgencyClass::FedDhsOther,
        AgencyClass::FedIceEro,
        AgencyClass::FedIceHsi,
        AgencyClass::FedUsbp,
        AgencyClass::FedUscis,
    ];
    promise(
        4,
        |it, generator| {
            (it.peer, it.attested) = (Peer::Agency, false);
            it.agency_class = offices[generator.below(offices.len())];
            if HISTORY.contains(&it.data_class) {
                it.data_class = DataClass::NletsDmv;
            }
        },
        Verdict::refuses,
    );
}

/// CITE: Gov. Code 7284.6(b)(2).
#[test]
fn a_named_persons_history_is_not_refused_to_whoever_may_have_it() {
    let mut generator = Generator(5);
    let requesters = [
        "ca_lea",
        "ca_da",
        "ca_court",
        "ca_prob",
        "ca_cdcr",
        "ca_doj",
        "ca_tribal",
        "fed_crim",
        "fed_taskforce",
        "fed_ice_hsi",
        "fed_cbp",
        "fed_usbp",
        "fed_uscis",
    ];
    let topics = ["none", "offense", "immigration", "immigration_hint", "reentry"];
    let subjects = ["live", "watched", "confidential", "test"];
    let kinds = ["fixed", "interface", "mobile"];
    for _ in 0..2_000 {
        let mut of = |list: &[&'static str]| list[generator.below(list.len())];
        let changes = format!(
            "agency_class={} topic={} subject={} station_kind={} data_class={}",
            of(&requesters),
            of(&topics),
            of(&subjects),
            of(&kinds),
            of(&["chi_iii", "chi_nlets"]),
        );
        let verdict = california().judge(&with(&history(), &changes), today());
        assert!(!verdict.refuses() && verdict.effect != Effect::Hold, "{changes}: {verdict:?}");
    }
}

#[test]
fn whoever_is_not_cleared_trained_and_active_reaches_nothing() {
    promise(
        6,
        |it, generator| {
            it.peer = Peer::Agency;
            match generator.below(8) {
                0 => it.cleared = false,
                1 => it.statement = false,
                2 => it.training = Training::Lapsed,
                3 => it.training = Training::Never,
                4 => it.standing = Standing::Suspended,
                5 => it.standing = Standing::Separated,
                6 => it.standing = Standing::OnLeave,
                _ => it.standing = Standing::Dormant,
            }
        },
        Verdict::refuses,
    );
}

#[test]
fn only_a_full_access_operator_changes_a_record() {
    let updates = [Action::Cancel, Action::Clear, Action::Enter, Action::Locate, Action::Modify];
    promise(
        7,
        |it, generator| {
            it.peer = Peer::Agency;
            it.action = updates[generator.below(updates.len())];
            if it.level == Level::Full {
                it.level = Level::LessThanFull;
            }
        },
        Verdict::refuses,
    );
}

#[test]
fn nobody_asks_for_their_own_record_or_changes_it_unseen() {
    promise(
        8,
        |it, _| (it.peer, it.action, it.subject) = (Peer::Agency, Action::Inquire, Subject::Own),
        |verdict| verdict.effect == Effect::Block,
    );
    promise(
        9,
        |it, _| (it.peer, it.action, it.subject) = (Peer::Agency, Action::Modify, Subject::Own),
        |verdict| verdict.refuses() || verdict.effect == Effect::Hold,
    );
}

#[test]
fn a_trainee_and_a_training_terminal_reach_no_live_record() {
    promise(
        10,
        |it, generator| {
            (it.peer, it.action) = (Peer::Agency, Action::Inquire);
            if matches!(it.data_class, DataClass::Admin | DataClass::Control) {
                it.data_class = DataClass::HotPerson;
            }
            if it.subject == Subject::Test {
                it.subject = Subject::Live;
            }
            if generator.below(2) == 0 {
                it.standing = Standing::Trainee;
            } else {
                it.station_kind = clets_policy::StationKind::Training;
            }
        },
        Verdict::refuses,
    );
}

/// An answer of a file is never suppressed because of what it says of immigration.
#[test]
fn a_federal_answer_is_labelled_and_never_withheld_from_police() {
    let mut generator = Generator(11);
    for _ in 0..2_000 {
        let facts = ["text_civil_immigration", "text_deported_felon"];
        let values = facts.map(|fact| format!("{fact}={}", generator.below(2) == 0)).join(" ");
        let class = ["hot_person", "hot_prop", "ncic_restricted"][generator.below(3)];
        let answer = with(
            &plate(),
            &format!("peer=host action=reply data_class={class} destination=agency {values}"),
        );
        let verdict = california().judge(&answer, today());
        assert!(matches!(verdict.effect, Effect::Allow | Effect::Label), "{values} {verdict:?}");
        assert_eq!(verdict.labels.len(), values.matches("true").count(), "{values}");
    }
}
