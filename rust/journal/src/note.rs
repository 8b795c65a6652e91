//! Signed notes and checkpoints. CITE: C2SP signed-note and tlog-checkpoint.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey};
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::tree::Hash;

/// The signature type byte for Ed25519 in a signed note.
const ED25519: u8 = 1;
const SECRET_PREFIX: &str = "PRIVATE+KEY+";

/// A tree head that was signed: at `size` records the root was `root`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log this is; also the key's name.
    pub origin: String,
    /// Number of records.
    pub size: u64,
    /// RFC 6962 root over them.
    pub root: Hash,
}

/// The public half of a checkpoint key with the name it signs by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyingKey {
    name: String,
    key: ed25519_dalek::VerifyingKey,
}

/// The private half.
pub(crate) struct NoteKey {
    name: String,
    key: SigningKey,
}

impl Checkpoint {
    fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }

    /// Opens a signed note: exactly three lines of text, and a good signature by `key`.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] when the form, the origin or the signature is not right.
    pub fn open(note: &str, key: &VerifyingKey) -> Result<Self, Error> {
        let text = key.open(note)?;
        let bad = |what: &str| Error::checkpoint(format!("{what} in `{}`", text.escape_debug()));
        let lines: Vec<&str> = text.lines().collect();
        let [origin, size, root] = lines.as_slice() else {
            return Err(bad("not three lines"));
        };
        let size: u64 = size.parse().map_err(|_| bad("no tree size"))?;
        let root = STANDARD.decode(root).ok().and_then(|root| Hash::try_from(root).ok());
        let root = root.ok_or_else(|| bad("no root hash"))?;
        let checkpoint = Self { origin: (*origin).to_owned(), size, root };
        // One way to write a checkpoint: a leading zero, a plus sign or a carriage return is not
        // it.
        if checkpoint.text() != text || checkpoint.origin != key.name {
            return Err(bad("another origin or an unusual form"));
        }
        Ok(checkpoint)
    }
}

impl VerifyingKey {
    /// Reads the text form `name+hash+base64`.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] when it is not an Ed25519 key of that form, or the hash does not fit.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let bad = || Error::checkpoint(format!("bad verifier key `{}`", text.escape_debug()));
        let (name, key) = parse_key(text).ok_or_else(bad)?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(&key).map_err(|_| bad())?;
        let parsed = Self { name, key };
        if parsed.encode() != text {
            return Err(bad());
        }
        Ok(parsed)
    }

    /// The text form `name+hash+base64`, where hash is four bytes in hexadecimal.
    pub fn encode(&self) -> String {
        encode_key(&self.name, self.id(), self.key.as_bytes())
    }

    /// The name it signs by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// First four bytes of SHA-256 over name, line feed, type byte and public key.
    fn id(&self) -> [u8; 4] {
        let mut hasher = Sha256::new();
        hasher.update(self.name.as_bytes());
        hasher.update([b'\n', ED25519]);
        hasher.update(self.key.as_bytes());
        let [a, b, c, d, ..] = <[u8; 32]>::from(hasher.finalize());
        [a, b, c, d]
    }

    /// The text of a note that this key signed. Other keys' signatures are passed over.
    fn open<'n>(&self, note: &'n str) -> Result<&'n str, Error> {
        let bad = |what: &str| Error::checkpoint(what);
        let split = note.rfind("\n\n").ok_or_else(|| bad("no signature block in the note"))?;
        let (text, block) = note.split_at_checked(split + 1).ok_or_else(|| bad("no text"))?;
        let block = block.strip_prefix('\n').unwrap_or(block);
        let block = block.strip_suffix('\n').ok_or_else(|| bad("no final line feed"))?;
        let mut signed = false;
        for line in block.split('\n') {
            let line = line.strip_prefix("\u{2014} ").and_then(|line| line.split_once(' '));
            let (name, value) = line.ok_or_else(|| bad("a signature line of no known form"))?;
            let value = STANDARD.decode(value).map_err(|_| bad("a signature not in base64"))?;
            let Some((id, signature)) = value.split_first_chunk::<4>() else {
                return Err(bad("a signature too short"));
            };
            if name != self.name || *id != self.id() {
                continue;
            }
            let signature = Signature::from_slice(signature)
                .map_err(|_| bad("a signature of the wrong length"))?;
            self.key
                .verify_strict(text.as_bytes(), &signature)
                .map_err(|_| bad("the signature does not fit the text"))?;
            signed = true;
        }
        if signed { Ok(text) } else { Err(bad("not signed by this key")) }
    }
}

impl NoteKey {
    /// A key from 32 random bytes. The name is the log's origin.
    pub(crate) fn new(name: &str, seed: &[u8; 32]) -> Result<Self, Error> {
        if !name_is_sound(name) {
            let what = format!("origin `{}` is not a key name", name.escape_debug());
            return Err(Error::Option { what });
        }
        Ok(Self { name: name.to_owned(), key: SigningKey::from_bytes(seed) })
    }

    /// Reads `PRIVATE+KEY+name+hash+base64`. The failure never quotes the text.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let bad = || Error::checkpoint("the private key file does not hold a key");
        let (name, seed) = text.strip_prefix(SECRET_PREFIX).and_then(parse_key).ok_or_else(bad)?;
        let parsed = Self { name, key: SigningKey::from_bytes(&seed) };
        if parsed.encode() != text {
            return Err(bad());
        }
        Ok(parsed)
    }

    pub(crate) fn encode(&self) -> String {
        let id = self.verifying().id();
        format!("{SECRET_PREFIX}{}", encode_key(&self.name, id, self.key.as_bytes()))
    }

    pub(crate) fn verifying(&self) -> VerifyingKey {
        VerifyingKey { name: self.name.clone(), key: self.key.verifying_key() }
    }

    /// The signed note of a tree head.
    pub(crate) fn sign(&self, size: u64, root: Hash) -> String {
        let text = Checkpoint { origin: self.name.clone(), size, root }.text();
        let mut value = self.verifying().id().to_vec();
        value.extend_from_slice(&self.key.sign(text.as_bytes()).to_bytes());
        format!("{text}\n\u{2014} {} {}\n", self.name, STANDARD.encode(value))
    }
}

fn name_is_sound(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+')
}

fn encode_key(name: &str, id: [u8; 4], key: &[u8; 32]) -> String {
    let mut value = vec![ED25519];
    value.extend_from_slice(key);
    format!("{name}+{:08x}+{}", u32::from_be_bytes(id), STANDARD.encode(value))
}

fn parse_key(text: &str) -> Option<(String, [u8; 32])> {
    let (name, rest) = text.split_once('+').filter(|(name, _)| name_is_sound(name))?;
    let (_, key) = rest.split_once('+')?;
    let key = STANDARD.decode(key).ok()?;
    let key = key.strip_prefix(&[ED25519])?;
    Some((name.to_owned(), key.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of Go's `golang.org/x/mod/sumdb/note`, whose format C2SP signed-note took over.
    const VKEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const NOTE: &str = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n\n\
        \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvq\
        fqdngotpRZb6KE6RyyBwJnAM=\n";

    fn key(name: &str) -> NoteKey {
        NoteKey::new(name, &[7; 32]).unwrap()
    }

    #[test]
    fn opens_the_note_of_another_implementation() {
        let key = VerifyingKey::parse(VKEY).unwrap();
        assert_eq!(key.encode(), VKEY);
        assert!(key.open(NOTE).unwrap().starts_with("If you think"));
        assert!(key.open(&NOTE.replace("answer", "Answer")).is_err());
    }

    #[test]
    fn a_checkpoint_opens_and_no_flipped_bit_does() {
        let key = key("clets.example/switch");
        let note = key.sign(42, [9; 32]);
        let checkpoint = Checkpoint::open(&note, &key.verifying()).unwrap();
        assert_eq!((checkpoint.size, checkpoint.root), (42, [9; 32]));
        assert_eq!(checkpoint.origin, "clets.example/switch");
        for bit in 0..note.len() * 8 {
            let mut damaged = note.clone().into_bytes();
            damaged[bit / 8] ^= 1 << (bit % 8);
            if let Ok(damaged) = String::from_utf8(damaged) {
                assert!(Checkpoint::open(&damaged, &key.verifying()).is_err(), "bit {bit}");
            }
        }
    }

    #[test]
    fn another_signature_beside_ours_is_passed_over() {
        let key = key("clets.example/switch");
        let mut note = key.sign(1, [1; 32]);
        note.push_str("\u{2014} witness.example AAAAAAAA\n");
        assert!(Checkpoint::open(&note, &key.verifying()).is_ok());
        let other = NoteKey::new("clets.example/switch", &[8; 32]).unwrap();
        assert!(Checkpoint::open(&note, &other.verifying()).is_err());
    }

    #[test]
    fn keys_read_back_and_never_show_in_a_failure() {
        let key = key("clets.example/switch");
        let secret = key.encode();
        assert_eq!(NoteKey::parse(&secret).unwrap().encode(), secret);
        let failure = NoteKey::parse(&format!("{secret}x")).err().unwrap().to_string();
        let (_, private) = secret.rsplit_once('+').unwrap();
        assert!(!failure.contains(private), "{failure}");
        for name in ["", "two words", "a+b", "line\nfeed"] {
            assert!(NoteKey::new(name, &[1; 32]).is_err(), "`{name}`");
        }
    }
}
