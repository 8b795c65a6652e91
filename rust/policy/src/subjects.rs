//! Whose record a message is about, without anybody's name in the bundle.
//!
//! `policy/subjects.csv` lists identifiers as keyed digests: a user's own, those of persons who are
//! watched over or whose address the law keeps, and records that exist for tests. Its columns are
//! `list` (`own`, `confidential`, `watched`, `test`), `digest` (32 hexadecimal digits) and `cite`
//! (why it is listed). `policy/subjects.key` has the key, 32 hexadecimal digits.
//!
//! A digest is SipHash-2-4 with 128 bits of the identifier's text, which is its kind and its parts
//! in capital letters and digits: `OLN/CA/D1234567`, `PERSON/DOE/JANE/19800101`. A user's own
//! identifier has the user before it, `U000001@OLN/CA/D1234567`, so that a digest says nothing of
//! others. Whoever has the key can test a guess: keep it as the personnel records are kept.

use std::hash::Hasher;

use hashbrown::HashMap;
use serde::Deserialize;
use siphasher::sip128::{Hasher128, SipHasher24};

use crate::fact::Subject;
use crate::load::Problem;

/// How the names of the bundle's files end.
pub(crate) const FILE: &str = "subjects.csv";
pub(crate) const KEY_FILE: &str = "subjects.key";

/// Signs that stand for any letter in a search for more than one record.
const WILD: [u8; 3] = [b'*', b'?', b'%'];

/// The fields that name a record by a number; for those whose number a state gives, the field that
/// says which. CITE: NCIC Code Manual and Nlets User Guide, field codes.
const NUMBERS: [(&[u8; 3], &str); 12] = [
    (b"BHN", ""),
    (b"CII", ""),
    (b"FBI", ""),
    (b"LIC", "LIS"),
    (b"NIC", ""),
    (b"OAN", ""),
    (b"OLN", "OLS"),
    (b"REG", "RES"),
    (b"SER", ""),
    (b"SID", ""),
    (b"SOC", ""),
    (b"VIN", ""),
];

/// What a message names somebody or something by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Identifier<'a> {
    /// A number of a file, such as a plate.
    Number {
        /// Field code, `LIC`.
        kind: &'static [u8; 3],
        /// The state that gave it, two letters; empty for a number of the nation.
        state: &'a [u8],
        /// The number.
        value: &'a [u8],
    },
    /// A name with a date of birth.
    Person {
        /// `LAST, FIRST MIDDLE`; the middle names do not count.
        name: &'a [u8],
        /// `ccyymmdd`.
        birth: &'a [u8],
    },
}

impl Identifier<'_> {
    /// The kind of number that a field has, and the field that says whose number it is, empty for
    /// one of the nation; none for another field.
    #[must_use]
    pub fn kind(code: &[u8]) -> Option<(&'static [u8; 3], &'static str)> {
        // Three bytes are compared as one number; a call of `memcmp` for each would cost more.
        let code = <&[u8; 3]>::try_from(code).ok()?;
        NUMBERS.iter().find(|(kind, _)| *kind == code).copied()
    }

    /// A sign in it stands for any letter: it names more than one.
    #[must_use]
    pub fn is_wild(&self) -> bool {
        let (Self::Number { value, .. } | Self::Person { name: value, .. }) = self;
        value.iter().any(|byte| WILD.contains(byte))
    }

    /// The text that is digested, behind a user's.
    fn text(&self, user: &[u8]) -> Text {
        let mut text = Text { signs: [0; 2 * TEXT_MAX], length: 0, begin: 0, end: TEXT_MAX };
        if !user.is_empty() {
            text.push(user);
            text.mark(b'@');
            (text.begin, text.end) = (text.length, text.length + TEXT_MAX);
        }
        match self {
            Self::Number { kind, state, value } => {
                text.push(*kind);
                text.mark(b'/');
                text.push(state);
                text.mark(b'/');
                text.push(value);
            }
            Self::Person { name, birth } => {
                let mut halves = name.splitn(2, |byte| *byte == b',');
                let last = halves.next().unwrap_or_default();
                let first = halves.next().unwrap_or_default().trim_ascii_start();
                let first = first.split(u8::is_ascii_whitespace).next().unwrap_or_default();
                text.push(b"PERSON");
                for part in [last, first, birth] {
                    text.mark(b'/');
                    text.push(part);
                }
            }
        }
        text
    }
}

/// Longer than any user and any identifier; what is beyond does not count.
const TEXT_MAX: usize = 128;

struct Text {
    signs: [u8; 2 * TEXT_MAX],
    length: usize,
    /// Where the identifier begins, and where it must end.
    begin: usize,
    end: usize,
}

impl Text {
    /// Adds the letters, as capitals, and the digits of `part`.
    fn push(&mut self, part: &[u8]) {
        let signs = part.iter().filter(|byte| byte.is_ascii_alphanumeric());
        self.add(signs.map(u8::to_ascii_uppercase));
    }

    fn mark(&mut self, sign: u8) {
        self.add([sign]);
    }

    fn add(&mut self, signs: impl IntoIterator<Item = u8>) {
        let room = self.signs.get_mut(self.length..self.end).unwrap_or_default();
        for (place, sign) in room.iter_mut().zip(signs) {
            *place = sign;
            self.length += 1;
        }
    }

    fn with_user(&self) -> &[u8] {
        self.signs.get(..self.length).unwrap_or_default()
    }

    fn without_user(&self) -> &[u8] {
        self.signs.get(self.begin..self.length).unwrap_or_default()
    }
}

/// The key of a bundle's digests, 128 bits.
#[derive(Clone, Copy, Default)]
pub struct SubjectKey([u8; 16]);

impl std::fmt::Debug for SubjectKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SubjectKey")
    }
}

impl SubjectKey {
    /// Reads 32 hexadecimal digits; blanks around them do not count.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(Self(hexadecimal(text.trim())?.to_be_bytes()))
    }

    /// The digest of an identifier; with a user, that of the user's own.
    #[must_use]
    pub fn digest(&self, user: &[u8], identifier: &Identifier<'_>) -> u128 {
        self.digest_of(identifier.text(user).with_user())
    }

    fn digest_of(&self, text: &[u8]) -> u128 {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        hasher.write(text);
        u128::from_be_bytes(hasher.finish128().as_bytes())
    }
}

/// The lists of a bundle.
#[derive(Debug, Default)]
pub struct Subjects {
    key: SubjectKey,
    listed: HashMap<u128, Subject, foldhash::fast::FixedState>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum List {
    Confidential,
    Own,
    Test,
    Watched,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    list: List,
    digest: String,
    cite: String,
}

impl Subjects {
    /// Reads the table with its key.
    pub(crate) fn parse(file: &str, table: &str, key: Option<&str>) -> Result<Self, Vec<Problem>> {
        let problem = |line: u64, text: &str| Problem {
            file: file.to_owned(),
            line: u32::try_from(line).unwrap_or(u32::MAX),
            text: text.to_owned(),
        };
        let Some(key) = key.and_then(SubjectKey::parse) else {
            let text = format!("`{KEY_FILE}` must stand beside it, with 32 hexadecimal digits");
            return Err(vec![problem(1, &text)]);
        };
        let mut problems = Vec::new();
        let mut listed = HashMap::default();
        let mut reader = csv::ReaderBuilder::new().from_reader(table.as_bytes());
        for (line, row) in (2..).zip(reader.deserialize::<Row>()) {
            let row = match row {
                Ok(row) => row,
                Err(error) => {
                    problems.push(problem(line, &error.to_string()));
                    continue;
                }
            };
            match hexadecimal(&row.digest) {
                Some(_) if row.cite.trim().is_empty() => {
                    problems.push(problem(line, "a row must say what it rests on"));
                }
                Some(digest) => {
                    let subject = match row.list {
                        List::Confidential => Subject::Confidential,
                        List::Own => Subject::Own,
                        List::Test => Subject::Test,
                        List::Watched => Subject::Watched,
                    };
                    let held = listed.entry(digest).or_insert(subject);
                    *held = graver(*held, subject);
                }
                None => {
                    let text = format!("`{}` must be 32 hexadecimal digits", row.digest);
                    problems.push(problem(line, &text));
                }
            }
        }
        if problems.is_empty() { Ok(Self { key, listed }) } else { Err(problems) }
    }

    /// Whose record all these identifiers are of, when `user` names them: the gravest list of any.
    /// One digest or two for each identifier.
    #[must_use]
    pub fn find(&self, user: &[u8], identifiers: &[Identifier<'_>]) -> Subject {
        let of = |text: &[u8]| self.listed.get(&self.key.digest_of(text)).copied();
        identifiers.iter().fold(Subject::None, |found, identifier| {
            if self.listed.is_empty() {
                return Subject::Live;
            }
            let text = identifier.text(user);
            let own = of(text.with_user()).filter(|it| *it == Subject::Own && !user.is_empty());
            let other = of(text.without_user()).filter(|it| *it != Subject::Own);
            graver(found, own.or(other).unwrap_or(Subject::Live))
        })
    }
}

/// Which of two lists decides for one message: one live record among test records is live.
fn graver(left: Subject, right: Subject) -> Subject {
    const ORDER: [Subject; 6] = [
        Subject::None,
        Subject::Test,
        Subject::Live,
        Subject::Watched,
        Subject::Confidential,
        Subject::Own,
    ];
    let place = |it: Subject| ORDER.iter().position(|known| *known == it);
    if place(left) >= place(right) { left } else { right }
}

fn hexadecimal(text: &str) -> Option<u128> {
    let fits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    fits.then(|| u128::from_str_radix(text, 16).ok())?
}
