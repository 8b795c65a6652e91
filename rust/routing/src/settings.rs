//! The switch's own settings, as far as the engine needs them.

use clets_wire::Precedence;
use serde::Deserialize;

/// What `switch.toml` says apart from listeners, which are the shell's.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Name of the switch.
    pub name: Box<str>,
    /// The switch's own ORI, nine characters: origin of its notices.
    pub ori: Box<str>,
    /// Origin line of the journal's checkpoints, such as `clets.example/switch`.
    pub origin: Box<str>,
    /// Limits.
    pub limits: Limits,
    /// How long a message of each class may wait for delivery, in milliseconds.
    pub deadline_ms: ClassTimes,
    /// After how long in a queue the sender is told, in milliseconds; 0 is never.
    pub delay_notice_ms: ClassTimes,
    /// How long a reply may take where the host says nothing else, in milliseconds.
    pub reply_deadline_ms: u32,
    /// Codes of the fields the policy facts are read from.
    pub fields: FieldNames,
    /// The zone whose days count, such as `America/Los_Angeles`; empty for UTC.
    #[serde(default)]
    pub time_zone: Box<str>,
    /// Mnemonic of the station that is told of alarms; empty when there is none.
    #[serde(default)]
    pub control_station: Box<str>,
    /// Group that a message for everyone reaches (an AMBER alert); empty for all fixed stations.
    #[serde(default)]
    pub alert_group: Box<str>,
    /// How long the answer to a hit confirmation may take.
    #[serde(default)]
    pub confirmation_ms: ConfirmationTimes,
    /// How often senders may send.
    #[serde(default)]
    pub rates: Rates,
}

/// How often one sender may send; what is beyond is turned away. All zeros are no limits.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Rates {
    /// One line.
    pub line: Rate,
    /// One ORI.
    pub ori: Rate,
    /// One user.
    pub user: Rate,
    /// Messages of P0 of one ORI; more are let in as P2 is.
    pub urgent: Rate,
}

/// So many a second, and so many at once.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Messages a second; 0 for no limit.
    pub per_second: u32,
    /// Messages at once.
    pub burst: u32,
}

impl Rate {
    /// Both numbers.
    #[must_use]
    pub const fn pair(self) -> (u32, u32) {
        (self.per_second, self.burst)
    }
}

/// How long the answer to a hit confirmation may take, in milliseconds (CITE: Nlets User and
/// Technical Guide, hit confirmation: ten minutes and one hour).
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct ConfirmationTimes {
    /// To an urgent request, `PRI/U`.
    pub urgent: u32,
    /// To a routine request, `PRI/R`.
    pub routine: u32,
}

impl Default for ConfirmationTimes {
    fn default() -> Self {
        Self { urgent: 600_000, routine: 3_600_000 }
    }
}

/// Limits of a running switch; what is beyond them is refused with its own code.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Longest frame, in bytes.
    pub frame_bytes: u32,
    /// Most entries in one line's queues, all precedences together.
    pub queue_entries: u32,
    /// Most destinations in one message.
    pub destinations: u16,
    /// Most stations one group may expand to.
    pub group_stations: u32,
    /// Most inquiries that may wait for replies, over all lines.
    pub inquiries: u32,
    /// How long a line and reference are remembered to find duplicates, in milliseconds.
    pub duplicate_window_ms: u64,
}

/// One time for each class of `delivery.md`: P0-P4, and P2 once more for updates.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct ClassTimes {
    /// P0: switch status, officer safety, urgent hit confirmation.
    pub p0: u64,
    /// P1: hits, answers to hit confirmations.
    pub p1: u64,
    /// P2: inquiries and their replies.
    pub p2: u64,
    /// P2 that changes a record.
    pub p2_update: u64,
    /// P3: administrative, point to point.
    pub p3: u64,
    /// P4: broadcasts and batches.
    pub p4: u64,
}

/// Codes of the fields the policy facts are read from.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct FieldNames {
    /// NCIC purpose code, such as `PUR`.
    pub purpose: Box<str>,
    /// California purpose, such as `CAP`.
    pub california_purpose: Box<str>,
    /// Reason of the inquiry, such as `RSN`.
    pub reason: Box<str>,
    /// Attention, such as `ATN`.
    pub attention: Box<str>,
    /// Case number, such as `OCA`.
    pub case: Box<str>,
}

impl ClassTimes {
    /// The time of a precedence, for an update (a record entered, changed, cleared) or not.
    #[must_use]
    pub const fn of(&self, precedence: Precedence, update: bool) -> u64 {
        match precedence {
            Precedence::P0 => self.p0,
            Precedence::P1 => self.p1,
            Precedence::P2 if update => self.p2_update,
            Precedence::P2 => self.p2,
            Precedence::P3 => self.p3,
            Precedence::P4 => self.p4,
        }
    }
}
