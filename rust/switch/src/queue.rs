//! What waits for a line: entries by precedence, and those on the wire and not yet acknowledged.

use std::collections::VecDeque;

use clets_defect::{self as defect, Defect};
use clets_routing::LineId;
use foldhash::fast::FixedState;
use hashbrown::HashSet;
use smallvec::SmallVec;

use crate::entry::{Entry, Waiting, Withdrawn};
use crate::pace::Pace;
use crate::references::References;
use crate::{ConnectionId, Control};

/// Precedences P0 to P4.
pub(crate) const PRECEDENCES: usize = 5;

/// What fell due in one queue.
#[derive(Debug, Default)]
pub(crate) struct Due {
    /// Their lives have ended.
    pub(crate) expired: Vec<Waiting>,
    /// The same of those on the wire.
    pub(crate) unacknowledged: Vec<Entry>,
    /// Their senders are to be told that they wait.
    pub(crate) delayed: Vec<Waiting>,
    /// When the next falls due.
    pub(crate) next_us: Option<i64>,
}

/// An entry on the wire.
#[derive(Debug)]
struct Flight {
    entry: Box<Entry>,
    /// The validation field of a DMPP frame; 0 on native lines.
    validation: u32,
    sent_us: i64,
}

/// The counts of a queue: next number, delivered, reserved.
pub(crate) type QueueState = (u64, u64, u64);

/// What waits for a line in one precedence, in order of number.
#[derive(Debug)]
struct Queue {
    waiting: VecDeque<Waiting>,
    next_sequence: u64,
    delivered: u64,
    /// Numbers that may have been on the wire, as far as the journal says so durably.
    reserved: u64,
    /// The same, as far as it was asked to.
    reserving: u64,
    /// Up to here it is durable what became of those never sent: the peer may skip them.
    closed: u64,
    /// As far as that was asked for.
    closing: u64,
    /// So many at the front were looked at and may not go for now.
    passed: usize,
    /// A timer is set for this moment.
    armed_us: i64,
    /// Senders of all up to this number were told that they wait.
    noticed: u64,
    /// Some deadline is earlier than that of an entry before it.
    mixed: bool,
    pace: Pace,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            next_sequence: 1,
            delivered: 0,
            reserved: 0,
            reserving: 0,
            closed: 0,
            closing: 0,
            passed: 0,
            armed_us: i64::MAX,
            noticed: 0,
            mixed: false,
            pace: Pace::default(),
        }
    }
}

/// So many windows of a line that is up are at hand, on the wire or waiting; what is beyond is read
/// again.
pub(crate) const READY_WINDOWS: usize = 3;
/// So many in any case.
pub(crate) const READY_MIN: usize = 32;
/// Numbers reserved ahead for sending; so many marks at most are false after a restart.
const RESERVED_AHEAD: u64 = 64;

/// The same for a line of this window: one wider than the protocol's needs more, or it would wait
/// for the disk again and again.
pub(crate) fn reserved_ahead(window: u16) -> u64 {
    if window > 64 { 2 * u64::from(window) } else { RESERVED_AHEAD }
}

/// P1 to P4 share a line so while all of them wait.
const SHARES: [i32; PRECEDENCES] = [0, 8, 4, 2, 1];
/// After so many P0 in a row another precedence has one turn: never less than 2 % for the rest.
const URGENT_RUN_MAX: u8 = 49;

/// What an operator lets a line do.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Passage {
    /// What waits is sent, and nothing new is taken for it.
    Drained,
    /// Nothing is sent.
    Held,
    #[default]
    Open,
}

impl Passage {
    /// The one with this discriminant.
    pub(crate) fn of(number: u8) -> Self {
        [Self::Drained, Self::Held].into_iter().find(|it| *it as u8 == number).unwrap_or_default()
    }

    /// `drained`, `held`, `open`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Drained => "drained",
            Self::Held => "held",
            Self::Open => "open",
        }
    }
}

/// Another way for what is meant for a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Diversion {
    pub(crate) to: LineId,
    /// The switch chose it, as the bundle has it, and goes back by itself.
    pub(crate) automatic: bool,
}

/// Everything the engine knows of one line.
#[derive(Debug)]
pub(crate) struct LineState {
    pub(crate) session: Option<ConnectionId>,
    pub(crate) passage: Passage,
    /// The line that takes what is meant for this one.
    pub(crate) diverted: Option<Diversion>,
    queues: [Queue; PRECEDENCES],
    flights: VecDeque<Flight>,
    credits: [i32; PRECEDENCES],
    urgent_run: u8,
    answers: VecDeque<Given>,
    /// What a metered host was sent and has not answered.
    asked: HashSet<Control, FixedState>,
    /// The highest in-sequence taken from the line (native lines).
    pub(crate) received: u64,
    /// What a host sent lately: after a break it sends again what we may have.
    pub(crate) said: References,
    /// When the session began.
    pub(crate) up_since_us: i64,
    pub(crate) tally: Tally,
}

/// The answer to one in-sequence of a native line, to be repeated when the frame is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Given {
    pub(crate) sequence: u64,
    /// The record that carries it: the SMN, when the message was accepted.
    pub(crate) number: u64,
    /// The code of a refusal; 0 when accepted.
    pub(crate) code: u16,
}

/// Answers remembered per native line; four windows of the protocol.
const ANSWERS_MAX: usize = 256;

/// Counters of one line since the start.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) accepted: u64,
    pub(crate) refused: u64,
    pub(crate) delivered: u64,
    pub(crate) expired: u64,
}

impl Default for LineState {
    fn default() -> Self {
        Self {
            session: None,
            passage: Passage::Open,
            diverted: None,
            queues: Default::default(),
            flights: VecDeque::new(),
            credits: [0; PRECEDENCES],
            urgent_run: 0,
            answers: VecDeque::new(),
            asked: HashSet::default(),
            received: 0,
            said: References::default(),
            up_since_us: 0,
            tally: Tally::default(),
        }
    }
}

impl LineState {
    fn queue(&mut self, precedence: u8) -> Option<&mut Queue> {
        self.queues.get_mut(usize::from(precedence))
    }

    /// The next number of a precedence; called inside the accept batch only.
    pub(crate) fn assign(&mut self, precedence: u8) -> u64 {
        let Some(queue) = self.queue(precedence) else {
            return 0;
        };
        let given = queue.next_sequence;
        queue.next_sequence += 1;
        given
    }

    /// Learns in recovery that a number was given.
    pub(crate) fn was_assigned(&mut self, precedence: u8, sequence: u64) {
        if let Some(queue) = self.queue(precedence) {
            queue.next_sequence = queue.next_sequence.max(sequence + 1);
        }
    }

    /// The number up to which a reservation must be recorded so that `sequence` may be sent soon;
    /// none while enough is reserved.
    pub(crate) fn reserve(&mut self, precedence: u8, sequence: u64, ahead: u64) -> Option<u64> {
        let queue = self.queue(precedence)?;
        if sequence + ahead / 2 <= queue.reserving {
            return None;
        }
        queue.reserving = sequence + ahead;
        Some(queue.reserving)
    }

    /// A reservation is durable.
    pub(crate) fn was_reserved(&mut self, precedence: u8, sequence: u64) {
        if let Some(queue) = self.queue(precedence) {
            queue.reserved = queue.reserved.max(sequence);
            queue.reserving = queue.reserving.max(sequence);
        }
    }

    /// Reservations without which nothing more can be sent: precedence and number.
    pub(crate) fn unreserved(&self) -> impl Iterator<Item = (u8, u64)> + '_ {
        let queues = (0_u8..).zip(&self.queues);
        queues.filter_map(|(precedence, queue)| Some((precedence, queue.unreserved()?)))
    }

    /// Up to which number of each precedence the peer may be told to skip what it is not sent.
    pub(crate) fn closed(&self) -> [u64; PRECEDENCES] {
        self.queues.each_ref().map(|queue| queue.closed)
    }

    /// What became of all up to this number is durable.
    pub(crate) fn was_closed(&mut self, precedence: u8, sequence: u64) {
        if let Some(queue) = self.queue(precedence) {
            queue.closed = queue.closed.max(sequence);
        }
    }

    /// Numbers to be closed before the next entry can be sent, where that was not asked for yet:
    /// precedence and the last of them. `expected` is what the peer takes next.
    pub(crate) fn unclosed(&mut self, expected: [u64; PRECEDENCES]) -> SmallVec<[(u8, u64); 5]> {
        let mut found = SmallVec::new();
        for ((precedence, queue), expected) in (0_u8..).zip(&mut self.queues).zip(expected) {
            let last = queue.waiting.front().map_or(0, |it| it.sequence - 1);
            if last >= expected.max(queue.closed + 1).max(queue.closing + 1) {
                queue.closing = last;
                found.push((precedence, last));
            }
        }
        found
    }

    /// Whether an entry may have been on the wire before the switch started.
    pub(crate) fn is_reserved(&self, precedence: u8, sequence: u64) -> bool {
        self.queues.get(usize::from(precedence)).is_some_and(|it| sequence <= it.reserved)
    }

    /// The counts of its queues, P0 to P4.
    pub(crate) fn queue_states(&self) -> Vec<QueueState> {
        self.queues.iter().map(|it| (it.next_sequence, it.delivered, it.reserved)).collect()
    }

    /// Sets the counts that [`LineState::queue_states`] gave.
    pub(crate) fn set_queue_states(&mut self, states: &[QueueState]) {
        for (queue, (next_sequence, delivered, reserved)) in self.queues.iter_mut().zip(states) {
            queue.next_sequence = *next_sequence;
            queue.delivered = *delivered;
            (queue.reserved, queue.reserving) = (*reserved, *reserved);
        }
    }

    /// The answers that are remembered, the oldest first.
    pub(crate) fn answers(&self) -> impl Iterator<Item = &Given> {
        self.answers.iter()
    }

    /// Remembers the answer to an in-sequence.
    pub(crate) fn note_answer(&mut self, given: Given) {
        self.received = self.received.max(given.sequence);
        if self.answers.len() == ANSWERS_MAX {
            self.answers.pop_front();
        }
        self.answers.push_back(given);
    }

    /// The answer given before to an in-sequence.
    pub(crate) fn answer(&self, sequence: u64) -> Option<Given> {
        self.answers.iter().rev().find(|given| given.sequence == sequence).copied()
    }

    /// Puts a durable entry in its queue. Gives the moment for which a timer must be set.
    pub(crate) fn push(&mut self, precedence: u8, waiting: Waiting) -> Option<i64> {
        let queue = self.queue(precedence)?;
        if queue.waiting.back().is_some_and(|last| last.deadline_us > waiting.deadline_us) {
            queue.mixed = true;
        }
        let due_us = waiting.due_us();
        queue.waiting.push_back(waiting);
        queue.arm(due_us)
    }

    /// An entry is about to be put in its queue, of a line with this window.
    pub(crate) fn joins(&mut self, precedence: u8, sequence: u64, window: usize, now_us: i64) {
        if let Some(queue) = self.queue(precedence) {
            queue.pace.joined(sequence, queue.ahead(), window, now_us);
        }
    }

    /// How long one more of a precedence would wait for the wire, microseconds; of a line that is
    /// not up, or held, nothing is known.
    pub(crate) fn wait_us(&self, precedence: u8, window: usize, now_us: i64) -> Option<i64> {
        let queue = self.queues.get(usize::from(precedence))?;
        let moves = self.session.is_some() && self.passage == Passage::Open;
        moves.then(|| queue.pace.wait_us(queue.ahead(), window, now_us))
    }

    /// Takes the next entry to send, if fewer than `window` are on the wire; gives its precedence
    /// too. What `may_go` says no to stays where it is; on a line that counts (`in_order`) all
    /// behind it stays too. P0 goes first; the others share the line.
    pub(crate) fn next(
        &mut self,
        window: usize,
        in_order: bool,
        may_go: &dyn Fn(u8, &Waiting) -> bool,
    ) -> Option<(u8, Waiting)> {
        if self.flights.len() >= window {
            return None;
        }
        let mut places = [None; PRECEDENCES];
        for ((precedence, queue), place) in (0_u8..).zip(&mut self.queues).zip(&mut places) {
            *place = queue.first(in_order, &|waiting| may_go(precedence, waiting));
        }
        let precedence = self.turn(&places)?;
        let queue = self.queue(precedence)?;
        let place = places.get(usize::from(precedence)).copied().flatten()?;
        Some((precedence, queue.waiting.remove(place)?))
    }

    /// Whose turn it is among the precedences that have something to send.
    fn turn(&mut self, places: &[Option<usize>; PRECEDENCES]) -> Option<u8> {
        let waits = |precedence: &usize| places.get(*precedence).is_some_and(Option::is_some);
        let mut others = (1..PRECEDENCES).filter(waits);
        let urgent = places.first().is_some_and(Option::is_some);
        let urgent =
            urgent && !(defect::has(Defect::LowestFirst) && others.clone().next().is_some());
        let Some(only) = others.next() else {
            self.urgent_run = 0;
            return urgent.then_some(0);
        };
        if urgent && self.urgent_run < URGENT_RUN_MAX {
            self.urgent_run += 1;
            return Some(0);
        }
        self.urgent_run = 0;
        if others.next().is_none() {
            return u8::try_from(only).ok();
        }
        let mut total = 0;
        let mut best: Option<(usize, i32)> = None;
        for precedence in (1..PRECEDENCES).filter(waits) {
            let share = SHARES.get(precedence).copied().unwrap_or(1);
            let credit = self.credits.get_mut(precedence)?;
            *credit += share;
            total += share;
            if best.is_none_or(|(_, most)| *credit > most) {
                best = Some((precedence, *credit));
            }
        }
        let (best, _) = best?;
        *self.credits.get_mut(best)? -= total;
        u8::try_from(best).ok()
    }

    /// What may go has changed: all that waits is looked at again.
    pub(crate) fn look_again(&mut self) {
        self.queues.iter_mut().for_each(|queue| queue.passed = 0);
    }

    /// Takes out waiting entries that `leaves` names, at most `most`, with their precedences.
    pub(crate) fn withdraw_waiting(
        &mut self,
        most: usize,
        leaves: &dyn Fn(u8, &Waiting) -> bool,
    ) -> Vec<(u8, Waiting)> {
        let mut taken = Vec::new();
        for (precedence, queue) in (0_u8..).zip(&mut self.queues) {
            let mut stay = Vec::new();
            while taken.len() < most
                && let Some(waiting) = queue.waiting.pop_front()
            {
                if leaves(precedence, &waiting) {
                    taken.push((precedence, waiting));
                } else {
                    stay.push(waiting);
                }
            }
            stay.into_iter().rev().for_each(|waiting| queue.waiting.push_front(waiting));
            queue.passed = 0;
        }
        taken
    }

    /// What waits, the next to go first; at most `most` of each precedence.
    pub(crate) fn waiting(&self, most: usize) -> impl Iterator<Item = (u8, &Waiting)> {
        let queues = (0_u8..).zip(&self.queues);
        queues.flat_map(move |(precedence, queue)| {
            queue.waiting.iter().take(most).map(move |waiting| (precedence, waiting))
        })
    }

    /// A metered host was sent an inquiry.
    pub(crate) fn asked(&mut self, control: Control) {
        self.asked.insert(control);
    }

    /// An inquiry was answered, or will not be.
    pub(crate) fn no_longer_asked(&mut self, control: Control) {
        self.asked.remove(&control);
    }

    /// Inquiries that a metered host was sent and has not answered.
    pub(crate) fn unanswered(&self) -> usize {
        self.asked.len()
    }

    /// Remembers a sent entry until its acknowledgement.
    pub(crate) fn sent(&mut self, entry: Box<Entry>, validation: u32, now_us: i64) {
        if let Some(queue) = self.queue(entry.precedence) {
            queue.pace.left(entry.sequence, now_us);
        }
        self.flights.push_back(Flight { entry, validation, sent_us: now_us });
    }

    /// The entry that a DMPP acknowledgement names.
    pub(crate) fn acknowledged(&mut self, validation: u32) -> Option<Box<Entry>> {
        let place = self.flights.iter().position(|flight| flight.validation == validation)?;
        Some(self.flights.remove(place)?.entry)
    }

    /// The entries that a cumulative native acknowledgement covers: those on the wire, and after a
    /// restart those that still wait.
    pub(crate) fn acknowledged_to(
        &mut self,
        precedence: u8,
        sequence: u64,
    ) -> (Vec<Entry>, Vec<Waiting>) {
        let covered = |entry: &Entry| entry.precedence == precedence && entry.sequence <= sequence;
        let (done, left): (VecDeque<Flight>, VecDeque<Flight>) =
            self.flights.drain(..).partition(|flight| covered(&flight.entry));
        self.flights = left;
        let entries: Vec<Entry> = done.into_iter().map(|flight| *flight.entry).collect();
        let mut waited = Vec::new();
        if let Some(queue) = self.queue(precedence) {
            // The peer can only have what may have been sent.
            let most = sequence.min(queue.reserved);
            while queue.waiting.front().is_some_and(|front| front.sequence <= most) {
                waited.extend(queue.waiting.pop_front());
                queue.passed = queue.passed.saturating_sub(1);
            }
        }
        let last = entries.last().map_or(0, |entry| entry.sequence);
        let last = waited.last().map_or(last, |waiting| last.max(waiting.sequence));
        self.note_delivered(precedence, last);
        (entries, waited)
    }

    /// Learns that a number was delivered.
    pub(crate) fn note_delivered(&mut self, precedence: u8, sequence: u64) {
        if let Some(queue) = self.queue(precedence) {
            queue.delivered = queue.delivered.max(sequence);
        }
    }

    /// The highest number of a precedence that the peer has acknowledged.
    pub(crate) fn delivered(&self, precedence: u8) -> u64 {
        self.queues.get(usize::from(precedence)).map_or(0, |queue| queue.delivered)
    }

    /// Puts an entry that the destination refused, or may not have taken, back into its queue.
    pub(crate) fn put_back(&mut self, mut entry: Box<Entry>) {
        entry.possible_duplicate = !defect::has(Defect::MarkLostAtBreak);
        self.asked.remove(&Control::of(entry.stored.number, entry.index));
        self.put_in_place(entry.precedence, Waiting::of(entry, true));
    }

    /// Puts back what was taken out, in order of number: it is found by that.
    pub(crate) fn put_in_place(&mut self, precedence: u8, waiting: Waiting) {
        if let Some(queue) = self.queue(precedence) {
            let place = queue.waiting.partition_point(|it| it.sequence < waiting.sequence);
            queue.waiting.insert(place, waiting);
            queue.passed = 0;
        }
    }

    /// The connection is gone: what was on the wire waits again, in order, marked. Gives those
    /// that must not be repeated, as `once` says.
    pub(crate) fn disconnect(&mut self, once: &dyn Fn(&Entry) -> bool) -> Vec<Entry> {
        self.session = None;
        self.queues.iter_mut().for_each(|queue| (queue.closed, queue.closing) = (0, 0));
        let mut in_doubt = Vec::new();
        while let Some(flight) = self.flights.pop_back() {
            if defect::has(Defect::DroppedAtBreak) {
            } else if once(&flight.entry) {
                in_doubt.push(*flight.entry);
            } else {
                self.put_back(flight.entry);
            }
        }
        in_doubt.reverse();
        in_doubt
    }

    /// Takes out of the wire's window what has not been acknowledged; marked, for the peer may
    /// have it.
    fn recall(&mut self, wanted: impl Fn(&Entry) -> bool) -> Option<Box<Entry>> {
        let place = self.flights.iter().position(|flight| wanted(&flight.entry))?;
        let mut entry = self.flights.remove(place)?.entry;
        entry.possible_duplicate = true;
        Some(entry)
    }

    /// Takes an entry out that has not been acknowledged, wherever it is.
    pub(crate) fn withdraw(&mut self, precedence: u8, sequence: u64) -> Option<Withdrawn> {
        let queue = self.queue(precedence)?;
        if let Ok(place) = queue.waiting.binary_search_by_key(&sequence, |it| it.sequence) {
            if place < queue.passed {
                queue.passed -= 1;
            }
            return queue.waiting.remove(place).map(Withdrawn::Waiting);
        }
        self.recall(|entry| entry.precedence == precedence && entry.sequence == sequence)
            .map(Withdrawn::Sent)
    }

    /// What falls due in a queue by `now_us`, at most `most` entries; a timer must be set for
    /// `next_us`.
    pub(crate) fn due(&mut self, precedence: u8, now_us: i64, most: usize) -> Due {
        let mut due = Due::default();
        let Some(queue) = self.queue(precedence) else {
            return due;
        };
        queue.armed_us = i64::MAX;
        let ahead_us = if defect::has(Defect::ExpiryEarly) { 30_000_000 } else { 0 };
        queue.expire(now_us + ahead_us, most, &mut due.expired);
        queue.notice(now_us, most, &mut due.delayed);
        let mut next_us = queue.next_due_us();
        while due.unacknowledged.len() < most {
            let late =
                |entry: &Entry| entry.precedence == precedence && entry.deadline_us <= now_us;
            let Some(entry) = self.recall(late) else {
                break;
            };
            due.unacknowledged.push(*entry);
        }
        let flights = self.flights.iter().map(|flight| &flight.entry);
        let flying = flights.filter(|it| it.precedence == precedence).map(|it| it.deadline_us);
        next_us = [next_us, flying.min()].into_iter().flatten().min();
        let queue = self.queue(precedence);
        due.next_us = next_us.and_then(|next_us| queue?.arm(next_us));
        due
    }

    /// Entries waiting, by precedence.
    pub(crate) fn depths(&self) -> [usize; PRECEDENCES] {
        self.queues.each_ref().map(|queue| queue.waiting.len())
    }

    /// Entries waiting and on the wire.
    pub(crate) fn len(&self) -> usize {
        self.queues.iter().map(|queue| queue.waiting.len()).sum::<usize>() + self.flights.len()
    }

    /// When the entry that has been on the wire longest was sent.
    pub(crate) fn oldest_flight_us(&self) -> Option<i64> {
        self.flights.front().map(|flight| flight.sent_us)
    }

    /// Lets what is on the wire have more time.
    pub(crate) fn excuse(&mut self, late_us: i64) {
        self.flights.iter_mut().for_each(|flight| flight.sent_us += late_us);
    }

    /// Entries on the wire.
    pub(crate) fn in_flight(&self) -> usize {
        self.flights.len()
    }

    /// The highest number of a precedence that the peer can have been sent.
    pub(crate) fn sent_at_most(&self, precedence: u8) -> u64 {
        let queue = self.queues.get(usize::from(precedence));
        queue.map_or(0, |queue| queue.reserved.max(queue.delivered))
    }
}

impl Queue {
    /// So many go before one that comes now.
    fn ahead(&self) -> usize {
        self.waiting.len().saturating_sub(self.passed)
    }

    /// Sets the timer to an earlier moment; gives it when one must be set.
    fn arm(&mut self, due_us: i64) -> Option<i64> {
        (due_us < self.armed_us).then(|| {
            self.armed_us = due_us;
            due_us
        })
    }

    /// The place of the first entry that may go.
    fn first(&mut self, in_order: bool, may_go: &dyn Fn(&Waiting) -> bool) -> Option<usize> {
        if in_order {
            self.passed = 0;
        }
        while let Some(waiting) = self.waiting.get(self.passed) {
            if waiting.sequence > self.reserved {
                return None;
            }
            if may_go(waiting) {
                return Some(self.passed);
            }
            if in_order {
                return None;
            }
            self.passed += 1;
        }
        None
    }

    /// The first entry that may go once its number is reserved.
    fn unreserved(&self) -> Option<u64> {
        let sequence = self.waiting.get(self.passed)?.sequence;
        (sequence > self.reserved).then_some(sequence)
    }

    fn expire(&mut self, now_us: i64, most: usize, expired: &mut Vec<Waiting>) {
        if self.mixed {
            let waiting = std::mem::take(&mut self.waiting);
            for entry in waiting {
                if entry.deadline_us <= now_us && expired.len() < most {
                    expired.push(entry);
                } else {
                    self.waiting.push_back(entry);
                }
            }
            self.mixed = !self.waiting.iter().is_sorted_by_key(|it| it.deadline_us);
            self.passed = 0;
            return;
        }
        while expired.len() < most
            && self.waiting.front().is_some_and(|it| it.deadline_us <= now_us)
        {
            expired.extend(self.waiting.pop_front());
            self.passed = self.passed.saturating_sub(1);
        }
    }

    /// Senders are told in order of number; the time until then is the same for all of a queue.
    fn notice(&mut self, now_us: i64, most: usize, delayed: &mut Vec<Waiting>) {
        let from = self.waiting.partition_point(|it| it.sequence <= self.noticed);
        for waiting in self.waiting.range(from..) {
            match waiting.notice_us() {
                Some(notice_us) if notice_us > now_us || delayed.len() == most => break,
                Some(_) => delayed.push(waiting.slip()),
                None => {}
            }
            self.noticed = waiting.sequence;
        }
    }

    fn next_due_us(&self) -> Option<i64> {
        let deadline_us = if self.mixed {
            self.waiting.iter().map(|it| it.deadline_us).min()
        } else {
            self.waiting.front().map(|it| it.deadline_us)
        };
        let from = self.waiting.partition_point(|it| it.sequence <= self.noticed);
        let notice_us = self.waiting.range(from..).find_map(Waiting::notice_us);
        [deadline_us, notice_us].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests;
