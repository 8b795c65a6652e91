//! Follow-up inquiries: what one file's reply lets the switch ask another.
//!
//! A rule says whose reply to which key is read, where in its text a value stands, and what is
//! asked with it. The text is only read; the inquiry is a message of its own.

use crate::ids::LineId;

/// One rule of the bundle.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FollowUp {
    /// Its name, written into the record of every inquiry it makes.
    pub name: Box<str>,
    /// Keys of the inquiries that it follows, `DD.KEY` or `KEY`.
    pub after: Vec<Box<str>>,
    /// Hosts whose replies are read.
    pub hosts: Vec<LineId>,
    /// CLETS destination system asked, or empty.
    pub system: Box<[u8]>,
    /// Whether the state file is left out.
    pub federal_only: bool,
    /// The key asked.
    pub key: Box<[u8]>,
    /// Where its fields stand in the reply; without one of them nothing is asked.
    pub locators: Vec<Locator>,
}

/// Where a value stands in a reply.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Locator {
    /// The field it becomes.
    pub field: Box<[u8]>,
    /// What stands before it, such as `R/O:`.
    pub label: Box<[u8]>,
    /// What ends it before the end of its line; empty when nothing does.
    pub until: Box<[u8]>,
    /// Longest value, in bytes; a longer one is not what was looked for.
    pub bytes_max: usize,
}

impl FollowUp {
    /// The fields found in a reply's text, or `None` when one of them is not there.
    #[must_use]
    pub fn locate<'a>(&self, text: &'a [u8]) -> Option<Vec<(&[u8], &'a [u8])>> {
        self.locators.iter().map(|it| Some((&*it.field, it.find(text)?))).collect()
    }
}

impl Locator {
    /// The first value behind the label. A value that could not stand in a field of a message
    /// (a period, a slash, a control character) is not one.
    #[must_use]
    pub fn find<'a>(&self, text: &'a [u8]) -> Option<&'a [u8]> {
        let at = place(text, &self.label)? + self.label.len();
        let line = text.get(at..)?.split(|byte| matches!(byte, b'\r' | b'\n')).next()?;
        let line = line.trim_ascii_start();
        let end = (!self.until.is_empty()).then(|| place(line, &self.until)).flatten();
        let value = line.get(..end.unwrap_or(line.len()))?.trim_ascii();
        let legal = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'.' | b'/');
        let fits = !value.is_empty() && value.len() <= self.bytes_max;
        (fits && value.iter().all(legal)).then_some(value)
    }
}

fn place(text: &[u8], sought: &[u8]) -> Option<usize> {
    if sought.is_empty() {
        return None;
    }
    text.windows(sought.len()).position(|window| window == sought)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locator(label: &str, until: &str) -> Locator {
        Locator {
            field: b"NAM"[..].into(),
            label: label.as_bytes().into(),
            until: until.as_bytes().into(),
            bytes_max: 30,
        }
    }

    #[test]
    fn a_value_ends_with_its_line_or_its_mark() {
        let owner = locator("R/O:", "  ");
        for (text, value) in [
            ("LIC#: X1\r\nR/O: SAMPLE,ALEX\r\nADR: 1 A ST", Some("SAMPLE,ALEX")),
            ("R/O:SAMPLE,ALEX  ADR: 1 A ST", Some("SAMPLE,ALEX")),
            ("R/O:\r\nSAMPLE,ALEX", None),
            ("R/O: A.LIC/1", None),
            ("R/O: THIS NAME IS MUCH LONGER THAN ANY NAME MAY BE", None),
            ("NO RECORD", None),
            ("", None),
        ] {
            let found = owner.find(text.as_bytes()).map(|it| std::str::from_utf8(it).unwrap());
            assert_eq!(found, value, "{text}");
        }
    }
}
