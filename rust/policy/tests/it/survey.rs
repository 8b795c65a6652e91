//! Which rules can decide, and which beside each other.

use crate::bundle::{california, files, schema, today};
use clets_policy::{Policies, RuleId, Surveyed};

fn id(policies: &Policies, rule: RuleId) -> &str {
    &policies.rule(rule).unwrap().id
}

#[test]
fn every_rule_of_the_sample_can_decide_and_its_example_shows_it() {
    let policies = california();
    for Surveyed { rule, example, .. } in policies.survey(today()) {
        let name = id(policies, rule);
        let example = example.unwrap_or_else(|| panic!("nothing was found for {name}"));
        let day = policies.rule(rule).unwrap().to_day.unwrap_or_else(today);
        let decides = policies.judge(&example, day).rules.contains(&rule);
        assert!(decides || policies.granting(&example, day).contains(&rule), "{name}");
    }
}

#[test]
fn a_rule_that_others_always_hide_is_found() {
    let head = "@cite(\"law\") @text(\"text\") @from(\"2020-01-01\")";
    let hidden = "@id(\"Z-01\") @effect(\"reject\") @code(\"999\")";
    let blocked = "when { principal.peer == Peer::\"agency\" && context.private_matter && \
        context.topic == Topic::\"none\" && resource.data_class == DataClass::\"dmv_dl\" };";
    let mut files = files();
    let rule = format!("{hidden} {head} forbid (principal, action, resource) {blocked}");
    files.push((
        "99-hidden.cedar".to_owned(),
        rule.replace("action, ", "action == Action::\"inquire\", "),
    ));
    let policies = Policies::load(&files, &schema()).unwrap();
    let surveyed = policies.survey(today());
    let found = surveyed.iter().find(|it| id(&policies, it.rule) == "Z-01").unwrap();
    assert_eq!(found.example, None, "D-17.1 blocks it first");
    assert_eq!(surveyed.iter().filter(|it| it.example.is_none()).count(), 1);
}

#[test]
fn rules_that_decide_together_are_named() {
    let policies = california();
    let surveyed = policies.survey(today());
    let beside = |name: &str| -> Vec<&str> {
        let found = surveyed.iter().find(|it| id(policies, it.rule) == name).unwrap();
        found.beside.iter().map(|rule| id(policies, *rule)).collect()
    };
    assert!(beside("A-18.2").contains(&"A-18.1"));
    assert!(beside("I-12.2").contains(&"I-12.3"));
    assert!(!beside("A-09").contains(&"A-08"));
}
