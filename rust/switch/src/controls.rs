//! A table by control field.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;

use crate::Control;
use crate::parts::Parts;

/// See the module.
#[derive(Debug)]
pub(crate) struct Controls<V>(Parts<(Control, V)>);

impl<V> Default for Controls<V> {
    fn default() -> Self {
        Self(Parts::default())
    }
}

/// No stranger chooses these keys, and the same events are to give the same effects.
fn hash(control: Control) -> u64 {
    FixedState::default().hash_one(control)
}

impl<V> Controls<V> {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn get(&self, control: Control) -> Option<&V> {
        Some(&self.0.find(hash(control), |(known, _)| *known == control)?.1)
    }

    pub(crate) fn get_mut(&mut self, control: Control) -> Option<&mut V> {
        Some(&mut self.0.find_mut(hash(control), |(known, _)| *known == control)?.1)
    }

    pub(crate) fn insert(&mut self, control: Control, value: V) {
        match self.get_mut(control) {
            Some(known) => *known = value,
            None => self.0.insert(hash(control), (control, value), |(it, _)| hash(*it)),
        }
    }

    pub(crate) fn remove(&mut self, control: Control) -> Option<V> {
        Some(self.0.remove(hash(control), |(known, _)| *known == control)?.1)
    }

    /// All, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Control, &V)> {
        self.0.iter().map(|(control, value)| (*control, value))
    }
}
