//! JUDGE: one verdict for a message and all its legs.

use std::borrow::Cow;
use std::sync::Arc;

use clets_policy::{self as policy, Effect, Halves, Memo, RuleId, Situation};
use clets_routing::{Directory, LineId, LineKind, OriId};
use clets_wire::{Envelope, Key, KeyId};
use smallvec::SmallVec;

use crate::bundle::KeyFacts;
use crate::facts::{Facts, Heading, Question};
use crate::habits::Habit;
use crate::plan::{Addressing, Leg, Plan, PlanError, Scope, plan};
use crate::record::Accepted;
use crate::{Bundle, codes};

/// The most restrictive verdict over a message and its legs.
#[derive(Clone, Debug)]
pub struct Decision {
    /// What is to be done.
    pub effect: Effect,
    /// The numbered code of a refusal; 0 when the message may pass.
    pub code: u16,
    /// The rules that decided, and those that flag or label; in the order of the bundle.
    pub rules: SmallVec<[RuleId; 4]>,
    /// Labels that travel around the text, in alphabetical order.
    pub labels: Vec<Arc<str>>,
    /// The situation that decided; none when the message could not be understood at all.
    pub situation: Option<Situation>,
}

impl Decision {
    /// True when the message may pass.
    #[must_use]
    pub fn permits(&self) -> bool {
        matches!(self.effect, Effect::Allow | Effect::Flag | Effect::Label)
    }

    /// True when a reply may pass, whole or without what is withheld from it.
    #[must_use]
    pub fn permits_reply(&self) -> bool {
        self.permits() || self.effect == Effect::Redact
    }

    /// True when the message may pass at once, or after a person has approved it.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.permits() || self.effect == Effect::Hold
    }

    /// The ids of the rules that decided, each once.
    #[must_use]
    pub fn rule_ids<'b>(&self, bundle: &'b Bundle) -> Vec<&'b str> {
        self.grounds(bundle).into_iter().map(|(id, _)| id).collect()
    }

    /// What a record of custody says of it.
    pub(crate) fn accepted<'b>(&'b self, bundle: &'b Bundle) -> Accepted<'b> {
        Accepted {
            effect: self.effect.name().into(),
            rules: self.rule_ids(bundle).into_iter().map(Cow::Borrowed).collect(),
            labels: self.labels.iter().map(|label| Cow::Borrowed(&**label)).collect(),
            ..Accepted::default()
        }
    }

    /// The rules that decided with their citations, each rule once.
    #[must_use]
    pub fn grounds<'b>(&self, bundle: &'b Bundle) -> Vec<(&'b str, &'b str)> {
        let mut grounds: Vec<(&str, &str)> = Vec::new();
        for rule in self.rules.iter().filter_map(|id| bundle.policies.rule(*id)) {
            if !grounds.iter().any(|(id, _)| *id == rule.id) {
                grounds.push((&rule.id, &rule.cite));
            }
        }
        grounds
    }

    /// Fails closed: a message of people is passed on whole or not at all.
    fn closed(mut self) -> Self {
        if !self.passes() && self.code == 0 {
            self.code = codes::NO_PERMIT;
        }
        self
    }

    /// A refusal that needed no policy.
    pub(crate) fn refusal(code: u16) -> Self {
        Self {
            effect: Effect::Reject,
            code,
            rules: SmallVec::new(),
            labels: Vec::new(),
            situation: None,
        }
    }

    /// Takes up what the table of traits says that the texts of a key carry.
    pub(crate) fn label(&mut self, bundle: &Bundle, key: &Key) {
        self.take_labels(bundle.traits.labels(key));
    }

    fn take_labels<'l>(&mut self, labels: impl IntoIterator<Item = &'l Arc<str>>) {
        for label in labels {
            if let Err(place) = self.labels.binary_search(label) {
                self.labels.insert(place, Arc::clone(label));
            }
        }
    }

    fn take_rules(&mut self, rules: &[RuleId]) {
        for rule in rules {
            if let Err(place) = self.rules.binary_search(rule) {
                self.rules.insert(place, *rule);
            }
        }
    }

    /// The content of a reply without what the rules withhold; none when they withhold nothing.
    pub(crate) fn withhold(&self, bundle: &Bundle, content: &[u8]) -> Option<Vec<u8>> {
        let rules = self.rules.iter().filter_map(|id| bundle.policies.rule(*id));
        let segments = rules.filter_map(|rule| Some((rule, rule.segment.as_deref()?)));
        segments.fold(None, |left: Option<Vec<u8>>, (rule, segment)| {
            let before = left.as_deref().unwrap_or(content);
            let mark = format!("[WITHHELD BY RULE {}]", rule.id);
            match bundle.policies.words().without(segment, before, &mark) {
                Cow::Owned(after) => Some(after),
                Cow::Borrowed(_) => left,
            }
        })
    }

    /// The refusal of a message that has no plan.
    pub(crate) fn unplanned(error: PlanError) -> Self {
        Self::refusal(plan_code(error))
    }
}

/// Verdicts remembered at most.
const MEMO_VERDICTS_MAX: usize = 262_144;
/// Decisions remembered at most.
const DECISIONS_MAX: usize = 65_536;
/// Legs of a message whose decision is remembered.
const LEGS_REMEMBERED: usize = 4;

/// What is asked about a message, but for the facts that its legs share.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct Inquest {
    key: KeyId,
    scope: policy::Scope,
    addressing: policy::Addressing,
    legs: [Option<(KeyId, policy::Destination)>; LEGS_REMEMBERED],
}

/// The judge: Cedar, a memo of its verdicts on situations, and of what these make of messages.
#[derive(Debug)]
pub struct Judge {
    memo: Memo,
    /// Of the bundle with this generation: by the shared facts, the legs, and the run of days
    /// between two changes of the rules.
    decisions: Halves<(u128, Inquest, usize), Decision>,
    generation: u64,
}

impl Default for Judge {
    fn default() -> Self {
        let (memo, decisions) = (Memo::new(MEMO_VERDICTS_MAX), Halves::new(DECISIONS_MAX));
        Self { memo, decisions, generation: 0 }
    }
}

impl Judge {
    /// A judge without memories.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Situations that are remembered, `most` at most.
    #[must_use]
    pub fn remembered(&self, most: usize) -> Vec<Situation> {
        self.memo.situations(most)
    }

    /// A judge that remembers what a bundle says of these situations, so that the first messages
    /// under it are judged as fast as later ones. Asks Cedar once for each.
    #[must_use]
    pub fn prepared(bundle: &Bundle, situations: &[Situation], now_us: i64) -> Self {
        let mut judge = Self::new();
        for situation in situations {
            judge.memo.judge(&bundle.policies, situation, bundle.day(now_us));
        }
        judge
    }

    /// Judges a message that has a plan: the message as it was entered, then each leg by its own
    /// key and destination, since data class comes from both. The most restrictive effect wins.
    pub(crate) fn message(
        &mut self,
        bundle: &Bundle,
        facts: &Facts,
        key: KeyId,
        plan: &Plan<'_>,
        day: i32,
    ) -> Decision {
        let legs = distinct(bundle, key, plan);
        let (scope, addressing) = (scope(plan.scope), addressing(plan.addressing));
        let Self { memo, decisions, generation } = self;
        let mut decide = || decide(memo, bundle, facts, key, &legs, (scope, addressing), day);
        if legs.len() > LEGS_REMEMBERED {
            return decide();
        }
        if *generation != bundle.policies.generation() {
            *generation = bundle.policies.generation();
            decisions.clear();
        }
        let legs = std::array::from_fn(|place| legs.get(place).copied());
        let asked = Inquest { key, scope, addressing, legs };
        let slice = bundle.policies.slice_number(day);
        decisions.get((facts.key(), asked, slice), decide).clone()
    }

    /// Judges a reply or unsolicited traffic of a host.
    pub(crate) fn host_message(
        &mut self,
        bundle: &Bundle,
        facts: &Facts,
        key: KeyFacts,
        day: i32,
    ) -> Decision {
        let heading = Heading {
            key,
            destination: policy::Destination::Agency,
            scope: policy::Scope::Single,
            addressing: policy::Addressing::Fair,
            inherited: true,
        };
        let mut decision = None;
        judge(&mut self.memo, &mut decision, bundle, &facts.situation(heading), day);
        decision.unwrap_or_else(|| Decision::refusal(codes::NO_PERMIT))
    }

    /// A decision in plain sentences: rules, law, and what would have been permitted.
    pub fn explain(&mut self, bundle: &Bundle, decision: &Decision, now_us: i64) -> String {
        match &decision.situation {
            Some(situation) => {
                let day = bundle.day(now_us);
                self.memo.explain(&bundle.policies, situation, day).text.clone()
            }
            None => {
                let expected = codes::find(decision.code).map_or("", |code| code.expected);
                format!("{} E{}: {expected}", decision.effect.name(), decision.code)
            }
        }
    }

    /// The whole answer for one message on one line at one time: what `clets decide` shows.
    ///
    /// Unlike the running switch it does not look at connections, duplicates or queues.
    pub fn decide(
        &mut self,
        bundle: &Bundle,
        line: LineId,
        envelope: &Envelope,
        bytes: &[u8],
        now_us: i64,
    ) -> Decision {
        let day = bundle.day(now_us);
        let translation = bundle.directory.line(line).translation.as_deref();
        let translated = translation.map(|it| it.translate(bytes, envelope)).transpose();
        let translated = match translated {
            Ok(translated) => translated.flatten(),
            Err(error) => return Decision::refusal(error.code),
        };
        let (bytes, envelope) = match &translated {
            Some(meaning) => (meaning.bytes.as_slice(), &meaning.envelope),
            None => (bytes, envelope),
        };
        let key_id = find_key(bundle, envelope, bytes);
        if bundle.directory.line(line).kind == LineKind::Host {
            let heading = match key_id {
                Some(key_id) => bundle.key_facts(key_id),
                None => answer_without_key(bundle, line, envelope),
            };
            let Some(heading) = heading else {
                return Decision::refusal(codes::UNKNOWN_KEY);
            };
            let facts = Facts::of_reply(bundle, whose(heading, envelope, bytes), envelope, bytes);
            return self.host_message(bundle, &facts, heading, day);
        }
        let Some(key_id) = key_id else {
            return Decision::refusal(codes::UNKNOWN_KEY);
        };
        let habit = Habit::default();
        let (key, suspended) = (key_id, false);
        let question = Question { line, key, envelope, bytes, day, habit, suspended };
        match self.consider(bundle, question) {
            Ok((_, decision)) | Err(decision) => decision,
        }
    }

    /// CHECK, PLAN and JUDGE of an agency's message, whichever way it came: the plan of one that
    /// passes, or the refusal.
    pub(crate) fn consider<'a>(
        &mut self,
        bundle: &'a Bundle,
        question: Question<'a>,
    ) -> Result<(Plan<'a>, Decision), Decision> {
        let Question { key: key_id, envelope, bytes, day, .. } = question;
        let (directory, catalogue) = (&bundle.directory, &bundle.catalogue);
        let unknown = || Decision::refusal(codes::UNKNOWN_KEY);
        let key = catalogue.key(key_id).ok_or_else(unknown)?;
        catalogue.check(key_id, envelope, bytes).map_err(|error| Decision::refusal(error.code))?;
        let for_everyone = bundle.traits.is_for_everyone(key);
        let mut plan =
            plan(directory, envelope, bytes, key, for_everyone).map_err(Decision::unplanned)?;
        let sender = envelope.origin.and_then(|ori| directory.ori(ori.of(bytes)));
        if for_everyone && envelope.destinations.is_empty() && !may_alert(directory, sender) {
            plan.scope = Scope::Statewide;
        }
        let facts = Facts::gather(bundle, question, &plan);
        let decision = self.message(bundle, &facts, key_id, &plan, day);
        if !decision.passes() {
            return Err(decision);
        }
        plan.fair().map_err(Decision::unplanned)?;
        if !plan.admits(directory, facts.agency(directory)) {
            return Err(Decision::refusal(codes::NOT_A_SENDER));
        }
        Ok((plan, decision))
    }
}

/// The keys and destinations that the legs of a message are judged by, each once where it would be
/// asked again at once; none without a leg.
fn distinct(
    bundle: &Bundle,
    key: KeyId,
    plan: &Plan<'_>,
) -> SmallVec<[(KeyId, policy::Destination); LEGS_REMEMBERED]> {
    let of = |leg: &Leg<'_>| match leg {
        Leg::Host { host, spec, .. } => {
            let found = bundle.catalogue.find(&spec.system, &spec.key);
            (found.unwrap_or(key), bundle.destination(*host))
        }
        // The stations of a group are one destination to policy.
        Leg::Station(_) if !plan.groups.is_empty() => (key, policy::Destination::Group),
        Leg::Station(_) => (key, policy::Destination::Agency),
    };
    let mut legs = SmallVec::new();
    for leg in plan.legs.iter().map(of) {
        if legs.last() != Some(&leg) {
            legs.push(leg);
        }
    }
    legs
}

/// The decision about a message with these legs.
fn decide(
    memo: &mut Memo,
    bundle: &Bundle,
    facts: &Facts,
    key: KeyId,
    legs: &[(KeyId, policy::Destination)],
    (scope, addressing): (policy::Scope, policy::Addressing),
    day: i32,
) -> Decision {
    let own = legs.first().map(|(_, destination)| (key, *destination, false));
    let legs = legs.iter().map(|(key, destination)| (*key, *destination, true));
    let mut decision = None;
    for (key, destination, inherited) in own.into_iter().chain(legs) {
        let Some(key) = bundle.key_facts(key) else {
            return Decision::refusal(codes::UNKNOWN_KEY);
        };
        let heading = Heading { key, destination, scope, addressing, inherited };
        judge(memo, &mut decision, bundle, &facts.situation(heading), day);
    }
    let mut decision = decision.unwrap_or_else(|| Decision::refusal(codes::NO_ROUTE)).closed();
    if let Some(key) = bundle.catalogue.key(key) {
        decision.label(bundle, key);
    }
    decision
}

/// Adds what policy says of one situation to what was decided so far.
fn judge(
    memo: &mut Memo,
    decision: &mut Option<Decision>,
    bundle: &Bundle,
    situation: &Situation,
    day: i32,
) {
    let verdict = memo.judge(&bundle.policies, situation, day);
    let severity = verdict.effect.severity();
    if decision.as_ref().is_none_or(|so_far| so_far.effect.severity() < severity) {
        *decision = Some(Decision {
            effect: verdict.effect,
            code: verdict.code,
            rules: SmallVec::new(),
            labels: decision.take().map(|it| it.labels).unwrap_or_default(),
            situation: Some(*situation),
        });
    }
    let Some(decision) = decision else { return };
    if decision.effect.severity() == severity {
        decision.take_rules(&verdict.rules);
    }
    decision.take_labels(&verdict.labels);
}

/// Whether an agency's alert goes out at once: those that may send to the group for alerts.
fn may_alert(directory: &Directory, sender: Option<OriId>) -> bool {
    let group = directory.group(directory.settings().alert_group.as_bytes());
    let agency = sender.map(|ori| directory.ori_of(ori).agency);
    let pair = group.zip(agency);
    pair.is_some_and(|(group, agency)| directory.group_of(group).senders.include(agency))
}

/// The catalogue's row for a message.
pub(crate) fn find_key(bundle: &Bundle, envelope: &Envelope, bytes: &[u8]) -> Option<KeyId> {
    // NCIC's texts have no key of their own; one that begins with `.02.` is a status message.
    let status = || {
        let ncic = envelope.dialect == clets_wire::Dialect::NcicOut;
        let text = envelope.text.filter(|_| ncic)?.of(bytes).trim_ascii_start();
        matches!(text, [b'.', b'0', b'1'..=b'4', b'.', ..])
            .then(|| bundle.catalogue.find(b"", b"SM"))?
    };
    bundle.catalogue.find_message(bytes, envelope).or_else(status)
}

/// An answer of NCIC names no key. What it was asked with only the running switch knows; here it is
/// of the files that the host is for.
fn answer_without_key(bundle: &Bundle, line: LineId, envelope: &Envelope) -> Option<KeyFacts> {
    let answers = envelope.dialect == clets_wire::Dialect::NcicOut && envelope.control.is_some();
    let data_class = match bundle.destination(line) {
        policy::Destination::Iii => policy::DataClass::ChiIii,
        _ => policy::DataClass::HotPerson,
    };
    answers.then_some(KeyFacts { action: policy::Action::Reply, data_class })
}

/// The ORI whose agency decides on a host's message that nobody asked for: whoever asks the state
/// something, else its first addressee; empty without one.
pub(crate) fn whose<'a>(key: KeyFacts, envelope: &Envelope, bytes: &'a [u8]) -> &'a [u8] {
    let span = match key.action {
        policy::Action::Inquire => envelope.origin,
        _ => envelope.destinations.first().copied(),
    };
    span.map(|it| it.of(bytes)).unwrap_or_default()
}

/// The numbered code of a missing plan.
pub(crate) fn plan_code(error: PlanError) -> u16 {
    match error {
        PlanError::Canadian => codes::CANADA_BY_CN,
        PlanError::DestinationUnknown => codes::DESTINATION_UNKNOWN,
        PlanError::NoRoute => codes::NO_ROUTE,
        PlanError::TooManyDestinations => codes::TOO_MANY_DESTINATIONS,
    }
}

fn addressing(addressing: Addressing) -> policy::Addressing {
    match addressing {
        Addressing::Canadian => policy::Addressing::Canadian,
        Addressing::Fair => policy::Addressing::Fair,
        Addressing::Many => policy::Addressing::Many,
        Addressing::ManyStates => policy::Addressing::ManyStates,
    }
}

fn scope(scope: Scope) -> policy::Scope {
    match scope {
        Scope::AllPoints => policy::Scope::AllPoints,
        Scope::Canada => policy::Scope::Canada,
        Scope::Group => policy::Scope::Group,
        Scope::Joint => policy::Scope::Joint,
        Scope::Region => policy::Scope::Region,
        Scope::Single => policy::Scope::Single,
        Scope::State => policy::Scope::State,
        Scope::Statewide => policy::Scope::Statewide,
    }
}
