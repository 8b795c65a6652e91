//! Edits: what each field of a key's message must look like.
//!
//! The table is data (`data/edits.csv`), each row with its source. Its columns:
//!
//! | column | shape |
//! |---|---|
//! | scope | `*` for every key, a family, or one key (`YQ`, `NLTS.YQ`); the narrowest row holds |
//! | field | a field code, or `*` for all that the key does not list |
//! | rule | `required`, `optional`, `forbidden`, or `common`: optional, and listed for every key |
//! | min, max | width of the value in bytes, inclusive |
//! | kind | `date`, `letters`, `list`, `number`, `ori` or `text` |
//! | values | for a list its values; for other kinds, values that pass besides |
//! | source | the public document the row rests on |
//!
//! A code without a row passes as it is. Codes that a message must carry in one of several
//! combinations stand in the table of keys.

use foldhash::fast::FixedState;
use hashbrown::{HashMap, HashSet};
use serde::Deserialize;

use super::{Action, Key};
use crate::code;
use crate::envelope::{Envelope, Field, FieldCode};
use crate::limits::FIELD_CODE_BYTES_MAX;

/// Why a message of a key must not pass. Never holds a value of the message.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("field {field} at offset {offset}: expected {rule}")]
pub struct EditError {
    /// Number of the error, see [`crate::code`].
    pub code: u16,
    /// The field, or the combinations of which one must be there.
    pub field: String,
    /// What must hold, in words.
    pub rule: String,
    /// Where the value begins, in bytes; the length of the message for a field that is missing.
    pub offset: usize,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Date,
    Letters,
    List,
    Number,
    Ori,
    Text,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Rule {
    Common,
    Forbidden,
    Optional,
    Required,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    scope: String,
    field: String,
    rule: Rule,
    min: Option<usize>,
    max: Option<usize>,
    kind: Option<Kind>,
    values: String,
    source: String,
}

/// What holds for one code in messages of one key.
#[derive(Clone, Debug)]
struct Edit {
    /// No message of the key may carry it.
    refused: bool,
    min: usize,
    max: usize,
    kind: Kind,
    /// In the order of the table, for people; and to look them up.
    listed: Vec<Box<[u8]>>,
    values: HashSet<Box<[u8]>, FixedState>,
}

/// The edits of one key, one for each code that it lists or a row names.
#[derive(Clone, Debug, Default)]
pub(super) struct Edits {
    edits: HashMap<FieldCode, Edit, FixedState>,
    required: Vec<(FieldCode, String)>,
    refuses_unlisted: bool,
}

/// The edits of every key, in the order of `keys`.
pub(super) fn compile(table: &str, keys: &[Key]) -> Result<Vec<Edits>, String> {
    let mut reader = csv::ReaderBuilder::new().from_reader(table.as_bytes());
    let mut rows = Vec::new();
    for (line, row) in (2..).zip(reader.deserialize()) {
        let row: Row = row.map_err(|problem| format!("line {line}: {problem}"))?;
        check_row(&row, keys).map_err(|problem| format!("line {line}: {problem}"))?;
        rows.push(row);
    }
    Ok(keys.iter().map(|key| Edits::of(key, &rows)).collect())
}

fn check_row(row: &Row, keys: &[Key]) -> Result<(), String> {
    if row.source.is_empty() {
        return Err("column `source` is empty".to_owned());
    }
    if FieldCode::of(row.field.as_bytes()).is_none() {
        return Err(format!(
            "field `{}` has more than {FIELD_CODE_BYTES_MAX} characters",
            row.field
        ));
    }
    if !keys.iter().any(|key| breadth(&row.scope, key).is_some()) {
        return Err(format!("scope `{}` means no key", row.scope));
    }
    let needs_shape = row.field != "*" && row.rule != Rule::Forbidden;
    let has_shape = row.kind.is_some() && row.min <= row.max && row.min.is_some_and(|min| min > 0);
    if needs_shape && !has_shape {
        return Err(format!("field `{}` needs a kind and widths", row.field));
    }
    Ok(())
}

/// How wide a scope is for this key: 0 the key itself, 1 its family, 2 all; `None` when the key is
/// not meant.
fn breadth(scope: &str, key: &Key) -> Option<u8> {
    let is_key = match scope.split_once('.') {
        Some((system, name)) => key.system == system && key.key == name,
        None => key.system.is_empty() && key.key == scope,
    };
    match scope {
        _ if is_key => Some(0),
        _ if scope == key.family => Some(1),
        "*" => Some(2),
        _ => None,
    }
}

impl Edits {
    fn of(key: &Key, rows: &[Row]) -> Self {
        let mut meant: Vec<(u8, &Row)> =
            rows.iter().filter_map(|row| Some((breadth(&row.scope, key)?, row))).collect();
        meant.sort_by(|(a, left), (b, right)| left.field.cmp(&right.field).then(a.cmp(b)));
        meant.dedup_by(|(_, later), (_, first)| later.field == first.field);
        let refuses_unlisted =
            meant.iter().any(|(_, row)| row.field == "*" && row.rule == Rule::Forbidden);
        let named = || meant.iter().map(|(_, row)| *row).filter(|row| row.field != "*");
        let mut edits = HashMap::default();
        for row in named() {
            let refused = row.rule == Rule::Forbidden
                || (refuses_unlisted
                    && row.rule != Rule::Common
                    && !key.allows(row.field.as_bytes()));
            edits.extend(FieldCode::of(row.field.as_bytes()).zip(Some(Edit::of(row, refused))));
        }
        for code in &key.fields {
            if let Some(code) = FieldCode::of(code) {
                edits.entry(code).or_insert_with(Edit::anything);
            }
        }
        let required = named().filter(|row| row.rule == Rule::Required);
        let required = required
            .filter_map(|row| Some((FieldCode::of(row.field.as_bytes())?, row.field.clone())))
            .collect();
        Self { edits, required, refuses_unlisted }
    }

    /// Checks a message of `key`; see [`super::Catalogue::check`].
    pub(super) fn check(
        &self,
        key: &Key,
        envelope: &Envelope,
        bytes: &[u8],
    ) -> Result<(), EditError> {
        // What people write, and what answers, is not made of fields that could be checked.
        let is_prose = matches!(key.action, Action::Administer | Action::Reply | Action::Status)
            || (key.action == Action::Confirm && envelope.text.is_some());
        if key.text || is_prose {
            return Ok(());
        }
        for field in &envelope.fields {
            self.check_field(*field, bytes)?;
        }
        let stands = |code: FieldCode| envelope.fields.iter().any(|field| field.code == code);
        let has = |code: &[u8]| FieldCode::of(code).is_some_and(stands);
        let field = match self.required.iter().find(|(code, _)| !stands(*code)) {
            Some((_, code)) => code.clone(),
            None if !key.is_complete(has) => combinations(&key.required),
            None => return Ok(()),
        };
        let rule = "it to be there".to_owned();
        Err(EditError { code: code::FIELD_MISSING, field, rule, offset: bytes.len() })
    }

    fn check_field(&self, field: Field, bytes: &[u8]) -> Result<(), EditError> {
        let edit = self.edits.get(&field.code);
        let refuse = |code, rule: String| {
            Err(EditError {
                code,
                field: words(field.code_span().of(bytes)),
                rule,
                offset: field.value.start as usize,
            })
        };
        if edit.map_or(self.refuses_unlisted, |edit| edit.refused) {
            return refuse(code::FIELD_NOT_ALLOWED, "no such field in this message".to_owned());
        }
        let Some(edit) = edit else {
            return Ok(());
        };
        let value = field.value.of(bytes);
        if !edit.values.is_empty() && edit.values.contains(value) {
            return Ok(());
        }
        if !(edit.min..=edit.max).contains(&value.len()) {
            let rule = match edit.min == edit.max {
                true => format!("{} characters", edit.min),
                false => format!("{} to {} characters", edit.min, edit.max),
            };
            return refuse(code::FIELD_WIDTH, rule);
        }
        match edit.kind {
            Kind::Text => Ok(()),
            Kind::List => {
                let listed: Vec<String> = edit.listed.iter().map(|value| words(value)).collect();
                refuse(code::FIELD_VALUE, format!("one of {}", listed.join(", ")))
            }
            Kind::Date if is_date(value) => Ok(()),
            Kind::Date => refuse(code::DATE_INVALID, "a date as ccyymmdd".to_owned()),
            Kind::Letters if value.iter().all(u8::is_ascii_uppercase) => Ok(()),
            Kind::Letters => refuse(code::FIELD_CHARACTERS, "capital letters".to_owned()),
            Kind::Number if value.iter().all(u8::is_ascii_digit) => Ok(()),
            Kind::Number => refuse(code::FIELD_CHARACTERS, "digits".to_owned()),
            Kind::Ori if value.iter().all(u8::is_ascii_alphanumeric) => Ok(()),
            Kind::Ori => refuse(code::FIELD_CHARACTERS, "letters and digits".to_owned()),
        }
    }
}

impl Edit {
    fn of(row: &Row, refused: bool) -> Self {
        let listed = || row.values.split_whitespace().map(|value| value.as_bytes().into());
        Self {
            refused,
            min: row.min.unwrap_or(0),
            max: row.max.unwrap_or(usize::MAX),
            kind: row.kind.unwrap_or(Kind::Text),
            listed: listed().collect(),
            values: listed().collect(),
        }
    }

    /// Of a code that a key lists and no row limits.
    fn anything() -> Self {
        let (listed, values) = (Vec::new(), HashSet::default());
        Self { refused: false, min: 0, max: usize::MAX, kind: Kind::Text, listed, values }
    }
}

/// Eight digits that are a day of the calendar, 1800 or later.
fn is_date(value: &[u8]) -> bool {
    let number = |from: usize, to: usize| -> Option<u32> {
        let digits = value.get(from..to)?;
        digits.iter().try_fold(0, |sum, byte| {
            byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0'))
        })
    };
    let (Some(year), Some(month), Some(day)) = (number(0, 4), number(4, 6), number(6, 8)) else {
        return false;
    };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => 0,
    };
    value.len() == 8 && year >= 1800 && (1..=last).contains(&day)
}

fn combinations(required: &[Vec<Box<[u8]>>]) -> String {
    let joined = |codes: &Vec<Box<[u8]>>| {
        codes.iter().map(|code| words(code)).collect::<Vec<_>>().join(" and ")
    };
    required.iter().map(joined).collect::<Vec<_>>().join(", or ")
}

fn words(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests;
