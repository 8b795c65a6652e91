//! CORRELATE: from a host's answer back to the station that asked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use clets_defect::{self as defect, Defect};
use clets_policy::{Action, Effect};
use clets_routing::{Framing, LineId};
use clets_wire::{Dialect, Envelope, KeyId, decode};
use serde::{Deserialize, Serialize};

use crate::bundle::KeyFacts;
use crate::decision::{find_key, whose};
use crate::engine::Engine;
use crate::entry::{Entry, Stored};
use crate::expiry::is_update;
use crate::facts::Facts;
use crate::intake::{Incoming, lifetime_us, urgency};
use crate::intercept::INTERCEPTS_MAX;
use crate::plan::{Scope, everyone, known_stations, plan_by_ori};
use crate::record::{Accepted, HeldFor, Outcome, Target};
use crate::references::{HOST_REPETITION_US, Reference, References, fingerprint};
use crate::session::Session;
use crate::settled::End;
use crate::timers::Timer;
use crate::{Bundle, Control, Decision, Effects};

/// A reply, and whose it is.
struct Addressed<'a> {
    control: Control,
    asked: &'a Arc<Stored>,
    /// It came after its deadline.
    late: bool,
}

/// The station that asked, under the reference that it gave.
fn asker(asked: &Stored) -> Target<'static> {
    let own = |part: &[u8]| String::from_utf8_lossy(part).into_owned();
    Target::Station {
        mnemonic: own(asked.station()).into(),
        reference: match defect::has(Defect::ReplyMisdirected) {
            true => "C0".into(),
            false => own(asked.reference()).into(),
        },
        user: own(asked.user()).into(),
    }
}

/// A host's message without what the rules withhold; none when they withhold nothing. The journal
/// keeps what the host said.
///
/// # Errors
/// When nothing of it may be passed on, or nothing readable would be left.
fn withheld(
    bundle: &Bundle,
    incoming: &Incoming<'_>,
    decision: &Decision,
) -> Result<Option<(Vec<u8>, Envelope)>, ()> {
    let (envelope, bytes) = (incoming.envelope, incoming.bytes);
    if !decision.permits_reply() {
        return Err(());
    }
    let Some(content) = decision.withhold(bundle, envelope.content(bytes)) else {
        return Ok(None);
    };
    let span = envelope.content_span().unwrap_or_default();
    let before = bytes.get(..span.start as usize).unwrap_or_default();
    let after = bytes.get(span.end as usize..).unwrap_or_default();
    let part = [before, &content, after].concat();
    let envelope = decode(&part, incoming.dialect).map_err(drop)?;
    Ok(Some((part, envelope)))
}

/// Precedence of replies: that of inquiries (delivery contract, P2).
const REPLY_PRECEDENCE: u8 = 2;

/// An inquiry on its way to one host, whose reply has not come.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) stored: Arc<Stored>,
    /// The key that the host was asked with; its answer has this class.
    pub(crate) key: KeyId,
    /// The host that was asked.
    pub(crate) host: LineId,
    /// Where the entry stands in the host's queue.
    pub(crate) precedence: u8,
    pub(crate) sequence: u64,
    index: u16,
    reply_within_ms: u32,
    after_delivery: bool,
    /// Its reply is due then, microseconds since 1970; 0 while nothing is due.
    due_us: i64,
}

impl Pending {
    pub(crate) fn new(entry: &Entry, key: KeyId) -> Self {
        let (reply_within_ms, after_delivery) = match entry.target {
            Target::Host { reply_within_ms, after_delivery, .. } => {
                (reply_within_ms, after_delivery)
            }
            Target::Station { .. } => (0, false),
        };
        Self {
            stored: Arc::clone(&entry.stored),
            key,
            host: entry.line,
            precedence: entry.precedence,
            sequence: entry.sequence,
            index: entry.index,
            reply_within_ms,
            after_delivery,
            due_us: 0,
        }
    }
}

impl Engine {
    pub(crate) fn take_from_host(
        &mut self,
        session: &Session,
        incoming: &Incoming<'_>,
        now_us: i64,
        effects: &mut Effects,
    ) {
        let envelope = incoming.envelope;
        let echoed = match incoming.dialect {
            Dialect::Clets => incoming.part(envelope.reference),
            _ => incoming.part(envelope.control),
        };
        let control = Control::parse(echoed);
        let body = fingerprint(incoming.original);
        let line = self.bundle.directory.line(incoming.line);
        let name = References::name(line, &[echoed, &body.to_be_bytes()]);
        let window_us = self.duplicate_window_us();
        let said = self.line_state(incoming.line).and_then(|line| {
            // However long a host was away, it may begin with what it sent before.
            let up = line.session.is_some() && now_us - line.up_since_us >= HOST_REPETITION_US;
            line.said.forget(now_us - if up { HOST_REPETITION_US } else { window_us });
            line.said.find(name)
        });
        if let Some(known) = said {
            // The host did not see our acknowledgement and sent the same again.
            return self.answer_accepted(session, incoming.receipt, known.number);
        }
        let asked =
            control.and_then(|control| Some((control, self.asked(control, incoming.line)?)));
        if self.unreadable.is_some() {
            // What it answers is known and cannot be read: the switch stops.
            return;
        }
        let number = match asked {
            Some((control, (asked, key, late))) => {
                let late = late && !defect::has(Defect::LateUnmarked);
                self.pass_back(session, incoming, control, &(asked, key), late, now_us, effects)
            }
            None => {
                let number = self.pass_by_ori(session, incoming, now_us, effects);
                let key = find_key(&self.bundle, envelope, incoming.bytes);
                if number.is_some() && key.is_some_and(|key| self.bundle.is_status(key)) {
                    self.heed_status(incoming, now_us, effects);
                }
                number
            }
        };
        if let Some(number) = number {
            if let Some(line) = self.line_state(incoming.line) {
                line.said.remember(name, Reference { body, number }, now_us);
            }
            self.answer_accepted(session, incoming.receipt, number);
        }
    }

    /// What a host was asked, with which key, and whether its answer is late.
    fn asked(&mut self, control: Control, host: LineId) -> Option<(Arc<Stored>, KeyId, bool)> {
        if let Some(pending) = self.pending.get(control).filter(|it| it.host == host) {
            return Some((Arc::clone(&pending.stored), pending.key, false));
        }
        let past = *self.settled.get(control).filter(|it| it.host == host)?;
        Some((self.question(control)?, past.key, past.overdue))
    }

    /// A reply goes to the station that asked, under the reference that it gave.
    #[expect(clippy::too_many_arguments, reason = "private; the correlation was just found")]
    fn pass_back(
        &mut self,
        session: &Session,
        incoming: &Incoming<'_>,
        control: Control,
        (asked, asked_key): &(Arc<Stored>, KeyId),
        late: bool,
        now_us: i64,
        effects: &mut Effects,
    ) -> Option<u64> {
        let bundle = Arc::clone(&self.bundle);
        let key_id = find_key(&bundle, incoming.envelope, incoming.bytes).unwrap_or(*asked_key);
        let data_class = bundle.key_facts(key_id)?.data_class;
        let (envelope, bytes) = (incoming.envelope, incoming.bytes);
        let facts = Facts::of_reply(&bundle, asked.origin(), envelope, bytes);
        let heading = KeyFacts { action: Action::Reply, data_class };
        let decision = self.judge.host_message(&bundle, &facts, heading, bundle.day(now_us));
        self.compare_reply(incoming, asked.origin(), heading, &decision, now_us);
        let to = Addressed { control, asked, late };
        if decision.effect == Effect::Hold && self.intercepts.len() < INTERCEPTS_MAX {
            return self.hold_reply(incoming, key_id, &to, &decision, now_us, effects);
        }
        let Ok(part) = withheld(&bundle, incoming, &decision) else {
            self.set_aside(session, incoming, &decision, effects);
            return None;
        };
        let part = part.as_ref().map(|(bytes, envelope)| incoming.reduced_to(bytes, envelope));
        let incoming = part.as_ref().unwrap_or(incoming);
        // "Out of service, will be forwarded" is no answer yet: that still comes.
        let awaited = bundle.is_status(key_id) && incoming.says(b".02.");
        if !awaited {
            self.answered(control, incoming.line, now_us);
        }
        let requester = asked.line?;
        let accepted = Accepted {
            parent: Some(control.number()),
            leg: Some(control.leg()),
            late,
            ..decision.accepted(&bundle)
        };
        // What is collated is a record of its own without entries, until the others have come.
        let held = self.holds_back(control, incoming.bytes.len());
        let targets = if held { Vec::new() } else { vec![(requester, asker(asked))] };
        let stored = self.pass_on(
            incoming,
            key_id,
            REPLY_PRECEDENCE,
            accepted,
            Some(asked),
            targets,
            now_us,
            effects,
        );
        let number = stored.number;
        self.open_case(number, incoming, &decision, effects);
        self.follow_up(asked, &stored, now_us, effects);
        if held {
            self.collate_reply(control, stored);
        }
        self.finish_collation(control.number(), now_us, effects);
        Some(number)
    }

    /// A host has answered a leg. Then it was asked, though it may not have acknowledged that yet.
    fn answered(&mut self, control: Control, host: LineId, now_us: i64) {
        // A native line says itself how far it has come, and that is cumulative.
        let is_dmpp = self.bundle.directory.line(host).framing == Framing::Dmpp;
        let pending = self.pending.get(control).map(|it| (it.precedence, it.sequence));
        let past = || self.settled.get(control).map(|it| (it.precedence, it.sequence));
        let place = pending.or_else(past).filter(|_| is_dmpp);
        let asked = place.and_then(|(precedence, sequence)| {
            let entry = self.line_state(host)?.withdraw(precedence, sequence)?;
            self.withdrawn((host, precedence), entry)
        });
        if let Some(entry) = asked {
            if let Some(line) = self.line_state(host) {
                line.note_delivered(entry.precedence, entry.sequence);
            }
            self.delivered(&entry, now_us);
        }
        self.settle(control, End::Answered, now_us);
    }

    /// A reply that policy holds waits in the intercept queue; whoever asked is told so.
    fn hold_reply(
        &mut self,
        incoming: &Incoming<'_>,
        key_id: KeyId,
        to: &Addressed<'_>,
        decision: &Decision,
        now_us: i64,
        effects: &mut Effects,
    ) -> Option<u64> {
        let bundle = Arc::clone(&self.bundle);
        let line = to.asked.line?;
        self.answered(to.control, incoming.line, now_us);
        // It comes by itself when it comes, and no other answer waits for it.
        self.holds_back(to.control, usize::MAX);
        let accepted = Accepted {
            parent: Some(to.control.number()),
            leg: Some(to.control.leg()),
            late: to.late,
            held_until_us: now_us + lifetime_us(&bundle, REPLY_PRECEDENCE, true),
            requester: String::from_utf8_lossy(to.asked.origin()),
            entered: String::from_utf8_lossy(&to.asked.entered),
            held_for: Some(HeldFor { line: self.line_name(line).into(), target: asker(to.asked) }),
            ..decision.accepted(&bundle)
        };
        let stored = Arc::new(self.record_accepted(incoming, key_id, &accepted, effects));
        self.open_case(stored.number, incoming, decision, effects);
        self.hold_for_approval(&stored, &accepted, now_us);
        let text = "HELD FOR APPROVAL. AN ANSWER TO YOUR INQUIRY WAITS FOR THE CONTROL CENTER.";
        self.tell(to.asked, "DLY", text, now_us, effects);
        self.finish_collation(to.control.number(), now_us, effects);
        Some(stored.number)
    }

    /// What nobody asked for goes to the stations of the ORIs that it names.
    fn pass_by_ori(
        &mut self,
        session: &Session,
        incoming: &Incoming<'_>,
        now_us: i64,
        effects: &mut Effects,
    ) -> Option<u64> {
        let bundle = Arc::clone(&self.bundle);
        // NCIC's unsolicited texts have no key of their own and are administrative.
        let administrative = || bundle.catalogue.find(b"", b"AM");
        let key_id =
            find_key(&bundle, incoming.envelope, incoming.bytes).or_else(administrative)?;
        let planned = plan_by_ori(&bundle.directory, incoming.envelope, incoming.bytes);
        let row = bundle.catalogue.key(key_id);
        let stations = match planned {
            Ok(stations) => stations,
            Err(_) if row.is_some_and(|key| bundle.traits.is_for_everyone(key)) => {
                everyone(&bundle.directory)
            }
            // A file's word on its service is never refused, whomever it names.
            Err(_) if bundle.is_status(key_id) => {
                let known = known_stations(&bundle.directory, incoming.envelope, incoming.bytes);
                let control = bundle.directory.settings().control_station.as_bytes();
                let control = || bundle.directory.station(control).into_iter().collect();
                if known.is_empty() { control() } else { known }
            }
            Err(error) => {
                self.set_aside(session, incoming, &Decision::unplanned(error), effects);
                return None;
            }
        };
        let (envelope, bytes) = (incoming.envelope, incoming.bytes);
        let heading = bundle.key_facts(key_id)?;
        let whose = whose(heading, envelope, bytes);
        let facts = Facts::of_reply(&bundle, whose, envelope, bytes);
        let mut decision = self.judge.host_message(&bundle, &facts, heading, bundle.day(now_us));
        let Ok(part) = withheld(&bundle, incoming, &decision) else {
            self.set_aside(session, incoming, &decision, effects);
            return None;
        };
        let part = part.as_ref().map(|(bytes, envelope)| incoming.reduced_to(bytes, envelope));
        let incoming = part.as_ref().unwrap_or(incoming);
        if let Some(key) = row {
            decision.label(&bundle, key);
        }
        let mut targets: Vec<(LineId, Target<'static>)> = Vec::with_capacity(stations.len());
        for id in stations {
            let station = bundle.directory.station_of(id);
            let mnemonic = String::from_utf8_lossy(&station.mnemonic).into_owned().into();
            let target = Target::Station { mnemonic, reference: "".into(), user: "".into() };
            targets.push((station.line, target));
        }
        let (envelope, bytes) = (incoming.envelope, incoming.bytes);
        let own = urgency(&bundle, key_id, Scope::Single, envelope, bytes);
        let accepted = decision.accepted(&bundle);
        let stored = self.pass_on(incoming, key_id, own, accepted, None, targets, now_us, effects);
        self.open_case(stored.number, incoming, &decision, effects);
        Some(stored.number)
    }

    #[expect(clippy::too_many_arguments, reason = "private; the common end of two ways")]
    fn pass_on(
        &mut self,
        incoming: &Incoming<'_>,
        key_id: KeyId,
        precedence: u8,
        mut accepted: Accepted<'_>,
        asked: Option<&Stored>,
        targets: Vec<(LineId, Target<'static>)>,
        now_us: i64,
        effects: &mut Effects,
    ) -> Arc<Stored> {
        let bundle = Arc::clone(&self.bundle);
        let deadline_us = now_us + lifetime_us(&bundle, precedence, false);
        let mut entries = Vec::with_capacity(targets.len());
        for (line, target) in targets {
            entries.push(self.entry_record(line, precedence, deadline_us, target));
        }
        accepted.entries = entries.iter().map(|(_, record)| record.clone()).collect();
        if let Some(asked) = asked {
            accepted.requester = String::from_utf8_lossy(asked.origin()).into_owned().into();
            accepted.entered = String::from_utf8_lossy(&asked.entered).into_owned().into();
        }
        let stored = Arc::new(self.record_accepted(incoming, key_id, &accepted, effects));
        self.follow(&stored, accepted.parent, now_us);
        self.enqueue(&stored, entries, now_us);
        stored
    }

    /// The deadline of a reply: if none came, the sender is told, and the inquiry is withdrawn
    /// where it still waits.
    pub(crate) fn reply_overdue(&mut self, control: Control, now_us: i64, effects: &mut Effects) {
        let Some(pending) = self.pending.get(control) else {
            return;
        };
        let (host, precedence, sequence) = (pending.host, pending.precedence, pending.sequence);
        let entry = self.line_state(host).and_then(|it| it.withdraw(precedence, sequence));
        let entry = entry.and_then(|it| self.withdrawn((host, precedence), it));
        // What was never sent brings no late answer; of all else one is still passed on.
        if let Some(entry) = entry.filter(|entry| !entry.possible_duplicate) {
            self.expired(&entry, now_us, effects);
        } else {
            self.no_reply(control, now_us, effects);
        }
        self.pump(host, now_us, effects);
    }

    /// Whether an inquiry that ends undelivered may have reached the file, which then may answer.
    pub(crate) fn may_be_answered(&self, entry: &Entry) -> bool {
        let control = Control::of(entry.stored.number, entry.index);
        // An update is kept as a dead letter instead.
        let update = is_update(&self.bundle, entry.key);
        entry.possible_duplicate && !update && self.pending.get(control).is_some()
    }

    /// The sender is told that no reply came; one that comes yet is passed on, marked late.
    pub(crate) fn no_reply(&mut self, control: Control, now_us: i64, effects: &mut Effects) {
        let Some(pending) = self.settle(control, End::Overdue, now_us) else {
            return;
        };
        let Pending { stored, host, index, .. } = pending;
        self.outcome(stored.number, index, Outcome::NoReply);
        // Of an unanswered hit confirmation its requester is told what to do next instead.
        let key = self.bundle.catalogue.key(stored.key);
        let confirms = key.is_some_and(|key| key.action == clets_wire::Action::Confirm);
        if !self.leg_silent(control, now_us, effects) && !confirms {
            self.tell_no_reply(&stored, host, now_us, effects);
        }
    }

    /// Whether the sender was told that no reply came.
    pub(crate) fn is_overdue(&self, entry: &Entry) -> bool {
        let control = Control::of(entry.stored.number, entry.index);
        self.settled.get(control).is_some_and(|past| past.overdue)
    }

    /// After recovery: what a metered host was sent before and has not answered.
    pub(crate) fn count_unanswered<T>(&mut self, open: &BTreeMap<(u64, u16), T>) {
        for (control, pending) in self.pending.iter() {
            let sent = !open.contains_key(&(control.number(), control.leg()));
            if sent {
                let line = self.lines.get_mut(pending.host.index());
                line.into_iter().for_each(|line| line.asked(control));
            }
        }
    }

    /// An update may wait for days; its reply is expected from the moment of its delivery.
    pub(crate) fn await_reply_to_update(&mut self, control: Control, now_us: i64) {
        let Some(pending) = self.pending.get(control) else {
            return;
        };
        let key = self.bundle.catalogue.key(pending.stored.key);
        if pending.after_delivery || key.is_some_and(|key| key.update) {
            let due_us = now_us + i64::from(pending.reply_within_ms) * 1000;
            self.reply_due(control, due_us);
        }
    }

    /// Sets the time by which a reply must have come.
    pub(crate) fn reply_due(&mut self, control: Control, due_us: i64) {
        if let Some(pending) = self.pending.get_mut(control) {
            pending.due_us = due_us;
        }
        self.timers.set(due_us, Timer::Reply(control));
    }

    /// All inquiries that wait for replies, in order.
    pub(crate) fn pending_states(&self) -> Vec<(u64, u16, PendingState)> {
        let mut states: Vec<_> = self
            .pending
            .iter()
            .map(|(control, it)| {
                let state = PendingState {
                    key: it.key.0,
                    host: it.host.0,
                    place: (it.precedence, it.sequence),
                    reply_within_ms: it.reply_within_ms,
                    after_delivery: it.after_delivery,
                    due_us: it.due_us,
                    follow_ups: it.stored.follow_ups.load(Ordering::Relaxed),
                };
                (control.number(), control.leg(), state)
            })
            .collect();
        states.sort_by_key(|(number, leg, _)| (*number, *leg));
        states
    }

    /// Goes on waiting for replies as a snapshot says.
    pub(crate) fn resume_pending(
        &mut self,
        stored: &Arc<Stored>,
        index: u16,
        state: &PendingState,
        line: &dyn Fn(u16) -> Option<LineId>,
    ) {
        let Some(host) = line(state.host) else {
            return;
        };
        stored.follow_ups.store(state.follow_ups, Ordering::Relaxed);
        let control = Control::of(stored.number, index);
        let pending = Pending {
            stored: Arc::clone(stored),
            key: KeyId(state.key),
            host,
            precedence: state.place.0,
            sequence: state.place.1,
            index,
            reply_within_ms: state.reply_within_ms,
            after_delivery: state.after_delivery,
            due_us: 0,
        };
        self.pending.insert(control, pending);
        if state.due_us != 0 {
            self.reply_due(control, state.due_us);
        }
    }
}

/// What a snapshot says of an inquiry.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct PendingState {
    key: u16,
    host: u16,
    place: (u8, u64),
    reply_within_ms: u32,
    after_delivery: bool,
    due_us: i64,
    follow_ups: u8,
}
