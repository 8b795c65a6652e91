//! Damaged messages of the conformance corpus, from a fixed seed: every dialect and every framing
//! must take any bytes without a panic, in bounded time and memory, and as its naive twin does.
//!
//! `CLETS_MUTATIONS` says how many; `make fuzz` takes millions.

use std::path::Path;
use std::time::{Duration, Instant};

use super::*;
use crate::framing::{dmpp, native};
use crate::limits::{DESTINATIONS_MAX, FIELDS_MAX};

const USUAL: u64 = 200_000;
const LIMIT: usize = 4096;
/// Far above what one input takes, far below what a search that runs away would.
const SLOW: Duration = Duration::from_millis(500);
/// Bytes that mean something to some reader.
const SHARP: &[u8] = b"./,*\r\n\x03\x7F \xFF\x00\x55\xAACLTXT1N01L0R:0<>&;![]\"'";

/// xorshift64*: small, and the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number below `end`; 0 when there is none.
    fn below(&mut self, end: usize) -> usize {
        (self.next() >> 16) as usize % end.max(1)
    }
}

fn corpus() -> Vec<(Dialect, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden");
    let mut found = Vec::new();
    for dialect in Dialect::ALL {
        let file = folder.join(format!("{}.jsonl", dialect.name()));
        for line in std::fs::read_to_string(file).unwrap().lines() {
            let case: serde_json::Value = serde_json::from_str(line).unwrap();
            let text = case["message"].as_str().unwrap();
            found.push((dialect, text.chars().map(|c| c as u8).collect()));
        }
    }
    found
}

/// One to four changes: a byte, a cut, a repetition, a piece of another message.
fn damage(random: &mut Random, bytes: &mut Vec<u8>, other: &[u8]) {
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        let length = random.below(24);
        let end = (at + length).min(bytes.len());
        let sharp = SHARP[random.below(SHARP.len())];
        match random.below(7) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
            1 if !bytes.is_empty() => bytes[at] = sharp,
            2 => bytes.insert(at, sharp),
            3 => drop(bytes.drain(at..end)),
            4 => bytes.truncate(at),
            5 => {
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece.repeat(1 + random.below(4)));
            }
            _ => {
                let from = random.below(other.len());
                let to = (from + length).min(other.len());
                bytes.splice(at..at, other[from..to].iter().copied());
            }
        }
    }
}

fn count() -> u64 {
    std::env::var("CLETS_MUTATIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(USUAL)
}

#[test]
fn mutations_of_the_corpus_read_like_the_naive_way() {
    let corpus = corpus();
    let mut random = Random(0x00C1_E750_60D5_EED5);
    for _ in 0..count() {
        let (own, message) = &corpus[random.below(corpus.len())];
        let (_, other) = &corpus[random.below(corpus.len())];
        let mut bytes = message.clone();
        damage(&mut random, &mut bytes, other);
        let dialect = match random.below(8) {
            0 => Dialect::ALL[random.below(Dialect::ALL.len())],
            _ => *own,
        };
        let begun = Instant::now();
        let text = text_form(&bytes, dialect);
        let found = text.and_then(|text| decode(&text, dialect));
        assert!(begun.elapsed() < SLOW, "{dialect:?} {bytes:?}");
        if let Ok(envelope) = &found {
            assert!(envelope.fields.len() <= FIELDS_MAX);
            assert!(envelope.destinations.len() <= DESTINATIONS_MAX);
        }
        agree(&bytes, dialect).unwrap();
    }
}

#[test]
fn mutations_of_frames_are_the_same_with_less_or_more_bytes_behind() {
    let corpus = corpus();
    let mut random = Random(0x000F_4A3E_5EED_0001);
    for _ in 0..count() {
        let (_, message) = &corpus[random.below(corpus.len())];
        let (_, other) = &corpus[random.below(corpus.len())];
        let mut bytes = Vec::new();
        let is_native = random.below(2) == 0;
        if is_native {
            let frame = native::Frame {
                kind: native::Kind::Data,
                precedence: random.below(5) as u8,
                flags: 0,
                code: 0,
                sequence: random.next(),
                body: message,
            };
            native::encode(&mut bytes, &frame);
        } else {
            dmpp::encode(&mut bytes, dmpp::function::DATA_ACK, *b"0001", 1, 1, message);
        }
        damage(&mut random, &mut bytes, other);
        let end = random.below(bytes.len() + 1);
        let part = &bytes[..end];
        let read = |bytes: &[u8]| match is_native {
            true => native::next(bytes, LIMIT).map(|it| it.map(|(f, n)| (f.body.to_vec(), n))),
            false => dmpp::next(bytes, LIMIT).map(|it| it.map(|(f, n)| (f.data.to_vec(), n))),
        };
        let whole = read(&bytes);
        if let Ok(Some((data, used))) = &whole {
            assert!(*used <= bytes.len() && *used <= LIMIT && data.len() < *used);
        }
        // What was said of the beginning holds, whatever follows.
        let early = read(part);
        if early != Ok(None) {
            assert_eq!(early, whole, "{bytes:?} cut at {end}");
        }
    }
}
