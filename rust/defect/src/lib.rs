//! Known-bad forms of the journal and the switch, of which a simulation chooses one at a time, to
//! prove that it would find them.
//!
//! Without the feature `planted`, as in every build but the simulation's test of itself, [`has`] is
//! the constant `false`, and the compiler drops what stands behind it.
#![forbid(unsafe_code)]

#[cfg(feature = "planted")]
use std::sync::atomic::{AtomicU8, Ordering};

/// One defect.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum Defect {
    /// What an answer says need not be durable.
    AnswerEarly = 1,
    /// Damage in the middle of the journal is taken for a torn tail.
    DamageCut,
    /// What was on the wire at a break is forgotten.
    DroppedAtBreak,
    /// Entries expire before their time.
    ExpiryEarly,
    /// The answer to a repeated number is not repeated.
    AnswerLost,
    /// The last batch is not written again after a start.
    LastBatchNotRewritten,
    /// A late reply counts as one in time.
    LateUnmarked,
    /// What is urgent waits for all the rest.
    LowestFirst,
    /// What may have been sent before a restart is not marked.
    MarkLostAtRestart,
    /// What is sent again on the same line is not marked.
    MarkLostAtBreak,
    /// The name of a new segment need not be durable.
    NameUnsynced,
    /// The sender does not hear that its message has expired.
    NobodyTold,
    /// An outcome is recorded twice.
    OutcomeTwice,
    /// An entry may be sent before its message is durable.
    QueueEarly,
    /// A destination that refuses has custody.
    RefusalDelivers,
    /// A restart forgets which references were used.
    ReferencesForgotten,
    /// A reply goes to another reference than the requester's.
    ReplyMisdirected,
    /// A resume point counts one too many as delivered.
    ResumeOffByOne,
    /// Numbers that ended otherwise are not closed.
    SkipNotSent,
    /// A snapshot does not say how far lines may have been sent.
    SnapshotForgets,
    /// An update of unknown outcome is sent again.
    UpdateRepeated,
    /// A batch counts as durable without its sync.
    WriteUnsynced,
}

impl Defect {
    /// Every one.
    pub const ALL: [Self; 22] = [
        Self::AnswerEarly,
        Self::DamageCut,
        Self::DroppedAtBreak,
        Self::ExpiryEarly,
        Self::AnswerLost,
        Self::LastBatchNotRewritten,
        Self::LateUnmarked,
        Self::LowestFirst,
        Self::MarkLostAtRestart,
        Self::MarkLostAtBreak,
        Self::NameUnsynced,
        Self::NobodyTold,
        Self::OutcomeTwice,
        Self::QueueEarly,
        Self::RefusalDelivers,
        Self::ReferencesForgotten,
        Self::ReplyMisdirected,
        Self::ResumeOffByOne,
        Self::SkipNotSent,
        Self::SnapshotForgets,
        Self::UpdateRepeated,
        Self::WriteUnsynced,
    ];
}

#[cfg(feature = "planted")]
static CHOSEN: AtomicU8 = AtomicU8::new(0);

/// Chooses the one that the whole process has from now on.
#[cfg(feature = "planted")]
pub fn choose(defect: Option<Defect>) {
    CHOSEN.store(defect.map_or(0, |it| it as u8), Ordering::SeqCst);
}

/// Whether this is the chosen one.
#[cfg(feature = "planted")]
#[must_use]
pub fn has(defect: Defect) -> bool {
    CHOSEN.load(Ordering::Relaxed) == defect as u8
}

/// Whether this is the chosen one: never.
#[cfg(not(feature = "planted"))]
#[inline]
#[must_use]
pub const fn has(_: Defect) -> bool {
    false
}
