//! The policy filter: facts about one message in, a verdict with the rules that decided out.
//!
//! [`Situation`] holds everything a rule may look at, as small enumerations; text never reaches a
//! rule. [`Policies`] is one bundle of rules written in the Cedar language, strictly validated and
//! dated. [`Policies::judge`] asks Cedar itself and is what the policy *means*; [`Memo`] remembers
//! its answers for the hot path. [`Policies::explain`] says in plain sentences why a message was
//! refused and what would have been permitted.
//!
//! What holds whatever the rules say:
//!
//! - no rule permits: refused (`401`);
//! - any rule that cannot be evaluated: refused (`402`), even when other rules permit;
//! - obligations (flag, label, hold, redact) are judged apart and can never grant anything.
//!
//! Cost: [`Policies::judge`] interprets every rule in force, tens of microseconds for some thirty
//! rules; a [`Memo`] hit is one hash look-up.

#![forbid(unsafe_code)]

mod day;
mod explain;
mod fact;
mod judge;
mod load;
mod memo;
mod request;
mod rule;
mod schema;
mod situation;
mod subjects;
mod survey;
mod words;

pub use day::{day_of, day_text};
pub use explain::{Explanation, Ground, NearestPermit};
pub use fact::{
    Action, Addressing, AgencyClass, AgencyStanding, Attention, CaliforniaPurpose, DataClass,
    Destination, Fact, Level, Ori, Peer, Purpose, Reason, Scope, Standing, Station, StationKind,
    Subject, Topic, Training, User,
};
pub use judge::{Policies, Verdict};
pub use load::Problem;
pub use memo::{Halves, Memo};
pub use rule::{Effect, Rule, RuleId, code};
pub use situation::{Field, Home, Situation};
pub use subjects::{Identifier, SubjectKey, Subjects};
pub use survey::Surveyed;
pub use words::{Stated, TextTopic, TextTopics, Words};
