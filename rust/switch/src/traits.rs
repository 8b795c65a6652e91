//! What single keys, or values of their fields, add to a message: urgency, a label, a reach.
//!
//! The table is data (`data/traits.csv`), each row with its source. `key` is a message key, or
//! `$.` and a letter for NCIC's unsolicited texts; with `field` and `value` the row holds only
//! where the message carries that value; `reach` is empty or `everyone`.

use std::sync::Arc;

use clets_wire::{Dialect, Envelope, Key, Precedence};
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use serde::Deserialize;

const STANDARD: &str = include_str!("../data/traits.csv");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    key: String,
    field: String,
    value: String,
    precedence: String,
    label: String,
    reach: String,
    source: String,
}

/// One row of a key.
#[derive(Debug)]
struct Trait {
    condition: Option<(String, String)>,
    precedence: Option<Precedence>,
    label: Option<Arc<str>>,
    everyone: bool,
}

/// The rows of each key that has any.
#[derive(Debug, Default)]
pub(crate) struct Traits(HashMap<Vec<u8>, Vec<Trait>, FixedState>);

impl Traits {
    /// The table that comes with the switch.
    pub(crate) fn standard() -> Result<Arc<Self>, String> {
        let mut reader = csv::ReaderBuilder::new().from_reader(STANDARD.as_bytes());
        let mut traits = Self::default();
        for row in reader.deserialize() {
            let row: Row = row.map_err(|error: csv::Error| error.to_string())?;
            traits.0.entry(row.key.clone().into_bytes()).or_default().push(row.check()?);
        }
        Ok(Arc::new(traits))
    }

    fn of(&self, name: &[u8]) -> impl Iterator<Item = &Trait> {
        self.0.get(name).into_iter().flatten()
    }

    /// The table says something of messages of this key.
    pub(crate) fn has(&self, key: &Key) -> bool {
        self.0.contains_key(key.key.as_bytes())
    }

    /// The precedence that a message of this name has by the table, if the table says one.
    pub(crate) fn precedence(
        &self,
        name: &[u8],
        envelope: &Envelope,
        bytes: &[u8],
    ) -> Option<Precedence> {
        let holds = |row: &&Trait| match &row.condition {
            Some((field, value)) => {
                envelope.field(bytes, field.as_bytes()) == Some(value.as_bytes())
            }
            None => true,
        };
        self.of(name).filter(holds).filter_map(|row| row.precedence).min_by_key(|it| *it as u8)
    }

    /// The labels that the texts of a key carry.
    pub(crate) fn labels(&self, key: &Key) -> impl Iterator<Item = &Arc<str>> {
        self.of(key.key.as_bytes()).filter_map(|row| row.label.as_ref())
    }

    /// Whether a message of this key that names no station is for everyone.
    pub(crate) fn is_for_everyone(&self, key: &Key) -> bool {
        self.of(key.key.as_bytes()).any(|row| row.everyone)
    }

    /// The name of an unsolicited text that the table knows: `$.H` of `$.H.DELAYED HIT`.
    pub(crate) fn unsolicited<'b>(&self, envelope: &Envelope, bytes: &'b [u8]) -> Option<&'b [u8]> {
        const NAME_BYTES: usize = 3;
        if envelope.dialect != Dialect::NcicOut {
            return None;
        }
        let text = envelope.text?.of(bytes).trim_ascii_start();
        let name = text.get(..NAME_BYTES)?;
        (text.get(NAME_BYTES) == Some(&b'.') && self.of(name).next().is_some()).then_some(name)
    }
}

impl Row {
    fn check(self) -> Result<Trait, String> {
        let wrong = |what: &str| format!("trait of `{}`: {what}", self.key);
        let precedence = match self.precedence.as_str() {
            "" => None,
            name => Some(Precedence::parse(name).ok_or_else(|| wrong("no such precedence"))?),
        };
        if self.source.is_empty() {
            return Err(wrong("a row needs its source"));
        }
        if !matches!(self.reach.as_str(), "" | "everyone") {
            return Err(wrong("reach is empty or `everyone`"));
        }
        Ok(Trait {
            condition: (!self.field.is_empty()).then_some((self.field, self.value)),
            precedence,
            label: (!self.label.is_empty()).then(|| self.label.into()),
            everyone: self.reach == "everyone",
        })
    }
}
