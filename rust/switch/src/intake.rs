//! A payload from a line: DECODE, IDENTIFY, JUDGE, PLAN, RECORD.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::AtomicU8;

use clets_defect::{self as defect, Defect};
use clets_policy::Effect;
use clets_routing::{LineId, LineKind};
use clets_wire::{DecodeError, Dialect, Envelope, Key, KeyId, Precedence, Span, decode, text_form};
use smallvec::SmallVec;

use crate::confirm::is_request;
use crate::dead::DEAD_LETTERS_MAX;
use crate::decision::find_key;
use crate::engine::{Engine, Held};
use crate::entry::{Entry, Stored};
use crate::facts::{Question, observe};
use crate::intercept::INTERCEPTS_MAX;
use crate::notice::Addressee;
use crate::plan::{Leg, Plan, Scope, is_region};
use crate::queue::{Given, Passage, reserved_ahead};
use crate::receipt::Receipt;
use crate::record::{self, Accepted, EntryRecord, Refused, Target};
use crate::references::{Reference, References, fingerprint};
use crate::reply::Pending;
use crate::service::Service;
use crate::session::Session;
use crate::{Control, Decision, Effects, codes};

/// A message on its way in.
pub(crate) struct Incoming<'a> {
    /// What the sender wrote, where `bytes` says what it means.
    pub(crate) original: &'a [u8],
    /// The key as entered, where it was translated.
    pub(crate) entered: &'a [u8],
    /// The rule and the inquiry because of which the switch asks by itself.
    pub(crate) follow_up: Option<(&'a str, u64)>,
    pub(crate) line: LineId,
    pub(crate) receipt: Receipt,
    pub(crate) bytes: &'a [u8],
    pub(crate) envelope: &'a Envelope,
    pub(crate) dialect: Dialect,
}

impl Incoming<'_> {
    pub(crate) fn part(&self, span: Option<Span>) -> &[u8] {
        span.map(|span| span.of(self.bytes)).unwrap_or_default()
    }

    /// Whether the text begins with a mark, such as the number of a status message.
    pub(crate) fn says(&self, mark: &[u8]) -> bool {
        self.part(self.envelope.text).trim_ascii_start().starts_with(mark)
    }

    pub(crate) fn text(&self, span: Option<Span>) -> Cow<'_, str> {
        String::from_utf8_lossy(self.part(span))
    }

    /// The same message with less in it: what is passed on of it.
    pub(crate) fn reduced_to<'b>(
        &'b self,
        bytes: &'b [u8],
        envelope: &'b Envelope,
    ) -> Incoming<'b> {
        Incoming { bytes, envelope, ..*self }
    }

    /// What the message means, where that is not what the sender wrote; else empty.
    fn meaning(&self) -> &[u8] {
        if std::ptr::eq(self.bytes, self.original) { &[] } else { self.bytes }
    }

    /// `SYSTEM.KEY`, with `R` between them for the federal part.
    pub(crate) fn key(&self) -> String {
        let mke = self.text(self.envelope.mke);
        match (self.envelope.system, self.envelope.federal_only) {
            (None, _) => mke.into_owned(),
            (system, false) => format!("{}.{mke}", self.text(system)),
            (system, true) => format!("{}.R.{mke}", self.text(system)),
        }
    }
}

impl Engine {
    /// Takes one payload of a session that is up.
    pub(crate) fn take(
        &mut self,
        session: &mut Session,
        receipt: Receipt,
        bytes: &[u8],
        now_us: i64,
        effects: &mut Effects,
    ) {
        let line = session.line;
        if let Receipt::Native { sequence } = receipt
            && !self.in_sequence(session, receipt, sequence, effects)
        {
            return;
        }
        if let Some(precedence) = self.turns_away_unread(line, bytes, now_us) {
            return self.turn_away(session, receipt, precedence, codes::OVERLOADED, effects);
        }
        let known = self.bundle.directory.line(line);
        let (dialect, kind) = (known.dialect_in, known.kind);
        let text = match text_form(bytes, dialect) {
            Ok(text) => text,
            Err(error) => return self.refuse_unread(session, receipt, error, bytes, effects),
        };
        let decoded = decode(&text, dialect);
        let envelope = match &decoded {
            Ok(envelope) => envelope,
            Err(error) => return self.refuse_unread(session, receipt, *error, bytes, effects),
        };
        let incoming = Incoming {
            original: bytes,
            entered: &[],
            follow_up: None,
            line,
            receipt,
            bytes: &text,
            envelope,
            dialect,
        };
        match kind {
            LineKind::Agency => self.take_translated(session, incoming, now_us, effects),
            LineKind::Host => self.take_from_host(session, &incoming, now_us, effects),
        }
    }

    fn refuse_unread(
        &mut self,
        session: &Session,
        receipt: Receipt,
        error: DecodeError,
        bytes: &[u8],
        effects: &mut Effects,
    ) {
        let number = self.record_refused(session.line, None, receipt, error.code, bytes, effects);
        let answer = receipt.refused(error.code, &error.to_string(), false);
        self.answer(session, receipt, number, error.code, answer);
    }

    /// A line with a dialect of its own is understood by what its message means.
    fn take_translated(
        &mut self,
        session: &Session,
        incoming: Incoming<'_>,
        now_us: i64,
        effects: &mut Effects,
    ) {
        if self.bundle.directory.line(incoming.line).translation.is_none() {
            return self.take_from_agency(session, &incoming, now_us, effects);
        }
        let bundle = Arc::clone(&self.bundle);
        let translation = bundle.directory.line(incoming.line).translation.as_deref();
        let translated =
            translation.map(|it| it.translate(incoming.bytes, incoming.envelope)).transpose();
        match translated.map(Option::flatten) {
            Ok(None) => self.take_from_agency(session, &incoming, now_us, effects),
            Ok(Some(meaning)) => {
                let incoming = Incoming {
                    bytes: &meaning.bytes,
                    envelope: &meaning.envelope,
                    entered: meaning.entered.as_deref().unwrap_or_default(),
                    ..incoming
                };
                self.take_from_agency(session, &incoming, now_us, effects);
            }
            Err(error) => {
                let (receipt, bytes) = (incoming.receipt, incoming.original);
                self.refuse_unread(session, receipt, error, bytes, effects);
            }
        }
    }

    /// Records bytes that could not even be framed.
    pub(crate) fn record_refused_bytes(
        &mut self,
        line: LineId,
        code: u16,
        bytes: &[u8],
        effects: &mut Effects,
    ) {
        /// Enough to see what it was; garbage is no message that must be kept whole.
        const KEPT_BYTES: usize = 256;
        let kept = bytes.get(..KEPT_BYTES).unwrap_or(bytes);
        let receipt = Receipt::Dmpp { validation: [0; 4], wanted: false };
        self.record_refused(line, None, receipt, code, kept, effects);
    }

    /// Gives the answer that record `number` carries, once that and all before is durable.
    fn answer(
        &mut self,
        session: &Session,
        receipt: Receipt,
        number: u64,
        code: u16,
        answer: SmallVec<[u8; 48]>,
    ) {
        if let (Receipt::Native { sequence }, Some(line)) = (receipt, self.line_state(session.line))
        {
            line.note_answer(Given { sequence, number, code });
        }
        if !answer.is_empty() {
            let last = self.next_number.saturating_sub(1).max(number);
            let last = if defect::has(Defect::AnswerEarly) { 0 } else { last };
            self.hold(last, Held::Answer(session.connection, answer));
        }
    }

    /// A native line counts its frames: a known number is answered again, a gap ends the session.
    fn in_sequence(
        &mut self,
        session: &mut Session,
        receipt: Receipt,
        sequence: u64,
        effects: &mut Effects,
    ) -> bool {
        let last = self.next_number.saturating_sub(1);
        let Some(line) = self.line_state(session.line) else {
            return false;
        };
        if sequence == line.received + 1 {
            return true;
        }
        if sequence > line.received {
            let code = codes::ORDER_VIOLATED;
            self.record_refused_bytes(session.line, code, b"", effects);
            let text = "a sequence number is missing before this one";
            let answer = receipt.refused(code, text, false);
            effects.buffer(session.connection).extend_from_slice(&answer);
            session.closing = true;
            effects.closes.push((session.connection, code));
            return false;
        }
        let given = line.answer(sequence);
        let bytes = match given {
            Some(Given { code: 0, number, .. }) => receipt.accepted(number),
            Some(Given { code, .. }) => receipt.refused(code, "refused before", false),
            None => receipt.accepted(0),
        };
        if !defect::has(Defect::AnswerLost) {
            self.hold(last, Held::Answer(session.connection, bytes));
        }
        false
    }

    fn take_from_agency(
        &mut self,
        session: &Session,
        incoming: &Incoming<'_>,
        now_us: i64,
        effects: &mut Effects,
    ) {
        let (envelope, bytes) = (incoming.envelope, incoming.bytes);
        let Some(key_id) = find_key(&self.bundle, envelope, bytes) else {
            let decision = Decision::refusal(codes::UNKNOWN_KEY);
            return self.refuse(session, incoming, &decision, now_us, effects);
        };
        let urgency = urgency(&self.bundle, key_id, Scope::Single, envelope, bytes);
        let admitted = match self.would_wait(key_id, urgency, now_us) {
            true => Err(codes::OVERLOADED),
            false => self.admits(incoming, urgency, now_us),
        };
        if let Err(code) = admitted {
            return self.turn_away(session, incoming.receipt, urgency, code, effects);
        }
        let bundle = Arc::clone(&self.bundle);
        let name = self.reference_name(incoming);
        let body = fingerprint(incoming.original);
        match name.and_then(|name| self.references.find(name)) {
            Some(known) if known.body == body => {
                let answer = incoming.receipt.accepted(known.number);
                return self.answer(session, incoming.receipt, known.number, 0, answer);
            }
            Some(_) => {
                let decision = Decision::refusal(codes::REFERENCE_REUSED);
                return self.refuse(session, incoming, &decision, now_us, effects);
            }
            None => {}
        }
        let (line, day) = (incoming.line, bundle.day(now_us));
        let habit = observe(&mut self.habits, &bundle, envelope, bytes, now_us);
        let suspended = self.is_suspended(envelope, bytes);
        let question = Question { line, key: key_id, envelope, bytes, day, habit, suspended };
        let (plan, decision) = match self.judge.consider(&bundle, question) {
            Ok(passed) => passed,
            Err(decision) => {
                self.compare(question, &decision);
                return self.refuse(session, incoming, &decision, now_us, effects);
            }
        };
        self.compare(question, &decision);
        let held = decision.effect == Effect::Hold;
        if held && self.intercepts.len() >= INTERCEPTS_MAX {
            let decision = Decision::refusal(codes::QUEUE_FULL);
            return self.refuse(session, incoming, &decision, now_us, effects);
        }
        if self.is_full(&plan) || self.awaits_too_much(key_id, &plan) {
            let decision = Decision::refusal(codes::QUEUE_FULL);
            return self.refuse(session, incoming, &decision, now_us, effects);
        }
        let number = if held {
            self.intercept(incoming, key_id, &plan, &decision, now_us, effects)
        } else {
            self.accept(incoming, key_id, &plan, &decision, now_us, effects)
        };
        self.note_hosts(key_id, &plan, urgency, now_us);
        self.open_case(number, incoming, &decision, effects);
        if let Some(name) = name {
            let reference = Reference { body, number };
            self.references.remember(name, reference, now_us);
        }
        self.answer(session, incoming.receipt, number, 0, incoming.receipt.accepted(number));
    }

    /// The name under which a message's reference is remembered; none without a reference.
    fn reference_name(&self, incoming: &Incoming<'_>) -> Option<u64> {
        let station = incoming.part(incoming.envelope.station);
        let reference = incoming.part(incoming.envelope.reference);
        let line = self.bundle.directory.line(incoming.line);
        (!reference.is_empty()).then(|| References::name(line, &[station, reference]))
    }

    pub(crate) fn is_full(&self, plan: &Plan<'_>) -> bool {
        let limit = self.bundle.directory.settings().limits.queue_entries as usize;
        plan.legs.iter().any(|leg| {
            let line = self.outlet(self.line_of(leg));
            self.dead.count(self.line_of(leg)) >= DEAD_LETTERS_MAX
                || self.lines.get(line.index()).is_some_and(|state| state.len() >= limit)
        })
    }

    /// Whether so many answers are awaited that one more must not be asked for, as this would.
    pub(crate) fn awaits_too_much(&self, key: KeyId, plan: &Plan<'_>) -> bool {
        let most = self.bundle.directory.settings().limits.inquiries as usize;
        let asks = plan.legs.iter().any(|leg| leg.host().is_some());
        let confirms = self.bundle.catalogue.key(key).is_some_and(is_request);
        (asks && self.pending.len() >= most) || (confirms && self.confirmations.len() >= most)
    }

    /// The line that a leg is meant for.
    pub(crate) fn line_of(&self, leg: &Leg<'_>) -> LineId {
        match leg {
            Leg::Host { host, .. } => *host,
            Leg::Station(station) => self.bundle.directory.station_of(*station).line,
        }
    }

    /// RECORD: custody of the message and of every entry, in one record.
    pub(crate) fn accept(
        &mut self,
        incoming: &Incoming<'_>,
        key_id: KeyId,
        plan: &Plan<'_>,
        decision: &Decision,
        now_us: i64,
        effects: &mut Effects,
    ) -> u64 {
        let bundle = Arc::clone(&self.bundle);
        let update = bundle.catalogue.key(key_id).is_some_and(|key| key.update);
        let (envelope, bytes) = (incoming.envelope, incoming.bytes);
        let collate = self.collates(incoming, key_id, plan);
        let mut entries: Vec<(LineId, EntryRecord<'static>)> = Vec::with_capacity(plan.legs.len());
        let mut unreachable: Vec<LineId> = Vec::new();
        let mut held: Vec<LineId> = Vec::new();
        for leg in &plan.legs {
            let line = self.line_of(leg);
            let mut target = self.target(leg, key_id, envelope, bytes);
            let scope = leg_scope(plan.scope, leg);
            let precedence = urgency(&bundle, key_id, scope, envelope, bytes);
            let mut deadline_us = now_us + lifetime_us(&bundle, precedence, update);
            match self.service_of(leg) {
                Service::Hold => {
                    held.push(line);
                    deadline_us = now_us + lifetime_us(&bundle, precedence, true);
                    if let Target::Host { after_delivery, .. } = &mut target {
                        *after_delivery = true;
                    }
                }
                Service::Remove => {
                    unreachable.push(line);
                    continue;
                }
                Service::Up => {}
            }
            let waits = update || held.contains(&line);
            let outlet = self.lines.get(self.outlet(line).index());
            let passage = outlet.map(|state| state.passage).unwrap_or_default();
            if passage == Passage::Drained {
                unreachable.push(line);
                continue;
            }
            let down = passage == Passage::Held || outlet.is_none_or(|it| it.session.is_none());
            if down && precedence == Precedence::P2 as u8 && !waits {
                unreachable.push(line);
                continue;
            }
            entries.push(self.entry_record(line, precedence, deadline_us, target));
        }
        let accepted = Accepted {
            entries: entries.iter().map(|(_, entry)| entry.clone()).collect(),
            collate: collate.then(|| self.names_of(&unreachable)),
            ..decision.accepted(&bundle)
        };
        let stored = Arc::new(self.record_accepted(incoming, key_id, &accepted, effects));
        let number = stored.number;
        self.follow(&stored, None, now_us);
        if collate {
            let legs =
                (0_u16..).zip(&entries).map(|(index, (line, it))| (index, *line, &it.target));
            self.begin_collation(&stored, legs, &unreachable);
            unreachable.clear();
        }
        self.enqueue(&stored, entries, now_us);
        for line in held {
            self.tell_held(&stored, line, now_us, effects);
        }
        for line in unreachable {
            self.tell_not_forwarded(&stored, line, now_us, effects);
        }
        if collate {
            self.finish_collation(number, now_us, effects);
        }
        number
    }

    /// Gives an entry its number on its line.
    pub(crate) fn entry_record(
        &mut self,
        line: LineId,
        precedence: u8,
        deadline_us: i64,
        target: Target<'static>,
    ) -> (LineId, EntryRecord<'static>) {
        let meant = line;
        let line = self.outlet(meant);
        let home = if line == meant { String::new() } else { self.line_name(meant) };
        let sequence = self.assign(line, precedence);
        let name = Cow::Owned(self.line_name(line));
        let home = home.into();
        (line, EntryRecord { line: name, home, precedence, sequence, deadline_us, target })
    }

    /// The next number of a line and precedence.
    pub(crate) fn assign(&mut self, line: LineId, precedence: u8) -> u64 {
        let ahead = reserved_ahead(self.bundle.directory.line(line).window);
        let Some(state) = self.line_state(line) else {
            return 0;
        };
        let sequence = state.assign(precedence);
        // What will be sent at once is reserved in the same batch, so that it need not wait.
        if state.session.is_some() && (state.len() as u64) < ahead {
            self.reserve(line, precedence, sequence);
        }
        sequence
    }

    /// Holds entries until their message's record is durable.
    pub(crate) fn enqueue(
        &mut self,
        stored: &Arc<Stored>,
        entries: Vec<(LineId, EntryRecord<'static>)>,
        now_us: i64,
    ) {
        self.enqueue_after(stored.number, stored, entries, now_us);
    }

    /// Holds entries until record `number` is durable, and expects the replies to inquiries.
    pub(crate) fn enqueue_after(
        &mut self,
        number: u64,
        stored: &Arc<Stored>,
        entries: Vec<(LineId, EntryRecord<'static>)>,
        now_us: i64,
    ) {
        if number != stored.number {
            self.released.insert(stored.number, number);
        }
        for (index, (line, record)) in (0_u16..).zip(entries) {
            let entry = self.entry(stored, index, line, record, now_us);
            self.expect_reply(&entry, now_us);
            let number = if defect::has(Defect::QueueEarly) { 0 } else { number };
            self.hold(number, Held::Queue(Box::new(entry)));
        }
    }

    /// An entry as its record gave it at `now_us`.
    pub(crate) fn entry(
        &self,
        stored: &Arc<Stored>,
        index: u16,
        line: LineId,
        given: EntryRecord<'static>,
        now_us: i64,
    ) -> Entry {
        let catalogue = &self.bundle.catalogue;
        let key = match &given.target {
            Target::Host { system, key, .. } => catalogue.find(system.as_bytes(), key.as_bytes()),
            Target::Station { .. } => None,
        };
        Entry {
            stored: Arc::clone(stored),
            index,
            line,
            home: self.bundle.directory.find_line(&given.home),
            precedence: given.precedence,
            sequence: given.sequence,
            deadline_us: given.deadline_us,
            notice_s: self.notice_s(stored, given.precedence, now_us),
            key,
            refusals: 0,
            possible_duplicate: false,
            target: given.target,
        }
    }

    /// Expects the reply to an entry that asks for one.
    pub(crate) fn expect_reply(&mut self, entry: &Entry, now_us: i64) {
        let Target::Host { reply_within_ms, after_delivery, .. } = &entry.target else {
            return;
        };
        if *reply_within_ms == 0 {
            return;
        }
        let control = Control::of(entry.stored.number, entry.index);
        let update = self.bundle.catalogue.key(entry.stored.key).is_some_and(|key| key.update);
        let key = entry.key.unwrap_or(entry.stored.key);
        self.pending.insert(control, Pending::new(entry, key));
        if !update && !after_delivery {
            self.reply_due(control, now_us + i64::from(*reply_within_ms) * 1000);
        }
    }

    /// What the destination of a leg takes; a station takes everything.
    fn service_of(&self, leg: &Leg<'_>) -> Service {
        match leg {
            Leg::Host { host, spec, .. } => self.service(*host, &spec.system, &spec.key),
            Leg::Station(_) => Service::Up,
        }
    }

    /// Whom a leg is for, and how long its reply may take.
    pub(crate) fn target(
        &self,
        leg: &Leg<'_>,
        key_id: KeyId,
        envelope: &Envelope,
        bytes: &[u8],
    ) -> Target<'static> {
        let own = |bytes: &[u8]| Cow::Owned(String::from_utf8_lossy(bytes).into_owned());
        match leg {
            Leg::Host { host, spec, destinations } => {
                let key = self.bundle.catalogue.key(key_id);
                let asks = key.is_some_and(|key| key.action != clets_wire::Action::Administer);
                let of_host = self.bundle.directory.line(*host).reply_deadline_ms;
                let within = self.confirmation_ms(key, envelope, bytes).unwrap_or(of_host);
                Target::Host {
                    system: own(&spec.system),
                    key: own(&spec.key),
                    federal_only: spec.federal_only,
                    destinations: destinations.iter().map(|name| own(name)).collect(),
                    reply_within_ms: if asks { within } else { 0 },
                    after_delivery: false,
                }
            }
            Leg::Station(id) => {
                let station = self.bundle.directory.station_of(*id);
                Target::Station {
                    mnemonic: own(&station.mnemonic),
                    reference: "".into(),
                    user: "".into(),
                }
            }
        }
    }

    /// Appends an ACCEPTED record: the parts of the header, and what `rest` says.
    pub(crate) fn record_accepted(
        &mut self,
        incoming: &Incoming<'_>,
        key: KeyId,
        rest: &Accepted<'_>,
        effects: &mut Effects,
    ) -> Stored {
        let line = self.line_name(incoming.line);
        let envelope = incoming.envelope;
        // A reply that names no key goes by that of its inquiry.
        let named = match envelope.mke {
            Some(_) => incoming.key(),
            None => self.bundle.catalogue.key(key).map_or_else(String::new, Key::name),
        };
        let entered = match incoming.entered {
            [] => rest.entered.clone(),
            entered => String::from_utf8_lossy(entered),
        };
        let body = record::encode(&Accepted {
            line: line.into(),
            key: named.into(),
            station: incoming.text(envelope.station),
            ori: incoming.text(envelope.origin),
            user: incoming.text(envelope.user),
            reference: incoming.text(envelope.reference),
            dialect: incoming.dialect.name().into(),
            sequence: incoming.receipt.sequence(),
            entered: entered.clone(),
            meaning: incoming.meaning().into(),
            follow_up: incoming.follow_up.map(|(rule, _)| rule).unwrap_or_default().into(),
            parent: incoming.follow_up.map(|(_, parent)| parent).or(rest.parent),
            body: incoming.original.into(),
            ..rest.clone()
        });
        if let Some(state) = self.line_state(incoming.line) {
            state.tally.accepted += 1;
        }
        Stored {
            number: self.append(record::ACCEPTED, body, effects),
            line: (incoming.line != LineId::NOBODY).then_some(incoming.line),
            key,
            dialect: incoming.dialect,
            envelope: envelope.clone(),
            labels: rest.labels.iter().map(ToString::to_string).collect(),
            late: rest.late,
            responder: self.responder(incoming.line),
            requester: rest.requester.as_bytes().into(),
            entered: entered.as_bytes().into(),
            follow_ups: AtomicU8::new(crate::follow::count_of(incoming.follow_up.is_some())),
            body: incoming.bytes.into(),
        }
    }

    fn responder(&self, line: LineId) -> Box<[u8]> {
        let known = (line != LineId::NOBODY).then(|| self.bundle.directory.line(line));
        known.map(|line| line.ori.clone()).unwrap_or_default()
    }

    /// Refuses a message that could be read: its record first, then the words for the sender.
    fn refuse(
        &mut self,
        session: &Session,
        incoming: &Incoming<'_>,
        decision: &Decision,
        now_us: i64,
        effects: &mut Effects,
    ) {
        let (line, receipt) = (incoming.line, incoming.receipt);
        let judged = Some((incoming, decision));
        let number =
            self.record_refused(line, judged, receipt, decision.code, incoming.original, effects);
        self.open_case(number, incoming, decision, effects);
        let text = self.refusal_text(decision, incoming);
        let told = matches!(receipt, Receipt::Dmpp { .. });
        let answer = receipt.refused(decision.code, &text, told);
        self.answer(session, receipt, number, decision.code, answer);
        if told {
            let to = Addressee {
                line,
                station: incoming.text(incoming.envelope.station).into_owned(),
                reference: incoming.text(incoming.envelope.reference).into_owned(),
                user: incoming.text(incoming.envelope.user).into_owned(),
                ori: incoming.text(incoming.envelope.origin).into_owned(),
            };
            self.notice(&to, Some(number), "REJ", &text, now_us, effects);
        }
    }

    pub(crate) fn record_refused(
        &mut self,
        line: LineId,
        judged: Option<(&Incoming<'_>, &Decision)>,
        receipt: Receipt,
        code: u16,
        bytes: &[u8],
        effects: &mut Effects,
    ) -> u64 {
        let bundle = Arc::clone(&self.bundle);
        let mut refused = Refused {
            line: self.line_name(line).into(),
            sequence: receipt.sequence(),
            code,
            body: bytes.into(),
            ..Refused::default()
        };
        if let Some((incoming, decision)) = judged {
            refused.station = incoming.text(incoming.envelope.station);
            refused.ori = incoming.text(incoming.envelope.origin);
            refused.user = incoming.text(incoming.envelope.user);
            refused.reference = incoming.text(incoming.envelope.reference);
            refused.key = incoming.key().into();
            refused.follow_up = incoming.follow_up.map(|(rule, _)| rule).unwrap_or_default().into();
            refused.effect = decision.effect.name().into();
            refused.rules = decision.rule_ids(&bundle).into_iter().map(Cow::Borrowed).collect();
        }
        if let Some(state) = self.line_state(line) {
            state.tally.refused += 1;
        }
        let body = record::encode(&refused);
        self.append(record::REFUSED, body, effects)
    }

    /// Records and acknowledges what a host sent and nobody can take: it stays in the journal.
    pub(crate) fn set_aside(
        &mut self,
        session: &Session,
        incoming: &Incoming<'_>,
        decision: &Decision,
        effects: &mut Effects,
    ) {
        let (line, receipt) = (incoming.line, incoming.receipt);
        let judged = Some((incoming, decision));
        // What should be held, and cannot be, has no number of its own.
        let code = if decision.code == 0 { codes::NO_PERMIT } else { decision.code };
        let number = self.record_refused(line, judged, receipt, code, incoming.original, effects);
        self.open_case(number, incoming, decision, effects);
        self.answer(session, receipt, number, 0, receipt.accepted(number));
    }

    pub(crate) fn answer_accepted(&mut self, session: &Session, receipt: Receipt, number: u64) {
        self.answer(session, receipt, number, 0, receipt.accepted(number));
    }
}

/// The precedence of a message: its key's, and a broadcast's where it reaches many.
pub(crate) fn precedence(bundle: &crate::Bundle, key: KeyId, scope: Scope) -> u8 {
    let own = bundle.catalogue.key(key).map_or(Precedence::P4 as u8, |key| key.precedence as u8);
    let broadcast = scope.broadcasts() && own > Precedence::P1 as u8;
    if broadcast { Precedence::P4 as u8 } else { own }
}

/// The same, with what the message's own fields and text add to it.
pub(crate) fn urgency(
    bundle: &crate::Bundle,
    key: KeyId,
    scope: Scope,
    envelope: &Envelope,
    bytes: &[u8],
) -> u8 {
    let own = precedence(bundle, key, scope);
    if let Some(name) = bundle.traits.unsolicited(envelope, bytes) {
        return bundle.traits.precedence(name, envelope, bytes).map_or(own, |it| it as u8);
    }
    let name = bundle.catalogue.key(key).map_or(&b""[..], |row| row.key.as_bytes());
    bundle.traits.precedence(name, envelope, bytes).map_or(own, |it| own.min(it as u8))
}

/// The reach of one leg: beside a region, other destinations keep the precedence of the key.
fn leg_scope(scope: Scope, leg: &Leg<'_>) -> Scope {
    let nearby = |destinations: &[&[u8]]| !destinations.iter().any(|name| is_region(name));
    match leg {
        Leg::Host { destinations, .. } if scope == Scope::Region && nearby(destinations) => {
            Scope::Single
        }
        _ => scope,
    }
}

/// How long an entry lives, microseconds.
pub(crate) fn lifetime_us(bundle: &crate::Bundle, precedence: u8, update: bool) -> i64 {
    let times = bundle.directory.settings().deadline_ms;
    i64::try_from(times.of(precedence_of(precedence), update)).unwrap_or(i64::MAX / 1000) * 1000
}

/// The precedence of a number from 0 to 4; anything else is the lowest.
pub(crate) fn precedence_of(number: u8) -> Precedence {
    match number {
        0 => Precedence::P0,
        1 => Precedence::P1,
        2 => Precedence::P2,
        3 => Precedence::P3,
        _ => Precedence::P4,
    }
}
