//! Explanations: rule, citation, text, and what would have been permitted.

use crate::bundle::{Generator, answer, california, history, plate, today, with};
use clets_policy::Situation;

fn text(situation: &Situation) -> String {
    california().explain(situation, today()).text
}

#[test]
fn a_missing_reason_is_explained() {
    let explanation = california().explain(&with(&plate(), "reason=absent"), today());
    let lines: Vec<&str> = explanation.text.lines().collect();
    assert_eq!(
        lines.first_chunk::<3>(),
        Some(&[
            "Refused, E413.",
            "Rule I-10 (reject; Gov. Code 15160 (AB 1747, Stats. 2019, ch. 789)): Every inquiry \
             for information other than criminal history must state the reason for the inquiry.",
            "It would be permitted if the reason for the inquiry were stated.",
        ])
    );
    let nearest = explanation.nearest.first().unwrap();
    assert_eq!((nearest.fact, nearest.values.as_slice()), ("reason", ["present"].as_slice()));
    assert_eq!(california().rule(nearest.rules[0]).unwrap().id, "A-12.1");
    assert_eq!(explanation.missing, ["the reason for the inquiry is absent; it must be stated"]);
}

#[test]
fn a_wrong_purpose_names_the_right_ones() {
    let explained = text(&with(&history(), "purpose=d"));
    assert!(explained.contains("E411") && explained.contains("C-01.2"), "{explained}");
    assert!(
        explained.contains(
            "It would be permitted if the purpose code were C, criminal justice; F, firearms; \
             J, criminal justice employment; or X, exigent child placement."
        ),
        "{explained}"
    );
}

#[test]
fn a_level_that_may_not_enter_names_the_level_and_the_inquiry() {
    let explained = text(&with(&plate(), "level=less_than_full action=enter data_class=hot_prop"));
    assert!(explained.contains("the user's level were full access operator."), "{explained}");
    assert!(explained.contains("the action were inquire"), "{explained}");
}

#[test]
fn default_deny_says_so_and_what_is_near() {
    let explained = text(&with(&history(), "chi_authority=false"));
    assert!(explained.starts_with("Refused, E401: no rule permits this."), "{explained}");
    assert!(
        explained.contains("if the ORI's authority for criminal history were on file."),
        "{explained}"
    );
}

#[test]
fn several_obstacles_are_listed_together() {
    let stranger = with(
        &plate(),
        "user=unknown standing=unknown level=none cleared=false statement=false training=never",
    );
    let explanation = california().explain(&stranger, today());
    assert!(explanation.nearest.is_empty());
    assert_eq!(explanation.missing.len(), 6, "{:#?}", explanation.missing);
    assert!(explanation.text.contains("if all of this were mended"), "{}", explanation.text);
    for id in ["A-06.3", "A-18.1", "A-08", "A-09", "A-10"] {
        assert!(explanation.grounds.iter().any(|ground| ground.id == id), "{id}");
    }
}

#[test]
fn a_permit_is_explained_too() {
    let explanation = california().explain(&plate(), today());
    assert!(explanation.text.starts_with("Permitted.\nRule A-12.1 (allow; CLETS PPP 1.8"));
    assert!(explanation.nearest.is_empty() && explanation.missing.is_empty());
    let flagged = text(&with(&history(), "purpose=x"));
    assert!(flagged.starts_with("Permitted, with the obligation flag.\nRule C-01.4"), "{flagged}");
}

#[test]
fn what_can_never_be_permitted_has_no_false_promise() {
    let explained = text(&with(&answer(), "action=enter data_class=unknown"));
    assert!(explained.contains("No change of the sender's facts"), "{explained}");
}

/// Every promise is kept: the changed situation is indeed permitted, and by the rules named.
#[test]
fn every_nearest_permit_holds() {
    let mut generator = Generator(77);
    let mut promises = 0;
    for _ in 0..60 {
        let situation = generator.situation();
        let explanation = california().explain(&situation, today());
        for (id, ground) in explanation.verdict.rules.iter().zip(&explanation.grounds) {
            let rule = california().rule(*id).unwrap();
            assert_eq!(
                (&ground.id, &ground.cite, &ground.text),
                (&rule.id, &rule.cite, &rule.text)
            );
            assert!(explanation.text.contains(&rule.text) && explanation.text.contains(&rule.cite));
        }
        for permit in &explanation.nearest {
            assert!(!permit.rules.is_empty());
            for value in &permit.values {
                let changed = with(&situation, &format!("{}={value}", permit.fact));
                assert!(!california().judge(&changed, today()).refuses(), "{permit:?}");
                promises += 1;
            }
        }
    }
    assert!(promises > 10, "{promises}");
}
