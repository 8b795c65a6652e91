//! A candidate bundle that judges beside the one in force, and changes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use clets_policy::Effect;
use serde::Serialize;

use crate::bundle::KeyFacts;
use crate::engine::Engine;
use crate::facts::{Facts, Question};
use crate::intake::Incoming;
use crate::{Bundle, Decision, Judge};

/// Kinds of difference that are counted apart at most; further ones are counted together.
const COUNTS_MAX: usize = 10_000;

/// What a candidate would have done otherwise.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ShadowReport {
    /// The candidate's content hash.
    pub bundle: String,
    /// Messages judged by both.
    pub judged: u64,
    /// Messages of which the candidate says something else.
    pub differs: u64,
    /// Each difference with its count.
    pub counts: Vec<ShadowCount>,
}

/// One kind of difference.
#[derive(Clone, Debug, Serialize)]
pub struct ShadowCount {
    /// What the bundle in force does: `pass`, `hold` or `refuse`.
    pub now: &'static str,
    /// What the candidate would do.
    pub then: &'static str,
    /// The rules that refuse or hold, the candidate's or those in force; or the number, `E508`.
    pub rules: String,
    /// The agency's code; empty for one that is not known.
    pub agency: String,
    /// Messages.
    pub count: u64,
}

type Difference = (&'static str, &'static str, String, String);

/// The candidate.
#[derive(Debug)]
pub(crate) struct Shadow {
    bundle: Arc<Bundle>,
    judge: Judge,
    judged: u64,
    differs: u64,
    counts: BTreeMap<Difference, u64>,
}

impl Engine {
    /// Lets a candidate judge beside the bundle in force from now on; none ends it.
    pub fn set_shadow(&mut self, candidate: Option<(Arc<Bundle>, Judge)>) {
        self.shadow = candidate.map(|(bundle, judge)| {
            let counts = BTreeMap::new();
            Box::new(Shadow { bundle, judge, judged: 0, differs: 0, counts })
        });
    }

    /// What the candidate would have done otherwise; none without one.
    #[must_use]
    pub fn shadow_report(&self) -> Option<ShadowReport> {
        let shadow = self.shadow.as_ref()?;
        let counts = shadow.counts.iter().map(|((now, then, rules, agency), count)| ShadowCount {
            now,
            then,
            rules: rules.clone(),
            agency: agency.clone(),
            count: *count,
        });
        Some(ShadowReport {
            bundle: shadow.bundle.hash.clone(),
            judged: shadow.judged,
            differs: shadow.differs,
            counts: counts.collect(),
        })
    }

    /// Compares what was decided of an agency's message.
    pub(crate) fn compare(&mut self, question: Question<'_>, decided: &Decision) {
        let Some(shadow) = &mut self.shadow else { return };
        let bundle = Arc::clone(&shadow.bundle);
        let would = match shadow.judge.consider(&bundle, question) {
            Ok((_, decision)) | Err(decision) => decision,
        };
        let ori = question.envelope.origin.map(|ori| ori.of(question.bytes)).unwrap_or_default();
        shadow.count(&self.bundle, ori, decided, &would);
    }

    /// Compares what was decided of a host's message for an agency.
    pub(crate) fn compare_reply(
        &mut self,
        incoming: &Incoming<'_>,
        requester: &[u8],
        heading: KeyFacts,
        decided: &Decision,
        now_us: i64,
    ) {
        let Some(shadow) = &mut self.shadow else { return };
        let (envelope, bytes) = (incoming.envelope, incoming.bytes);
        let facts = Facts::of_reply(&shadow.bundle, requester, envelope, bytes);
        let day = shadow.bundle.day(now_us);
        let would = shadow.judge.host_message(&shadow.bundle, &facts, heading, day);
        shadow.count(&self.bundle, requester, decided, &would);
    }
}

impl Shadow {
    fn count(&mut self, in_force: &Bundle, ori: &[u8], decided: &Decision, would: &Decision) {
        self.judged += 1;
        let (now, then) = (outcome(decided), outcome(would));
        if now == then {
            return;
        }
        self.differs += 1;
        let (bundle, stricter) = if then == "pass" || (now == "refuse" && then == "hold") {
            (in_force, decided)
        } else {
            (&*self.bundle, would)
        };
        let mut rules = stricter.rule_ids(bundle).join(" ");
        if rules.is_empty() {
            rules = format!("E{}", stricter.code);
        }
        let directory = &in_force.directory;
        let agency = directory.ori(ori).map(|ori| directory.ori_of(ori).agency);
        let agency = agency.map(|it| directory.agency_of(it).code.to_string()).unwrap_or_default();
        let mut difference = (now, then, rules, agency);
        if self.counts.len() >= COUNTS_MAX && !self.counts.contains_key(&difference) {
            difference = (now, then, "others".to_owned(), String::new());
        }
        *self.counts.entry(difference).or_default() += 1;
    }
}

fn outcome(decision: &Decision) -> &'static str {
    match decision.effect {
        Effect::Allow | Effect::Flag | Effect::Label | Effect::Redact => "pass",
        Effect::Hold => "hold",
        Effect::Block | Effect::Reject => "refuse",
    }
}
