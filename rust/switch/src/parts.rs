//! A table in many small ones. One that grows moves all that it has: of many small ones each takes
//! a moment that nobody notices, and no two of them the same moment.

use hashbrown::HashTable;

const PARTS: usize = 64;
/// Which bits of a hash tell the part: above those that tell the place in a table of half a
/// million, below those that the table compares, and among the lower 32, for who keeps no more.
const SHIFT: u32 = 19;

/// See the module.
#[derive(Debug)]
pub(crate) struct Parts<T> {
    /// None before there is something to keep.
    tables: Vec<HashTable<T>>,
}

impl<T> Default for Parts<T> {
    fn default() -> Self {
        Self { tables: Vec::new() }
    }
}

impl<T> Parts<T> {
    pub(crate) fn len(&self) -> usize {
        self.tables.iter().map(HashTable::len).sum()
    }

    pub(crate) fn find(&self, hash: u64, is_it: impl FnMut(&T) -> bool) -> Option<&T> {
        self.tables.get(part_of(hash))?.find(hash, is_it)
    }

    pub(crate) fn find_mut(&mut self, hash: u64, is_it: impl FnMut(&T) -> bool) -> Option<&mut T> {
        self.tables.get_mut(part_of(hash))?.find_mut(hash, is_it)
    }

    pub(crate) fn remove(&mut self, hash: u64, is_it: impl FnMut(&T) -> bool) -> Option<T> {
        let found = self.tables.get_mut(part_of(hash))?.find_entry(hash, is_it).ok()?;
        Some(found.remove().0)
    }

    /// Adds what is not there yet; `hasher` gives the hash of what is.
    pub(crate) fn insert(&mut self, hash: u64, value: T, hasher: impl Fn(&T) -> u64) {
        if self.tables.is_empty() {
            self.tables.resize_with(PARTS, HashTable::new);
        }
        let part = part_of(hash);
        let Some(table) = self.tables.get_mut(part) else { return };
        // Parts fill alike, and would be full together: some grow a little before they must.
        let left = table.capacity() - table.len();
        if left * 4 * PARTS <= table.len() * part {
            table.reserve(left + 1, &hasher);
        }
        table.insert_unique(hash, value, hasher);
    }

    /// All, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.tables.iter().flatten()
    }
}

fn part_of(hash: u64) -> usize {
    (hash >> SHIFT) as usize % PARTS
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
            steps in proptest::collection::vec((0..500_u64, any::<bool>()), 1..2_000),
        ) {
            let (mut parts, mut naive) = (Parts::default(), BTreeMap::new());
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
    fn few_parts_grow_at_a_time() {
        let mut parts = Parts::default();
        let capacities =
            |parts: &Parts<u64>| -> usize { parts.tables.iter().map(HashTable::capacity).sum() };
        let (mut grown, mut most) = (0, 0);
        for number in 0..400_000 {
            let before = capacities(&parts);
            parts.insert(hash(&number), number, hash);
            grown += usize::from(capacities(&parts) != before);
            if number % 1_000 == 999 {
                most = most.max(if number < 50_000 { 0 } else { grown });
                grown = 0;
            }
        }
        assert!((1..=8).contains(&most), "{most} of {PARTS} within a thousand");
    }
}
