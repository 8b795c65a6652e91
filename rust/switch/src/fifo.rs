//! A queue of small values in pieces: where it grows, nothing that it holds is moved.

use std::collections::VecDeque;

/// Values in a piece.
const PIECE: usize = 1_024;

/// See the module.
#[derive(Debug)]
pub(crate) struct Fifo<T> {
    /// All but the last are full.
    pieces: VecDeque<Vec<T>>,
    /// So many of the first piece were taken out.
    taken: usize,
}

impl<T> Default for Fifo<T> {
    fn default() -> Self {
        Self { pieces: VecDeque::new(), taken: 0 }
    }
}

impl<T: Copy> Fifo<T> {
    pub(crate) fn len(&self) -> usize {
        let last = self.pieces.back().map_or(0, Vec::len);
        (self.pieces.len().saturating_sub(1) * PIECE + last) - self.taken
    }

    pub(crate) fn push_back(&mut self, value: T) {
        match self.pieces.back_mut().filter(|piece| piece.len() < PIECE) {
            Some(piece) => piece.push(value),
            None => self.pieces.push_back(vec![value]),
        }
    }

    pub(crate) fn get(&self, place: usize) -> Option<&T> {
        let place = place + self.taken;
        self.pieces.get(place / PIECE)?.get(place % PIECE)
    }

    pub(crate) fn front(&self) -> Option<&T> {
        self.get(0)
    }

    pub(crate) fn pop_front(&mut self) -> Option<T> {
        let first = *self.front()?;
        self.taken += 1;
        if self.pieces.front().is_some_and(|piece| self.taken == piece.len()) {
            self.pieces.pop_front();
            self.taken = 0;
        }
        Some(first)
    }

    pub(crate) fn pop_front_if(&mut self, wanted: impl FnOnce(&T) -> bool) -> Option<T> {
        if wanted(self.front()?) { self.pop_front() } else { None }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.pieces.iter().flatten().skip(self.taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_a_queue(
            steps in proptest::collection::vec((any::<bool>(), 1..1_500_usize), 1..30),
        ) {
            let (mut fifo, mut naive, mut next) = (Fifo::default(), VecDeque::new(), 0_u64);
            for (pushes, times) in steps {
                for _ in 0..times {
                    if pushes {
                        fifo.push_back(next);
                        naive.push_back(next);
                        next += 1;
                    } else {
                        prop_assert_eq!(fifo.pop_front(), naive.pop_front());
                    }
                    prop_assert_eq!((fifo.len(), fifo.front()), (naive.len(), naive.front()));
                }
                prop_assert!(fifo.iter().eq(naive.iter()));
                prop_assert_eq!(fifo.get(times), naive.get(times));
            }
            let odd = fifo.front().is_some_and(|first| first % 2 == 1);
            prop_assert_eq!(fifo.pop_front_if(|first| first % 2 == 1).is_some(), odd);
        }
    }
}
