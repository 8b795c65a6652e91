//! Numbers that a seed alone decides.

/// `SplitMix64`: small, and good enough to choose among steps.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = crate::disk::splitmix(self.0);
        self.0 % end
    }

    /// True in so many of a hundred cases.
    pub(crate) fn often(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of them.
    pub(crate) fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}
