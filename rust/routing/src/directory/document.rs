//! The JSON document between the bundle loader and the directory.
//!
//! The long lists (agencies, ORIs, stations, users) come as arrays of arrays in the order of the
//! fields here, which keeps 20,000 users near one megabyte. Names refer to entries by name.

use std::borrow::Cow;

use serde::Deserialize;

use crate::settings::Settings;

/// Text that is borrowed from the document unless it holds an escape.
type Text<'a> = Cow<'a, str>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document<'a> {
    pub(super) settings: Settings,
    #[serde(borrow)]
    pub(super) agencies: Vec<AgencyRow<'a>>,
    #[serde(borrow)]
    pub(super) lines: Vec<LineRow<'a>>,
    #[serde(borrow)]
    pub(super) hosts: Vec<HostRow<'a>>,
    #[serde(borrow)]
    pub(super) oris: Vec<OriRow<'a>>,
    #[serde(borrow)]
    pub(super) stations: Vec<StationRow<'a>>,
    #[serde(borrow)]
    pub(super) users: Vec<UserRow<'a>>,
    #[serde(borrow)]
    pub(super) groups: Vec<GroupRow<'a>>,
    #[serde(borrow)]
    pub(super) routes: Vec<RouteRow<'a>>,
    #[serde(borrow, default)]
    pub(super) file_codes: Vec<FileCodeRow<'a>>,
    #[serde(borrow, default)]
    pub(super) dialects: Vec<TranslationRow<'a>>,
    #[serde(borrow, default)]
    pub(super) follow_ups: Vec<FollowUpRow<'a>>,
}

#[derive(Deserialize)]
pub(super) struct AgencyRow<'a> {
    #[serde(borrow)]
    pub(super) code: Text<'a>,
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    #[serde(borrow)]
    pub(super) class: Text<'a>,
    #[serde(borrow)]
    pub(super) standing: Text<'a>,
    pub(super) county: u16,
    #[serde(default)]
    pub(super) attested: bool,
    #[serde(default)]
    pub(super) agreement: bool,
    #[serde(default)]
    pub(super) mobile_chi: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LineRow<'a> {
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    #[serde(borrow)]
    pub(super) title: Text<'a>,
    #[serde(borrow)]
    pub(super) framing: Text<'a>,
    pub(super) window: u16,
    #[serde(borrow, default)]
    pub(super) alternate: Text<'a>,
    #[serde(default)]
    pub(super) divert_after_ms: u32,
    pub(super) dedupes: bool,
    pub(super) county: u16,
    #[serde(borrow)]
    pub(super) agencies: Vec<Text<'a>>,
    /// A dialect of the document.
    pub(super) dialect: Option<Text<'a>>,
    #[serde(default)]
    pub(super) collate: bool,
    pub(super) collate_field: Option<Text<'a>>,
    #[serde(default)]
    pub(super) follow_ups: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HostRow<'a> {
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    #[serde(borrow)]
    pub(super) title: Text<'a>,
    #[serde(borrow)]
    pub(super) system: Text<'a>,
    #[serde(borrow)]
    pub(super) framing: Text<'a>,
    /// `clets`, `ncic` or `nlets`: which dialects it speaks and understands.
    #[serde(borrow)]
    pub(super) dialect: Text<'a>,
    #[serde(borrow)]
    pub(super) ori: Text<'a>,
    #[serde(borrow)]
    pub(super) station: Text<'a>,
    pub(super) window: u16,
    #[serde(borrow, default)]
    pub(super) alternate: Text<'a>,
    #[serde(default)]
    pub(super) divert_after_ms: u32,
    pub(super) dedupes: bool,
    pub(super) reply_deadline_ms: u32,
    /// Most inquiries without an answer; 0 when there is no limit.
    #[serde(default)]
    pub(super) outstanding: u32,
    #[serde(borrow)]
    pub(super) members: Vec<Text<'a>>,
}

#[derive(Deserialize)]
pub(super) struct OriRow<'a> {
    #[serde(borrow)]
    pub(super) ori: Text<'a>,
    #[serde(borrow)]
    pub(super) agency: Text<'a>,
    pub(super) full_access: bool,
    pub(super) criminal_history: bool,
    pub(super) station: Option<Text<'a>>,
}

#[derive(Deserialize)]
pub(super) struct StationRow<'a> {
    #[serde(borrow)]
    pub(super) mnemonic: Text<'a>,
    #[serde(borrow)]
    pub(super) line: Text<'a>,
    #[serde(borrow)]
    pub(super) ori: Text<'a>,
    #[serde(borrow)]
    pub(super) kind: Text<'a>,
}

#[derive(Deserialize)]
pub(super) struct UserRow<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow)]
    pub(super) agency: Text<'a>,
    #[serde(borrow)]
    pub(super) level: Text<'a>,
    #[serde(borrow)]
    pub(super) standing: Text<'a>,
    pub(super) cleared: bool,
    pub(super) statement: bool,
    pub(super) hired_day: i32,
    pub(super) trained_day: Option<i32>,
    pub(super) training_to_day: Option<i32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupRow<'a> {
    #[serde(borrow)]
    pub(super) code: Text<'a>,
    #[serde(borrow)]
    pub(super) title: Text<'a>,
    #[serde(borrow)]
    pub(super) scope: Text<'a>,
    /// Stations, groups and ORIs (which stand for their station).
    #[serde(borrow)]
    pub(super) members: Vec<Text<'a>>,
    /// Agencies that may send, or none for all.
    #[serde(borrow)]
    pub(super) senders: Option<Vec<Text<'a>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RouteRow<'a> {
    /// `KEY`, `DD.KEY` or `DD.R.KEY`.
    #[serde(borrow)]
    pub(super) keys: Vec<Text<'a>>,
    #[serde(borrow)]
    pub(super) condition: Option<ConditionRow<'a>>,
    #[serde(borrow)]
    pub(super) legs: Vec<LegRow<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConditionRow<'a> {
    #[serde(borrow)]
    pub(super) field: Text<'a>,
    #[serde(borrow)]
    pub(super) values: Vec<Text<'a>>,
    pub(super) negate: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LegRow<'a> {
    #[serde(borrow)]
    pub(super) host: Text<'a>,
    /// Absent: the key of the message.
    pub(super) key: Option<Text<'a>>,
    pub(super) destination_field: Option<Text<'a>>,
    pub(super) destination: Option<Text<'a>>,
    /// Whether the destinations in the header of the message are meant.
    pub(super) addressed: bool,
    /// The key for the code of a region.
    pub(super) region_key: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileCodeRow<'a> {
    /// The key of a leg that is asked in another form.
    #[serde(borrow)]
    pub(super) key: Text<'a>,
    #[serde(borrow)]
    pub(super) field: Text<'a>,
    /// Value of the field, and the key that is asked then.
    #[serde(borrow)]
    pub(super) codes: Vec<(Text<'a>, Text<'a>)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TranslationRow<'a> {
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    #[serde(borrow)]
    pub(super) renames: Vec<(Text<'a>, Text<'a>)>,
    #[serde(borrow)]
    pub(super) keys: Vec<KeyFormRow<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyFormRow<'a> {
    #[serde(borrow)]
    pub(super) entered: Text<'a>,
    #[serde(borrow)]
    pub(super) key: Text<'a>,
    pub(super) with: Option<Text<'a>>,
    pub(super) destination_field: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) defaults: Vec<(Text<'a>, Text<'a>)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FollowUpRow<'a> {
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    #[serde(borrow)]
    pub(super) after: Vec<Text<'a>>,
    #[serde(borrow)]
    pub(super) hosts: Vec<Text<'a>>,
    #[serde(borrow)]
    pub(super) key: Text<'a>,
    #[serde(borrow)]
    pub(super) locators: Vec<LocatorRow<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LocatorRow<'a> {
    #[serde(borrow)]
    pub(super) field: Text<'a>,
    #[serde(borrow)]
    pub(super) label: Text<'a>,
    #[serde(borrow)]
    pub(super) until: Text<'a>,
    pub(super) bytes_max: usize,
}
