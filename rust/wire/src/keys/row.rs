//! One row of the key table, read and checked.

use serde::Deserialize;

use super::{Action, Key, Precedence};
use crate::limits::{FIELD_CODE_BYTES_MAX, FIELD_CODE_BYTES_MIN, KEY_BYTES_MAX};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    system: String,
    key: String,
    family: String,
    action: String,
    class: String,
    precedence: String,
    update: bool,
    fields: String,
    required: String,
    replies: String,
    text: bool,
    title: String,
    source: String,
}

/// Each row with its line number, or a sentence that says what is wrong with it.
pub(super) fn read(table: &str) -> Vec<Result<(u64, Key), String>> {
    let mut reader = csv::ReaderBuilder::new().from_reader(table.as_bytes());
    let headers = match reader.headers() {
        Ok(headers) => headers.clone(),
        Err(problem) => return vec![Err(problem.to_string())],
    };
    let parse = |record: Result<csv::StringRecord, csv::Error>| {
        let record = record.map_err(|problem| problem.to_string())?;
        let line = record.position().map_or(0, csv::Position::line);
        let at_line = |problem: String| format!("line {line}: {problem}");
        let row: Row = record.deserialize(Some(&headers)).map_err(|e| at_line(e.to_string()))?;
        row.check().map_err(at_line).map(|key| (line, key))
    };
    reader.records().map(parse).collect()
}

impl Row {
    fn check(self) -> Result<Key, String> {
        let is_name = |name: &str| {
            name.len() <= KEY_BYTES_MAX && name.bytes().all(|b| b.is_ascii_alphanumeric())
        };
        if !is_name(&self.system) || !is_name(&self.key) || self.key.is_empty() {
            return Err(format!("`{}` `{}` is no system and key", self.system, self.key));
        }
        let action =
            Action::parse(&self.action).ok_or_else(|| format!("`{}` is no action", self.action))?;
        let precedence = Precedence::parse(&self.precedence)
            .ok_or_else(|| format!("`{}` is no precedence", self.precedence))?;
        for (column, value) in
            [("family", &self.family), ("class", &self.class), ("source", &self.source)]
        {
            if value.is_empty() {
                return Err(format!("column `{column}` is empty"));
            }
        }
        let fields = codes(self.fields.split_whitespace())?;
        let mut required = Vec::new();
        for alternative in self.required.split('|').filter(|text| !text.is_empty()) {
            required.push(codes(alternative.split('+'))?);
        }
        if let Some(code) = required.iter().flatten().find(|code| !fields.contains(code)) {
            let code = String::from_utf8_lossy(code);
            return Err(format!("required `{code}` is not among the fields"));
        }
        Ok(Key {
            system: self.system,
            key: self.key,
            family: self.family,
            action,
            class: self.class,
            precedence,
            update: self.update,
            fields,
            required,
            replies: self.replies.split_whitespace().map(str::to_owned).collect(),
            text: self.text,
            title: self.title,
            source: self.source,
        })
    }
}

fn codes<'a>(words: impl Iterator<Item = &'a str>) -> Result<Vec<Box<[u8]>>, String> {
    let lengths = FIELD_CODE_BYTES_MIN..=FIELD_CODE_BYTES_MAX;
    words
        .map(|word| {
            let is_code =
                lengths.contains(&word.len()) && word.bytes().all(|b| b.is_ascii_uppercase());
            if !is_code {
                return Err(format!("`{word}` is no field code"));
            }
            Ok(word.as_bytes().into())
        })
        .collect()
}
