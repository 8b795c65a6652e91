//! The message keys: what each asks for or does, what it may and must carry, what answers it.
//!
//! The table is data (`data/keys.csv`), each row with its source. Its columns:
//!
//! | column | shape |
//! |---|---|
//! | system | CLETS destination (`IV`, `NLTS`), empty for NCIC, Nlets and the switch's own keys |
//! | key | message key, 1-6 letters and digits |
//! | family | what the record is about: `vehicle`, `wanted`, `history` |
//! | action | an [`Action`] in lower case |
//! | class | data class, lower case: `dmv_veh`, `chi_iii`, `hitconf`, `admin`, `control` |
//! | precedence | `P0` to `P4`, before what a message's own fields change |
//! | update | `true` when the key changes a record, so that repeating it may do harm |
//! | fields | codes it may carry, blanks between |
//! | required | alternatives divided by `\|`, each one or more codes joined by `+` |
//! | replies | keys that answer it, blanks between |
//! | text | `true` when the body is free text |
//! | title | a few words for people |
//! | source | the public document the row rests on |

mod edits;
mod names;
mod row;
#[cfg(test)]
mod tests;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::envelope::Envelope;

pub use edits::EditError;
pub use names::{Action, Direction, Precedence};

const STANDARD: &str = include_str!("../data/keys.csv");
const EDITS: &str = include_str!("../data/edits.csv");

/// Names a key within its [`Catalogue`].
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct KeyId(pub u16);

/// One message key of one system.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Key {
    /// CLETS destination system, empty when the key has none.
    pub system: String,
    /// The message key.
    pub key: String,
    /// What the record is about.
    pub family: String,
    /// What the message does.
    pub action: Action,
    /// Data class of the answer, lower case as in the policy schema.
    pub class: String,
    /// How urgent, before what a message's own fields change.
    pub precedence: Precedence,
    /// True when it changes a record.
    pub update: bool,
    /// Codes it may carry. Writing to a host leaves out all others.
    pub fields: Vec<Box<[u8]>>,
    /// Alternatives of codes it must carry; none when anything goes.
    pub required: Vec<Vec<Box<[u8]>>>,
    /// Keys that answer it.
    pub replies: Vec<String>,
    /// True when the body is free text.
    pub text: bool,
    /// A few words for people.
    pub title: String,
    /// The public document the row rests on.
    pub source: String,
}

impl Key {
    /// `SYSTEM.KEY`, or the key alone.
    #[must_use]
    pub fn name(&self) -> String {
        match self.system.as_str() {
            "" => self.key.clone(),
            system => format!("{system}.{}", self.key),
        }
    }

    /// True when a message of this key may carry the field.
    #[must_use]
    pub fn allows(&self, code: &[u8]) -> bool {
        self.fields.iter().any(|field| **field == *code)
    }

    /// Which way its messages go. An answer of NCIC and of the state's systems has the key of its
    /// inquiry and is not counted. `ER` comes from Nlets only (CITE: Nlets public guide, ER);
    /// a status message may also be sent by a member.
    #[must_use]
    pub fn direction(&self) -> Direction {
        match self.action {
            Action::Administer | Action::Confirm => Direction::Both,
            Action::Reply => Direction::From,
            Action::Status if self.key == "SM" => Direction::Both,
            Action::Status => Direction::From,
            _ => Direction::To,
        }
    }

    /// True when all codes of at least one required alternative are there.
    #[must_use]
    pub fn is_complete(&self, has: impl Fn(&[u8]) -> bool) -> bool {
        let meets = |codes: &Vec<Box<[u8]>>| codes.iter().all(|code| has(code));
        self.required.is_empty() || self.required.iter().any(meets)
    }
}

/// All message keys. A look-up is one hash and one comparison, however many keys there are.
#[derive(Clone, Debug)]
pub struct Catalogue {
    keys: Vec<Key>,
    edits: Vec<edits::Edits>,
    index: HashMap<(u64, u64), KeyId, FixedState>,
}

impl Catalogue {
    /// The table that comes with the switch.
    ///
    /// # Errors
    ///
    /// A sentence with the line number; tests rule it out for the table as shipped.
    pub fn standard() -> Result<Self, String> {
        let mut catalogue = Self::parse(STANDARD)?;
        catalogue.edits = edits::compile(EDITS, &catalogue.keys)?;
        Ok(catalogue)
    }

    /// Reads a table in the form described at the top of this module; its keys have no edits.
    ///
    /// # Errors
    ///
    /// A sentence with the line number: a column or value is not allowed, a key stands twice, or
    /// there are more than 65,536 keys.
    pub fn parse(table: &str) -> Result<Self, String> {
        let mut catalogue = Self { keys: Vec::new(), edits: Vec::new(), index: HashMap::default() };
        for row in row::read(table) {
            let (line, key) = row?;
            catalogue.add(key).map_err(|problem| format!("line {line}: {problem}"))?;
        }
        Ok(catalogue)
    }

    /// The key of this system, or the one without a system when `system` is empty.
    #[must_use]
    pub fn find(&self, system: &[u8], key: &[u8]) -> Option<KeyId> {
        self.index.get(&(packed(system)?, packed(key)?)).copied()
    }

    /// The key of a decoded message; `bytes` must be its payload. A message that passes the state's
    /// file by (the `R` mark) means the federal key, which has no system.
    #[must_use]
    pub fn find_message(&self, bytes: &[u8], envelope: &Envelope) -> Option<KeyId> {
        let system = envelope.system.filter(|_| !envelope.federal_only);
        self.find(system.map_or(b"".as_slice(), |span| span.of(bytes)), envelope.mke?.of(bytes))
    }

    /// The key with this id.
    #[must_use]
    pub fn key(&self, id: KeyId) -> Option<&Key> {
        self.keys.get(usize::from(id.0))
    }

    /// Checks the fields of a message of key `id` against the table of edits: that those required
    /// are there, that each has its width, its characters and one of its values, and that none
    /// stands where the table refuses it. `bytes` must be the payload of `envelope`. Free texts,
    /// replies and status messages always pass.
    ///
    /// # Errors
    ///
    /// E220 field missing, E221 width, E222 value not listed, E223 no date, E224 field not allowed,
    /// E225 characters; the first in the order of the message, a missing field last.
    pub fn check(&self, id: KeyId, envelope: &Envelope, bytes: &[u8]) -> Result<(), EditError> {
        match (self.key(id), self.edits.get(usize::from(id.0))) {
            (Some(key), Some(edits)) => edits.check(key, envelope, bytes),
            _ => Ok(()),
        }
    }

    /// All keys in the order of the table.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (KeyId, &Key)> {
        self.keys.iter().enumerate().map(|(index, key)| (KeyId(index as u16), key))
    }

    fn add(&mut self, key: Key) -> Result<(), String> {
        let id = u16::try_from(self.keys.len()).map_err(|_| "more than 65536 keys".to_owned())?;
        let (system, name) = (key.system.as_bytes(), key.key.as_bytes());
        let Some(names) = packed(system).zip(packed(name)) else {
            return Err(format!("`{}` `{}` is no system and key", key.system, key.key));
        };
        if self.index.contains_key(&names) {
            return Err(format!("key `{}` of system `{}` stands twice", key.key, key.system));
        }
        self.index.insert(names, KeyId(id));
        self.keys.push(key);
        Ok(())
    }
}

/// A name as a number, different for each: its length and its bytes. None of the table is longer.
fn packed(name: &[u8]) -> Option<u64> {
    const BYTES_MAX: usize = 7;
    let length = name.len();
    (length <= BYTES_MAX)
        .then(|| name.iter().fold(length as u64, |packed, byte| packed << 8 | u64::from(*byte)))
}
