//! Looks at a whole set of rules: whether each can decide anything, and what decides beside it.
//!
//! Rules are searched, not proved: a rule is found to apply by trying the values that it names.
//! That finds what people write; a rule that is not found is told as one to look at.

use std::collections::BTreeSet;

use cedar_policy::PolicySet;
use serde_json::Value;

use crate::fact::{Action, Fact};
use crate::judge::{Answer, Policies, policy_id};
use crate::rule::{Effect, RuleId};
use crate::situation::{Home, Situation};

/// What was found of one version of a rule.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Surveyed {
    /// The rule.
    pub rule: RuleId,
    /// A situation in which it decides, or permits what other rules then oblige; none was found
    /// for a rule that others always hide, or that contradicts itself.
    pub example: Option<Situation>,
    /// Rules that were found to decide together with it, in the order of the bundle.
    pub beside: Vec<RuleId>,
}

/// Assignments of a rule's own facts that are tried at most.
const TRIES: usize = 4_096;
/// Assignments that are laid over each message that would pass.
const KEPT: usize = 8;

impl Policies {
    /// Surveys every rule on its last day in force, or on `day` where it has none. Takes seconds.
    #[must_use]
    pub fn survey(&self, day: i32) -> Vec<Surveyed> {
        let fair = self.fair_messages(day);
        (0..self.rules.len())
            .filter_map(|number| Some(RuleId(u16::try_from(number).ok()?)))
            .map(|id| self.survey_rule(id, day, &fair))
            .collect()
    }

    fn survey_rule(&self, id: RuleId, day: i32, fair: &[Situation]) -> Surveyed {
        let rule = self.rule(id);
        let day = rule.and_then(|rule| rule.to_day).unwrap_or(day);
        let mut surveyed = Surveyed { rule: id, example: None, beside: Vec::new() };
        let mut beside = BTreeSet::new();
        for assignment in self.assignments(id, day, KEPT) {
            let over = |base: &Situation| {
                assignment.iter().fold(*base, |it, (field, value)| it.with(*field, *value))
            };
            // Only what could have passed shows which rules really stand beside each other: not a
            // host's message that is made an agency's, of which nothing is on file.
            let nothing = Situation::default();
            let last = fair.is_empty().then_some(&nothing);
            let same_peer = |base: &&Situation| over(base).peer == base.peer;
            for situation in fair.iter().filter(same_peer).chain(last).map(over) {
                let verdict = self.judge(&situation, day);
                let mut found: Vec<RuleId> = verdict.rules.to_vec();
                if !verdict.refuses() {
                    found.extend(self.granting(&situation, day));
                }
                if found.contains(&id) {
                    surveyed.example.get_or_insert(situation);
                    beside.extend(found.into_iter().filter(|other| *other != id));
                }
            }
        }
        surveyed.beside = beside.into_iter().collect();
        surveyed
    }

    /// A message that would pass for each rule that permits.
    fn fair_messages(&self, day: i32) -> Vec<Situation> {
        let permits = self.rules.iter().zip(0..).filter(|(rule, _)| rule.effect == Effect::Allow);
        let messages = permits.filter_map(|(_, number)| {
            let assignment = self.assignments(RuleId(number), day, 1).into_iter().next()?;
            let first = assignment
                .iter()
                .fold(Situation::default(), |it, (field, value)| it.with(*field, *value));
            self.mended(&first, day).map(|(situation, _)| situation)
        });
        messages.collect()
    }

    /// Values of a rule's own facts under which its condition holds.
    fn assignments(&self, id: RuleId, day: i32, most: usize) -> Vec<Vec<(usize, u8)>> {
        let slice = self.slices.get(self.slice_number(day));
        let sets = slice.map(|slice| [&slice.decisions, &slice.obligations]);
        let policy = sets.into_iter().flatten().find_map(|set| set.policy(&policy_id(id)));
        let Some(policy) = policy else { return Vec::new() };
        let Ok(alone) = PolicySet::from_policies([policy.clone()]) else { return Vec::new() };
        let own = policy.to_json().map(|json| candidates(&json)).unwrap_or_default();
        let all = own.iter().try_fold(1_usize, |all, (_, values)| all.checked_mul(values.len()));
        let tries = all.unwrap_or(usize::MAX).min(TRIES);
        let step = all.map_or(0x9e37_79b9, |all| (all / tries).max(1));
        let mut found = Vec::new();
        for number in 0..tries {
            let mut rest = number.wrapping_mul(step);
            let assignment: Vec<(usize, u8)> = own
                .iter()
                .filter_map(|(field, values)| {
                    let value = values.get(rest.checked_rem(values.len())?);
                    rest /= values.len();
                    Some((*field, *value?))
                })
                .collect();
            let situation = assignment
                .iter()
                .fold(Situation::default(), |it, (field, value)| it.with(*field, *value));
            let Ok((request, entities)) = self.vocabulary.request(&situation) else { continue };
            if Answer::of(&alone, &request, &entities).rules.contains(&id) {
                found.push(assignment);
                if found.len() == most {
                    break;
                }
            }
        }
        found
    }
}

/// The facts that a rule names, each with the values that it names and one that it does not.
fn candidates(policy: &Value) -> Vec<(usize, Vec<u8>)> {
    let (mut attributes, mut entities) = (BTreeSet::new(), BTreeSet::new());
    collect(policy, &mut attributes, &mut entities);
    let named = |type_name: &str, value: &str| {
        let is = |id: &str| entities.contains(&(type_name.to_owned(), id.to_owned()));
        // A group of actions names each of them.
        is(value) || (type_name == Action::TYPE && is("update") && is_update(value))
    };
    let mut found = Vec::new();
    for (number, field) in Situation::FIELDS.iter().enumerate() {
        let is_action = field.home == Home::Action;
        if !is_action && !attributes.contains(field.name) {
            continue;
        }
        let every = || (0_u8..).zip(field.values);
        let is_bool = field.type_name == bool::TYPE;
        let mut values: Vec<u8> = every()
            .filter(|(_, value)| is_bool || named(field.type_name, value))
            .map(|(index, _)| index)
            .collect();
        let other = every().map(|(index, _)| index).find(|index| !values.contains(index));
        values.extend(other);
        found.push((number, values));
    }
    found
}

fn is_update(action: &str) -> bool {
    matches!(action, "cancel" | "clear" | "enter" | "locate" | "modify")
}

/// Every attribute and every entity that a policy in Cedar's JSON form speaks of.
fn collect(
    json: &Value,
    attributes: &mut BTreeSet<String>,
    entities: &mut BTreeSet<(String, String)>,
) {
    match json {
        Value::Object(map) => {
            let text = |name: &str| map.get(name).and_then(Value::as_str);
            if let (Some(type_name), Some(id)) = (text("type"), text("id")) {
                entities.insert((type_name.to_owned(), id.to_owned()));
            }
            attributes.extend(text("attr").map(str::to_owned));
            map.values().for_each(|it| collect(it, attributes, entities));
        }
        Value::Array(items) => items.iter().for_each(|it| collect(it, attributes, entities)),
        _ => {}
    }
}
