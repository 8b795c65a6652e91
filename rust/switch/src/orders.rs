//! What an operator orders for lines and dead letters, and lines that stand in for others.
//!
//! Each order is a record of its own, so what it changed is a view of the journal like every other
//! state. Entries that move to another line keep their message and get new numbers there.

use std::borrow::Cow;

use clets_routing::LineId;
use serde::{Deserialize, Serialize};

use crate::engine::{Engine, Held};
use crate::entry::Waiting;
use crate::intake::lifetime_us;
use crate::intercept::{NAME_BYTES_MAX, REASON_BYTES_MAX, named};
use crate::queue::{Diversion, LineState, PRECEDENCES, Passage};
use crate::record::{self, Moved, OrderEvent, Outcome};
use crate::timers::Timer;
use crate::{CommandError, Effects, codes};

/// Entries that move to another line in one step; the rest follows at the next tick.
const MOVED_MAX: usize = 1_000;
/// A minimize lasts at most a day, and must then be ordered again.
const MINIMIZE_MINUTES_MAX: u32 = 24 * 60;

/// One order.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// What to do.
    pub action: Action,
    /// For lines: its name.
    #[serde(default)]
    pub line: String,
    /// For [`Action::Reroute`]: the line that takes its traffic.
    #[serde(default)]
    pub to: String,
    /// For [`Action::Minimize`]: what is below this precedence waits, 0 to 3.
    #[serde(default)]
    pub precedence: u8,
    /// For [`Action::Minimize`]: for how long, 1 to 1,440.
    #[serde(default)]
    pub minutes: u32,
    /// For dead letters: the message (SMN) and its entry.
    #[serde(default)]
    pub message: u64,
    /// See [`Order::message`].
    #[serde(default)]
    pub entry: u16,
    /// The operator, as they call themselves: 1 to 64 bytes.
    pub operator: String,
    /// The account of the operating system, as the system itself says: 1 to 64 bytes.
    pub account: String,
    /// The reason: 1 to 500 bytes.
    pub reason: String,
}

/// What an operator can order.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A dead letter is given up; a second person must say so too.
    Cancel,
    /// What waits for a line is sent, and nothing new is taken for it.
    Drain,
    /// Nothing is sent on a line.
    Hold,
    /// What is below a precedence waits, on all lines.
    Minimize,
    /// Nothing is minimized any more.
    Normal,
    /// A line is used as usual again.
    Release,
    /// A dead letter is sent again, marked.
    Replay,
    /// Another line takes what is meant for one.
    Reroute,
}

impl Action {
    fn name(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Drain => "drain",
            Self::Hold => "hold",
            Self::Minimize => "minimize",
            Self::Normal => "normal",
            Self::Release => "release",
            Self::Replay => "replay",
            Self::Reroute => "reroute",
        }
    }
}

/// What an order did; true once record `record` is durable.
#[derive(Clone, Debug, Serialize)]
pub struct Ordered {
    /// The number of the record that says so.
    pub record: u64,
    /// Entries that wait for the line, or for the line that stands in for it.
    pub waiting: usize,
    /// A second person must order the same before anything happens.
    pub second_person: bool,
}

/// A dead letter as an operator sees it.
#[derive(Clone, Debug, Serialize)]
pub struct DeadLetterStatus {
    /// The message (SMN).
    pub message: u64,
    /// Its entry.
    pub entry: u16,
    /// The line that it was for.
    pub line: String,
    /// 0 to 4.
    pub precedence: u8,
    /// `refused`, `overdue`, `in_doubt`.
    pub reason: &'static str,
    /// Since when, microseconds since 1970, UTC.
    pub died_us: i64,
    /// Who has asked to cancel it.
    pub cancel_asked_by: Option<String>,
}

/// An entry that waits, as an operator sees it: no text.
#[derive(Clone, Debug, Serialize)]
pub struct WaitingStatus {
    /// The message (SMN).
    pub message: u64,
    /// Its entry.
    pub entry: u16,
    /// 0 to 4.
    pub precedence: u8,
    /// Its number on the line.
    pub sequence: u64,
    /// When it expires, microseconds since 1970, UTC.
    pub deadline_us: i64,
    /// It may have been delivered.
    pub possible_duplicate: bool,
    /// Times the destination refused it.
    pub refusals: u8,
}

impl Engine {
    /// Carries out an order at `now_us` and adds to `effects`, as [`Engine::step`] does.
    ///
    /// # Errors
    /// 534 operator, account or reason missing or too long; 542 no such line, or one that cannot
    /// stand in; 543 no such dead letter; 544 the second person is the first; 545 a precedence or
    /// a time out of range; 506 the line has no room for a dead letter.
    pub fn order(
        &mut self,
        order: &Order,
        now_us: i64,
        effects: &mut Effects,
    ) -> Result<Ordered, CommandError> {
        if !named(&order.operator, NAME_BYTES_MAX)
            || !named(&order.account, NAME_BYTES_MAX)
            || !named(&order.reason, REASON_BYTES_MAX)
        {
            return Err(CommandError::of(codes::OPERATOR_UNNAMED));
        }
        let done = match order.action {
            Action::Cancel => self.cancel(order, effects),
            Action::Replay => self.replay(order, now_us, effects),
            Action::Minimize | Action::Normal => self.set_minimize(order, now_us, effects),
            Action::Drain | Action::Hold | Action::Release | Action::Reroute => {
                self.order_line(order, now_us, effects)
            }
        };
        self.flush(effects);
        effects.unreadable.clone_from(&self.unreadable);
        done
    }

    /// The dead letters, the oldest message first.
    #[must_use]
    pub fn dead_letters(&self) -> Vec<DeadLetterStatus> {
        let letters = self.dead.iter().map(|((message, entry), letter)| DeadLetterStatus {
            message,
            entry,
            line: self.line_name(letter.line),
            precedence: letter.precedence,
            reason: match letter.reason {
                Outcome::InDoubt => "in_doubt",
                Outcome::Overdue => "overdue",
                _ => "refused",
            },
            died_us: letter.died_us,
            cancel_asked_by: letter.cancelled_by.as_deref().map(str::to_owned),
        });
        letters.collect()
    }

    /// What waits for a line, the next to go of each precedence first; at most `most` of each.
    ///
    /// # Errors
    /// 542 when the bundle has no such line.
    pub fn queue(&self, line: &str, most: usize) -> Result<Vec<WaitingStatus>, CommandError> {
        let known = self.bundle.directory.find_line(line);
        let state = known.and_then(|line| self.lines.get(line.index()));
        let state = state.ok_or_else(|| CommandError::of(codes::ORDER_UNFIT))?;
        let waiting = state.waiting(most).map(|(precedence, it)| WaitingStatus {
            message: it.number,
            entry: it.index,
            precedence,
            sequence: it.sequence,
            deadline_us: it.deadline_us,
            possible_duplicate: it.possible_duplicate,
            refusals: it.refusals,
        });
        Ok(waiting.collect())
    }

    /// The line that takes what is meant for `line`.
    pub(crate) fn outlet(&self, line: LineId) -> LineId {
        let state = self.lines.get(line.index());
        state.and_then(|it| it.diverted).map_or(line, |diversion| diversion.to)
    }

    fn order_line(
        &mut self,
        order: &Order,
        now_us: i64,
        effects: &mut Effects,
    ) -> Result<Ordered, CommandError> {
        let unfit = || CommandError::of(codes::ORDER_UNFIT);
        let line = self.bundle.directory.find_line(&order.line).ok_or_else(unfit)?;
        if order.action == Action::Reroute {
            let to = self.bundle.directory.find_line(&order.to).ok_or_else(unfit)?;
            let busy = self.line_state(to).is_none_or(|state| state.diverted.is_some());
            if !self.bundle.directory.stands_in(line, to) || busy || self.is_diverted_to(line) {
                return Err(unfit());
            }
        }
        let record = self.record_order(&event(order, order.action.name()), effects);
        self.ordered(line, order.action.name(), &order.to, now_us);
        self.pump(line, now_us, effects);
        let waiting = self.line_state(line).map_or(0, |state| state.len());
        Ok(Ordered { record, waiting, second_person: false })
    }

    /// Some line's traffic goes out by this one.
    fn is_diverted_to(&self, line: LineId) -> bool {
        self.lines.iter().any(|state| state.diverted.is_some_and(|it| it.to == line))
    }

    /// What an order for a line means, now or while the journal is read.
    pub(crate) fn ordered(&mut self, line: LineId, action: &str, to: &str, now_us: i64) {
        let to = self.bundle.directory.find_line(to);
        let Some(state) = self.line_state(line) else {
            return;
        };
        let before = state.diverted;
        match action {
            "hold" => state.passage = Passage::Held,
            "drain" => state.passage = Passage::Drained,
            "release" => (state.passage, state.diverted) = (Passage::Open, None),
            "reroute" => state.diverted = to.map(|to| Diversion { to, automatic: false }),
            "divert" => state.diverted = to.map(|to| Diversion { to, automatic: true }),
            "return" => state.diverted = None,
            _ => {}
        }
        let after = state.diverted;
        if before != after {
            for it in [before, after].into_iter().flatten() {
                self.timers.set(now_us, Timer::Move { line, by: it.to });
            }
        }
    }

    /// Moves what waits between a line and the one that stands in for it, a step at a time.
    pub(crate) fn move_waiting(
        &mut self,
        line: LineId,
        by: LineId,
        now_us: i64,
        effects: &mut Effects,
    ) {
        let diverted = self.outlet(line) == by;
        let (from, to) = if diverted { (line, by) } else { (by, line) };
        let Some(state) = self.line_state(from) else {
            return;
        };
        let moves = |_, it: &Waiting| diverted || it.home == Some(line);
        let taken = state.withdraw_waiting(MOVED_MAX, &moves);
        if taken.is_empty() {
            return;
        }
        let more = taken.len() == MOVED_MAX;
        let mut moved = Vec::with_capacity(taken.len());
        let mut placed = Vec::with_capacity(taken.len());
        for (precedence, waiting) in taken {
            let sequence = self.assign(to, precedence);
            let home = diverted.then_some(line);
            let waiting = Waiting { sequence, home, ready: None, ..waiting };
            moved.push(moved_to(precedence, &waiting));
            placed.push((precedence, waiting));
        }
        let event = OrderEvent {
            action: "move".into(),
            line: self.line_name(from).into(),
            to: self.line_name(to).into(),
            moved,
            ..OrderEvent::default()
        };
        let record = self.record_order(&event, effects);
        for (precedence, waiting) in placed {
            self.expect_elsewhere(&waiting, to, precedence);
            self.hold(record, Held::Moved(to, precedence, waiting));
        }
        if more {
            self.timers.set(now_us + 1, Timer::Move { line, by });
        }
    }

    /// The reply to a moved inquiry comes from another line.
    pub(crate) fn expect_elsewhere(&mut self, waiting: &Waiting, line: LineId, precedence: u8) {
        let control = crate::Control::of(waiting.number, waiting.index);
        let place = (line, precedence, waiting.sequence);
        if let Some(it) = self.pending.get_mut(control) {
            (it.host, it.precedence, it.sequence) = place;
        } else if let Some(it) = self.settled.get_mut(control) {
            (it.host, it.precedence, it.sequence) = place;
        }
    }

    /// A reply may come to a dead letter that is sent again.
    pub(crate) fn expect_again(
        &mut self,
        waiting: &Waiting,
        line: LineId,
        precedence: u8,
        now_us: i64,
    ) {
        if waiting.key.is_some()
            && let Some(entry) = self.load((line, precedence), waiting.slip())
        {
            self.expect_reply(&entry, now_us);
        }
    }

    /// A line has been down for as long as the bundle lets it be: its alternate takes over.
    pub(crate) fn divert(&mut self, line: LineId, now_us: i64, effects: &mut Effects) {
        let Some(alternate) = self.bundle.directory.line(line).alternate else {
            return;
        };
        let is_up = |state: &LineState| state.session.is_some() && state.diverted.is_none();
        let down = self
            .lines
            .get(line.index())
            .is_some_and(|state| state.session.is_none() && state.diverted.is_none());
        let ready = self.lines.get(alternate.index()).is_some_and(is_up);
        if down && ready && !self.is_diverted_to(line) {
            self.turn("divert", line, alternate, now_us, effects);
        } else if down {
            // The alternate may come up before the line does.
            let again_us = i64::from(self.bundle.directory.line(line).divert_after_ms) * 1_000;
            self.timers.set(now_us + again_us.max(1_000_000), Timer::Divert(line));
        }
    }

    /// A line is up again: what the switch itself diverted comes back.
    pub(crate) fn undivert(&mut self, line: LineId, now_us: i64, effects: &mut Effects) {
        let diverted = self.lines.get(line.index()).and_then(|state| state.diverted);
        if let Some(Diversion { to, automatic: true }) = diverted {
            self.turn("return", line, to, now_us, effects);
        }
    }

    fn turn(&mut self, action: &str, line: LineId, to: LineId, now_us: i64, effects: &mut Effects) {
        let to = self.line_name(to);
        let event = OrderEvent {
            action: action.into(),
            line: self.line_name(line).into(),
            to: to.as_str().into(),
            ..OrderEvent::default()
        };
        self.record_order(&event, effects);
        self.ordered(line, action, &to, now_us);
    }

    fn set_minimize(
        &mut self,
        order: &Order,
        now_us: i64,
        effects: &mut Effects,
    ) -> Result<Ordered, CommandError> {
        let minimizes = order.action == Action::Minimize;
        let lowest = usize::from(order.precedence) + 1 < PRECEDENCES;
        if minimizes && (!lowest || !(1..=MINIMIZE_MINUTES_MAX).contains(&order.minutes)) {
            return Err(CommandError::of(codes::ORDER_RANGE));
        }
        let until_us = now_us + i64::from(order.minutes) * 60_000_000;
        let event = OrderEvent {
            precedence: order.precedence,
            until_us: if minimizes { until_us } else { 0 },
            ..event(order, order.action.name())
        };
        let record = self.record_order(&event, effects);
        self.minimized(minimizes.then_some((order.precedence, until_us)));
        self.pump_all(now_us, effects);
        Ok(Ordered { record, waiting: 0, second_person: false })
    }

    /// What is below a precedence waits until a moment, or nothing does.
    pub(crate) fn minimized(&mut self, minimize: Option<(u8, i64)>) {
        self.minimize = minimize;
        self.lines.iter_mut().for_each(LineState::look_again);
        if let Some((_, until_us)) = minimize {
            self.timers.set(until_us, Timer::Minimize);
        }
    }

    /// The time of a minimize is over.
    pub(crate) fn minimize_over(&mut self, now_us: i64, effects: &mut Effects) {
        if self.minimize.is_some_and(|(_, until_us)| until_us <= now_us) {
            let event = OrderEvent { action: "normal".into(), ..OrderEvent::default() };
            self.record_order(&event, effects);
            self.minimized(None);
            self.pump_all(now_us, effects);
        }
    }

    fn pump_all(&mut self, now_us: i64, effects: &mut Effects) {
        let lines: Vec<LineId> = self.bundle.directory.line_ids().map(|(id, _)| id).collect();
        for line in lines {
            self.pump(line, now_us, effects);
        }
    }

    /// Sends a dead letter again: under a new number, marked, with a life of its own.
    fn replay(
        &mut self,
        order: &Order,
        now_us: i64,
        effects: &mut Effects,
    ) -> Result<Ordered, CommandError> {
        let name = (order.message, order.entry);
        let letter = self.dead.find(name).ok_or_else(|| CommandError::of(codes::NOT_DEAD))?;
        let (meant, precedence, key) = (letter.line, letter.precedence, letter.key);
        let line = self.outlet(meant);
        let limit = self.bundle.directory.settings().limits.queue_entries as usize;
        if self.line_state(line).is_none_or(|state| state.len() >= limit) {
            return Err(CommandError::of(codes::QUEUE_FULL));
        }
        // A letter is sent again because somebody wants it to arrive: it lives as long as one that
        // waits for a file that is held.
        let deadline_us = now_us + lifetime_us(&self.bundle, precedence, true);
        let waiting = Waiting {
            number: order.message,
            index: order.entry,
            sequence: self.assign(line, precedence),
            deadline_us,
            ready: None,
            notice_s: 0,
            key,
            refusals: 0,
            possible_duplicate: true,
            home: (line != meant).then_some(meant),
        };
        let moved = vec![moved_to(precedence, &waiting)];
        let to = self.line_name(line);
        let event = OrderEvent {
            line: self.line_name(meant).into(),
            to: to.into(),
            moved,
            ..event(order, "replay")
        };
        let record = self.record_order(&event, effects);
        self.dead.remove(name);
        self.expect_again(&waiting, line, precedence, now_us);
        self.hold(record, Held::Moved(line, precedence, waiting));
        Ok(Ordered { record, waiting: 1, second_person: false })
    }

    /// Gives a dead letter up, once two persons have said so.
    fn cancel(&mut self, order: &Order, effects: &mut Effects) -> Result<Ordered, CommandError> {
        let name = (order.message, order.entry);
        let letter = self.dead.find(name).ok_or_else(|| CommandError::of(codes::NOT_DEAD))?;
        let person = format!("{} ({})", order.operator, order.account);
        let first = letter.cancelled_by.clone();
        if first.as_deref() == Some(&*person) {
            return Err(CommandError::of(codes::SECOND_PERSON));
        }
        let action = if first.is_some() { "cancel" } else { "cancel_asked" };
        let moved = vec![Moved {
            message: order.message,
            entry: order.entry,
            precedence: letter.precedence,
            sequence: 0,
            deadline_us: 0,
            possible_duplicate: false,
        }];
        let line = self.line_name(letter.line);
        let event = OrderEvent { line: line.into(), moved, ..event(order, action) };
        let record = self.record_order(&event, effects);
        self.cancelled(name, first.is_none().then_some(&person));
        Ok(Ordered { record, waiting: 0, second_person: first.is_none() })
    }

    /// One person, or with none named the second, has given a dead letter up.
    pub(crate) fn cancelled(&mut self, name: (u64, u16), asked_by: Option<&str>) {
        match (asked_by, self.dead.find_mut(name)) {
            (Some(person), Some(letter)) => letter.cancelled_by = Some(person.into()),
            _ => self.dead.remove(name),
        }
    }

    fn record_order(&mut self, event: &OrderEvent<'_>, effects: &mut Effects) -> u64 {
        self.append(record::ORDER, record::encode(event), effects)
    }
}

fn moved_to(precedence: u8, waiting: &Waiting) -> Moved {
    Moved {
        message: waiting.number,
        entry: waiting.index,
        precedence,
        sequence: waiting.sequence,
        deadline_us: waiting.deadline_us,
        possible_duplicate: waiting.possible_duplicate,
    }
}

fn event<'a>(order: &'a Order, action: &'a str) -> OrderEvent<'a> {
    let own = |text: &'a str| Cow::Borrowed(text);
    OrderEvent {
        action: own(action),
        line: own(&order.line),
        to: own(&order.to),
        operator: own(&order.operator),
        account: own(&order.account),
        reason: own(&order.reason),
        ..OrderEvent::default()
    }
}
