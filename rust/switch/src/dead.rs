//! Dead letters: what could not be delivered and is kept for an operator to send again or cancel.

use std::collections::BTreeMap;

use clets_routing::LineId;
use clets_wire::KeyId;

use crate::record::Outcome;

/// Dead letters of one line; one that has so many takes nothing more.
pub(crate) const DEAD_LETTERS_MAX: usize = 100_000;

/// A dead letter: where the journal has it, and why it is one.
#[derive(Clone, Debug)]
pub(crate) struct DeadLetter {
    pub(crate) line: LineId,
    pub(crate) precedence: u8,
    /// The key that a host is asked with; none for a station.
    pub(crate) key: Option<KeyId>,
    pub(crate) reason: Outcome,
    pub(crate) died_us: i64,
    /// Who has asked to cancel it: another person must agree.
    pub(crate) cancelled_by: Option<Box<str>>,
}

/// All dead letters, by message and entry. They stay until an operator decides.
#[derive(Debug, Default)]
pub(crate) struct DeadLetters {
    letters: BTreeMap<(u64, u16), DeadLetter>,
    counts: BTreeMap<LineId, usize>,
}

impl DeadLetters {
    /// Keeps the entry `name` that ended so.
    pub(crate) fn bury(
        &mut self,
        name: (u64, u16),
        (line, precedence): (LineId, u8),
        key: Option<KeyId>,
        reason: Outcome,
        died_us: i64,
    ) {
        let letter = DeadLetter { line, precedence, key, reason, died_us, cancelled_by: None };
        self.insert(name, letter);
    }

    pub(crate) fn insert(&mut self, name: (u64, u16), letter: DeadLetter) {
        let line = letter.line;
        if self.letters.insert(name, letter).is_none() {
            *self.counts.entry(line).or_default() += 1;
        }
    }

    pub(crate) fn find(&self, name: (u64, u16)) -> Option<&DeadLetter> {
        self.letters.get(&name)
    }

    pub(crate) fn find_mut(&mut self, name: (u64, u16)) -> Option<&mut DeadLetter> {
        self.letters.get_mut(&name)
    }

    /// The oldest message first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = ((u64, u16), &DeadLetter)> {
        self.letters.iter().map(|(name, letter)| (*name, letter))
    }

    /// How many a line has.
    pub(crate) fn count(&self, line: LineId) -> usize {
        self.counts.get(&line).copied().unwrap_or(0)
    }

    pub(crate) fn len(&self) -> usize {
        self.letters.len()
    }

    pub(crate) fn remove(&mut self, name: (u64, u16)) {
        let line = self.letters.remove(&name).map(|letter| letter.line);
        if let Some(count) = line.and_then(|line| self.counts.get_mut(&line)) {
            *count -= 1;
        }
    }
}
