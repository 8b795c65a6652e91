//! A table by number in many small ones: one that grows moves all it has, and of many small ones
//! each takes a moment that nobody notices.

use hashbrown::HashMap;

const PARTS: usize = 64;

type Part<V> = HashMap<u64, V, foldhash::fast::RandomState>;

/// See the module.
#[derive(Debug)]
pub(crate) struct Parts<V> {
    /// None before there is something to keep.
    parts: Vec<Part<V>>,
    /// Which bits of a number, from this one on, differ most.
    shift: u32,
}

impl<V> Parts<V> {
    /// An empty table for numbers that differ most in the six bits from `shift` on.
    pub(crate) const fn new(shift: u32) -> Self {
        Self { parts: Vec::new(), shift }
    }

    fn part(&self, number: u64) -> usize {
        (number >> self.shift) as usize % PARTS
    }

    pub(crate) fn get(&self, number: u64) -> Option<&V> {
        self.parts.get(self.part(number))?.get(&number)
    }

    pub(crate) fn get_mut(&mut self, number: u64) -> Option<&mut V> {
        let part = self.part(number);
        self.parts.get_mut(part)?.get_mut(&number)
    }

    pub(crate) fn insert(&mut self, number: u64, value: V) {
        if self.parts.is_empty() {
            self.parts.resize_with(PARTS, Part::default);
        }
        let part = self.part(number);
        if let Some(part) = self.parts.get_mut(part) {
            part.insert(number, value);
        }
    }

    pub(crate) fn remove(&mut self, number: u64) -> Option<V> {
        let part = self.part(number);
        self.parts.get_mut(part)?.remove(&number)
    }

    /// All, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &V)> {
        self.parts.iter().flatten().map(|(number, value)| (*number, value))
    }
}
