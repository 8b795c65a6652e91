//! Another bundle in the place of the one in force, and users who are suspended at once.
//!
//! A message is judged by one bundle from end to end: the engine takes one event at a time, and a
//! new bundle is an event. What is in custody stays so, whatever the new bundle says.

use std::collections::HashSet;
use std::sync::Arc;

use clets_policy::{Situation, Standing};
use clets_wire::{Envelope, Span};
use foldhash::fast::RandomState;

use crate::engine::Engine;
use crate::record::{self, BundleEvent, UserEvent};
use crate::{Bundle, CommandError, Effects, Judge, codes};

/// Users whom an operator has suspended, by their ids.
pub(crate) type Suspended = HashSet<Box<[u8]>, RandomState>;

impl Engine {
    /// Situations that are remembered, `most` at most: for [`Judge::prepared`].
    #[must_use]
    pub fn remembered(&self, most: usize) -> Vec<Situation> {
        self.judge.remembered(most)
    }

    /// Puts a bundle in force, from the next message on. `judge` may have been prepared for it
    /// ([`Judge::prepared`]). Gives the number of the record that says so.
    ///
    /// # Errors
    /// 541 when its lines are not those that run: a line comes and goes with a restart.
    pub fn reload(
        &mut self,
        bundle: Arc<Bundle>,
        judge: Judge,
        source: &str,
        effects: &mut Effects,
    ) -> Result<u64, CommandError> {
        if !same_lines(&self.bundle, &bundle) {
            return Err(CommandError::of(codes::LINES_CHANGED));
        }
        let body = record::encode(&BundleEvent {
            bundle: bundle.hash.as_str().into(),
            source: source.into(),
            refused: "".into(),
        });
        let number = self.append(record::BUNDLE, body, effects);
        self.bundle = bundle;
        self.judge = judge;
        // Users have other numbers now.
        self.habits = crate::habits::Habits::default();
        self.shadow = None;
        Ok(number)
    }

    /// Records that a bundle was refused, and why in a word; the one in force stays so.
    pub fn refuse_bundle(&mut self, source: &str, why: &str, effects: &mut Effects) -> u64 {
        let body = record::encode(&BundleEvent {
            bundle: self.bundle.hash.as_str().into(),
            source: source.into(),
            refused: why.into(),
        });
        self.append(record::BUNDLE, body, effects)
    }

    /// Suspends a user, or lifts that again, from the next message on, whatever the bundle says of
    /// them otherwise. It holds over restarts and new bundles. Gives the number of the record.
    ///
    /// # Errors
    /// 304 when the bundle has no such user, or the user is not suspended.
    pub fn suspend(
        &mut self,
        user: &str,
        suspended: bool,
        source: &str,
        effects: &mut Effects,
    ) -> Result<u64, CommandError> {
        let known = self.bundle.directory.user(user.as_bytes()).is_some();
        let is_suspended = self.suspended.contains(user.as_bytes());
        if (suspended && !known) || (!suspended && !is_suspended) {
            return Err(CommandError::of(codes::USER_UNKNOWN));
        }
        let body =
            record::encode(&UserEvent { user: user.into(), suspended, source: source.into() });
        let number = self.append(record::USER, body, effects);
        self.suspend_again(user, suspended);
        Ok(number)
    }

    /// What a record says of a user.
    pub(crate) fn suspend_again(&mut self, user: &str, suspended: bool) {
        if suspended {
            self.suspended.insert(user.as_bytes().into());
        } else {
            self.suspended.remove(user.as_bytes());
        }
    }

    /// The sender of a message is suspended by an operator.
    pub(crate) fn is_suspended(&self, envelope: &Envelope, bytes: &[u8]) -> bool {
        let named = |user: Span| self.suspended.contains(user.of(bytes));
        !self.suspended.is_empty() && envelope.user.is_some_and(named)
    }
}

/// The account of a user whom an operator has suspended: one that is closed for good stays so.
pub(crate) fn suspended(standing: Standing) -> Standing {
    match standing {
        Standing::Separated | Standing::Unknown => standing,
        _ => Standing::Suspended,
    }
}

/// Queues, sessions and connections belong to lines: these must be the same ones.
fn same_lines(old: &Bundle, new: &Bundle) -> bool {
    let frame_bytes = |bundle: &Bundle| bundle.directory.settings().limits.frame_bytes;
    let (left, right) = (old.directory.lines(), new.directory.lines());
    left.len() == right.len()
        && frame_bytes(old) == frame_bytes(new)
        && left.iter().zip(right).all(|(left, right)| {
            (&left.name, left.kind, left.framing, left.dialect_in, left.dialect_out, left.dedupes)
                == (
                    &right.name,
                    right.kind,
                    right.framing,
                    right.dialect_in,
                    right.dialect_out,
                    right.dedupes,
                )
        })
}
