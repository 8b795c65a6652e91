//! What waits for a line: entries by precedence, and those on the wire and not yet acknowledged.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicU8;

use clets_routing::LineId;
use clets_wire::{Dialect, Envelope, KeyId, Span};
use foldhash::fast::RandomState;
use hashbrown::HashSet;

use crate::record::Target;
use crate::{ConnectionId, Control};

/// Precedences P0 to P4.
pub(crate) const PRECEDENCES: usize = 5;

/// A message in custody, shared by all its entries.
#[derive(Debug)]
pub(crate) struct Stored {
    /// The switch message number.
    pub(crate) number: u64,
    /// Where it came from; `None` when the switch wrote it.
    pub(crate) line: Option<LineId>,
    pub(crate) key: KeyId,
    pub(crate) dialect: Dialect,
    pub(crate) envelope: Envelope,
    pub(crate) labels: Vec<String>,
    pub(crate) late: bool,
    /// For a reply: the ORI that answered, where the reply itself does not say.
    pub(crate) responder: Box<[u8]>,
    /// For a reply: the ORI that asked.
    pub(crate) requester: Box<[u8]>,
    /// The key that the requester knows an inquiry and its replies by, when a dialect translated
    /// it; else empty.
    pub(crate) entered: Box<[u8]>,
    /// Inquiries made because of replies to this one; at the limit for such an inquiry itself.
    pub(crate) follow_ups: AtomicU8,
    /// The message, or what it means where a dialect translated it.
    pub(crate) body: Box<[u8]>,
}

impl Stored {
    /// A header part, empty when absent.
    pub(crate) fn part(&self, span: Option<Span>) -> &[u8] {
        span.map(|span| span.of(&self.body)).unwrap_or_default()
    }

    /// The text, or the fields as they stand.
    pub(crate) fn content(&self) -> &[u8] {
        self.envelope.content(&self.body)
    }

    pub(crate) fn station(&self) -> &[u8] {
        self.part(self.envelope.station)
    }

    pub(crate) fn reference(&self) -> &[u8] {
        self.part(self.envelope.reference)
    }

    pub(crate) fn user(&self) -> &[u8] {
        self.part(self.envelope.user)
    }

    pub(crate) fn origin(&self) -> &[u8] {
        self.part(self.envelope.origin)
    }
}

/// One message for one destination.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) stored: Arc<Stored>,
    /// Its place among the message's entries.
    pub(crate) index: u16,
    pub(crate) line: LineId,
    pub(crate) precedence: u8,
    pub(crate) sequence: u64,
    pub(crate) deadline_us: i64,
    /// Times the destination said no.
    pub(crate) refusals: u8,
    /// It may have been on the wire before.
    pub(crate) possible_duplicate: bool,
    pub(crate) target: Target<'static>,
}

/// An entry on the wire.
#[derive(Debug)]
struct Flight {
    entry: Entry,
    /// The validation field of a DMPP frame; 0 on native lines.
    validation: u32,
    sent_us: i64,
}

/// Everything the engine knows of one line.
#[derive(Debug)]
pub(crate) struct LineState {
    pub(crate) session: Option<ConnectionId>,
    waiting: [VecDeque<Entry>; PRECEDENCES],
    flights: VecDeque<Flight>,
    next_sequence: [u64; PRECEDENCES],
    delivered: [u64; PRECEDENCES],
    answers: VecDeque<Given>,
    /// What a metered host was sent and has not answered.
    asked: HashSet<Control, RandomState>,
    /// The highest in-sequence taken from the line (native lines).
    pub(crate) received: u64,
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
            waiting: Default::default(),
            flights: VecDeque::new(),
            next_sequence: [1; PRECEDENCES],
            delivered: [0; PRECEDENCES],
            answers: VecDeque::new(),
            asked: HashSet::default(),
            received: 0,
            tally: Tally::default(),
        }
    }
}

impl LineState {
    /// The next number of a precedence; called inside the accept batch only.
    pub(crate) fn assign(&mut self, precedence: u8) -> u64 {
        let Some(next) = self.next_sequence.get_mut(usize::from(precedence)) else {
            return 0;
        };
        let given = *next;
        *next += 1;
        given
    }

    /// Learns in recovery that a number was given.
    pub(crate) fn was_assigned(&mut self, precedence: u8, sequence: u64) {
        if let Some(next) = self.next_sequence.get_mut(usize::from(precedence)) {
            *next = (*next).max(sequence + 1);
        }
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

    /// Puts a durable entry in its queue.
    pub(crate) fn push(&mut self, entry: Entry) {
        if let Some(queue) = self.waiting.get_mut(usize::from(entry.precedence)) {
            queue.push_back(entry);
        }
    }

    /// Takes the next entry to send, if fewer than `window` are on the wire. What `may_go` says
    /// no to stays where it is; on a line that counts (`in_order`) all behind it stays too.
    pub(crate) fn next(
        &mut self,
        window: usize,
        in_order: bool,
        may_go: &dyn Fn(&Entry) -> bool,
    ) -> Option<Entry> {
        if self.flights.len() >= window {
            return None;
        }
        self.waiting.iter_mut().find_map(|queue| {
            let depth = if in_order { 1 } else { queue.len() };
            let place = queue.iter().take(depth).position(may_go)?;
            queue.remove(place)
        })
    }

    /// Takes out all waiting entries that `leaves` names.
    pub(crate) fn withdraw_waiting(&mut self, leaves: &dyn Fn(&Entry) -> bool) -> Vec<Entry> {
        let mut taken = Vec::new();
        for queue in &mut self.waiting {
            let (out, left): (VecDeque<Entry>, VecDeque<Entry>) =
                queue.drain(..).partition(|entry| leaves(entry));
            taken.extend(out);
            *queue = left;
        }
        taken
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
    pub(crate) fn sent(&mut self, entry: Entry, validation: u32, now_us: i64) {
        self.flights.push_back(Flight { entry, validation, sent_us: now_us });
    }

    /// The entry that a DMPP acknowledgement names.
    pub(crate) fn acknowledged(&mut self, validation: u32) -> Option<Entry> {
        let place = self.flights.iter().position(|flight| flight.validation == validation)?;
        let entry = self.flights.remove(place)?.entry;
        self.note_delivered(entry.precedence, entry.sequence);
        Some(entry)
    }

    /// The entries that a cumulative native acknowledgement covers.
    pub(crate) fn acknowledged_to(&mut self, precedence: u8, sequence: u64) -> Vec<Entry> {
        let covered = |entry: &Entry| entry.precedence == precedence && entry.sequence <= sequence;
        let (done, left): (VecDeque<Flight>, VecDeque<Flight>) =
            self.flights.drain(..).partition(|flight| covered(&flight.entry));
        self.flights = left;
        let mut entries: Vec<Entry> = done.into_iter().map(|flight| flight.entry).collect();
        // After a restart the peer may have what we still hold as waiting.
        if let Some(queue) = self.waiting.get_mut(usize::from(precedence)) {
            while queue.front().is_some_and(covered) {
                entries.extend(queue.pop_front());
            }
        }
        if let Some(last) = entries.last() {
            self.note_delivered(precedence, last.sequence);
        }
        entries
    }

    /// Learns that a number was delivered.
    pub(crate) fn note_delivered(&mut self, precedence: u8, sequence: u64) {
        if let Some(cursor) = self.delivered.get_mut(usize::from(precedence)) {
            *cursor = (*cursor).max(sequence);
        }
    }

    /// The highest number of a precedence that the peer has acknowledged.
    pub(crate) fn delivered(&self, precedence: u8) -> u64 {
        self.delivered.get(usize::from(precedence)).copied().unwrap_or(0)
    }

    /// Puts an entry that the destination refused back to the head of its queue.
    pub(crate) fn put_back(&mut self, mut entry: Entry) {
        entry.possible_duplicate = true;
        self.asked.remove(&Control::of(entry.stored.number, entry.index));
        if let Some(queue) = self.waiting.get_mut(usize::from(entry.precedence)) {
            queue.push_front(entry);
        }
    }

    /// The connection is gone: what was on the wire waits again, in order, marked.
    pub(crate) fn disconnect(&mut self) {
        self.session = None;
        while let Some(flight) = self.flights.pop_back() {
            self.put_back(flight.entry);
        }
    }

    /// Takes an entry out that has not been acknowledged, wherever it is; one that was on the wire
    /// is marked, for the peer may have it.
    pub(crate) fn withdraw(&mut self, precedence: u8, sequence: u64) -> Option<Entry> {
        let queue = self.waiting.get_mut(usize::from(precedence))?;
        if let Ok(place) = queue.binary_search_by_key(&sequence, |entry| entry.sequence) {
            return queue.remove(place);
        }
        let place = self.flights.iter().position(|flight| {
            flight.entry.precedence == precedence && flight.entry.sequence == sequence
        })?;
        let entry = self.flights.remove(place)?.entry;
        Some(Entry { possible_duplicate: true, ..entry })
    }

    /// Whether an entry still waits or is on the wire.
    pub(crate) fn find(&self, precedence: u8, sequence: u64) -> Option<&Entry> {
        let queue = self.waiting.get(usize::from(precedence))?;
        if let Ok(place) = queue.binary_search_by_key(&sequence, |entry| entry.sequence) {
            return queue.get(place);
        }
        self.flights
            .iter()
            .map(|flight| &flight.entry)
            .find(|entry| entry.precedence == precedence && entry.sequence == sequence)
    }

    /// Entries waiting, by precedence.
    pub(crate) fn depths(&self) -> [usize; PRECEDENCES] {
        self.waiting.each_ref().map(VecDeque::len)
    }

    /// Entries waiting and on the wire.
    pub(crate) fn len(&self) -> usize {
        self.waiting.iter().map(VecDeque::len).sum::<usize>() + self.flights.len()
    }

    /// When the entry that has been on the wire longest was sent.
    pub(crate) fn oldest_flight_us(&self) -> Option<i64> {
        self.flights.front().map(|flight| flight.sent_us)
    }

    /// Entries on the wire.
    pub(crate) fn in_flight(&self) -> usize {
        self.flights.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(line: &mut LineState, precedence: u8) -> Entry {
        let stored = Arc::new(Stored {
            number: 0,
            line: None,
            key: KeyId(0),
            dialect: Dialect::Clets,
            envelope: clets_wire::decode(b"A.R.U.AM.CA0000000.B.TXT\r\nX", Dialect::Clets).unwrap(),
            labels: Vec::new(),
            late: false,
            responder: Box::default(),
            requester: Box::default(),
            entered: Box::default(),
            follow_ups: AtomicU8::new(0),
            body: Box::default(),
        });
        let target =
            Target::Station { mnemonic: "A".into(), reference: "".into(), user: "".into() };
        Entry {
            stored,
            index: 0,
            line: LineId(0),
            precedence,
            sequence: line.assign(precedence),
            deadline_us: 0,
            refusals: 0,
            possible_duplicate: false,
            target,
        }
    }

    fn filled() -> LineState {
        let mut line = LineState::default();
        for precedence in [4, 4, 2, 4, 0] {
            let entry = entry(&mut line, precedence);
            line.push(entry);
        }
        line
    }

    #[test]
    fn the_higher_precedence_overtakes_and_order_holds_inside_one() {
        let mut line = filled();
        let mut order = Vec::new();
        while let Some(entry) = line.next(99, false, &|_| true) {
            order.push((entry.precedence, entry.sequence));
        }
        assert_eq!(order, [(0, 1), (2, 1), (4, 1), (4, 2), (4, 3)]);
    }

    #[test]
    fn the_window_bounds_what_is_on_the_wire() {
        let mut line = filled();
        let first = line.next(1, false, &|_| true).unwrap();
        line.sent(first, 7, 0);
        assert!(line.next(1, false, &|_| true).is_none());
        assert!(line.acknowledged(8).is_none());
        assert!(line.acknowledged(7).is_some());
        assert!(line.next(1, false, &|_| true).is_some());
    }

    #[test]
    fn a_lost_connection_puts_everything_back_in_order_and_marked() {
        let mut line = filled();
        for validation in 0..4 {
            let entry = line.next(99, false, &|_| true).unwrap();
            line.sent(entry, validation, 0);
        }
        line.disconnect();
        let mut order = Vec::new();
        while let Some(entry) = line.next(99, false, &|_| true) {
            order.push((entry.precedence, entry.sequence, entry.possible_duplicate));
        }
        let marked = [(0, 1, true), (2, 1, true), (4, 1, true), (4, 2, true), (4, 3, false)];
        assert_eq!(order, marked);
    }

    #[test]
    fn a_cumulative_acknowledgement_covers_its_precedence_only() {
        let mut line = filled();
        while let Some(entry) = line.next(99, false, &|_| true) {
            line.sent(entry, 0, 0);
        }
        let done = line.acknowledged_to(4, 2);
        assert_eq!(done.iter().map(|entry| entry.sequence).collect::<Vec<_>>(), [1, 2]);
        assert_eq!((line.in_flight(), line.delivered(4), line.delivered(2)), (3, 2, 0));
    }

    #[test]
    fn withdraws_from_the_queue_and_from_the_wire() {
        let mut line = filled();
        assert!(line.withdraw(4, 2).is_some());
        assert!(line.withdraw(4, 2).is_none());
        let first = line.next(9, false, &|_| true).unwrap();
        line.sent(first, 1, 0);
        assert!(line.find(0, 1).is_some());
        assert!(line.withdraw(0, 1).is_some());
        assert_eq!(line.len(), 3);
    }
}
