//! What an operator sees: lines, queues and counters. No personal data.

use clets_routing::LineKind;
use serde::Serialize;

use crate::engine::Engine;
use crate::queue::PRECEDENCES;

/// One line's state.
#[derive(Clone, Debug, Serialize)]
pub struct LineStatus {
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// `agency` or `host`.
    pub kind: &'static str,
    /// It has a session that may carry traffic.
    pub up: bool,
    /// Entries waiting, P0 to P4.
    pub waiting: [usize; PRECEDENCES],
    /// Entries on the wire, not yet acknowledged.
    pub in_flight: usize,
    /// Messages taken into custody since the start.
    pub accepted: u64,
    /// Messages refused since the start.
    pub refused: u64,
    /// Entries delivered since the start.
    pub delivered: u64,
    /// Entries expired since the start.
    pub expired: u64,
    /// What a file does not take: family (empty for all) and `held`, `removed` or `up`.
    pub service: Vec<(String, &'static str)>,
    /// Inquiries that a metered file has not answered.
    pub unanswered: usize,
    /// What an operator lets it do: `open`, `held`, `drained`.
    pub passage: &'static str,
    /// The line that takes what is meant for it; empty when none does.
    pub diverted_to: String,
    /// Its dead letters.
    pub dead_letters: usize,
}

/// The whole switch.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// The content hash of the bundle in force.
    pub bundle: String,
    /// The number the next record will have.
    pub next_number: u64,
    /// Records on stable storage.
    pub durable: u64,
    /// Connections.
    pub sessions: usize,
    /// Inquiries that wait for their replies.
    pub correlated: usize,
    /// Hit confirmation requests that wait for an answer.
    pub confirmations: usize,
    /// Hit confirmations that stayed unanswered to the third request, since the start.
    pub alarms: u64,
    /// Messages that wait in the intercept queue.
    pub intercepted: usize,
    /// Users whom an operator has suspended.
    pub suspended: usize,
    /// Dead letters, which wait for an operator.
    pub dead_letters: usize,
    /// How much of what was offered of late was turned away because of overload, percent; at 100
    /// only P0 is taken.
    pub closed_percent: u8,
    /// For a minimize: what is below this precedence waits.
    pub minimize: Option<u8>,
    /// Every line.
    pub lines: Vec<LineStatus>,
}

impl Engine {
    /// The state now.
    #[must_use]
    pub fn status(&self) -> Status {
        let lines = self.bundle.directory.line_ids().zip(&self.lines);
        Status {
            bundle: self.bundle.hash.clone(),
            next_number: self.next_number,
            durable: self.durable,
            sessions: self.sessions.len(),
            correlated: self.pending.len(),
            confirmations: self.confirmations.len(),
            alarms: self.confirmations.alarms,
            intercepted: self.intercepts.len(),
            suspended: self.suspended.len(),
            dead_letters: self.dead.len(),
            closed_percent: self.admission.closed_percent(),
            minimize: self.minimize.map(|(precedence, _)| precedence),
            lines: lines
                .map(|((id, line), state)| LineStatus {
                    name: line.name.to_string(),
                    title: line.title.to_string(),
                    kind: match line.kind {
                        LineKind::Agency => "agency",
                        LineKind::Host => "host",
                    },
                    up: state.session.is_some(),
                    waiting: state.depths(),
                    in_flight: state.in_flight(),
                    accepted: state.tally.accepted,
                    refused: state.tally.refused,
                    delivered: state.tally.delivered,
                    expired: state.tally.expired,
                    service: self
                        .services
                        .of(id)
                        .iter()
                        .map(|(family, state)| (family.to_string(), state.name()))
                        .collect(),
                    unanswered: state.unanswered(),
                    passage: state.passage.name(),
                    diverted_to: state
                        .diverted
                        .map_or_else(String::new, |diversion| self.line_name(diversion.to)),
                    dead_letters: self.dead.count(id),
                })
                .collect(),
        }
    }
}
