//! The bodies of the journal's records, as `MessagePack` maps with named fields.
//!
//! Any `MessagePack` reader can read them; `docs/internals/journal-format.md` lists them.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// A message in the switch's custody, with every entry it was given: [`Accepted`].
pub const ACCEPTED: u8 = 1;
/// A message that was refused: [`Refused`].
pub const REFUSED: u8 = 2;
/// What became of entries: [`Outcomes`].
pub const OUTCOMES: u8 = 3;
/// A line went up or down, or a stranger called: [`LineEvent`].
pub const LINE: u8 = 4;
/// An operator's order for a line or a dead letter, or a diversion: [`OrderEvent`].
pub const ORDER: u8 = 13;
/// How many messages were turned away: [`Shed`].
pub const SHED: u8 = 14;
/// Numbers that may be sent from now on: [`Reserved`].
pub const RESERVED: u8 = 12;
/// The switch started with a bundle: [`Started`].
pub const STARTED: u8 = 5;
/// The switch stopped in order: [`Started`] again.
pub const STOPPED: u8 = 6;
/// Another bundle was put in force, or refused: [`BundleEvent`].
pub const BUNDLE: u8 = 7;
/// What a file takes was changed: [`ServiceEvent`].
pub const SERVICE: u8 = 9;
/// What rules want somebody to look into: [`Case`].
pub const CASE: u8 = 10;
/// A user was suspended, or is no longer: [`UserEvent`].
pub const USER: u8 = 11;
/// What an operator did with a message in the intercept queue: [`InterceptEvent`].
pub const INTERCEPT: u8 = 20;

const BODY_BYTES: usize = 1_024;

/// The name of a record kind, for people.
#[must_use]
pub fn kind_name(kind: u8) -> &'static str {
    match kind {
        ACCEPTED => "accepted",
        REFUSED => "refused",
        OUTCOMES => "outcomes",
        LINE => "line",
        STARTED => "started",
        STOPPED => "stopped",
        BUNDLE => "bundle",
        SERVICE => "service",
        USER => "user",
        CASE => "case",
        INTERCEPT => "intercept",
        ORDER => "order",
        RESERVED => "reserved",
        SHED => "shed",
        _ => "unknown",
    }
}

/// A message in custody. Its record number is its switch message number (SMN).
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Accepted<'a> {
    /// The line it came from; empty when the switch wrote it (a notice).
    #[serde(borrow)]
    pub line: Cow<'a, str>,
    /// The station that sent it.
    #[serde(borrow)]
    pub station: Cow<'a, str>,
    /// The originating ORI.
    #[serde(borrow)]
    pub ori: Cow<'a, str>,
    /// The user.
    #[serde(borrow)]
    pub user: Cow<'a, str>,
    /// The sender's reference.
    #[serde(borrow)]
    pub reference: Cow<'a, str>,
    /// `SYSTEM.KEY`, or the key alone.
    #[serde(borrow)]
    pub key: Cow<'a, str>,
    /// How `body` is written.
    #[serde(borrow)]
    pub dialect: Cow<'a, str>,
    /// The sender's sequence number on a native line; 0 elsewhere.
    pub sequence: u64,
    /// The policy's effect.
    #[serde(borrow)]
    pub effect: Cow<'a, str>,
    /// The rules that decided.
    #[serde(borrow)]
    pub rules: Vec<Cow<'a, str>>,
    /// Labels that travel around the text.
    #[serde(borrow)]
    pub labels: Vec<Cow<'a, str>>,
    /// For a reply or a notice: the SMN of the message it answers.
    pub parent: Option<u64>,
    /// For a reply: the leg it answers.
    pub leg: Option<u16>,
    /// The reply came after its deadline.
    pub late: bool,
    /// The key as entered, when the line's dialect translated it; replies carry it.
    #[serde(borrow, skip_serializing_if = "str::is_empty")]
    pub entered: Cow<'a, str>,
    /// For a reply or a notice: the ORI that it is for, where the message itself does not say.
    #[serde(borrow, skip_serializing_if = "str::is_empty")]
    pub requester: Cow<'a, str>,
    /// What the message means, when `body` does not say it in text that the switch reads: in the
    /// state's own form for a county's dialect, in Nlets text for XML.
    #[serde(borrow, with = "serde_bytes", skip_serializing_if = "<[u8]>::is_empty")]
    pub meaning: Cow<'a, [u8]>,
    /// For an inquiry whose replies come in one message: lines that were down and not asked.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub collate: Option<Vec<Cow<'a, str>>>,
    /// This is that one message.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub collated: bool,
    /// For an inquiry that the switch made by itself: the rule.
    #[serde(borrow, skip_serializing_if = "str::is_empty")]
    pub follow_up: Cow<'a, str>,
    /// The message, byte for byte.
    #[serde(borrow, with = "serde_bytes")]
    pub body: Cow<'a, [u8]>,
    /// One for each destination.
    #[serde(borrow)]
    pub entries: Vec<EntryRecord<'a>>,
    /// For a message that needs an approval, and so has no entries yet: until when it may wait in
    /// the intercept queue, microseconds since 1970, UTC; 0 for any other.
    #[serde(skip_serializing_if = "is_zero")]
    pub held_until_us: i64,
    /// For a reply that needs an approval: whom it is for.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub held_for: Option<HeldFor<'a>>,
    /// For a message that an operator wrote in place of one in the intercept queue.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub edit: Option<Edit<'a>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_zero(value: &i64) -> bool {
    *value == 0
}

/// Whom a reply in the intercept queue is for.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct HeldFor<'a> {
    /// The line of the agency that asked.
    #[serde(borrow)]
    pub line: Cow<'a, str>,
    /// The station that asked, with its reference.
    #[serde(borrow)]
    pub target: Target<'a>,
}

/// What the rules want somebody to look into: a message that one of them blocked or flagged.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Case<'a> {
    /// The number of the message's own record.
    pub message: u64,
    /// The line it came on.
    #[serde(borrow)]
    pub line: Cow<'a, str>,
    /// The station that sent it, as the header gave it.
    #[serde(borrow)]
    pub station: Cow<'a, str>,
    /// The originating ORI.
    #[serde(borrow)]
    pub ori: Cow<'a, str>,
    /// The user.
    #[serde(borrow)]
    pub user: Cow<'a, str>,
    /// `SYSTEM.KEY`, or the key alone.
    #[serde(borrow)]
    pub key: Cow<'a, str>,
    /// What became of the message.
    #[serde(borrow)]
    pub effect: Cow<'a, str>,
    /// The rules that block or flag.
    #[serde(borrow)]
    pub rules: Vec<Cow<'a, str>>,
}

/// Who wrote a message in place of another, and why.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Edit<'a> {
    /// The SMN of the message that it replaces in the intercept queue.
    pub replaces: u64,
    /// The operator, as they call themselves.
    #[serde(borrow)]
    pub operator: Cow<'a, str>,
    /// The account of the operating system.
    #[serde(borrow)]
    pub account: Cow<'a, str>,
    /// The reason, in words.
    #[serde(borrow)]
    pub reason: Cow<'a, str>,
}

/// What was done with a message in the intercept queue.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct InterceptEvent<'a> {
    /// `forward`, `lock`, `return`, `show`, `unlock`; `expire` when nobody decided in time.
    #[serde(borrow)]
    pub action: Cow<'a, str>,
    /// The SMN of the message.
    pub message: u64,
    /// The operator, as they call themselves; empty when the switch acted by itself.
    #[serde(borrow)]
    pub operator: Cow<'a, str>,
    /// The account of the operating system.
    #[serde(borrow)]
    pub account: Cow<'a, str>,
    /// The reason, in words.
    #[serde(borrow)]
    pub reason: Cow<'a, str>,
    /// For `lock`: its end, microseconds since 1970, UTC.
    pub until_us: i64,
    /// For `forward`: the destinations that the operator gave instead of the message's.
    #[serde(borrow)]
    pub to: Vec<Cow<'a, str>>,
    /// For `forward`: one for each destination.
    #[serde(borrow)]
    pub entries: Vec<EntryRecord<'a>>,
}

/// One message for one destination.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct EntryRecord<'a> {
    /// The destination's line.
    #[serde(borrow)]
    pub line: Cow<'a, str>,
    /// The line that it is meant for, when it goes another way.
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    pub home: Cow<'a, str>,
    /// 0 to 4.
    pub precedence: u8,
    /// The number on that line and precedence (`out_seq`), fixed for life.
    pub sequence: u64,
    /// When it expires, microseconds since 1970, UTC.
    pub deadline_us: i64,
    /// Who on that line, and in which form.
    #[serde(borrow)]
    pub target: Target<'a>,
}

/// Whom an entry is for.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target<'a> {
    /// A destination system.
    Host {
        /// Its `DD` address, or empty.
        #[serde(borrow)]
        system: Cow<'a, str>,
        /// The message key there.
        #[serde(borrow)]
        key: Cow<'a, str>,
        /// The federal part only (`R.`).
        federal_only: bool,
        /// Addressees inside the destination system.
        #[serde(borrow)]
        destinations: Vec<Cow<'a, str>>,
        /// How long a reply may take, milliseconds; 0 when none is expected. Inquiries count
        /// from custody, updates from their delivery.
        reply_within_ms: u32,
        /// The reply's time counts from delivery: the file was out of service at custody.
        #[serde(default)]
        after_delivery: bool,
    },
    /// A station of an agency.
    Station {
        /// Its mnemonic.
        #[serde(borrow)]
        mnemonic: Cow<'a, str>,
        /// The reference to restore.
        #[serde(borrow)]
        reference: Cow<'a, str>,
        /// The user it is for, or empty.
        #[serde(borrow)]
        user: Cow<'a, str>,
    },
}

impl Target<'_> {
    /// The same, owning its texts.
    #[must_use]
    pub fn into_owned(self) -> Target<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        match self {
            Self::Host {
                system,
                key,
                federal_only,
                destinations,
                reply_within_ms,
                after_delivery,
            } => Target::Host {
                system: own(system),
                key: own(key),
                federal_only,
                destinations: destinations.into_iter().map(own).collect(),
                reply_within_ms,
                after_delivery,
            },
            Self::Station { mnemonic, reference, user } => Target::Station {
                mnemonic: own(mnemonic),
                reference: own(reference),
                user: own(user),
            },
        }
    }
}

/// A message that the switch did not take into custody.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Refused<'a> {
    /// The line it came from.
    #[serde(borrow)]
    pub line: Cow<'a, str>,
    /// As the header gave them; empty where it did not, or could not be read.
    #[serde(borrow)]
    pub station: Cow<'a, str>,
    /// The claimed ORI.
    #[serde(borrow)]
    pub ori: Cow<'a, str>,
    /// The claimed user.
    #[serde(borrow)]
    pub user: Cow<'a, str>,
    /// The sender's reference.
    #[serde(borrow)]
    pub reference: Cow<'a, str>,
    /// `SYSTEM.KEY`.
    #[serde(borrow)]
    pub key: Cow<'a, str>,
    /// The sender's sequence number on a native line; 0 elsewhere.
    pub sequence: u64,
    /// The numbered code.
    pub code: u16,
    /// The policy's effect, when policy refused.
    #[serde(borrow)]
    pub effect: Cow<'a, str>,
    /// For an inquiry that the switch would have made by itself: the rule.
    #[serde(borrow, skip_serializing_if = "str::is_empty")]
    pub follow_up: Cow<'a, str>,
    /// The rules that refused it.
    #[serde(borrow)]
    pub rules: Vec<Cow<'a, str>>,
    /// The bytes, as they came.
    #[serde(borrow, with = "serde_bytes")]
    pub body: Cow<'a, [u8]>,
}

/// What became of one entry; each has exactly one terminal outcome.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was taken back: by an operator, or because its destination was removed.
    Cancelled,
    /// It still waits, and its sender was told so; not an end.
    Delayed,
    /// The destination refused it five times; it is a dead letter.
    DeadLettered,
    /// The destination has custody.
    Delivered,
    /// Its time passed before it could be delivered.
    Expired,
    /// It may have been delivered, and must not be sent again unasked; it is a dead letter.
    InDoubt,
    /// No reply came by its deadline.
    NoReply,
    /// Its time passed, and it is kept as a dead letter.
    Overdue,
}

impl Outcome {
    /// Whether the entry is kept for an operator to send again or to cancel.
    #[must_use]
    pub fn is_dead_letter(self) -> bool {
        matches!(self, Self::DeadLettered | Self::InDoubt | Self::Overdue)
    }
}

/// Outcomes since the last such record.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Outcomes {
    /// SMN, index of the entry, outcome.
    pub items: Vec<(u64, u16, Outcome)>,
}

/// How far lines may be sent what waits for them. Of what is not delivered when the switch starts,
/// only numbers up to these can have been on the wire.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Reserved<'a> {
    /// Line, precedence, highest number.
    #[serde(borrow)]
    pub items: Vec<(Cow<'a, str>, u8, u64)>,
}

/// Messages that were turned away because there were too many; about one record a second.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Shed<'a> {
    /// Line, code, precedence, how many.
    #[serde(borrow)]
    pub items: Vec<(Cow<'a, str>, u16, u8, u64)>,
}

/// What was ordered for a line, a dead letter or all lines, and what moved because of it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct OrderEvent<'a> {
    /// `hold`, `release`, `drain`, `reroute`, `divert`, `return`, `move`; `minimize`, `normal`;
    /// `replay`, `cancel`, `cancel_asked`.
    #[serde(borrow)]
    pub action: Cow<'a, str>,
    /// The line.
    #[serde(borrow)]
    pub line: Cow<'a, str>,
    /// For `reroute`, `divert` and `move`: the line that takes its traffic.
    #[serde(borrow)]
    pub to: Cow<'a, str>,
    /// For `minimize`: what is below this precedence waits.
    pub precedence: u8,
    /// For `minimize`: its end, microseconds since 1970, UTC.
    pub until_us: i64,
    /// The operator, as they call themselves; empty when the switch acted by itself.
    #[serde(borrow)]
    pub operator: Cow<'a, str>,
    /// The account of the operating system.
    #[serde(borrow)]
    pub account: Cow<'a, str>,
    /// The reason, in words.
    #[serde(borrow)]
    pub reason: Cow<'a, str>,
    /// Entries that have another place from here on; for `cancel` and `cancel_asked` the one.
    pub moved: Vec<Moved>,
}

/// An entry in another place than the one that its message's record gave it.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Moved {
    /// The message (SMN).
    pub message: u64,
    /// Its entry.
    pub entry: u16,
    /// 0 to 4, as before.
    pub precedence: u8,
    /// Its number on its line from here on.
    pub sequence: u64,
    /// When it expires, microseconds since 1970, UTC.
    pub deadline_us: i64,
    /// It may have been delivered before.
    pub possible_duplicate: bool,
}

/// A change of a line's state.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct LineEvent<'a> {
    /// The line; empty for a stranger.
    #[serde(borrow)]
    pub line: Cow<'a, str>,
    /// `up`, `down`, `refused`.
    #[serde(borrow)]
    pub event: Cow<'a, str>,
    /// Why, where something was wrong.
    pub code: u16,
    /// The peer, for a stranger.
    #[serde(borrow)]
    pub peer: Cow<'a, str>,
}

/// The switch's start and stop.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Started<'a> {
    /// The bundle's content hash, hexadecimal.
    #[serde(borrow)]
    pub bundle: Cow<'a, str>,
    /// The version of the program.
    #[serde(borrow)]
    pub version: Cow<'a, str>,
    /// How far the computer's clock was behind the journal's newest time, microseconds. Time then
    /// goes on from there, so that nothing expires early and no record is older than one before.
    #[serde(skip_serializing_if = "is_zero")]
    pub clock_behind_us: i64,
}

/// Another bundle while the switch runs.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct BundleEvent<'a> {
    /// The content hash of the bundle that is in force from here on, hexadecimal.
    #[serde(borrow)]
    pub bundle: Cow<'a, str>,
    /// Who asked for it: operator, account and reason.
    #[serde(borrow)]
    pub source: Cow<'a, str>,
    /// Why the bundle that was given is not in force; empty when it is.
    #[serde(borrow)]
    pub refused: Cow<'a, str>,
}

/// An operator's word on a user, whatever the bundle says of them.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct UserEvent<'a> {
    /// The user.
    #[serde(borrow)]
    pub user: Cow<'a, str>,
    /// Suspended from here on; else no longer.
    pub suspended: bool,
    /// Who said so: operator, account and reason.
    #[serde(borrow)]
    pub source: Cow<'a, str>,
}

/// What a file takes from now on.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct ServiceEvent<'a> {
    /// The file's line.
    #[serde(borrow)]
    pub line: Cow<'a, str>,
    /// A family, a data class or a key; empty for all messages.
    #[serde(borrow)]
    pub family: Cow<'a, str>,
    /// `held`, `removed`, `up`.
    #[serde(borrow)]
    pub state: Cow<'a, str>,
    /// Who said so: `operator` with name and reason, or `status message`.
    #[serde(borrow)]
    pub source: Cow<'a, str>,
}

/// Writes a body.
pub(crate) fn encode<T: Serialize>(body: &T) -> Vec<u8> {
    // Nearly all fit, so that the bytes are not moved as they become more.
    let mut bytes = Vec::with_capacity(BODY_BYTES);
    // Writing to memory cannot fail, and none of these types has a map key that could.
    let _ = rmp_serde::encode::write_named(&mut bytes, body);
    bytes
}

/// Reads a body.
///
/// # Errors
/// When the bytes are not this kind of record.
pub fn decode<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, rmp_serde::decode::Error> {
    rmp_serde::from_slice(body)
}
