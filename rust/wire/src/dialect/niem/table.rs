//! Which element is which field: `data/niem.csv`, and the names that never change.
//!
//! | column | shape |
//! |---|---|
//! | scope | a message key, or `*` for those without a row of their own |
//! | field | the field code; `TXT` for free text, `IMR` for a picture |
//! | path | the elements below the body, each as `/prefix:Name` |
//! | kind | `date` (`yyyy-mm-dd`), `picture` (base64), `text` or `word` |
//! | source | the public document the row rests on, or what is assumed |
//!
//! A row of kind `body` says in which body a key's messages stand; of the two for `*`, one is for
//! fields and the one with field `TXT` for free text.
//!
//! The first row that fits a key and a field is how it is written, in the order of the table. It is
//! read by its whole path, and where no row has that path by its last two elements: what encloses
//! them differs from one message family to the next.

use std::sync::LazyLock;

use serde::Deserialize;

const STANDARD: &str = include_str!("../../../data/niem.csv");

/// The element around everything.
pub(super) const ROOT: &str = "/n2:NLETS";
/// CITE: Nlets public guide, message structure.
pub(super) const VERSION: &str = "4.00";
/// Around the parts of the header.
pub(super) const HEADER: &str = "/n2:NLETSMessageHeader";
/// How the name of every body begins.
pub(super) const BODY: &str = "/n2:NLETS";
/// The body in which nothing may be lost.
pub(super) const RESPONSE: &str = "/n2:NLETSResponseData";
/// Time, date and running number of the reception by Nlets. (A style sheet of unknown author pairs
/// the numbers the other way; the names, and Nlets' own ER that it never received, say this.)
pub(super) const RECEIVED: [&str; 3] =
    ["MessageReceiveTime", "MessageReceiveDate", "ReceiveMessageNumeric"];
/// Time, date and running number of the sending to the receiver.
pub(super) const SENT: [&str; 3] = ["MessageSendTime", "MessageSendDate", "SendMessageNumeric"];
/// How text introduces a picture.
pub(super) const PICTURE: &str = "IMR/";
/// The code of a picture's row.
pub(super) const PICTURE_CODE: &[u8] = b"IMR";

/// The namespaces, with the prefixes that the table uses. The first of a prefix is written; which
/// version of the justice domain Nlets means is not public, so both are read.
pub(super) const SPACES: [(&str, &str); 6] = [
    ("n2", "http://www.nlets.org/niem/1.0"),
    ("nh2", "http://www.nlets.org/niem/nlets-hdr/1.0"),
    ("n2c", "http://www.nlets.org/niem/nlets-core/1.0"),
    ("nc", "http://niem.gov/niem/niem-core/2.0"),
    ("j", "http://niem.gov/niem/domains/jxdm/4.1"),
    ("j", "http://niem.gov/niem/domains/jxdm/4.0"),
];

/// How a value is written.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(in super::super) enum Kind {
    Body,
    Date,
    Picture,
    Text,
    Word,
}

/// One row of the table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Row {
    pub(super) scope: String,
    pub(in super::super) field: String,
    pub(super) path: String,
    pub(in super::super) kind: Kind,
    #[serde(rename = "source")]
    pub(super) _source: String,
}

/// The table; a table that could not be read would be empty, which the tests rule out.
#[derive(Debug, Default)]
pub(in super::super) struct Table(Vec<Row>);

pub(in super::super) static TABLE: LazyLock<Table> =
    LazyLock::new(|| Table::parse(STANDARD).unwrap_or_default());

impl Table {
    fn parse(table: &str) -> Result<Self, String> {
        let mut reader = csv::ReaderBuilder::new().from_reader(table.as_bytes());
        let rows = reader.deserialize().collect::<Result<Vec<Row>, _>>();
        rows.map(Self).map_err(|problem| problem.to_string())
    }

    /// The field that an element of a message of this key is.
    pub(in super::super) fn find(&self, mke: &str, path: &str) -> Option<&Row> {
        let find = |fits: &dyn Fn(&Row) -> bool| {
            let of = |scope: &str| {
                let mut rows = self.0.iter().filter(|row| row.kind != Kind::Body);
                rows.find(|row| row.scope == scope && fits(row))
            };
            of(mke).or_else(|| of("*"))
        };
        let tail = tail(path);
        find(&|row| row.path == path).or_else(|| find(&|row| self::tail(&row.path) == tail))
    }

    #[cfg(test)]
    pub(in super::super) fn has_scope(&self, mke: &str) -> bool {
        self.0.iter().any(|row| row.scope == mke)
    }

    #[cfg(test)]
    pub(super) fn rows(&self) -> &[Row] {
        &self.0
    }

    /// The codes of every key that are words or, where it says so, dates.
    #[cfg(test)]
    pub(in super::super) fn words(&self) -> Vec<(&str, bool)> {
        let rows = self.0.iter().filter(|row| row.scope == "*");
        let rows = rows.filter(|row| matches!(row.kind, Kind::Date | Kind::Word));
        rows.map(|row| (row.field.as_str(), row.kind == Kind::Date)).collect()
    }

    /// Where a field of a message of this key stands, and how far down in the table.
    pub(super) fn place(&self, mke: &[u8], field: &[u8]) -> Option<(usize, &Row)> {
        let of = |scope: &[u8]| {
            let rows = self.0.iter().enumerate().filter(|(_, row)| row.kind != Kind::Body);
            let mut rows = rows.filter(|(_, row)| row.scope.as_bytes() == scope);
            rows.find(|(_, row)| row.field.as_bytes() == field)
        };
        of(mke).or_else(|| of(b"*"))
    }

    /// The name of the body around a message of this key.
    pub(super) fn body(&self, mke: &[u8], is_text: bool) -> &str {
        let bodies = || self.0.iter().filter(|row| row.kind == Kind::Body);
        let own = bodies().find(|row| row.scope.as_bytes() == mke);
        let field = if is_text { "TXT" } else { "*" };
        let known = own.or_else(|| bodies().find(|row| row.scope == "*" && row.field == field));
        known.map_or(RESPONSE, |row| &row.path)
    }
}

/// The last two elements of a path.
fn tail(path: &str) -> &str {
    let place = path.rmatch_indices('/').nth(1).map_or(0, |(place, _)| place);
    path.get(place..).unwrap_or(path)
}

/// The prefix of a namespace; an unknown one has a prefix that no row has.
pub(in super::super) fn prefix_of(space: &str) -> &'static str {
    SPACES.iter().find(|(_, known)| *known == space).map_or("?", |(prefix, _)| prefix)
}

/// Whether XML 1.0 can hold a character, even as a reference.
pub(super) fn is_legal(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}
