//! The verdict on a situation, asked of Cedar.

use crate::load::{self, Problem};
use crate::request::Vocabulary;
use crate::rule::{Effect, Rule, RuleId, code};
use crate::situation::Situation;
use crate::subjects::Subjects;
use crate::words::Words;
use cedar_policy::{Authorizer, Decision, Entities, PolicyId, PolicySet, Request};
use std::sync::Arc;

/// One validated bundle of rules, with every version of each.
#[derive(Debug)]
pub struct Policies {
    pub(crate) rules: Box<[Rule]>,
    pub(crate) vocabulary: Vocabulary,
    /// The days on which the rules in force change, ascending.
    pub(crate) changes: Box<[i32]>,
    /// The rules between two changes; one more than there are changes.
    pub(crate) slices: Box<[Slice]>,
    pub(crate) generation: u64,
    pub(crate) words: Words,
    pub(crate) subjects: Subjects,
}

/// The rules in force over a run of days.
#[derive(Debug, Default)]
pub(crate) struct Slice {
    /// Permits and refusals.
    pub(crate) decisions: PolicySet,
    /// Flags, holds, labels and redactions; `forbid`s to Cedar, so that none can grant.
    pub(crate) obligations: PolicySet,
    /// The permits alone, to explain what stands behind a refusal.
    pub(crate) permits: PolicySet,
}

/// What is to be done with a message, and which rules say so.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verdict {
    /// The most restrictive effect of all rules that apply.
    pub effect: Effect,
    /// The refusal's number, shown as `E401`; 0 unless refused.
    pub code: u16,
    /// The rules that decided: first all of the winning effect in bundle order, then every other
    /// obligation (hold, redact, flag, label) that applies. Empty when no rule permits.
    pub rules: Box<[RuleId]>,
    /// Caveats to deliver with the message; empty when refused.
    pub labels: Box<[Arc<str>]>,
}

impl Verdict {
    /// The message is refused.
    #[must_use]
    pub const fn refuses(&self) -> bool {
        self.effect.refuses()
    }
}

impl Policies {
    /// Reads, validates and dates a bundle: `(file name, text)` of each Cedar file, of `words.csv`
    /// and of `subjects.csv` with `subjects.key`, and the schema. Without words, no text has a
    /// topic; without subjects, every record is one of no list.
    ///
    /// Rules keep the order of the files and of each file; when several refuse, the first gives
    /// the number that the sender is told.
    ///
    /// # Errors
    ///
    /// Every problem found, each with its file and line.
    pub fn load(files: &[(String, String)], schema: &str) -> Result<Self, Vec<Problem>> {
        load::load(files, schema)
    }

    /// Judges a situation by the rules in force on a day (of the place, counted from 1970-01-01).
    ///
    /// This is Cedar's own answer, and the meaning of the policy.
    #[must_use]
    pub fn judge(&self, situation: &Situation, day: i32) -> Verdict {
        let Some(slice) = self.slices.get(self.slice_number(day)) else {
            return failed(Vec::new());
        };
        let Ok((request, entities)) = self.vocabulary.request(situation) else {
            return failed(Vec::new());
        };
        let decided = Answer::of(&slice.decisions, &request, &entities);
        let obliged = Answer::of(&slice.obligations, &request, &entities);
        if decided.erred || obliged.erred {
            return failed([decided.errors, obliged.errors].concat());
        }
        if decided.permits {
            self.allowed(decided.rules, obliged.rules)
        } else {
            self.refused(decided.rules, obliged.rules)
        }
    }

    /// The words that give a text its topic.
    #[must_use]
    pub const fn words(&self) -> &Words {
        &self.words
    }

    /// Whose records are listed.
    #[must_use]
    pub const fn subjects(&self) -> &Subjects {
        &self.subjects
    }

    /// Every rule, all versions, in bundle order.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// One rule; `None` when the number is not of this bundle.
    #[must_use]
    pub fn rule(&self, id: RuleId) -> Option<&Rule> {
        self.rules.get(usize::from(id.0))
    }

    /// A number that no other loaded bundle of this process has.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// The permits that let a situation pass; none when it is refused.
    #[must_use]
    pub fn granting(&self, situation: &Situation, day: i32) -> Vec<RuleId> {
        // The cheap question first: nearly all that is asked while explaining is refused.
        self.ask(situation, day, |slice| &slice.decisions)
            .filter(|answer| answer.permits && !self.judge(situation, day).refuses())
            .map_or_else(Vec::new, |answer| answer.rules)
    }

    /// How many rules refuse a situation, and one more when no rule permits it.
    pub(crate) fn obstacles(&self, situation: &Situation, day: i32) -> usize {
        let refusals = match self.ask(situation, day, |slice| &slice.decisions) {
            Some(answer) if answer.permits => return 0,
            Some(answer) => answer.rules.len(),
            None => 1,
        };
        let permits = self.ask(situation, day, |slice| &slice.permits);
        refusals + usize::from(permits.is_none_or(|answer| !answer.permits))
    }

    fn ask(
        &self,
        situation: &Situation,
        day: i32,
        policies: impl Fn(&Slice) -> &PolicySet,
    ) -> Option<Answer> {
        let slice = self.slices.get(self.slice_number(day))?;
        let (request, entities) = self.vocabulary.request(situation).ok()?;
        Some(Answer::of(policies(slice), &request, &entities))
    }

    /// Which run of days between two changes of the rules a day falls into.
    #[must_use]
    pub fn slice_number(&self, day: i32) -> usize {
        self.changes.partition_point(|change| *change <= day)
    }

    fn effect(&self, id: RuleId) -> Effect {
        self.rule(id).map_or(Effect::Block, |rule| rule.effect)
    }

    fn allowed(&self, permits: Vec<RuleId>, obligations: Vec<RuleId>) -> Verdict {
        let effect = self.most_restrictive(&obligations).unwrap_or(Effect::Allow);
        let labels = obligations
            .iter()
            .filter_map(|id| self.rule(*id)?.label.as_deref())
            .map(Arc::from)
            .collect();
        let decided = if effect == Effect::Allow { permits } else { Vec::new() };
        Verdict { effect, code: 0, rules: self.by_weight(effect, decided, obligations), labels }
    }

    fn refused(&self, refusals: Vec<RuleId>, obligations: Vec<RuleId>) -> Verdict {
        let Some(effect) = self.most_restrictive(&refusals) else {
            return Verdict {
                effect: Effect::Reject,
                code: code::NO_PERMIT,
                rules: self.by_weight(Effect::Reject, Vec::new(), obligations),
                labels: Box::default(),
            };
        };
        let decided: Vec<RuleId> =
            refusals.into_iter().filter(|id| self.effect(*id) == effect).collect();
        let code = decided
            .first()
            .and_then(|id| self.rule(*id))
            .map_or(code::EVALUATION, |rule| rule.code);
        let rules = self.by_weight(effect, decided, obligations);
        Verdict { effect, code, rules, labels: Box::default() }
    }

    /// The deciding rules first, then the obligations, those of the winning effect foremost.
    fn by_weight(
        &self,
        effect: Effect,
        mut decided: Vec<RuleId>,
        mut obligations: Vec<RuleId>,
    ) -> Box<[RuleId]> {
        obligations.sort_by_key(|id| (self.effect(*id) != effect, *id));
        decided.append(&mut obligations);
        decided.into_boxed_slice()
    }

    fn most_restrictive(&self, rules: &[RuleId]) -> Option<Effect> {
        rules.iter().map(|id| self.effect(*id)).max_by_key(|effect| effect.severity())
    }
}

/// A rule that cannot be evaluated refuses: Cedar itself would skip an erring `forbid`.
fn failed(erring: Vec<RuleId>) -> Verdict {
    Verdict {
        effect: Effect::Reject,
        code: code::EVALUATION,
        rules: erring.into_boxed_slice(),
        labels: Box::default(),
    }
}

pub(crate) struct Answer {
    permits: bool,
    pub(crate) rules: Vec<RuleId>,
    erred: bool,
    errors: Vec<RuleId>,
}

impl Answer {
    pub(crate) fn of(policies: &PolicySet, request: &Request, entities: &Entities) -> Self {
        let response = Authorizer::new().is_authorized(request, policies, entities);
        let reasons: Option<Vec<RuleId>> = response.diagnostics().reason().map(rule_id).collect();
        let mut errors: Vec<RuleId> = response
            .diagnostics()
            .errors()
            .filter_map(|error| match error {
                cedar_policy::AuthorizationError::PolicyEvaluationError(error) => {
                    rule_id(error.policy_id())
                }
            })
            .collect();
        errors.sort_unstable();
        let erred = response.diagnostics().errors().next().is_some() || reasons.is_none();
        let mut rules = reasons.unwrap_or_default();
        rules.sort_unstable();
        Self { permits: response.decision() == Decision::Allow, rules, erred, errors }
    }
}

/// The Cedar id of a rule: its number in the bundle.
pub(crate) fn policy_id(id: RuleId) -> PolicyId {
    PolicyId::new(id.0.to_string())
}

fn rule_id(id: &PolicyId) -> Option<RuleId> {
    let text: &str = id.as_ref();
    text.parse().ok().map(RuleId)
}
