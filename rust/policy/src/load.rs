//! From the bundle's files to [`Policies`]: parse, check annotations, validate strictly, and cut
//! time where the rules in force change. Every problem is reported at once.

use crate::day::{day_of, day_text};
use crate::judge::{Policies, Slice, policy_id};
use crate::request::Vocabulary;
use crate::rule::{Effect, Rule, RuleId};
use crate::schema;
use crate::subjects::{self, Subjects};
use crate::words::{self, Words};
use cedar_policy::ffi::DetailedError;
use cedar_policy::{Effect as CedarEffect, Policy, PolicySet, Schema, ValidationMode, Validator};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// Why a bundle was refused, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    /// The file of the bundle.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// What is wrong, in a sentence.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.text)
    }
}

impl std::error::Error for Problem {}

/// Rules of one bundle, all versions together. More would not fit a [`RuleId`].
const RULES_MAX: usize = u16::MAX as usize;

const ANNOTATIONS: [&str; 9] =
    ["id", "effect", "cite", "text", "code", "from", "to", "label", "segment"];

static GENERATIONS: AtomicU64 = AtomicU64::new(1);

pub(crate) fn load(files: &[(String, String)], schema: &str) -> Result<Policies, Vec<Problem>> {
    let mut problems = Vec::new();
    let schema = schema::load(schema).map_err(|found| problems.extend(found)).ok();
    let mut rules = Vec::new();
    let mut policies = Vec::new();
    let mut words = Words::default();
    let mut listed = Subjects::default();
    let key = files.iter().find(|(file, _)| file.ends_with(subjects::KEY_FILE));
    for (file, text) in files {
        if file.ends_with(words::FILE) {
            match Words::parse(file, text) {
                Ok(read) => words = read,
                Err(found) => problems.extend(found),
            }
            continue;
        }
        if file.ends_with(subjects::FILE) {
            match Subjects::parse(file, text, key.map(|(_, key)| key.as_str())) {
                Ok(read) => listed = read,
                Err(found) => problems.extend(found),
            }
            continue;
        }
        if file.ends_with(subjects::KEY_FILE) {
            continue;
        }
        for (policy, rule) in parse(file, text, &mut problems) {
            let id = RuleId(u16::try_from(rules.len()).unwrap_or(u16::MAX));
            policies.push(policy.new_id(policy_id(id)));
            rules.push(rule);
        }
    }
    if rules.len() > RULES_MAX {
        let text = format!("{} rules are more than {RULES_MAX}", rules.len());
        return Err(vec![Problem { file: schema::FILE.to_owned(), line: 1, text }]);
    }
    check_versions(&rules, &mut problems);
    check_segments(&rules, &words, &mut problems);
    if let Some(schema) = &schema {
        validate(schema, files, &rules, &policies, &mut problems);
    }
    let (Some(schema), true) = (schema, problems.is_empty()) else {
        return Err(problems);
    };
    compile(&schema, rules, &policies, words, listed)
        .map_err(|text| vec![Problem { file: schema::FILE.to_owned(), line: 1, text }])
}

fn parse(file: &str, text: &str, problems: &mut Vec<Problem>) -> Vec<(Policy, Rule)> {
    let set: PolicySet = match text.parse() {
        Ok(set) => set,
        Err(error) => {
            problems.extend(problems_of(file, text, &DetailedError::from(&error)));
            return Vec::new();
        }
    };
    for template in set.templates() {
        let start = template.as_ref().loc().map_or(0, |loc| loc.start());
        let message = "a rule must not leave a `?principal` or `?resource` open".to_owned();
        problems.push(Problem { file: file.to_owned(), line: line_of(text, start), text: message });
    }
    let mut found: Vec<(usize, Policy)> = set
        .policies()
        .map(|policy| (policy.as_ref().loc().map_or(0, |loc| loc.start()), policy.clone()))
        .collect();
    found.sort_by_key(|(start, _)| *start);
    found
        .into_iter()
        .filter_map(|(start, policy)| {
            let line = line_of(text, start);
            match rule_of(&policy, file, line) {
                Ok(rule) => Some((policy, rule)),
                Err(found) => {
                    problems.extend(found.into_iter().map(|text| Problem {
                        file: file.to_owned(),
                        line,
                        text,
                    }));
                    None
                }
            }
        })
        .collect()
}

/// Reads and checks the annotations of one policy; all that is wrong with them.
fn rule_of(policy: &Policy, file: &str, line: u32) -> Result<Rule, Vec<String>> {
    let mut wrong: Vec<String> = policy
        .annotations()
        .filter(|(name, _)| !ANNOTATIONS.contains(name))
        .map(|(name, _)| format!("`@{name}` is not an annotation of a rule"))
        .collect();
    // A long text may run over several lines of the file.
    let text_of = |name: &str| {
        let words: Vec<&str> = policy.annotation(name)?.split_whitespace().collect();
        (!words.is_empty()).then(|| words.join(" "))
    };
    let mut required = |name: &str| {
        text_of(name).unwrap_or_else(|| {
            wrong.push(format!("`@{name}(\"…\")` is missing or empty"));
            String::new()
        })
    };
    let (id, word) = (required("id"), required("effect"));
    let (cite, text) = (required("cite"), required("text"));
    let from = required("from");
    if !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.') {
        wrong.push(format!("`{id}` may hold letters, digits, `-` and `.` only"));
    }
    let effect = Effect::parse(&word).unwrap_or_else(|| {
        if !word.is_empty() {
            let words = Effect::ALL.map(Effect::name).join(", ");
            wrong.push(format!("`{word}` is not an effect; they are {words}"));
        }
        Effect::Reject
    });
    if !word.is_empty() && (policy.effect() == CedarEffect::Permit) != (effect == Effect::Allow) {
        wrong.push(match policy.effect() {
            CedarEffect::Permit => {
                format!("a `permit` may only have the effect `allow`, not `{effect}`")
            }
            CedarEffect::Forbid => "a `forbid` may not have the effect `allow`".to_owned(),
        });
    }
    let code = code_of(text_of("code").as_deref(), effect, &mut wrong);
    let label = text_of("label");
    if label.is_some() != (effect == Effect::Label) {
        wrong.push("`@label` goes with the effect `label`, and only with it".to_owned());
    }
    let segment = text_of("segment");
    if segment.is_some() != (effect == Effect::Redact) {
        wrong.push("`@segment` goes with the effect `redact`, and only with it".to_owned());
    }
    let mut date = |name: &str, text: &str| {
        let day = day_of(text);
        if day.is_none() && !text.is_empty() {
            wrong.push(format!("`@{name}` must be a date such as 2021-07-01, not `{text}`"));
        }
        day
    };
    let from_day = date("from", &from);
    let to_day = text_of("to").and_then(|text| date("to", &text));
    if let (Some(first), Some(last)) = (from_day, to_day)
        && last < first
    {
        wrong.push(format!("the last day {} is before the first", day_text(last)));
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let file = file.to_owned();
    Ok(Rule { id, effect, cite, text, code, label, segment, from_day, to_day, file, line })
}

/// The number of a refusal, `@code("413")`; nothing else has one.
fn code_of(text: Option<&str>, effect: Effect, wrong: &mut Vec<String>) -> u16 {
    let number = text.and_then(|text| text.parse().ok());
    match (effect.refuses(), text) {
        (true, _) => number.filter(|number| (100..1000).contains(number)).unwrap_or_else(|| {
            wrong.push("a refusal needs its number, such as `@code(\"413\")`".to_owned());
            0
        }),
        (false, Some(_)) => {
            wrong.push(format!("`@code` goes with block and reject only, not with `{effect}`"));
            0
        }
        (false, None) => 0,
    }
}

/// Versions of one rule must not be in force on the same day.
fn check_versions(rules: &[Rule], problems: &mut Vec<Problem>) {
    for (number, rule) in rules.iter().enumerate() {
        let earlier = rules.iter().take(number).find(|other| {
            let begins = rule.from_day.max(other.from_day).unwrap_or(i32::MIN);
            other.id == rule.id && rule.in_force(begins) && other.in_force(begins)
        });
        if let Some(other) = earlier {
            problems.push(Problem {
                file: rule.file.clone(),
                line: rule.line,
                text: format!(
                    "rule `{}` of {}:{} is in force on the same days",
                    rule.id, other.file, other.line
                ),
            });
        }
    }
}

/// What a rule withholds must be something that can be found.
fn check_segments(rules: &[Rule], words: &Words, problems: &mut Vec<Problem>) {
    for rule in rules {
        if let Some(segment) = rule.segment.as_deref().filter(|name| !words.has_segment(name)) {
            problems.push(Problem {
                file: rule.file.clone(),
                line: rule.line,
                text: format!("`{segment}` is neither `text` nor a segment of words.csv"),
            });
        }
    }
}

/// Cedar's strict validation; its warnings (a rule that can never apply) refuse as well.
fn validate(
    schema: &Schema,
    files: &[(String, String)],
    rules: &[Rule],
    policies: &[Policy],
    problems: &mut Vec<Problem>,
) {
    let validator = Validator::new(schema.clone());
    for (rule, policy) in rules.iter().zip(policies) {
        let text =
            files.iter().find(|(file, _)| *file == rule.file).map_or("", |(_, text)| text.as_str());
        let set = match PolicySet::from_policies([policy.clone()]) {
            Ok(set) => set,
            Err(error) => {
                problems.extend(problems_of(&rule.file, text, &DetailedError::from(&error)));
                continue;
            }
        };
        let result = validator.validate(&set, ValidationMode::Strict);
        let errors = result.validation_errors().map(DetailedError::from);
        let warnings = result.validation_warnings().map(DetailedError::from);
        for mut error in errors.chain(warnings) {
            // Cedar names the policy by its number; people know it by its id.
            error.message = error
                .message
                .replace(&format!("policy `{}`", policy.id()), &format!("rule `{}`", rule.id));
            let mut found = problems_of(&rule.file, text, &error);
            if error.source_locations.is_empty() {
                found.iter_mut().for_each(|problem| problem.line = rule.line);
            }
            problems.extend(found);
        }
    }
}

fn compile(
    schema: &Schema,
    rules: Vec<Rule>,
    policies: &[Policy],
    words: Words,
    subjects: Subjects,
) -> Result<Policies, String> {
    let mut changes: Vec<i32> = rules
        .iter()
        .flat_map(|rule| [rule.from_day, rule.to_day.map(|day| day.saturating_add(1))])
        .flatten()
        .collect();
    changes.sort_unstable();
    changes.dedup();
    let slices = std::iter::once(i32::MIN)
        .chain(changes.iter().copied())
        .map(|first_day| slice(first_day, &rules, policies))
        .collect::<Result<_, _>>()?;
    Ok(Policies {
        vocabulary: Vocabulary::new(schema)?,
        rules: rules.into_boxed_slice(),
        changes: changes.into_boxed_slice(),
        slices,
        generation: GENERATIONS.fetch_add(1, Ordering::Relaxed),
        words,
        subjects,
    })
}

fn slice(day: i32, rules: &[Rule], policies: &[Policy]) -> Result<Slice, String> {
    let mut slice = Slice::default();
    for (rule, policy) in rules.iter().zip(policies).filter(|(rule, _)| rule.in_force(day)) {
        let add = |set: &mut PolicySet| set.add(policy.clone()).map_err(|error| error.to_string());
        if rule.effect.obliges() {
            add(&mut slice.obligations)?;
        } else {
            add(&mut slice.decisions)?;
        }
        if rule.effect == Effect::Allow {
            add(&mut slice.permits)?;
        }
    }
    Ok(slice)
}

/// Cedar's account of an error, one problem for each place it speaks of.
pub(crate) fn problems_of(file: &str, text: &str, error: &DetailedError) -> Vec<Problem> {
    let start = error.source_locations.first().map_or(0, |label| label.loc.start);
    let help = error.help.as_deref().map(|help| format!(" ({help})")).unwrap_or_default();
    let problem = Problem {
        file: file.to_owned(),
        line: line_of(text, start),
        text: format!("{}{help}", error.message),
    };
    let related = error.related.iter().flat_map(|error| problems_of(file, text, error));
    std::iter::once(problem).chain(related).collect()
}

fn line_of(text: &str, offset: usize) -> u32 {
    let before = text.as_bytes().iter().take(offset);
    u32::try_from(before.filter(|byte| **byte == b'\n').count() + 1).unwrap_or(u32::MAX)
}
