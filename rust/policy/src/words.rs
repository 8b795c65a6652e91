//! From what people wrote to a topic that a rule may look at: no string reaches a rule.
//!
//! The words are data of the bundle (`policy/words.csv`), each row with what it rests on:
//!
//! | column | shape |
//! |---|---|
//! | list | the text it is for: `reason`, `bulletin`, `reply`; `charge` and `segment` see below |
//! | topic | one of those of a reason or of a text; `*` for an innocent phrase |
//! | kind | `sure`, `token`, `hint` or `innocent` |
//! | words | letters and digits; `*` at the end stands for any ending of the last word |
//! | cite | what the row rests on |
//!
//! Texts are compared word by word, whatever their case and punctuation. Two tokens that are
//! independent of each other, or one that is sure, make a topic; a hint counts as a token beside
//! a token and as nothing alone; and nothing within an innocent phrase counts ("black ice", a
//! vehicle's removal), but for the offense that it may name ("alien smuggling"). CITE: design of
//! the policy filter, two independent tokens to block, one to flag.
//!
//! A line of a reply with words of the list `charge` names an offense; the topic `illegal_entry`
//! is that of a history all of whose offenses are that one. The list `segment` names the lines that
//! a rule can withhold (`@segment`): its topic is the name of the segment.

use std::borrow::Cow;
use std::collections::BTreeSet;

use aho_corasick::automaton::Automaton;
use aho_corasick::dfa::DFA;
use aho_corasick::{Anchored, Input, MatchKind, StartKind};
use serde::Deserialize;

use crate::fact::Topic;
use crate::load::Problem;

/// How the name of the bundle's file ends.
pub(crate) const FILE: &str = "words.csv";
/// Points that make a topic.
const ENOUGH: u8 = 2;

macro_rules! topics {
    ($(
        $(#[$meta:meta])*
        $vis:vis $type:ident { $( $(#[$of:meta])* $topic:ident $name:literal, )+ }
    )+) => { $(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        $vis enum $type { $( $(#[$of])* $topic, )+ }

        impl $type {
            const NAMES: &'static [&'static str] = &[$( $name, )+];

            /// The place of a name in the list.
            fn index(name: &str) -> Option<u8> {
                let place = Self::NAMES.iter().position(|known| *known == name)?;
                u8::try_from(place).ok()
            }
        }
    )+ };
}

topics! {
    /// What a reason can be about.
    ReasonTopic {
        /// A license to carry a weapon.
        CarryLicense "carry_license",
        /// Illegal entry, 8 USC 1325.
        IllegalEntry "illegal_entry",
        /// Immigration enforcement.
        Immigration "immigration",
        /// A crime.
        Offense "offense",
        /// A private, civil or commercial matter.
        PrivateMatter "private_matter",
        /// Reentry after an aggravated felony, 8 USC 1326.
        Reentry "reentry",
        /// A purpose for which immigration status may be asked.
        StatusException "status_exception",
    }

    /// What the text of an administrative message or of a reply can be about.
    pub TextTopic {
        /// Matter that is barred from bulletins.
        Barred "barred",
        /// A civil immigration warrant.
        CivilImmigration "civil_immigration",
        /// A felon who was deported.
        DeportedFelon "deported_felon",
        /// Criminal history.
        History "history",
        /// A history of illegal entry (8 USC 1325) and nothing else.
        IllegalEntry "illegal_entry",
        /// An attempt to locate, or what belongs in NCIC.
        Locate "locate",
        /// A missing person.
        Missing "missing",
        /// A person's release, address or transfer.
        Release "release",
    }
}

/// All that a text is about.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct TextTopics(u16);

impl TextTopics {
    /// The text is about this too.
    #[must_use]
    pub const fn has(self, topic: TextTopic) -> bool {
        self.0 & (1 << topic as u16) != 0
    }

    const fn without(self, topic: TextTopic) -> Self {
        Self(self.0 & !(1 << topic as u16))
    }
}

/// What a sender stated as the reason.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Stated {
    /// As far as immigration goes, and whether it is a crime.
    pub topic: Topic,
    /// Illegal entry and no other offense.
    pub illegal_entry: bool,
    /// A license to carry a weapon.
    pub carry_license: bool,
    /// A private, civil or commercial matter.
    pub private_matter: bool,
}

/// Which texts a row is for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
enum List {
    Bulletin,
    Charge,
    Reason,
    Reply,
    Segment,
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
    automaton: Option<DFA>,
    beginnings: Beginnings,
    patterns: Vec<Pattern>,
    /// The topics that an innocent phrase takes its words from, a bit for each.
    innocent: u16,
}

/// Topics of a list at most: the bits of [`u16`].
const TOPICS: usize = u16::BITS as usize;
/// Points by topic.
type Points = [u8; TOPICS];

/// All words of a bundle.
#[derive(Debug, Default)]
pub struct Words {
    reasons: Lexicon,
    bulletins: Lexicon,
    replies: Lexicon,
    charges: Lexicon,
    segments: Vec<(String, Lexicon)>,
}

/// The segment that is all of a text.
const WHOLE_TEXT: &str = "text";

impl Words {
    /// Reads the table.
    pub(crate) fn parse(file: &str, table: &str) -> Result<Self, Vec<Problem>> {
        let (mut rows, mut problems) = (Vec::new(), Vec::new());
        let problem = |line: u64, text: String| {
            let line = u32::try_from(line).unwrap_or(u32::MAX);
            Problem { file: file.to_owned(), line, text }
        };
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
        let [reasons, bulletins, replies, charges] =
            [List::Reason, List::Bulletin, List::Reply, List::Charge].map(lexicon);
        let is_segment = |row: &&Row| row.list == List::Segment;
        let names: BTreeSet<&str> = rows.iter().filter(is_segment).map(|it| &*it.topic).collect();
        let segments = names.into_iter().map(|name| {
            let of_name = |row: &&Row| is_segment(row) && row.topic == name;
            Ok((name.to_owned(), Lexicon::of(rows.iter().filter(of_name))?))
        });
        let whole = |error: aho_corasick::BuildError| vec![problem(1, error.to_string())];
        Ok(Self {
            reasons: reasons.map_err(whole)?,
            bulletins: bulletins.map_err(whole)?,
            replies: replies.map_err(whole)?,
            charges: charges.map_err(whole)?,
            segments: segments.collect::<Result<_, _>>().map_err(whole)?,
        })
    }

    /// What a reason is about: all that the sender wrote to say why. Time is linear in their bytes.
    #[must_use]
    pub fn reason<'a>(&self, parts: impl IntoIterator<Item = &'a [u8]> + Clone) -> Stated {
        let points = self.reasons.points(parts);
        let of = |topic: ReasonTopic| points.get(topic as usize).copied().unwrap_or(0);
        let mut immigration = of(ReasonTopic::Immigration);
        // A reentry that may be looked into explains the statute that it names.
        if of(ReasonTopic::Reentry) >= ENOUGH {
            immigration = immigration.saturating_sub(ENOUGH);
        }
        let offense = of(ReasonTopic::Offense) > 0;
        let entry = of(ReasonTopic::IllegalEntry) >= ENOUGH;
        let topic = match () {
            () if immigration >= ENOUGH => Topic::Immigration,
            () if of(ReasonTopic::Reentry) >= ENOUGH => Topic::Reentry,
            () if of(ReasonTopic::StatusException) >= ENOUGH => Topic::StatusException,
            () if immigration > 0 || entry => Topic::ImmigrationHint,
            () if offense => Topic::Offense,
            () => Topic::None,
        };
        Stated {
            topic,
            illegal_entry: entry && !offense,
            carry_license: of(ReasonTopic::CarryLicense) >= ENOUGH,
            private_matter: of(ReasonTopic::PrivateMatter) >= ENOUGH,
        }
    }

    /// What an administrative message is about.
    #[must_use]
    pub fn bulletin(&self, text: &[u8]) -> TextTopics {
        self.bulletins.topics(text)
    }

    /// What a reply tells of immigration files, or that its history is of illegal entry alone.
    #[must_use]
    pub fn reply(&self, text: &[u8]) -> TextTopics {
        let topics = self.replies.topics(text);
        let spared = topics.has(TextTopic::IllegalEntry) && !self.names_no_other_offense(text);
        if spared { topics.without(TextTopic::IllegalEntry) } else { topics }
    }

    /// Every offense of a history is illegal entry, and there is one.
    fn names_no_other_offense(&self, text: &[u8]) -> bool {
        let mut charges = text
            .split(|byte| matches!(byte, b'\r' | b'\n'))
            .filter(|line| self.charges.speaks(line))
            .map(|line| self.replies.topics(line).has(TextTopic::IllegalEntry))
            .peekable();
        charges.peek().is_some() && charges.all(|illegal_entry| illegal_entry)
    }

    /// A rule can withhold a segment of this name.
    pub(crate) fn has_segment(&self, name: &str) -> bool {
        name == WHOLE_TEXT || self.segments.iter().any(|(known, _)| known == name)
    }

    /// A text without a segment: `mark` stands where a line of it stood, or for the whole text.
    #[must_use]
    pub fn without<'t>(&self, segment: &str, text: &'t [u8], mark: &str) -> Cow<'t, [u8]> {
        if segment == WHOLE_TEXT {
            return Cow::Owned(mark.as_bytes().to_vec());
        }
        let Some((_, lexicon)) = self.segments.iter().find(|(name, _)| name == segment) else {
            return Cow::Borrowed(text);
        };
        if !lexicon.speaks(text) {
            return Cow::Borrowed(text);
        }
        let lines = text.split_inclusive(|byte| *byte == b'\n');
        let kept = lines.flat_map(|line| {
            let body = line.trim_ascii_end();
            let end = line.get(body.len()..).unwrap_or_default();
            let body = if lexicon.speaks(body) { mark.as_bytes() } else { body };
            body.iter().chain(end).copied()
        });
        Cow::Owned(kept.collect())
    }
}

impl Row {
    fn topic(&self) -> Option<u8> {
        match (self.kind, self.list) {
            (Kind::Innocent, _) | (_, List::Charge) => (self.topic == "*").then_some(0),
            (Kind::Sure, List::Segment) => (!self.topic.is_empty()).then_some(0),
            (_, List::Segment) => None,
            (_, List::Reason) => ReasonTopic::index(&self.topic),
            _ => TextTopic::index(&self.topic),
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
        // Every pattern begins with a blank, to which no search could skip.
        let automaton = DFA::builder()
            .prefilter(false)
            .match_kind(MatchKind::Standard)
            .start_kind(StartKind::Both)
            .build(rows.iter().map(|row| row.pattern()))?;
        let mut beginnings = Beginnings::default();
        rows.iter().for_each(|row| beginnings.add(row.pattern().as_bytes()));
        let of_reasons = rows.iter().any(|row| row.list == List::Reason);
        let spared = u16::from(of_reasons) << ReasonTopic::Offense as u16;
        let automaton = (!rows.is_empty()).then_some(automaton);
        Ok(Self { automaton, beginnings, patterns, innocent: !spared })
    }

    /// Anything of the list stands in a text, read as [`plain`] writes it. Nearly no word of a text
    /// begins as one of the list does, and only those are read to the end.
    fn speaks(&self, text: &[u8]) -> bool {
        let Some(automaton) = &self.automaton else {
            return false;
        };
        let mut was_word = 0;
        for (chunk, at) in text.chunks(CHUNK).zip((0..).step_by(CHUNK)) {
            let signs = word_signs(chunk);
            let mut begin = signs & !(signs << 1 | was_word);
            was_word = signs >> (CHUNK - 1);
            while begin != 0 {
                let word = text.get(at + begin.trailing_zeros() as usize..).unwrap_or_default();
                if self.beginnings.include(word) && stands(automaton, word) {
                    return true;
                }
                begin &= begin - 1;
            }
        }
        false
    }

    /// The points of each topic. Rows that overlap are not independent: the longest speaks.
    fn points<'a>(&self, parts: impl IntoIterator<Item = &'a [u8]> + Clone) -> Points {
        let mut points = Points::default();
        let Some(automaton) = &self.automaton else {
            return points;
        };
        // Nearly every text: nothing in it is of the list.
        if !parts.clone().into_iter().any(|part| self.speaks(part)) {
            return points;
        }
        let mut text = Vec::with_capacity(512);
        for part in parts {
            plain(&mut text, part);
        }
        let search = automaton.try_find_overlapping_iter(Input::new(&text));
        let mut found: Vec<(usize, usize, usize)> = search
            .into_iter()
            .flatten()
            .map(|it| (it.start(), it.end(), it.pattern().as_usize()))
            .collect();
        // Innocent phrases first, then the longest.
        let rank = |pattern: usize| self.patterns.get(pattern).map(|it| it.kind);
        found.sort_by_key(|(start, end, pattern)| {
            let guilty = rank(*pattern) != Some(Kind::Innocent);
            (guilty, std::cmp::Reverse(end - start), *start)
        });
        // What each byte was read as, a bit for a topic; an innocent phrase is read as all of them
        // but an offense.
        let mut read_as = vec![0_u16; text.len()];
        let mut counted = vec![false; self.patterns.len()];
        let mut hints = Points::default();
        for (start, end, number) in found {
            let Some(pattern) = self.patterns.get(number) else { continue };
            let innocent = pattern.kind == Kind::Innocent;
            let topic = if innocent { self.innocent } else { 1 << pattern.topic };
            // Neighbours share the blank between them.
            let Some(bytes) = read_as.get_mut(start + 1..end) else { continue };
            if !innocent && bytes.iter().any(|read| read & topic != 0) {
                continue;
            }
            bytes.iter_mut().for_each(|read| *read |= topic);
            if counted.get_mut(number).is_none_or(|counted| std::mem::replace(counted, true)) {
                continue;
            }
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

    /// All that a text is about.
    fn topics(&self, text: &[u8]) -> TextTopics {
        let points = self.points([text]);
        let bits = points.iter().zip(0..).filter(|(points, _)| **points >= ENOUGH);
        TextTopics(bits.fold(0, |bits, (_, place)| bits | 1 << place))
    }
}

/// Bytes whose signs of words are looked for at once: a bit of [`u64`] for each.
const CHUNK: usize = u64::BITS as usize;

/// Which bytes of a chunk are letters or digits, the first in the lowest bit.
fn word_signs(chunk: &[u8]) -> u64 {
    // Of a known length, the loops below are a few instructions for all bytes.
    let mut bytes = [0; CHUNK];
    if let Some(bytes) = bytes.get_mut(..chunk.len()) {
        bytes.copy_from_slice(chunk);
    }
    let flags = bytes.map(|byte| {
        let (letter, digit) = ((byte | 0x20).wrapping_sub(b'a'), byte.wrapping_sub(b'0'));
        u8::from(letter < 26) | u8::from(digit < 10)
    });
    // Gathers the lowest bits of eight bytes into the highest byte.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let (eights, _) = flags.as_chunks::<8>();
    let bits = eights.iter().map(|it| u64::from_le_bytes(*it).wrapping_mul(GATHER) >> 56);
    bits.zip((0..).step_by(8)).fold(0, |signs, (bits, place)| signs | bits << place)
}

/// Bits that tell the beginnings of words apart: of each sign the lowest five, in which capital and
/// small letters are one. Digits are like some letters in them, which costs a look and no more.
const SIGNS: usize = 1 << 5;

/// The first three signs of the patterns of a list: for each two of them the third, a bit each.
#[derive(Debug)]
struct Beginnings {
    thirds: Box<[u32; SIGNS * SIGNS]>,
}

impl Default for Beginnings {
    fn default() -> Self {
        Self { thirds: Box::new([0; SIGNS * SIGNS]) }
    }
}

impl Beginnings {
    /// Takes up a pattern with the blank before it.
    fn add(&mut self, pattern: &[u8]) {
        // Any sign may stand for a blank, and behind the first word anything may follow.
        let word = pattern.iter().skip(1).take_while(|byte| byte.is_ascii_alphanumeric());
        let word: Vec<usize> = word.map(|byte| sign(*byte)).collect();
        let signs = |place: usize| word.get(place).map_or(0..SIGNS, |sign| *sign..sign + 1);
        let thirds = signs(2).fold(0, |thirds, third| thirds | 1 << third);
        for second in signs(1) {
            for first in signs(0) {
                if let Some(slot) = self.thirds.get_mut(first * SIGNS + second) {
                    *slot |= thirds;
                }
            }
        }
    }

    /// A pattern may begin where this word does; never no where one does.
    #[inline]
    fn include(&self, word: &[u8]) -> bool {
        let [first, second, third] = match *word {
            [first, second, third, ..] => [first, second, third],
            [first, second] => [first, second, b' '],
            [first] => [first, b' ', b' '],
            [] => return false,
        };
        let thirds = self.thirds.get(sign(first) * SIGNS + sign(second));
        thirds.is_some_and(|thirds| thirds >> sign(third) & 1 == 1)
    }
}

/// What counts of a sign at the beginning of a word.
const fn sign(byte: u8) -> usize {
    byte as usize % SIGNS
}

/// Whether a pattern stands where a word begins: one step of the automaton for each sign.
fn stands(automaton: &DFA, text: &[u8]) -> bool {
    let Ok(start) = automaton.start_state(Anchored::Yes) else {
        return true;
    };
    let mut state = automaton.next_state(Anchored::Yes, start, b' ');
    let mut before = b' ';
    for byte in text {
        let letter = letter(*byte);
        if letter == b' ' && before == b' ' {
            continue;
        }
        before = letter;
        state = automaton.next_state(Anchored::Yes, state, letter);
        if automaton.is_special(state) {
            // Nothing else is special where no search skips ahead.
            return automaton.is_match(state);
        }
    }
    // The end of a text ends its last word.
    automaton.is_match(automaton.next_state(Anchored::Yes, state, b' '))
}

/// How each sign is compared: a capital letter, a digit, or a blank for all else.
#[expect(clippy::indexing_slicing, reason = "a place that is not there would not compile")]
static LETTERS: [u8; 256] = {
    let mut letters = [b' '; 256];
    let mut byte = 0;
    while byte < 128_u8 {
        if byte.is_ascii_alphanumeric() {
            letters[byte as usize] = byte.to_ascii_uppercase();
        }
        byte += 1;
    }
    letters
};

fn letter(byte: u8) -> u8 {
    LETTERS.get(usize::from(byte)).copied().unwrap_or(b' ')
}

/// Appends a text as words in capital letters with one blank around each.
fn plain(out: &mut Vec<u8>, text: &[u8]) {
    // No phrase reaches from one part into the next.
    out.extend_from_slice(if out.is_empty() { b" " } else { b"| " });
    let mut before = b' ';
    out.extend(text.iter().map(|byte| letter(*byte)).filter(|letter| {
        let twice = *letter == b' ' && before == b' ';
        before = *letter;
        !twice
    }));
    if before != b' ' {
        out.push(b' ');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found in passing is what is found in the text as it is written out.
    #[test]
    fn the_quick_look_sees_what_the_long_one_sees() {
        let words = [
            "ice",
            "DETAINER",
            "black",
            "i",
            "247a",
            "deported",
            "xdetainer",
            "8",
            "usc",
            "detail",
            "zz",
            "zy",
            "zyx",
            "q",
            "qu",
            "A LONGER RUN OF WORDS THAT FILLS A CHUNK",
        ];
        let marks = [" ", ".", "--", "(", "\r\n", "", "\u{e9}"];
        let table = "list,topic,kind,words,cite\n\
            reason,immigration,token,DETAINER,law\nreason,immigration,sure,I 247A,law\n\
            reason,immigration,token,DEPORT*,law\nreason,*,innocent,BLACK ICE,law\n\
            reason,immigration,token,Q*,law\nreason,immigration,token,8 US*,law\n\
            reason,immigration,token,ZZ*,law\nreason,immigration,token,ZY,law\n";
        let lexicon = Words::parse(FILE, table).unwrap().reasons;
        let automaton = lexicon.automaton.as_ref().unwrap();
        let mut state = 9_u64;
        let mut below = |count: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as usize % count
        };
        let mut seen = [0; 2];
        for _ in 0..20_000 {
            let text: String = (0..below(7))
                .flat_map(|_| [marks[below(marks.len())], words[below(words.len())]])
                .collect();
            let mut written = Vec::new();
            plain(&mut written, text.as_bytes());
            let found = automaton.try_find(&Input::new(&written)).unwrap().is_some();
            assert_eq!(lexicon.speaks(text.as_bytes()), found, "{text:?}");
            seen[usize::from(found)] += 1;
        }
        assert!(seen.iter().all(|count| *count > 2_000), "{seen:?}");
    }
}
