//! What a reply's text says, as far as a summary needs it: hit, no hit, or refused.
//!
//! The words are data (`data/answers.csv`), each row with its source. Its columns:
//!
//! | column | shape |
//! |---|---|
//! | system | destination system as policy names it (`ncic`, `dmv`), empty for all |
//! | class | `hit`, `no_hit` or `reject` |
//! | at | `head`: begins the text; `start`: begins any line of it |
//! | text | the words, capital letters |
//! | source | what the row rests on |
//!
//! The first row that fits decides. A summary is a help for the eye: nothing is routed, held or
//! changed by it, and what no row fits is an answer and no more.

use serde::Deserialize;

const STANDARD: &str = include_str!("../data/answers.csv");

/// What a reply says.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// A record was found.
    Hit,
    /// Nothing was found.
    NoHit,
    /// No row of the table fits.
    #[serde(skip)]
    Other,
    /// The system would not take the inquiry.
    Reject,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
enum At {
    Head,
    Start,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    system: String,
    class: Answer,
    at: At,
    text: String,
    #[serde(rename = "source")]
    _source: String,
}

/// The table.
#[derive(Clone, Debug)]
pub struct Answers(Vec<Row>);

impl Answers {
    /// The table that comes with the switch.
    ///
    /// # Errors
    /// A sentence with the line number; tests rule it out for the table as shipped.
    pub fn standard() -> Result<Self, String> {
        Self::parse(STANDARD)
    }

    /// Reads a table in the form described at the top of this module.
    ///
    /// # Errors
    /// A sentence with the line number: a column or value is not allowed.
    pub fn parse(table: &str) -> Result<Self, String> {
        let mut reader = csv::ReaderBuilder::new().from_reader(table.as_bytes());
        let rows = reader.deserialize().collect::<Result<Vec<Row>, _>>();
        let rows = rows.map_err(|problem| problem.to_string())?;
        match rows.iter().position(|row| row.text.is_empty()) {
            Some(place) => Err(format!("line {}: column `text` is empty", place + 2)),
            None => Ok(Self(rows)),
        }
    }

    /// What a reply of `system` says. Linear in lines of the text times rows.
    #[must_use]
    pub fn classify(&self, system: &str, text: &[u8]) -> Answer {
        let lines = || {
            let lines = text.split(|byte| matches!(byte, b'\r' | b'\n'));
            lines.map(<[u8]>::trim_ascii).filter(|line| !line.is_empty())
        };
        let fits = |row: &&Row| {
            let begins = |line: &[u8]| line.starts_with(row.text.as_bytes());
            (row.system.is_empty() || row.system == system)
                && match row.at {
                    At::Head => lines().next().is_some_and(begins),
                    At::Start => lines().any(begins),
                }
        };
        self.0.iter().find(fits).map_or(Answer::Other, |row| row.class)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_each_system() {
        let answers = Answers::standard().unwrap();
        for (system, text, class) in [
            ("ncic", "\r\nMKE/STOLEN VEHICLE\r\nLIC/1ABC234", Answer::Hit),
            ("ncic", "NO RECORD LIC/1ABC234", Answer::NoHit),
            ("ncic", "REJ - FIELD ERROR LIC", Answer::Reject),
            ("state", "MKE/STOLEN VEHICLE", Answer::Other),
            ("state", "IA.QV\r\n*** STOLEN VEHICLE ***", Answer::Hit),
            ("dmv", "DATE: 01/05/26\r\nNO RECORD FOR CRITERIA GIVEN", Answer::NoHit),
            ("dmv", "VEHICLE REGISTRATION\r\nREG VALID TO: 2027  LIC#: X1", Answer::Hit),
            ("iii", "NO IDENTIFIABLE RECORD IN THE INDEX", Answer::NoHit),
            ("nlets", "AZ MOTOR VEHICLE\r\nREJ IS NO FIRST LINE", Answer::Other),
            ("nlets", "", Answer::Other),
        ] {
            assert_eq!(answers.classify(system, text.as_bytes()), class, "{system} {text}");
        }
    }

    #[test]
    fn a_bad_table_is_refused() {
        let header = "system,class,at,text,source";
        assert!(Answers::parse(&format!("{header}\n,hit,start,X,s\n")).is_ok());
        for row in [",hot,start,X,s", ",hit,end,X,s", ",hit,start,,s", ",hit,start,X"] {
            assert!(Answers::parse(&format!("{header}\n{row}\n")).is_err(), "{row}");
        }
    }
}
