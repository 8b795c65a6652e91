//! Why a message was refused, and what would have been permitted, in plain sentences.

use crate::judge::{Policies, Verdict};
use crate::rule::{Effect, Rule, RuleId, code};
use crate::situation::{Field, Home, Situation};

/// The account of one verdict.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Explanation {
    /// The verdict explained.
    pub verdict: Verdict,
    /// The rules that decided, as [`Verdict::rules`] lists them.
    pub grounds: Vec<Ground>,
    /// For a refusal: every change of one fact that would be permitted. What the message states
    /// comes first, then what is on file of the sender, then a different message.
    pub nearest: Vec<NearestPermit>,
    /// For a refusal: all that was missing, a sentence each; together they would be permitted.
    /// Empty when no such list was found.
    pub missing: Vec<String>,
    /// All of it as text for a person, several lines.
    pub text: String,
}

/// One rule that decided.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ground {
    /// Its place in the bundle.
    pub rule: RuleId,
    /// Its name, `I-10`.
    pub id: String,
    /// What it does.
    pub effect: Effect,
    /// The statute, regulation or policy.
    pub cite: String,
    /// The rule in plain words.
    pub text: String,
}

/// A change of one fact that would have been permitted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NearestPermit {
    /// The fact, `purpose`.
    pub fact: &'static str,
    /// The same message would pass; otherwise only a different one, as with another action.
    pub same_message: bool,
    /// The values that would do, `c`, `j`.
    pub values: Vec<&'static str>,
    /// The rules that would then permit.
    pub rules: Vec<RuleId>,
    /// What is wrong with the fact as it is.
    pub missing: String,
    /// The change as a sentence.
    pub text: String,
}

impl Policies {
    /// Explains the verdict on a situation.
    ///
    /// Asks Cedar anew with each fact changed: for a refusal about a hundred judgements, several
    /// hundred when no single change would do. [`crate::Memo::explain`] remembers.
    #[must_use]
    pub fn explain(&self, situation: &Situation, day: i32) -> Explanation {
        let verdict = self.judge(situation, day);
        let grounds: Vec<Ground> = verdict
            .rules
            .iter()
            .filter_map(|id| self.rule(*id).map(|rule| Ground::of(*id, rule)))
            .collect();
        let explained = verdict.refuses() && verdict.code != code::EVALUATION;
        let nearest = if explained { self.nearest(situation, day) } else { Vec::new() };
        let missing = match nearest.iter().find(|permit| permit.same_message) {
            Some(permit) => vec![permit.missing.clone()],
            None if explained => self.missing(situation, day),
            None => Vec::new(),
        };
        let text = compose(&verdict, &grounds, &nearest, &missing);
        Explanation { verdict, grounds, nearest, missing, text }
    }

    fn nearest(&self, situation: &Situation, day: i32) -> Vec<NearestPermit> {
        let mut found = Vec::new();
        for (number, field) in changeable() {
            let mut changes = Vec::new();
            let mut rules = Vec::new();
            for change in alternatives(situation, number, field) {
                let permits = self.granting(&change.situation, day);
                if !permits.is_empty() {
                    rules.extend(permits);
                    changes.push(change);
                }
            }
            rules.sort_unstable();
            rules.dedup();
            if !changes.is_empty() {
                let phrases: Vec<&str> = changes.iter().map(|change| change.phrase).collect();
                let wanted = one_of(&phrases);
                found.push(NearestPermit {
                    fact: field.name,
                    same_message: field.home.is_of_the_sender(),
                    values: changes.iter().map(|change| change.value).collect(),
                    rules,
                    missing: must_be(situation, field, &changes),
                    text: format!("It would be permitted if {} were {wanted}.", field.title),
                });
            }
        }
        found
    }

    fn missing(&self, situation: &Situation, day: i32) -> Vec<String> {
        self.mended(situation, day).map(|(_, missing)| missing).unwrap_or_default()
    }

    /// Mends what stands in the way one fact at a time, always the fact that clears most: a
    /// situation that passes, and what was missing. None when no such list is found.
    pub(crate) fn mended(
        &self,
        situation: &Situation,
        day: i32,
    ) -> Option<(Situation, Vec<String>)> {
        let mut now = *situation;
        let mut obstacles = self.obstacles(&now, day);
        let mut missing = Vec::new();
        while obstacles > 0 {
            let (field, best, fewest) = self.best_change(&now, day, obstacles)?;
            missing.push(must_be(&now, field, &best));
            obstacles = fewest;
            now = best.first().map_or(now, |change| change.situation);
        }
        (!self.judge(&now, day).refuses()).then_some((now, missing))
    }

    fn best_change(
        &self,
        now: &Situation,
        day: i32,
        obstacles: usize,
    ) -> Option<(&'static Field, Vec<Change>, usize)> {
        let mut found: Option<(&'static Field, Vec<Change>, usize)> = None;
        for (number, field) in changeable().filter(|(_, field)| field.home.is_of_the_sender()) {
            for change in alternatives(now, number, field) {
                let left = self.obstacles(&change.situation, day);
                let fewest = found.as_ref().map_or(obstacles, |(_, _, fewest)| *fewest);
                match &mut found {
                    Some((best, changes, _)) if left == fewest && best.name == field.name => {
                        changes.push(change);
                    }
                    _ if left < fewest => found = Some((field, vec![change], left)),
                    _ => {}
                }
            }
        }
        found
    }
}

impl Home {
    /// A fact of the sender or stated by them; to change any other makes a different message.
    const fn is_of_the_sender(self) -> bool {
        matches!(self, Self::Context | Self::Principal)
    }
}

impl Ground {
    fn of(id: RuleId, rule: &Rule) -> Self {
        Self {
            rule: id,
            id: rule.id.clone(),
            effect: rule.effect,
            cite: rule.cite.clone(),
            text: rule.text.clone(),
        }
    }
}

struct Change {
    situation: Situation,
    value: &'static str,
    phrase: &'static str,
}

/// The facts that an explanation may propose to change: the sender's word first.
/// Nobody can become a host, or make a message part of another one.
fn changeable() -> impl Iterator<Item = (usize, &'static Field)> {
    const ORDER: [Home; 4] = [Home::Context, Home::Principal, Home::Action, Home::Resource];
    ORDER.into_iter().flat_map(|home| {
        FIELDS.iter().enumerate().filter(move |(_, field)| {
            field.home == home && !matches!(field.name, "peer" | "inherited")
        })
    })
}

static FIELDS: &[Field] = &Situation::FIELDS;

fn alternatives(
    situation: &Situation,
    number: usize,
    field: &'static Field,
) -> impl Iterator<Item = Change> + use<> {
    let situation = *situation;
    field
        .values
        .iter()
        .zip(field.phrases)
        .enumerate()
        .filter_map(move |(index, (value, phrase))| {
            let changed = situation.with(number, u8::try_from(index).ok()?);
            Some(Change { situation: changed, value, phrase })
        })
        .filter(move |change| change.situation != situation)
}

fn must_be(situation: &Situation, field: &Field, changes: &[Change]) -> String {
    let phrases: Vec<&str> = changes.iter().map(|change| change.phrase).collect();
    let (now, wanted) = (phrase_of(situation, field), one_of(&phrases));
    format!("{} is {now}; it must be {wanted}", field.title)
}

fn phrase_of(situation: &Situation, field: &Field) -> &'static str {
    FIELDS
        .iter()
        .zip(situation.indices())
        .find(|(known, _)| known.name == field.name)
        .and_then(|(known, index)| known.phrases.get(usize::from(index)).copied())
        .unwrap_or_default()
}

/// `a`, `a or b`, `a, b or c`; with semicolons where a phrase has a comma of its own.
fn one_of(phrases: &[&str]) -> String {
    match phrases {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] if phrases.iter().any(|phrase| phrase.contains(',')) => {
            format!("{}; or {last}", first.join("; "))
        }
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

fn compose(
    verdict: &Verdict,
    grounds: &[Ground],
    nearest: &[NearestPermit],
    missing: &[String],
) -> String {
    let mut lines = vec![match (verdict.effect, verdict.code) {
        (_, code::NO_PERMIT) => format!("Refused, E{}: no rule permits this.", code::NO_PERMIT),
        (_, code::EVALUATION) => {
            format!("Refused, E{}: a rule could not be evaluated.", code::EVALUATION)
        }
        (Effect::Block, code) => format!("Blocked, E{code}."),
        (Effect::Reject, code) => format!("Refused, E{code}."),
        (Effect::Allow, _) => "Permitted.".to_owned(),
        (Effect::Hold, _) => "Held until a person releases it.".to_owned(),
        (Effect::Flag | Effect::Label | Effect::Redact, _) => {
            format!("Permitted, with the obligation {}.", verdict.effect)
        }
    }];
    lines.extend(grounds.iter().map(|ground| {
        format!("Rule {} ({}; {}): {}", ground.id, ground.effect, ground.cite, ground.text)
    }));
    // What mends this message comes before advice to send a different one.
    let mends = nearest.iter().any(|permit| permit.same_message);
    let told =
        nearest.iter().filter(|permit| permit.same_message || permit.fact == "action" || !mends);
    lines.extend(told.map(|permit| permit.text.clone()));
    if nearest.is_empty() && !missing.is_empty() {
        lines.push(format!(
            "It would be permitted if all of this were mended: {}.",
            missing.join("; ")
        ));
    }
    if verdict.refuses() && nearest.is_empty() && missing.is_empty() {
        lines.push("No change of the sender's facts would make this message permitted.".to_owned());
    }
    lines.join("\n")
}
