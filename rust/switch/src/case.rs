//! Cases: what the rules want somebody to look into, as records of their own in the journal.

use std::borrow::Cow;

use clets_policy::Effect;

use crate::engine::Engine;
use crate::intake::Incoming;
use crate::record::{self, Case};
use crate::{Decision, Effects};

impl Engine {
    /// Opens a case for message `number` when a rule blocked or flagged it. CITE: CLETS PPP 1.10,
    /// the agency investigates and tells the state; rules.
    pub(crate) fn open_case(
        &mut self,
        number: u64,
        incoming: &Incoming<'_>,
        decision: &Decision,
        effects: &mut Effects,
    ) {
        let looked_into = |effect| matches!(effect, Effect::Block | Effect::Flag);
        let rules = decision.rules.iter().filter_map(|id| self.bundle.policies.rule(*id));
        let mut ids: Vec<Cow<'_, str>> = rules
            .filter(|rule| looked_into(rule.effect))
            .map(|rule| Cow::Borrowed(rule.id.as_str()))
            .collect();
        ids.dedup();
        if ids.is_empty() {
            return;
        }
        let body = record::encode(&Case {
            message: number,
            line: (&*self.bundle.directory.line(incoming.line).name).into(),
            station: incoming.text(incoming.envelope.station),
            ori: incoming.text(incoming.envelope.origin),
            user: incoming.text(incoming.envelope.user),
            key: incoming.key().into(),
            effect: decision.effect.name().into(),
            rules: ids,
        });
        self.append(record::CASE, body, effects);
    }
}
