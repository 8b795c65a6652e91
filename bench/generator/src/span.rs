//! A stretch of load, and what became of it. Times are microseconds; lists by precedence.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use serde::Serialize;

/// What happens to a stretch in time is told in pieces of this length.
const PIECE_US: u64 = 500_000;
/// Longer than anything that is measured here.
const LONGEST_US: u64 = 600_000_000;
const DIGITS: u8 = 3;
/// Of a piece, for a long stretch has thousands.
const PIECE_DIGITS: u8 = 2;

fn histogram(digits: u8) -> Histogram<u32> {
    Histogram::new_with_max(LONGEST_US, digits)
        .unwrap_or_else(|_| unreachable!("valid bounds of a histogram"))
}

pub(crate) struct Span {
    name: String,
    pub(crate) begun_us: u64,
    pub(crate) ended_us: u64,
    sent: [u64; 5],
    unsent: [u64; 5],
    refused: [BTreeMap<u16, u64>; 5],
    accepted: [Histogram<u32>; 5],
    delivered: [Histogram<u32>; 5],
    /// ACCEPT of all, by when it was due.
    pieces: Vec<Histogram<u32>>,
    done: u64,
}

/// How long something took.
#[derive(Serialize)]
pub(crate) struct Times {
    count: u64,
    p50_us: u64,
    p99_us: u64,
    p999_us: u64,
    max_us: u64,
}

impl From<&Histogram<u32>> for Times {
    fn from(of: &Histogram<u32>) -> Self {
        let at = |part| of.value_at_quantile(part);
        Self {
            count: of.len(),
            p50_us: at(0.5),
            p99_us: at(0.99),
            p999_us: at(0.999),
            max_us: of.max(),
        }
    }
}

/// A stretch as it is told.
#[derive(Serialize)]
pub(crate) struct Told<'a> {
    name: &'a str,
    seconds: f64,
    sent: [u64; 5],
    /// Not even sent, for its line had no room.
    unsent: [u64; 5],
    /// Refused by code.
    refused: &'a [BTreeMap<u16, u64>; 5],
    /// From the intended time until ACCEPT.
    accepted: Vec<Times>,
    /// From the intended time until the station has it; P2: until the answer is back.
    delivered: Vec<Times>,
    /// ACCEPT of all precedences, by half seconds of the intended time.
    pieces: Vec<Times>,
    /// Messages, of whatever stretch, that were delivered while this one lasted.
    done: u64,
}

impl Span {
    pub(crate) fn new(name: String, begun_us: u64) -> Self {
        Self {
            name,
            begun_us,
            ended_us: u64::MAX,
            sent: [0; 5],
            unsent: [0; 5],
            refused: Default::default(),
            accepted: std::array::from_fn(|_| histogram(DIGITS)),
            delivered: std::array::from_fn(|_| histogram(DIGITS)),
            pieces: Vec::new(),
            done: 0,
        }
    }

    pub(crate) fn has(&self, at_us: u64) -> bool {
        (self.begun_us..self.ended_us).contains(&at_us)
    }

    pub(crate) fn note_sent(&mut self, precedence: u8, sent: bool) {
        let counts = if sent { &mut self.sent } else { &mut self.unsent };
        counts.iter_mut().skip(precedence.into()).take(1).for_each(|count| *count += 1);
    }

    pub(crate) fn note_accepted(&mut self, precedence: u8, due_us: u64, took_us: u64) {
        if let Some(times) = self.accepted.get_mut(usize::from(precedence)) {
            times.saturating_record(took_us);
        }
        let piece = usize::try_from((due_us - self.begun_us) / PIECE_US).unwrap_or(usize::MAX);
        while self.pieces.len() <= piece {
            self.pieces.push(histogram(PIECE_DIGITS));
        }
        if let Some(times) = self.pieces.get_mut(piece) {
            times.saturating_record(took_us);
        }
    }

    pub(crate) fn note_refused(&mut self, precedence: u8, code: u16) {
        if let Some(codes) = self.refused.get_mut(usize::from(precedence)) {
            *codes.entry(code).or_default() += 1;
        }
    }

    pub(crate) fn note_delivered(&mut self, precedence: u8, took_us: u64) {
        if let Some(times) = self.delivered.get_mut(usize::from(precedence)) {
            times.saturating_record(took_us);
        }
    }

    pub(crate) fn note_done(&mut self) {
        self.done += 1;
    }

    /// What is to come of all that was accepted, so many copies of each precedence.
    pub(crate) fn count_expected(&self, copies: &[u64; 5]) -> u64 {
        self.accepted.iter().zip(copies).map(|(accepted, copies)| accepted.len() * copies).sum()
    }

    #[expect(clippy::cast_precision_loss, reason = "for people")]
    pub(crate) fn told(&self, now_us: u64) -> Told<'_> {
        Told {
            name: &self.name,
            seconds: (self.ended_us.min(now_us) - self.begun_us) as f64 / 1e6,
            sent: self.sent,
            unsent: self.unsent,
            refused: &self.refused,
            accepted: self.accepted.iter().map(Times::from).collect(),
            delivered: self.delivered.iter().map(Times::from).collect(),
            pieces: self.pieces.iter().map(Times::from).collect(),
            done: self.done,
        }
    }
}
