//! FOLLOW UP: what a reply says lets the switch ask the next file, where the requester's line
//! wants it and a rule of the bundle names it.
//!
//! Such an inquiry is a message like any other: made out to the requester's station, ORI and
//! user, with the reason and purpose of the first one, judged by policy, recorded with the rule
//! that made it and the number of the inquiry that it follows. Nobody acknowledges it, and its
//! refusal stays in the journal. What it brings back is followed no further.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use clets_routing::FollowUp;
use clets_wire::{Dialect, Outbound, decode, encode};

use crate::control::LEGS_MAX;
use crate::decision::find_key;
use crate::engine::Engine;
use crate::entry::Stored;
use crate::facts::Question;
use crate::habits::Habit;
use crate::intake::Incoming;
use crate::receipt::Receipt;
use crate::{Control, Decision, Effects, codes};

/// Inquiries that the replies to one inquiry may cause, over all its legs.
const FOLLOW_UPS_MAX: u8 = 4;

/// The count with which a message begins: one that follows is followed by none.
pub(crate) fn count_of(follows: bool) -> u8 {
    if follows { FOLLOW_UPS_MAX } else { 0 }
}

impl Engine {
    /// Asks what the rules of the bundle ask because of `reply`.
    pub(crate) fn follow_up(
        &mut self,
        asked: &Arc<Stored>,
        reply: &Stored,
        now_us: i64,
        effects: &mut Effects,
    ) {
        let bundle = Arc::clone(&self.bundle);
        // Whoever reads a late answer asks further themselves, if they still want to know.
        let wanted =
            asked.line.is_some_and(|line| bundle.directory.line(line).follow_ups) && !reply.late;
        let (true, Some(host), Some(key)) = (wanted, reply.line, bundle.catalogue.key(asked.key))
        else {
            return;
        };
        let name = key.name();
        for rule in bundle.directory.follow_ups() {
            let applies =
                rule.hosts.contains(&host) && rule.after.iter().any(|after| **after == *name);
            let fields = applies.then(|| rule.locate(reply.content())).flatten();
            let Some(fields) = fields else {
                continue;
            };
            let before = asked.follow_ups.load(Ordering::Relaxed);
            if before >= FOLLOW_UPS_MAX {
                return;
            }
            self.followed(asked.number);
            // It is another copy when all its legs were settled before.
            asked.follow_ups.fetch_max(before + 1, Ordering::Relaxed);
            self.ask_further(asked, rule, &fields, now_us, effects);
        }
    }

    /// Notes that an inquiry was followed.
    pub(crate) fn followed(&mut self, number: u64) {
        let legs = 0..u16::try_from(LEGS_MAX).unwrap_or(u16::MAX);
        let controls = legs.map(|leg| Control::of(number, leg));
        // Those that wait have the message in common.
        if let Some(waiting) = controls.clone().find_map(|control| self.pending.get(control)) {
            waiting.stored.follow_ups.fetch_add(1, Ordering::Relaxed);
        }
        controls.for_each(|control| self.settled.followed(control));
    }

    fn ask_further(
        &mut self,
        asked: &Stored,
        rule: &FollowUp,
        found: &[(&[u8], &[u8])],
        now_us: i64,
        effects: &mut Effects,
    ) {
        let bundle = Arc::clone(&self.bundle);
        let Some(line) = asked.line else {
            return;
        };
        // Purpose and reason are those that the requester stated, never the switch's own.
        let mut fields: Vec<(&[u8], &[u8])> = found.to_vec();
        let names = &bundle.directory.settings().fields;
        let stated = [
            &names.california_purpose,
            &names.purpose,
            &names.reason,
            &names.attention,
            &names.case,
        ];
        for code in stated.map(|name| name.as_bytes()) {
            let given =
                asked.envelope.fields.iter().filter(|it| it.code_span().of(&asked.body) == code);
            fields.extend(given.map(|it| (code, it.value.of(&asked.body))));
        }
        let mut body = Vec::with_capacity(256);
        let message = Outbound {
            mke: &rule.key,
            system: (!rule.system.is_empty()).then_some(&*rule.system),
            federal_only: rule.federal_only,
            origin: asked.origin(),
            reference: asked.reference(),
            user: asked.user(),
            station: asked.station(),
            fields: &fields,
            ..Outbound::default()
        };
        encode(&mut body, Dialect::Clets, &message);
        let Ok(envelope) = decode(&body, Dialect::Clets) else {
            return;
        };
        let incoming = Incoming {
            original: &body,
            entered: &[],
            follow_up: Some((&rule.name, asked.number)),
            line,
            receipt: Receipt::Dmpp { validation: [0; 4], wanted: false },
            bytes: &body,
            envelope: &envelope,
            dialect: Dialect::Clets,
        };
        if let Err(decision) = self.try_further(&incoming, now_us, effects) {
            let judged = Some((&incoming, &decision));
            let (receipt, code) = (incoming.receipt, decision.code);
            let number = self.record_refused(line, judged, receipt, code, &body, effects);
            self.open_case(number, &incoming, &decision, effects);
        }
    }

    /// PLAN, JUDGE and RECORD of an inquiry of the switch's own.
    fn try_further(
        &mut self,
        incoming: &Incoming<'_>,
        now_us: i64,
        effects: &mut Effects,
    ) -> Result<(), Decision> {
        let bundle = Arc::clone(&self.bundle);
        let (envelope, bytes, day) = (incoming.envelope, incoming.bytes, bundle.day(now_us));
        let unknown = || Decision::refusal(codes::UNKNOWN_KEY);
        let key_id = find_key(&bundle, envelope, bytes).ok_or_else(unknown)?;
        let (line, habit) = (incoming.line, Habit::default());
        let suspended = self.is_suspended(envelope, bytes);
        let question = Question { line, key: key_id, envelope, bytes, day, habit, suspended };
        let (plan, decision) = self.judge.consider(&bundle, question)?;
        if !decision.permits() {
            return Err(decision);
        }
        if self.is_full(&plan) || self.awaits_too_much(key_id, &plan) {
            return Err(Decision::refusal(codes::QUEUE_FULL));
        }
        let number = self.accept(incoming, key_id, &plan, &decision, now_us, effects);
        self.open_case(number, incoming, &decision, effects);
        Ok(())
    }
}
