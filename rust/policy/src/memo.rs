//! Verdicts remembered, so that Cedar judges each distinct situation once per bundle.

use crate::explain::Explanation;
use crate::judge::{Policies, Verdict};
use crate::situation::Situation;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use std::hash::Hash;

/// A bounded memory of [`Policies::judge`] and [`Policies::explain`].
///
/// Keyed by bundle and by the run of days between two changes of the rules: a new bundle empties
/// it, and midnight of a change finds nothing remembered. A look-up costs one hash, O(1).
#[derive(Debug)]
pub struct Memo {
    generation: u64,
    verdicts: Halves<(u128, usize), Verdict>,
    explanations: Halves<(u128, usize), Explanation>,
    asked: u64,
    misses: u64,
}

impl Memo {
    /// Explanations are larger and rarer than verdicts: one is kept for this many of them.
    const VERDICTS_PER_EXPLANATION: usize = 16;

    /// A memory of at most `capacity` verdicts (at least 2).
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            generation: 0,
            verdicts: Halves::new(capacity),
            explanations: Halves::new(capacity / Self::VERDICTS_PER_EXPLANATION),
            asked: 0,
            misses: 0,
        }
    }

    /// What [`Policies::judge`] says of this situation on this day.
    pub fn judge(&mut self, policies: &Policies, situation: &Situation, day: i32) -> &Verdict {
        self.follow(policies);
        let key = (situation.key(), policies.slice_number(day));
        self.asked += 1;
        self.verdicts.get(key, || {
            self.misses += 1;
            policies.judge(situation, day)
        })
    }

    /// What [`Policies::explain`] says of this situation on this day.
    pub fn explain(
        &mut self,
        policies: &Policies,
        situation: &Situation,
        day: i32,
    ) -> &Explanation {
        self.follow(policies);
        let key = (situation.key(), policies.slice_number(day));
        self.explanations.get(key, || policies.explain(situation, day))
    }

    /// Situations remembered, those asked of late first, `most` at most.
    #[must_use]
    pub fn situations(&self, most: usize) -> Vec<Situation> {
        let keys = self.verdicts.young.keys().chain(self.verdicts.old.keys());
        keys.take(most).map(|(key, _)| Situation::of_key(*key)).collect()
    }

    /// Verdicts held now, never more than the capacity.
    #[must_use]
    pub fn len(&self) -> usize {
        self.verdicts.len()
    }

    /// Nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Look-ups answered from memory, and those that asked Cedar, since the memo was made.
    #[must_use]
    pub const fn hits_and_misses(&self) -> (u64, u64) {
        (self.asked - self.misses, self.misses)
    }

    fn follow(&mut self, policies: &Policies) {
        if self.generation != policies.generation() {
            self.generation = policies.generation();
            self.verdicts.clear();
            self.explanations.clear();
        }
    }
}

/// A bounded map in two halves: when the young half is full the old one is forgotten, so that
/// what is asked again stays and eviction costs nothing per look-up.
#[derive(Debug)]
pub struct Halves<K, V> {
    half: usize,
    young: HashMap<K, V, foldhash::fast::FixedState>,
    old: HashMap<K, V, foldhash::fast::FixedState>,
}

impl<K: Copy + Eq + Hash, V> Halves<K, V> {
    /// A map of at most `capacity` values (at least 2).
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let seed = foldhash::fast::FixedState::default();
        Self {
            half: (capacity / 2).max(1),
            young: HashMap::with_hasher(seed.clone()),
            old: HashMap::with_hasher(seed),
        }
    }

    /// The value of a key, made where there is none.
    pub fn get(&mut self, key: K, make: impl FnOnce() -> V) -> &V {
        if self.young.len() >= self.half {
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
        match self.young.entry(key) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(self.old.remove(&key).unwrap_or_else(make)),
        }
    }

    /// Values held now.
    #[must_use]
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// Nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}
