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
