//! The published test vectors that this set of rules answers.

use crate::bundle::{california, day, history, plate, today, with};
use clets_policy::{Effect, Situation};

fn decide(situation: &Situation, day: i32) -> (Effect, u16, Vec<String>) {
    let verdict = california().judge(situation, day);
    let rules = verdict.rules.iter().map(|id| california().rule(*id).unwrap().id.clone());
    (verdict.effect, verdict.code, rules.collect())
}

/// T-01: police department, full access, plate inquiry, reason and case number.
#[test]
fn t_01_plate_with_reason_and_case_number() {
    let legs = [("dmv_veh", "dmv"), ("hot_prop", "state"), ("hot_prop", "ncic")];
    assert_eq!(decide(&plate(), today()), (Effect::Allow, 0, vec!["A-12.1".into()]));
    for (class, destination) in legs {
        let leg = format!("inherited=true data_class={class} destination={destination}");
        assert_eq!(decide(&with(&plate(), &leg), today()).0, Effect::Allow);
    }
}

/// T-02: the same without a reason, on the last day before and the first day of the duty.
#[test]
fn t_02_no_reason_before_and_after_1_july_2021() {
    let blank = with(&plate(), "reason=absent");
    assert_eq!(decide(&blank, day("2021-06-30")).0, Effect::Allow);
    let after = decide(&blank, day("2021-07-01"));
    assert_eq!(after, (Effect::Reject, 413, vec!["I-10".into()]));
}

/// T-03: a less than full access operator enters a stolen vehicle.
#[test]
fn t_03_less_than_full_access_enters_a_stolen_vehicle() {
    let entry = with(&plate(), "level=less_than_full action=enter data_class=hot_prop");
    assert_eq!(decide(&entry, today()), (Effect::Reject, 423, vec!["A-13".into()]));
}

/// T-05: QH with purpose C and an empty attention field.
#[test]
fn t_05_criminal_history_without_attention() {
    let empty = with(&history(), "attention=absent");
    assert_eq!(decide(&empty, today()), (Effect::Reject, 412, vec!["C-01.3".into()]));
}

/// T-06: QH with the retired purpose code U.
#[test]
fn t_06_criminal_history_with_purpose_u() {
    let (effect, code, rules) = decide(&with(&history(), "purpose=u"), today());
    assert_eq!(
        (effect, code, rules.first().map(String::as_str)),
        (Effect::Reject, 414, Some("I-06"))
    );
}

/// T-21: the user's training expired yesterday.
#[test]
fn t_21_training_lapsed() {
    let lapsed = with(&plate(), "training=lapsed");
    assert_eq!(decide(&lapsed, today()), (Effect::Reject, 422, vec!["A-11".into()]));
}

fn ids(situation: &Situation) -> (Effect, u16, Vec<String>) {
    decide(situation, today())
}

fn answer_of(effect: Effect, code: u16, rules: &[&str]) -> (Effect, u16, Vec<String>) {
    (effect, code, rules.iter().map(ToString::to_string).collect())
}

/// T-07: ICE Enforcement and Removal Operations asks for a driver licence on an agency's line.
#[test]
fn t_07_removal_officers_have_no_access() {
    let asked = with(&plate(), "agency_class=fed_ice_ero data_class=dmv_dl");
    assert_eq!(ids(&asked), answer_of(Effect::Block, 430, &["I-02"]));
    let (effect, code, _) = decide(&asked, day("2019-10-14"));
    assert_eq!((effect, code), (Effect::Reject, 401), "before its access ended, no rule permits");
    let person = with(&history(), "agency_class=fed_ice_ero");
    assert_eq!(ids(&person).0, Effect::Block);
}

/// T-09: Homeland Security Investigations asks for one person's history, purpose C.
#[test]
fn t_09_one_persons_history_is_answered() {
    let asked = with(&history(), "agency_class=fed_ice_hsi data_class=chi_nlets destination=nlets");
    assert_eq!(ids(&asked), answer_of(Effect::Flag, 0, &["I-03.3"]));
    let reason = with(&asked, "topic=immigration");
    assert_eq!(ids(&reason), answer_of(Effect::Flag, 0, &["I-01.2", "I-03.3"]));
    assert_eq!(ids(&with(&asked, "purpose=j")).1, 411);
    assert_eq!(ids(&with(&asked, "chi_authority=false")).1, 401);
}

/// The same office asks for what is no criminal history, with and without its attestation.
#[test]
fn homeland_security_needs_an_attestation_and_a_crime() {
    let asked = with(&plate(), "agency_class=fed_cbp");
    assert_eq!(ids(&asked), answer_of(Effect::Block, 430, &["I-03.1", "I-03.3"]));
    let attested = with(&asked, "attested=true");
    assert_eq!(ids(&attested).1, 401);
    let crime = with(&attested, "topic=offense");
    assert_eq!(ids(&crime), answer_of(Effect::Flag, 0, &["I-03.3"]));
    let removal = with(&attested, "topic=immigration");
    assert_eq!(ids(&removal).0, Effect::Block);
}

/// T-11: a sheriff's driver licence inquiry whose reason is a removal.
#[test]
fn t_11_immigration_enforcement() {
    let asked = with(&plate(), "data_class=dmv_dl topic=immigration");
    assert_eq!(ids(&asked), answer_of(Effect::Block, 430, &["I-01.1", "I-01.2"]));
    assert_eq!(decide(&asked, day("2019-12-31")).0, Effect::Allow);
    let hint = with(&plate(), "topic=immigration_hint");
    assert_eq!(ids(&hint), answer_of(Effect::Flag, 0, &["I-01.2"]));
    let history = with(&history(), "topic=immigration");
    assert_eq!(ids(&history), answer_of(Effect::Flag, 0, &["I-01.2"]));
}

/// T-12: words that must not fire are no topic, and so nothing changes.
#[test]
fn t_12_innocent_words() {
    let topic = california().words().reason([&b"POSS ICE / METH SALES"[..]]).topic;
    let asked = Situation { topic, ..plate() };
    assert_eq!(ids(&asked), answer_of(Effect::Allow, 0, &["A-12.1"]));
}

/// T-13 and T-14: immigration status for a traffic stop, and for a firearm disability.
#[test]
fn t_13_and_t_14_immigration_status() {
    let asked = with(&history(), "data_class=immig_status destination=nlets");
    assert_eq!(ids(&asked), answer_of(Effect::Block, 430, &["I-12.1", "I-12.3"]));
    let excepted = with(&asked, "purpose=f topic=status_exception");
    assert_eq!(ids(&excepted), answer_of(Effect::Flag, 0, &["I-12.3"]));
    assert_eq!(ids(&with(&excepted, "purpose=j")).1, 401);
    assert_eq!(ids(&with(&excepted, "attention=absent")).1, 401);
}

/// T-15: an NCIC answer that holds an administrative warrant is delivered and labelled.
#[test]
fn t_15_civil_warrant_in_an_answer() {
    let civil = with(&crate::bundle::answer(), "data_class=hot_person text_civil_immigration=true");
    assert_eq!(ids(&civil), answer_of(Effect::Label, 0, &["I-14.1"]));
    let label = california().judge(&civil, today()).labels.join("");
    assert!(label.starts_with("CIVIL IMMIGRATION RECORD"), "{label}");
}

/// T-16: a message to Homeland Security with a release date.
#[test]
fn t_16_release_date_to_homeland_security() {
    let message = "action=administer data_class=admin destination=agency scope=single";
    let release = with(&plate(), &format!("{message} to_homeland=true text_release=true"));
    assert_eq!(ids(&release), answer_of(Effect::Hold, 0, &["I-15"]));
    assert_eq!(ids(&with(&release, "to_homeland=false")).0, Effect::Allow);
    assert_eq!(ids(&with(&release, "text_release=false")).0, Effect::Allow);
}

/// T-17: a group bulletin on a retirement party.
#[test]
fn t_17_retirement_party() {
    let message = "action=administer data_class=admin destination=group scope=group";
    let party = with(&plate(), &format!("{message} text_barred=true"));
    assert_eq!(ids(&party), answer_of(Effect::Hold, 0, &["B-08"]));
    assert_eq!(ids(&with(&party, "scope=single destination=agency")).0, Effect::Allow);
}

/// T-23: a rap sheet for a license to carry.
#[test]
fn t_23_license_to_carry() {
    let asked = with(&history(), "carry_license=true");
    assert_eq!(ids(&asked), answer_of(Effect::Block, 430, &["C-10"]));
    assert_eq!(ids(&with(&asked, "purpose=f")).0, Effect::Allow);
    assert_eq!(ids(&with(&plate(), "private_matter=true")).0, Effect::Block);
}

/// The promise of the mission, over every situation that can be written: an inquiry of an agency to
/// enforce immigration law never gets what is no criminal history, as it was entered or on any leg;
/// and one person's criminal history is not refused because of that reason.
#[test]
fn no_immigration_enforcement_with_other_than_criminal_history() {
    let mut generator = crate::bundle::Generator(54);
    let (mut refused, mut history_passed) = (0, 0);
    for _ in 0..60_000 {
        let situation = with(&generator.situation(), "peer=agency action=inquire");
        let situation = with(&situation, "topic=immigration");
        let class = situation.data_class.name();
        let verdict = california().judge(&situation, today());
        if class.starts_with("chi_") {
            let same = california().judge(&with(&situation, "topic=none"), today());
            assert_eq!(verdict.refuses(), same.refuses(), "{situation:?}");
            history_passed += usize::from(!verdict.refuses());
        } else {
            assert!(verdict.refuses(), "{situation:?}");
            refused += 1;
        }
    }
    assert!(refused > 10_000 && history_passed > 1_000, "{refused}, {history_passed}");
}

/// T-18: a joint message to 21 addressees, and a message to six states.
#[test]
fn t_18_too_many_addressees() {
    let message = with(&plate(), "action=administer data_class=admin destination=agency");
    let joint = with(&message, "scope=joint addressing=many");
    assert_eq!(ids(&joint), answer_of(Effect::Reject, 508, &["B-03.2"]));
    let states = with(&message, "scope=state destination=nlets addressing=many_states");
    assert_eq!(ids(&states), answer_of(Effect::Reject, 508, &["B-05.2"]));
}

/// T-20: a user who has left the agency.
#[test]
fn t_20_a_user_who_has_left() {
    let left = with(&plate(), "standing=separated");
    assert_eq!(ids(&left), answer_of(Effect::Reject, 424, &["A-18.1", "A-18.2"]));
}
