//! A table in many small ones. One that grows moves all that it has, into memory that was never
//! touched: of a small one that takes a moment that nobody notices.
//!
//! It grows by one part at a time (linear hashing, Litwin 1980): part n takes over about half of
//! the part whose number is n without its highest bit.

use hashbrown::HashTable;

/// So many values for each part on average; in one that is divided next, twice as many.
const SHARE: usize = 800;
/// Which bits of a hash tell the part: above those that tell the place in a table of so many, below
/// those that the table compares, and among the lower 32, for who keeps no more.
const SHIFT: u32 = 11;
const PARTS_MAX: usize = 1 << (25 - SHIFT);

/// See the module.
#[derive(Debug)]
pub(crate) struct Parts<T> {
    /// None before there is something to keep.
    tables: Vec<HashTable<T>>,
    len: usize,
}

impl<T> Default for Parts<T> {
    fn default() -> Self {
        Self { tables: Vec::new(), len: 0 }
    }
}

impl<T> Parts<T> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn find(&self, hash: u64, is_it: impl FnMut(&T) -> bool) -> Option<&T> {
        self.tables.get(part_of(hash, self.tables.len()))?.find(hash, is_it)
    }

    pub(crate) fn find_mut(&mut self, hash: u64, is_it: impl FnMut(&T) -> bool) -> Option<&mut T> {
        let part = part_of(hash, self.tables.len());
        self.tables.get_mut(part)?.find_mut(hash, is_it)
    }

    pub(crate) fn remove(&mut self, hash: u64, is_it: impl FnMut(&T) -> bool) -> Option<T> {
        let part = part_of(hash, self.tables.len());
        let found = self.tables.get_mut(part)?.find_entry(hash, is_it).ok()?;
        self.len -= 1;
        Some(found.remove().0)
    }

    /// Adds what is not there yet; `hasher` gives the hash of what is.
    pub(crate) fn insert(&mut self, hash: u64, value: T, hasher: impl Fn(&T) -> u64) {
        if self.len >= SHARE * self.tables.len() && self.tables.len() < PARTS_MAX {
            self.add_part(&hasher);
        }
        let part = part_of(hash, self.tables.len());
        let Some(table) = self.tables.get_mut(part) else { return };
        table.insert_unique(hash, value, hasher);
        self.len += 1;
    }

    fn add_part(&mut self, hasher: &impl Fn(&T) -> u64) {
        let part = self.tables.len();
        let mut table = HashTable::new();
        let from = part.checked_ilog2().map(|highest| part - (1 << highest));
        if let Some(from) = from.and_then(|from| self.tables.get_mut(from)) {
            table.reserve(from.len() / 2, hasher);
            for value in from.extract_if(|it| part_of(hasher(it), part + 1) == part) {
                table.insert_unique(hasher(&value), value, hasher);
            }
        }
        self.tables.push(table);
    }

    /// All, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.tables.iter().flatten()
    }
}

/// Which of so many parts a hash belongs to.
fn part_of(hash: u64, parts: usize) -> usize {
    let mask = parts.next_power_of_two() - 1;
    let part = (hash >> SHIFT) as usize & mask;
    // That part is still in the one that it will come from.
    if part < parts { part } else { part & (mask >> 1) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::hash::BuildHasher;

    use foldhash::fast::FixedState;
    use proptest::prelude::*;

    fn hash(number: &u64) -> u64 {
        FixedState::default().hash_one(number)
    }

    proptest! {
        #[test]
        fn it_is_a_table(
            first in 0..6_000_u64,
            steps in proptest::collection::vec((0..6_000_u64, any::<bool>()), 1..2_000),
        ) {
            let (mut parts, mut naive) = (Parts::default(), BTreeMap::new());
            for key in 0..first {
                parts.insert(hash(&key), (key, -1), |it| hash(&it.0));
                naive.insert(key, -1);
            }
            for (number, (key, adds)) in (0..).zip(steps) {
                let is_it = |(known, _): &(u64, i32)| *known == key;
                let before = parts.find(hash(&key), is_it).map(|it| it.1);
                prop_assert_eq!(before, naive.get(&key).copied());
                if adds && before.is_none() {
                    parts.insert(hash(&key), (key, number), |it| hash(&it.0));
                    naive.insert(key, number);
                } else if adds {
                    parts.find_mut(hash(&key), is_it).into_iter().for_each(|it| it.1 = number);
                    naive.insert(key, number);
                } else {
                    prop_assert_eq!(parts.remove(hash(&key), is_it), naive.remove_entry(&key));
                }
                prop_assert_eq!(parts.len(), naive.len());
            }
            let mut all: Vec<_> = parts.iter().copied().collect();
            all.sort_unstable();
            prop_assert!(all.into_iter().eq(naive));
        }
    }

    #[test]
    fn none_ever_holds_much() {
        let mut parts = Parts::default();
        for number in 0..1_000_000 {
            parts.insert(hash(&number), number, hash);
            if number % 100 == 0 && number >= 1_000 {
                assert!(parts.find(hash(&(number / 2)), |it| *it == number / 2).is_some());
            }
        }
        let buckets = |table: &HashTable<u64>| table.num_buckets();
        let most = parts.tables.iter().map(buckets).max();
        assert_eq!(most, Some(1 << SHIFT), "of {} parts", parts.tables.len());
        assert_eq!(parts.iter().count(), parts.len());
    }
}
