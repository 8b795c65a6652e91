//! A list whose entries are found by name in constant time.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

/// An entry with a name.
pub(crate) trait Named {
    fn name(&self) -> &[u8];
}

/// Entries in the order they were added, and a hashed index over their names.
///
/// The index holds positions only, so that a name is stored once. The hash is not seeded: the names
/// come from the bundle, and a stranger who looks names up cannot put any in.
#[derive(Debug)]
pub(crate) struct Table<T> {
    rows: Vec<T>,
    index: HashTable<u32>,
    hasher: FixedState,
    /// What an id of another directory finds.
    nobody: T,
}

impl<T: Named> Table<T> {
    pub(crate) fn new(capacity: usize, nobody: T) -> Self {
        Self {
            rows: Vec::with_capacity(capacity),
            index: HashTable::with_capacity(capacity),
            hasher: FixedState::default(),
            nobody,
        }
    }

    /// Adds an entry and gives its position, or `None` when the name is taken.
    pub(crate) fn add(&mut self, row: T) -> Option<usize> {
        let position = self.rows.len();
        let slot = u32::try_from(position).ok()?;
        let hash = self.hasher.hash_one(row.name());
        let (rows, hasher) = (&self.rows, &self.hasher);
        let taken = |slot: &u32| name_at(rows, *slot) == row.name();
        if self.index.find(hash, taken).is_some() {
            return None;
        }
        self.index.insert_unique(hash, slot, |slot| hasher.hash_one(name_at(rows, *slot)));
        self.rows.push(row);
        Some(position)
    }

    pub(crate) fn find(&self, name: &[u8]) -> Option<usize> {
        let hash = self.hasher.hash_one(name);
        let slot = self.index.find(hash, |slot| name_at(&self.rows, *slot) == name)?;
        usize::try_from(*slot).ok()
    }

    pub(crate) fn row(&self, position: usize) -> &T {
        self.rows.get(position).unwrap_or(&self.nobody)
    }

    pub(crate) fn row_mut(&mut self, position: usize) -> Option<&mut T> {
        self.rows.get_mut(position)
    }

    pub(crate) fn rows(&self) -> &[T] {
        &self.rows
    }
}

fn name_at<T: Named>(rows: &[T], slot: u32) -> &[u8] {
    usize::try_from(slot).ok().and_then(|slot| rows.get(slot)).map_or(&[], Named::name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    impl Named for Vec<u8> {
        fn name(&self) -> &[u8] {
            self
        }
    }

    /// The same, slowly: the first entry of that name.
    fn find_naive(rows: &[Vec<u8>], name: &[u8]) -> Option<usize> {
        rows.iter().position(|row| row == name)
    }

    proptest! {
        #[test]
        fn finds_what_a_linear_search_finds(
            names in prop::collection::vec(prop::collection::vec(0u8..4, 0..4), 0..200),
            asked in prop::collection::vec(prop::collection::vec(0u8..5, 0..5), 0..50),
        ) {
            let mut table = Table::new(0, Vec::new());
            let mut kept: Vec<Vec<u8>> = Vec::new();
            for name in names {
                let taken = find_naive(&kept, &name).is_some();
                prop_assert_eq!(table.add(name.clone()).is_none(), taken);
                if !taken {
                    kept.push(name);
                }
            }
            prop_assert_eq!(table.rows(), kept.as_slice());
            for name in asked.iter().chain(&kept) {
                prop_assert_eq!(table.find(name), find_naive(&kept, name));
            }
        }
    }

    #[test]
    fn a_position_out_of_range_is_nobody() {
        let table: Table<Vec<u8>> = Table::new(0, b"nobody".to_vec());
        assert_eq!(table.row(7), b"nobody");
    }
}
