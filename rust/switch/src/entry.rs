//! A message in custody, and one entry of it for each destination.

use std::sync::Arc;
use std::sync::atomic::AtomicU8;

use clets_routing::LineId;
use clets_wire::{Dialect, Envelope, KeyId, Span};

use crate::record::Target;

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

/// One message for one destination, at hand: on the wire, or about to be.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) stored: Arc<Stored>,
    /// Its place among the message's entries.
    pub(crate) index: u16,
    pub(crate) line: LineId,
    /// The line that it is meant for, when it goes another way.
    pub(crate) home: Option<LineId>,
    pub(crate) precedence: u8,
    pub(crate) sequence: u64,
    pub(crate) deadline_us: i64,
    /// When its sender is told that it still waits, seconds since 1970; 0 for never.
    pub(crate) notice_s: u32,
    /// The key that a host is asked with; none for a station.
    pub(crate) key: Option<KeyId>,
    /// Times the destination said no.
    pub(crate) refusals: u8,
    /// It may have been on the wire before.
    pub(crate) possible_duplicate: bool,
    pub(crate) target: Target<'static>,
}

/// An entry in its queue: where the journal has it, and what must be known of it without reading.
/// A million of them are 48 MB: see the test.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// The switch message number.
    pub(crate) number: u64,
    pub(crate) sequence: u64,
    pub(crate) deadline_us: i64,
    /// The entry, while it is likely to be sent soon.
    pub(crate) ready: Option<Box<Entry>>,
    pub(crate) notice_s: u32,
    pub(crate) key: Option<KeyId>,
    pub(crate) index: u16,
    pub(crate) refusals: u8,
    pub(crate) possible_duplicate: bool,
    pub(crate) home: Option<LineId>,
}

impl Waiting {
    /// What waits of an entry; `keep` has it at hand, else it is read again from the journal.
    pub(crate) fn of(entry: Box<Entry>, keep: bool) -> Self {
        Self {
            number: entry.stored.number,
            sequence: entry.sequence,
            deadline_us: entry.deadline_us,
            notice_s: entry.notice_s,
            key: entry.key,
            index: entry.index,
            refusals: entry.refusals,
            possible_duplicate: entry.possible_duplicate,
            home: entry.home,
            ready: keep.then_some(entry),
        }
    }

    /// The same without the entry itself.
    pub(crate) fn slip(&self) -> Self {
        Self { ready: None, ..*self }
    }

    /// When something falls due for it: its sender is told, or its life ends.
    pub(crate) fn due_us(&self) -> i64 {
        match self.notice_us() {
            Some(notice_us) => notice_us.min(self.deadline_us),
            None => self.deadline_us,
        }
    }

    pub(crate) fn notice_us(&self) -> Option<i64> {
        (self.notice_s > 0).then_some(i64::from(self.notice_s) * 1_000_000)
    }
}

/// An entry that was taken out, from its queue or from the wire.
#[derive(Debug)]
pub(crate) enum Withdrawn {
    Sent(Box<Entry>),
    Waiting(Waiting),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_entries_cost_less_than_64_mb() {
        assert!(size_of::<Waiting>() <= 48, "{} bytes", size_of::<Waiting>());
    }
}
