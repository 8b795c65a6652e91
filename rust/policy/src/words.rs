//! From what people wrote to a topic that a rule may look at: no string reaches a rule.
//!
//! The words are data of the bundle (`policy/words.csv`), each row with what it rests on:
//!
//! | column | shape |
//! |---|---|
//! | list | the text it is for: `reason`, `bulletin` or `reply` |
//! | topic | a [`Topic`] for a reason, a [`TextTopic`] for the others; `*` for an innocent phrase |
//! | kind | `sure`, `token`, `hint` or `innocent` |
//! | words | letters and digits; `*` at the end stands for any ending of the last word |
//! | cite | what the row rests on |
//!
//! Texts are compared word by word, whatever their case and punctuation. Two tokens that are
//! independent of each other, or one that is sure, make a topic; a hint counts as a token beside
//! a token and as nothing alone; and nothing within an innocent phrase counts ("black ice", a
//! vehicle's removal). CITE: design of the policy filter, two independent tokens to block, one to
//! flag.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use serde::Deserialize;

use crate::fact::{Fact, TextTopic, Topic};
use crate::load::Problem;

/// The file of the bundle.
pub(crate) const FILE: &str = "words.csv";
/// Points that make a topic.
const ENOUGH: u8 = 2;
/// Longest text looked at, bytes: a rap sheet with room to spare. What stands behind is not read.
const TEXT_BYTES_MAX: usize = 64 * 1024;

/// Which texts a row is for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
enum List {
    Bulletin,
    Reason,
    Reply,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Hint,
    Innocent,
    Sure,
    Token,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    list: List,
    topic: String,
    kind: Kind,
    words: String,
    cite: String,
}

#[derive(Clone, Copy, Debug)]
struct Pattern {
    kind: Kind,
    /// Index of the topic among those of the list.
    topic: u8,
}

/// The words of one list.
#[derive(Debug, Default)]
struct Lexicon {
    automaton: Option<AhoCorasick>,
    patterns: Vec<Pattern>,
}

/// Topics of a list at most.
const TOPICS: usize = 16;
/// Points by topic.
type Points = [u8; TOPICS];

/// All words of a bundle.
#[derive(Debug, Default)]
pub struct Words {
    reasons: Lexicon,
    bulletins: Lexicon,
    replies: Lexicon,
}

impl Words {
    /// Reads the table.
    pub(crate) fn parse(table: &str) -> Result<Self, Vec<Problem>> {
        let (mut rows, mut problems) = (Vec::new(), Vec::new());
        let mut reader = csv::ReaderBuilder::new().from_reader(table.as_bytes());
        for row in reader.deserialize::<Row>() {
            match row {
                Ok(row) => rows.push(row),
                Err(error) => {
                    let line = error.position().map_or(1, csv::Position::line);
                    problems.push(problem(line, error.to_string()));
                }
            }
        }
        for (line, row) in (2..).zip(&rows) {
            if let Some(text) = row.fault() {
                problems.push(problem(line, text));
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let lexicon = |list| Lexicon::of(rows.iter().filter(move |row| row.list == list));
        let [reasons, bulletins, replies] =
            [List::Reason, List::Bulletin, List::Reply].map(lexicon);
        let whole = |error: aho_corasick::BuildError| vec![problem(1, error.to_string())];
        Ok(Self {
            reasons: reasons.map_err(whole)?,
            bulletins: bulletins.map_err(whole)?,
            replies: replies.map_err(whole)?,
        })
    }

    /// What a reason is about: all that the sender wrote to say why. Time is linear in their bytes.
    #[must_use]
    pub fn reason<'a>(&self, parts: impl IntoIterator<Item = &'a [u8]>) -> Topic {
        let points = self.reasons.points(parts);
        let of = |topic: Topic| points.get(usize::from(topic.index())).copied().unwrap_or(0);
        let mut immigration = of(Topic::Immigration);
        // A reentry that may be looked into explains the statute that it names.
        if of(Topic::Reentry) >= ENOUGH {
            immigration = immigration.saturating_sub(ENOUGH);
        }
        let offense = of(Topic::Offense) > 0;
        match () {
            () if immigration >= ENOUGH => Topic::Immigration,
            () if of(Topic::IllegalEntry) >= ENOUGH && !offense => Topic::IllegalEntry,
            () if of(Topic::PrivateMatter) >= ENOUGH => Topic::PrivateMatter,
            () if of(Topic::CarryLicense) >= ENOUGH => Topic::CarryLicense,
            () if of(Topic::Reentry) >= ENOUGH => Topic::Reentry,
            () if of(Topic::StatusException) >= ENOUGH => Topic::StatusException,
            () if immigration > 0 || of(Topic::IllegalEntry) >= ENOUGH => Topic::ImmigrationHint,
            () if offense => Topic::Offense,
            () => Topic::None,
        }
    }

    /// What an administrative message is about.
    #[must_use]
    pub fn bulletin(&self, text: &[u8]) -> TextTopic {
        self.bulletins.first(text)
    }

    /// What a reply tells of immigration files.
    #[must_use]
    pub fn reply(&self, text: &[u8]) -> TextTopic {
        self.replies.first(text)
    }
}

impl Row {
    fn topic(&self) -> Option<u8> {
        match (self.kind, self.list) {
            (Kind::Innocent, _) => (self.topic == "*").then_some(0),
            (_, List::Reason) => Topic::parse(&self.topic).map(Fact::index),
            _ => TextTopic::parse(&self.topic).map(Fact::index),
        }
    }

    fn fault(&self) -> Option<String> {
        if self.topic().is_none() {
            return Some(format!("`{}` is no topic of this list", self.topic));
        }
        if self.cite.trim().is_empty() {
            return Some("a row must say what it rests on".to_owned());
        }
        let is_word = |word: &str| {
            let stem = word.strip_suffix('*').unwrap_or(word);
            !stem.is_empty() && stem.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        let words: Vec<&str> = self.words.split_whitespace().collect();
        let is_open = words.iter().rev().skip(1).any(|word| word.ends_with('*'));
        let wrong = words.is_empty() || is_open || !words.iter().all(|word| is_word(word));
        let words = &self.words;
        wrong.then(|| format!("`{words}` must be letters and digits, `*` only at the very end"))
    }

    /// The words as [`plain`] writes a text: between blanks, but where any ending will do.
    fn pattern(&self) -> String {
        let words: Vec<String> = self.words.split_whitespace().map(str::to_uppercase).collect();
        let whole = format!(" {} ", words.join(" "));
        whole.strip_suffix("* ").map_or(whole.clone(), str::to_owned)
    }
}

impl Lexicon {
    fn of<'a>(rows: impl Iterator<Item = &'a Row>) -> Result<Self, aho_corasick::BuildError> {
        let rows: Vec<&Row> = rows.collect();
        let patterns = rows
            .iter()
            .map(|row| Pattern { kind: row.kind, topic: row.topic().unwrap_or(0) })
            .collect();
        let automaton = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .match_kind(MatchKind::Standard)
            .build(rows.iter().map(|row| row.pattern()))?;
        Ok(Self { automaton: (!rows.is_empty()).then_some(automaton), patterns })
    }

    /// The points of each topic. Rows that overlap are not independent: the longest speaks.
    fn points<'a>(&self, parts: impl IntoIterator<Item = &'a [u8]>) -> Points {
        let mut points = Points::default();
        let Some(automaton) = &self.automaton else {
            return points;
        };
        let mut text = Vec::new();
        for part in parts {
            plain(&mut text, part);
        }
        let mut found: Vec<(usize, usize, usize)> = automaton
            .find_overlapping_iter(&text)
            .map(|it| (it.start(), it.end(), it.pattern().as_usize()))
            .collect();
        if found.is_empty() {
            return points;
        }
        // Innocent phrases first, then the longest.
        let rank = |pattern: usize| self.patterns.get(pattern).map(|it| it.kind);
        found.sort_by_key(|(start, end, pattern)| {
            let guilty = rank(*pattern) != Some(Kind::Innocent);
            (guilty, std::cmp::Reverse(end - start), *start)
        });
        // Innocent phrases are taken for every topic, others for their own.
        let mut taken: Vec<(usize, usize, Option<u8>)> = Vec::new();
        let mut counted: Vec<usize> = Vec::new();
        let mut hints = Points::default();
        for (start, end, number) in found {
            let Some(pattern) = self.patterns.get(number) else { continue };
            let topic = (pattern.kind != Kind::Innocent).then_some(pattern.topic);
            // Neighbours share the blank between them.
            let overlaps = |(from, to, owner): &(usize, usize, Option<u8>)| {
                start + 1 < *to && *from + 1 < end && (owner.is_none() || *owner == topic)
            };
            if taken.iter().any(overlaps) || counted.contains(&number) {
                continue;
            }
            taken.push((start, end, topic));
            counted.push(number);
            let place = usize::from(pattern.topic);
            let (slot, more) = match pattern.kind {
                Kind::Innocent => continue,
                Kind::Sure => (points.get_mut(place), ENOUGH),
                Kind::Token => (points.get_mut(place), 1),
                Kind::Hint => (hints.get_mut(place), 1),
            };
            if let Some(slot) = slot {
                *slot = slot.saturating_add(more);
            }
        }
        for (slot, more) in points.iter_mut().zip(hints).filter(|(slot, _)| **slot > 0) {
            *slot = slot.saturating_add(more);
        }
        points
    }

    /// The first topic of the list that a text is about.
    fn first(&self, text: &[u8]) -> TextTopic {
        let points = self.points([text]);
        let found = points.iter().position(|points| *points >= ENOUGH);
        found.and_then(|at| u8::try_from(at).ok()).map_or(TextTopic::None, TextTopic::at)
    }
}

/// Appends a text as words in capital letters with one blank around each.
fn plain(out: &mut Vec<u8>, text: &[u8]) {
    // No phrase reaches from one part into the next.
    out.extend_from_slice(if out.is_empty() { b" " } else { b"| " });
    for byte in text.iter().take(TEXT_BYTES_MAX) {
        if byte.is_ascii_alphanumeric() {
            out.push(byte.to_ascii_uppercase());
        } else if out.last() != Some(&b' ') {
            out.push(b' ');
        }
    }
    if out.last() != Some(&b' ') {
        out.push(b' ');
    }
}

fn problem(line: u64, text: String) -> Problem {
    Problem { file: FILE.to_owned(), line: u32::try_from(line).unwrap_or(u32::MAX), text }
}
