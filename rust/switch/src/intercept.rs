//! The intercept queue: what policy holds waits here until an operator forwards or returns it.
//!
//! Every step of an operator is a record of its own, so the queue is a view of the journal like
//! every other. An edit is a new message in the queue, linked to the one that it replaces; what
//! the sender wrote stays as it was.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU8;

use clets_policy::Action;
use clets_routing::LineId;
use clets_wire::{KeyId, Outbound, Precedence, decode, encode};
use serde::{Deserialize, Serialize};

use crate::bundle::KeyFacts;
use crate::decision::plan_code;
use crate::engine::Engine;
use crate::entry::Stored;
use crate::facts::{Facts, Question};
use crate::habits::Habit;
use crate::intake::{Incoming, lifetime_us, precedence};
use crate::notice::Addressee;
use crate::plan::{Plan, addressed_plan, plan};
use crate::record::{self, Accepted, Edit, EntryRecord, InterceptEvent, Target};
use crate::timers::Timer;
use crate::{Bundle, Decision, Effects, codes};

/// Messages in the intercept queue at most; more are refused with 506.
pub(crate) const INTERCEPTS_MAX: usize = 10_000;
/// How long a lock lasts, microseconds: ten minutes, in which nobody else may act.
const LOCK_US: i64 = 600_000_000;
/// Longest name of an operator or an account, bytes.
pub(crate) const NAME_BYTES_MAX: usize = 64;
/// Longest reason, bytes.
pub(crate) const REASON_BYTES_MAX: usize = 500;

/// One step of an operator.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// What to do.
    pub action: Step,
    /// The number of the message (SMN).
    pub message: u64,
    /// The operator, as they call themselves: 1 to 64 bytes.
    pub operator: String,
    /// The account of the operating system, as the system itself says: 1 to 64 bytes.
    pub account: String,
    /// The reason: 1 to 500 bytes.
    pub reason: String,
    /// For [`Step::Edit`]: the new text.
    #[serde(default)]
    pub text: Option<String>,
    /// For [`Step::Edit`] and [`Step::Forward`]: other destinations than the message's; none
    /// leaves them as they are.
    #[serde(default)]
    pub to: Vec<String>,
}

/// What an operator can do with a message in the queue.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Put a new message with another text in its place.
    Edit,
    /// Release it to its destinations, or to others.
    Forward,
    /// Keep it from other operators for ten minutes.
    Lock,
    /// Send it back to its sender.
    Return,
    /// Read its text.
    Show,
    /// Give up a lock.
    Unlock,
}

/// What a step did; true once record `record` is durable.
#[derive(Clone, Debug, Serialize)]
pub struct Performed {
    /// The number of the record that says so.
    pub record: u64,
    /// The message that the queue now has, or had: after an edit the new one.
    pub message: u64,
    /// For a forwarded message: how many destinations it was given.
    pub entries: usize,
    /// The message as it stands in the queue; none once it has left it.
    pub waiting: Option<InterceptStatus>,
    /// For [`Step::Show`]: its text.
    pub text: Option<String>,
}

/// A message in the queue.
#[derive(Clone, Debug, Serialize)]
pub struct InterceptStatus {
    /// Its number (SMN).
    pub message: u64,
    /// The number of the message that it replaced, if an operator wrote it.
    pub original: Option<u64>,
    /// The line it came from.
    pub line: String,
    /// The station that sent it.
    pub station: String,
    /// The originating ORI.
    pub ori: String,
    /// The message key.
    pub key: String,
    /// Its addressees.
    pub destinations: Vec<String>,
    /// The rules that hold it.
    pub rules: Vec<String>,
    /// Since when it waits, microseconds since 1970, UTC.
    pub held_us: i64,
    /// When it is returned by itself, microseconds since 1970, UTC.
    pub held_until_us: i64,
    /// The operator who has locked it.
    pub locked_by: Option<String>,
    /// Until when, microseconds since 1970, UTC.
    pub locked_until_us: Option<i64>,
}

/// Why a step was not taken; nothing was recorded.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CommandError {
    /// The numbered code, of [`codes`].
    pub code: u16,
    /// What was expected, and the rules where policy refused.
    pub text: String,
}

impl CommandError {
    pub(crate) fn of(code: u16) -> Self {
        let expected = codes::find(code).map_or("", |code| code.expected);
        Self { code, text: expected.to_owned() }
    }

    fn of_policy(bundle: &Bundle, decision: &Decision) -> Self {
        let mut error = Self::of(decision.code);
        error.text.push_str(&format!(" Rules: {}.", decision.rule_ids(bundle).join(", ")));
        error
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "E{}: {}", self.code, self.text)
    }
}

impl std::error::Error for CommandError {}

/// A message that waits for an approval.
#[derive(Debug)]
pub(crate) struct Intercept {
    stored: Arc<Stored>,
    rules: Vec<String>,
    original: Option<u64>,
    held_us: i64,
    held_until_us: i64,
    lock: Option<Lock>,
    /// For a reply: whose it is.
    reply_to: Option<(LineId, Target<'static>)>,
}

#[derive(Clone, Debug)]
struct Lock {
    operator: String,
    account: String,
    until_us: i64,
}

impl Intercept {
    /// The lock that another operator has now.
    fn lock_against(&self, operator: &str, account: &str, now_us: i64) -> Option<&Lock> {
        self.lock.as_ref().filter(|lock| {
            lock.until_us > now_us && (lock.operator != operator || lock.account != account)
        })
    }

    fn status(&self, bundle: &Bundle, now_us: i64) -> InterceptStatus {
        let stored = &self.stored;
        let own = |part: &[u8]| String::from_utf8_lossy(part).into_owned();
        let lock = self.lock.as_ref().filter(|lock| lock.until_us > now_us);
        InterceptStatus {
            message: stored.number,
            original: self.original,
            line: stored
                .line
                .map_or_else(String::new, |line| bundle.directory.line(line).name.to_string()),
            station: own(stored.station()),
            ori: own(stored.origin()),
            key: own(stored.part(stored.envelope.mke)),
            destinations: destinations(stored).into_iter().map(own).collect(),
            rules: self.rules.clone(),
            held_us: self.held_us,
            held_until_us: self.held_until_us,
            locked_by: lock.map(|lock| lock.operator.clone()),
            locked_until_us: lock.map(|lock| lock.until_us),
        }
    }
}

/// Whether a name or a reason says something and is in legal length.
pub(crate) fn named(text: &str, most: usize) -> bool {
    !text.trim().is_empty() && text.len() <= most && !text.chars().any(char::is_control)
}

/// What a snapshot says of a message in the queue, beside its record: since when, and its lock
/// (operator, account, until).
pub(crate) type InterceptState = (i64, Option<(String, String, i64)>);

impl Engine {
    /// For a snapshot.
    pub(crate) fn intercept_states(&self) -> Vec<(u64, InterceptState)> {
        let lock = |it: &Lock| (it.operator.clone(), it.account.clone(), it.until_us);
        let state = |it: &Intercept| (it.held_us, it.lock.as_ref().map(lock));
        self.intercepts.iter().map(|(number, it)| (*number, state(it))).collect()
    }

    /// Puts a message into the queue again as a snapshot says.
    pub(crate) fn resume_intercept(
        &mut self,
        stored: &Arc<Stored>,
        accepted: &Accepted<'_>,
        (held_us, lock): InterceptState,
    ) {
        self.hold_for_approval(stored, accepted, held_us);
        if let Some(intercept) = self.intercepts.get_mut(&stored.number) {
            intercept.lock =
                lock.map(|(operator, account, until_us)| Lock { operator, account, until_us });
        }
    }

    /// The intercept queue, the oldest message first.
    #[must_use]
    pub fn intercepts(&self, now_us: i64) -> Vec<InterceptStatus> {
        self.intercepts.values().map(|it| it.status(&self.bundle, now_us)).collect()
    }

    /// Carries out one step of an operator at `now_us` and adds to `effects`, as
    /// [`Engine::step`] does.
    ///
    /// # Errors
    /// 532 no such message in the queue; 533 another operator has locked it; 534 operator,
    /// account or reason missing or too long; 535 a text that the message cannot carry; and for a
    /// release the codes of policy and routing, since both are asked once more.
    pub fn operate(
        &mut self,
        command: &Command,
        now_us: i64,
        effects: &mut Effects,
    ) -> Result<Performed, CommandError> {
        if !named(&command.operator, NAME_BYTES_MAX)
            || !named(&command.account, NAME_BYTES_MAX)
            || !named(&command.reason, REASON_BYTES_MAX)
        {
            return Err(CommandError::of(codes::OPERATOR_UNNAMED));
        }
        let Some(found) = self.intercepts.get(&command.message) else {
            return Err(CommandError::of(codes::NOT_INTERCEPTED));
        };
        let locked = found.lock_against(&command.operator, &command.account, now_us);
        if let Some(lock) = locked.filter(|_| command.action != Step::Show) {
            let mut error = CommandError::of(codes::LOCKED);
            error.text.push_str(&format!(" `{}` has it.", lock.operator));
            return Err(error);
        }
        let done = match command.action {
            Step::Edit => self.edit(command, now_us, effects),
            Step::Forward => self.forward(command, now_us, effects),
            Step::Lock => Ok(self.set_lock(command, now_us + LOCK_US, now_us, effects)),
            Step::Return => Ok(self.send_back(command, now_us, effects)),
            Step::Show => Ok(self.show(command, now_us, effects)),
            Step::Unlock => Ok(self.set_lock(command, 0, now_us, effects)),
        };
        self.flush(effects);
        done
    }

    /// Takes a message that policy holds into custody, without entries, and tells its sender.
    pub(crate) fn intercept(
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
        let precedence = precedence(&bundle, key_id, plan.scope);
        let accepted = Accepted {
            held_until_us: now_us + lifetime_us(&bundle, precedence, update),
            ..decision.accepted(&bundle)
        };
        let stored = Arc::new(self.record_accepted(incoming, key_id, &accepted, effects));
        self.hold_for_approval(&stored, &accepted, now_us);
        let text = "HELD FOR APPROVAL. YOUR MESSAGE WAITS FOR THE CONTROL CENTER, WHICH WILL \
                    FORWARD OR RETURN IT.";
        self.tell(&stored, "DLY", text, now_us, effects);
        stored.number
    }

    /// Puts a message into the queue, now or while the journal is read.
    pub(crate) fn hold_for_approval(
        &mut self,
        stored: &Arc<Stored>,
        accepted: &Accepted<'_>,
        now_us: i64,
    ) {
        let reply_to = accepted.held_for.clone().and_then(|held| {
            let line = self.bundle.directory.find_line(&held.line)?;
            Some((line, held.target.into_owned()))
        });
        let intercept = Intercept {
            reply_to,
            stored: Arc::clone(stored),
            rules: accepted.rules.iter().map(ToString::to_string).collect(),
            original: accepted.edit.as_ref().map(|edit| edit.replaces),
            held_us: now_us,
            held_until_us: accepted.held_until_us,
            lock: accepted.edit.as_ref().map(|edit| Lock {
                operator: edit.operator.to_string(),
                account: edit.account.to_string(),
                until_us: now_us + LOCK_US,
            }),
        };
        self.intercepts.insert(stored.number, intercept);
        self.timers.set(accepted.held_until_us, Timer::Approval(stored.number));
    }

    /// What a record says was done; gives the message when it was released.
    pub(crate) fn intercept_again(&mut self, event: &InterceptEvent<'_>) -> Option<Arc<Stored>> {
        match &*event.action {
            "expire" | "forward" | "return" => {
                self.intercepts.remove(&event.message).map(|it| it.stored)
            }
            "lock" | "unlock" => {
                if let Some(intercept) = self.intercepts.get_mut(&event.message) {
                    intercept.lock = Some(Lock {
                        operator: event.operator.to_string(),
                        account: event.account.to_string(),
                        until_us: event.until_us,
                    });
                }
                None
            }
            _ => None,
        }
    }

    /// Nobody decided in time: back to the sender.
    pub(crate) fn approval_overdue(&mut self, number: u64, now_us: i64, effects: &mut Effects) {
        let Some(intercept) = self.intercepts.remove(&number) else {
            return;
        };
        let event =
            InterceptEvent { action: "expire".into(), message: number, ..Default::default() };
        self.append(record::INTERCEPT, record::encode(&event), effects);
        let code = codes::EXPIRED;
        let text = format!("E{code} NOT APPROVED BEFORE ITS DEADLINE. YOUR MESSAGE WAS NOT SENT.");
        self.tell_waiting(&intercept.stored, intercept.reply_to, &text, now_us, effects);
    }

    /// Tells whoever waits for a message that left the queue: its sender, or who awaits a reply.
    fn tell_waiting(
        &mut self,
        stored: &Arc<Stored>,
        reply_to: Option<(LineId, Target<'static>)>,
        text: &str,
        now_us: i64,
        effects: &mut Effects,
    ) {
        let Some((line, Target::Station { mnemonic, reference, user })) = reply_to else {
            return self.tell(stored, "UND", text, now_us, effects);
        };
        let to = Addressee {
            line,
            station: mnemonic.into_owned(),
            reference: reference.into_owned(),
            user: user.into_owned(),
            ori: String::from_utf8_lossy(&stored.requester).into_owned(),
        };
        self.notice(&to, Some(stored.number), "UND", text, now_us, effects);
    }

    fn set_lock(
        &mut self,
        command: &Command,
        until_us: i64,
        now_us: i64,
        effects: &mut Effects,
    ) -> Performed {
        let action = if until_us == 0 { "unlock" } else { "lock" };
        let event = InterceptEvent { until_us, ..event(action, command) };
        let record = self.append(record::INTERCEPT, record::encode(&event), effects);
        self.intercept_again(&event);
        self.performed(record, command.message, now_us)
    }

    fn show(&mut self, command: &Command, now_us: i64, effects: &mut Effects) -> Performed {
        let body = record::encode(&event("show", command));
        let record = self.append(record::INTERCEPT, body, effects);
        let stored = self.intercepts.get(&command.message).map(|it| &it.stored);
        let text = stored.map(|stored| {
            let text = stored.part(stored.envelope.text);
            String::from_utf8_lossy(text).into_owned()
        });
        Performed { text, ..self.performed(record, command.message, now_us) }
    }

    fn send_back(&mut self, command: &Command, now_us: i64, effects: &mut Effects) -> Performed {
        let event = event("return", command);
        let record = self.append(record::INTERCEPT, record::encode(&event), effects);
        let reply_to = self.intercepts.get(&command.message).and_then(|it| it.reply_to.clone());
        if let Some(stored) = self.intercept_again(&event) {
            let reason = command.reason.to_uppercase();
            let code = codes::RETURNED;
            let text = format!("E{code} RETURNED BY THE CONTROL CENTER, NOT SENT. REASON {reason}");
            self.tell_waiting(&stored, reply_to, &text, now_us, effects);
        }
        self.performed(record, command.message, now_us)
    }

    /// Releases a message. Policy is asked again, since user, agency and law may have changed
    /// while it waited; only its hold is satisfied. Whom the operator adds they answer for, so
    /// the permitted senders of a group bind the sender alone.
    fn forward(
        &mut self,
        command: &Command,
        now_us: i64,
        effects: &mut Effects,
    ) -> Result<Performed, CommandError> {
        let bundle = Arc::clone(&self.bundle);
        let Some(stored) = self.intercepts.get(&command.message).map(|it| Arc::clone(&it.stored))
        else {
            return Err(CommandError::of(codes::NOT_INTERCEPTED));
        };
        let reply_to = self.intercepts.get(&command.message).and_then(|it| it.reply_to.clone());
        let entries = match reply_to {
            Some(whom) => vec![self.released_reply(&bundle, &stored, whom, command, now_us)?],
            None => self.released(&bundle, &stored, command, now_us)?,
        };
        let records: Vec<EntryRecord<'_>> = entries.iter().map(|(_, it)| it.clone()).collect();
        let event = InterceptEvent {
            to: command.to.iter().map(|name| Cow::Borrowed(name.as_str())).collect(),
            entries: records,
            ..event("forward", command)
        };
        let record = self.append(record::INTERCEPT, record::encode(&event), effects);
        self.intercepts.remove(&command.message);
        let count = entries.len();
        self.enqueue_after(record, &stored, entries, now_us);
        Ok(Performed { entries: count, ..self.performed(record, command.message, now_us) })
    }

    /// The entries of a message that is released.
    fn released(
        &mut self,
        bundle: &Bundle,
        stored: &Stored,
        command: &Command,
        now_us: i64,
    ) -> Result<Vec<(LineId, EntryRecord<'static>)>, CommandError> {
        let plan = planned(bundle, stored, &command.to)?;
        let Some(line) = stored.line else {
            return Err(CommandError::of(codes::LINE_UNKNOWN));
        };
        let (day, habit, key) = (bundle.day(now_us), Habit::default(), stored.key);
        let (envelope, bytes) = (&stored.envelope, &stored.body);
        let suspended = self.is_suspended(envelope, bytes);
        let question = Question { line, key, envelope, bytes, day, habit, suspended };
        let facts = Facts::gather(bundle, question, &plan);
        let decision = self.judge.message(bundle, &facts, key, &plan, day);
        if !decision.passes() {
            return Err(CommandError::of_policy(bundle, &decision));
        }
        if self.is_full(&plan) {
            return Err(CommandError::of(codes::QUEUE_FULL));
        }
        let update = bundle.catalogue.key(key).is_some_and(|key| key.update);
        let precedence = precedence(bundle, key, plan.scope);
        let deadline_us = now_us + lifetime_us(bundle, precedence, update);
        let mut entries = Vec::with_capacity(plan.legs.len());
        for leg in &plan.legs {
            let target = self.target(leg, key, envelope, bytes);
            entries.push(self.entry_record(self.line_of(leg), precedence, deadline_us, target));
        }
        Ok(entries)
    }

    /// The entry of a reply that is released: to whoever asked, and to nobody else.
    fn released_reply(
        &mut self,
        bundle: &Bundle,
        stored: &Stored,
        (line, target): (LineId, Target<'static>),
        command: &Command,
        now_us: i64,
    ) -> Result<(LineId, EntryRecord<'static>), CommandError> {
        if !command.to.is_empty() {
            return Err(CommandError::of(codes::TEXT_UNFIT));
        }
        let (envelope, bytes) = (&stored.envelope, &stored.body);
        let facts = Facts::of_reply(bundle, &stored.requester, envelope, bytes);
        let data_class = bundle.key_facts(stored.key).map(|key| key.data_class);
        let data_class = data_class.ok_or_else(|| CommandError::of(codes::UNKNOWN_KEY))?;
        let heading = KeyFacts { action: Action::Reply, data_class };
        let decision = self.judge.host_message(bundle, &facts, heading, bundle.day(now_us));
        if !decision.passes() {
            return Err(CommandError::of_policy(bundle, &decision));
        }
        let precedence = Precedence::P2 as u8;
        let deadline_us = now_us + lifetime_us(bundle, precedence, false);
        Ok(self.entry_record(line, precedence, deadline_us, target))
    }

    /// Puts a new message with another text in the place of one in the queue. One record does
    /// both, so that no failure leaves the two of them there.
    fn edit(
        &mut self,
        command: &Command,
        now_us: i64,
        effects: &mut Effects,
    ) -> Result<Performed, CommandError> {
        let bundle = Arc::clone(&self.bundle);
        let Some(old) = self.intercepts.get(&command.message) else {
            return Err(CommandError::of(codes::NOT_INTERCEPTED));
        };
        if old.reply_to.is_some() {
            // What a file says is passed on as it is, or not at all.
            return Err(CommandError::of(codes::TEXT_UNFIT));
        }
        let stored = Arc::clone(&old.stored);
        let (rules, held_until_us) = (old.rules.clone(), old.held_until_us);
        planned(&bundle, &stored, &command.to)?;
        let body = rewritten(&bundle, &stored, command)?;
        let envelope = decode(&body, stored.dialect)
            .map_err(|error| CommandError { code: error.code, text: error.to_string() })?;
        let text = |part: &[u8]| -> Cow<'static, str> {
            Cow::Owned(String::from_utf8_lossy(part).into_owned())
        };
        let accepted = Accepted {
            line: stored.line.map_or_else(|| "".into(), |line| self.line_name(line).into()),
            station: text(stored.station()),
            ori: text(stored.origin()),
            user: text(stored.user()),
            reference: text(stored.reference()),
            key: text(stored.part(stored.envelope.mke)),
            dialect: stored.dialect.name().into(),
            effect: "hold".into(),
            rules: rules.iter().map(|rule| Cow::Borrowed(rule.as_str())).collect(),
            labels: stored.labels.iter().map(|label| Cow::Borrowed(label.as_str())).collect(),
            parent: Some(stored.number),
            body: Cow::Borrowed(&body),
            held_until_us,
            edit: Some(Edit {
                replaces: stored.number,
                operator: Cow::Borrowed(&command.operator),
                account: Cow::Borrowed(&command.account),
                reason: Cow::Borrowed(&command.reason),
            }),
            ..Accepted::default()
        };
        let number = self.append(record::ACCEPTED, record::encode(&accepted), effects);
        let edited = Arc::new(Stored {
            number,
            line: stored.line,
            key: stored.key,
            dialect: stored.dialect,
            envelope,
            labels: stored.labels.clone(),
            late: false,
            responder: Box::default(),
            requester: Box::default(),
            entered: stored.entered.clone(),
            follow_ups: AtomicU8::new(0),
            body: body.as_slice().into(),
        });
        self.intercepts.remove(&stored.number);
        self.hold_for_approval(&edited, &accepted, now_us);
        Ok(self.performed(number, number, now_us))
    }

    fn performed(&self, record: u64, message: u64, now_us: i64) -> Performed {
        let waiting = self.intercepts.get(&message).map(|it| it.status(&self.bundle, now_us));
        Performed { record, message, entries: 0, waiting, text: None }
    }
}

fn event<'a>(action: &'static str, command: &'a Command) -> InterceptEvent<'a> {
    InterceptEvent {
        action: action.into(),
        message: command.message,
        operator: Cow::Borrowed(&command.operator),
        account: Cow::Borrowed(&command.account),
        reason: Cow::Borrowed(&command.reason),
        ..InterceptEvent::default()
    }
}

fn destinations(stored: &Stored) -> Vec<&[u8]> {
    stored.envelope.destinations.iter().map(|it| it.of(&stored.body)).collect()
}

/// Where a message goes: as it says, or to other addressees.
fn planned<'a>(
    bundle: &'a Bundle,
    stored: &'a Stored,
    to: &'a [String],
) -> Result<Plan<'a>, CommandError> {
    let Some(key) = bundle.catalogue.key(stored.key) else {
        return Err(CommandError::of(codes::UNKNOWN_KEY));
    };
    let plan = if to.is_empty() {
        plan(
            &bundle.directory,
            &stored.envelope,
            &stored.body,
            key,
            bundle.traits.is_for_everyone(key),
        )
    } else {
        let named: Vec<&[u8]> = to.iter().map(|name| name.as_bytes()).collect();
        addressed_plan(&bundle.directory, &named, key)
    };
    plan.and_then(|plan| plan.fair().map(|()| plan))
        .map_err(|error| CommandError::of(plan_code(error)))
}

/// The message with another text, and with other addressees where the operator gave some.
fn rewritten(bundle: &Bundle, stored: &Stored, command: &Command) -> Result<Vec<u8>, CommandError> {
    let unfit = || CommandError::of(codes::TEXT_UNFIT);
    let text = command.text.as_deref().filter(|text| !text.trim().is_empty()).ok_or_else(unfit)?;
    let named: Vec<&[u8]> = if command.to.is_empty() {
        destinations(stored)
    } else {
        command.to.iter().map(|name| name.as_bytes()).collect()
    };
    let mut body = Vec::with_capacity(stored.body.len() + text.len());
    let message = Outbound {
        mke: stored.part(stored.envelope.mke),
        system: stored.envelope.system.map(|system| system.of(&stored.body)),
        federal_only: stored.envelope.federal_only,
        origin: stored.origin(),
        destinations: &named,
        reference: stored.reference(),
        user: stored.user(),
        station: stored.station(),
        text: Some(text.as_bytes()),
        ..Outbound::default()
    };
    encode(&mut body, stored.dialect, &message);
    // Read again, the message must say what the operator wrote and nothing else.
    let limit = bundle.directory.settings().limits.frame_bytes as usize;
    let read = decode(&body, stored.dialect).map_err(|_| unfit())?;
    let same = read.text.is_some_and(|it| it.of(&body) == text.as_bytes());
    let names = read.destinations.iter().map(|it| it.of(&body));
    if !same || !names.eq(named.iter().copied()) || body.len() > limit {
        return Err(unfit());
    }
    Ok(body)
}
