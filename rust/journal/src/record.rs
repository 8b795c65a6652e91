//! One record's bytes.
//!
//! ```text
//! 0   u32  CRC-32C of the segment's salt (4 bytes) and of bytes 4 .. 29 + length
//! 4   u32  length of the body
//! 8   u16  place in its batch, from 0
//! 10  u16  records in its batch
//! 12  u64  number
//! 20  i64  time, microseconds since 1970-01-01 UTC
//! 28  u8   kind
//! 29  body, then zeros to a multiple of 8
//! ```
//!
//! All numbers are big-endian. Bytes 12 .. 29 + length are the record's leaf in the Merkle tree.

use crate::tree::{Hash, leaf_hash};

/// Longest body of one record, in bytes.
pub const BODY_BYTES_MAX: usize = 16 << 20;

/// Bytes before the body.
pub(crate) const HEADER_BYTES: usize = 29;

/// Records begin at multiples of this, so a search for them need not look at every byte.
pub(crate) const ALIGNMENT: usize = 8;

/// Most records in one batch: what the two-byte fields can say.
pub(crate) const BATCH_RECORDS_MAX: usize = u16::MAX as usize;

const LEAF_AT: usize = 12;

/// A record found in a segment, its check sum already right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    pub(crate) place: u16,
    pub(crate) count: u16,
    pub(crate) number: u64,
    pub(crate) time_us: i64,
    pub(crate) kind: u8,
    pub(crate) body: &'a [u8],
    pub(crate) bytes: usize,
}

impl Record<'_> {
    /// Number of the first record of this record's batch.
    pub(crate) fn batch_first(&self) -> Option<u64> {
        self.number.checked_sub(u64::from(self.place))
    }
}

/// Start of the check sum of every record in a segment with this salt. The salt keeps a body that
/// quotes journal bytes from ever passing for a record.
pub(crate) fn seed(salt: u32) -> u32 {
    crc32c::crc32c(&salt.to_be_bytes())
}

/// Bytes a record with such a body takes in the segment, padding included.
pub(crate) fn padded(body_bytes: usize) -> usize {
    (HEADER_BYTES + body_bytes).next_multiple_of(ALIGNMENT)
}

/// Adds a record without its batch fields and check sum, which [`seal`] fills in.
pub(crate) fn encode(out: &mut Vec<u8>, number: u64, time_us: i64, kind: u8, body: &[u8]) {
    let end = out.len() + padded(body.len());
    out.extend_from_slice(&[0; 4]);
    // The caller has held the body to BODY_BYTES_MAX.
    out.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&number.to_be_bytes());
    out.extend_from_slice(&time_us.to_be_bytes());
    out.push(kind);
    out.extend_from_slice(body);
    out.resize(end, 0);
}

/// Makes encoded records into one batch: fills in place, count and check sum of each.
pub(crate) fn seal(mut bytes: &mut [u8], count: u16, seed: u32) {
    let mut place: u16 = 0;
    while let Some(length) = number_at(bytes, 4).map(|length: u32| length as usize) {
        let Some((record, rest)) = bytes.split_at_mut_checked(padded(length)) else {
            return;
        };
        if let Some(fields) = record.get_mut(8..12) {
            let (place, count) = (place.to_be_bytes(), count.to_be_bytes());
            fields.copy_from_slice(&[place[0], place[1], count[0], count[1]]);
        }
        let sum = record
            .get(4..HEADER_BYTES + length)
            .map(|covered| crc32c::crc32c_append(seed, covered));
        if let (Some(field), Some(sum)) = (record.get_mut(..4), sum) {
            field.copy_from_slice(&sum.to_be_bytes());
        }
        place = place.wrapping_add(1);
        bytes = rest;
    }
}

/// Leaf hashes of encoded records, in order.
pub(crate) fn leaves(mut bytes: &[u8]) -> impl Iterator<Item = Hash> {
    std::iter::from_fn(move || {
        let length = number_at::<u32, 4>(bytes, 4)? as usize;
        let (record, rest) = bytes.split_at_checked(padded(length))?;
        bytes = rest;
        Some(leaf_hash(&[record.get(LEAF_AT..HEADER_BYTES + length)?]))
    })
}

/// Bytes of the record that begins here, padding included; `None` when it claims what none may
/// have.
pub(crate) fn claimed_bytes(header: &[u8]) -> Option<usize> {
    let length = number_at::<u32, 4>(header, 4)? as usize;
    let (place, count) = (number_at::<u16, 2>(header, 8)?, number_at::<u16, 2>(header, 10)?);
    (length <= BODY_BYTES_MAX && place < count).then(|| padded(length))
}

/// The record at the start of `bytes`, when it is whole and its check sum and padding are right.
pub(crate) fn parse(bytes: &[u8], seed: u32) -> Option<Record<'_>> {
    let total = claimed_bytes(bytes)?;
    let bytes = bytes.get(..total)?;
    let end = HEADER_BYTES + number_at::<u32, 4>(bytes, 4)? as usize;
    let sum = crc32c::crc32c_append(seed, bytes.get(4..end)?);
    if number_at::<u32, 4>(bytes, 0)? != sum || bytes.get(end..)?.iter().any(|byte| *byte != 0) {
        return None;
    }
    Some(Record {
        place: number_at(bytes, 8)?,
        count: number_at(bytes, 10)?,
        number: number_at(bytes, 12)?,
        time_us: number_at(bytes, 20)?,
        kind: *bytes.get(28)?,
        body: bytes.get(HEADER_BYTES..end)?,
        bytes: total,
    })
}

/// A big-endian integer, by the type asked for.
pub(crate) fn number_at<T: BigEndian<N>, const N: usize>(bytes: &[u8], at: usize) -> Option<T> {
    bytes.get(at..)?.first_chunk().map(|chunk| T::from_bytes(*chunk))
}

pub(crate) trait BigEndian<const N: usize> {
    fn from_bytes(bytes: [u8; N]) -> Self;
}

impl BigEndian<2> for u16 {
    fn from_bytes(bytes: [u8; 2]) -> Self {
        Self::from_be_bytes(bytes)
    }
}

impl BigEndian<4> for u32 {
    fn from_bytes(bytes: [u8; 4]) -> Self {
        Self::from_be_bytes(bytes)
    }
}

impl BigEndian<8> for u64 {
    fn from_bytes(bytes: [u8; 8]) -> Self {
        Self::from_be_bytes(bytes)
    }
}

impl BigEndian<8> for i64 {
    fn from_bytes(bytes: [u8; 8]) -> Self {
        Self::from_be_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::reader::OwnedRecord;

    proptest! {
        #[test]
        fn what_is_sealed_parses_back_and_a_flip_does_not(
            bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..8),
            number in any::<u32>(),
            time_us in any::<i64>(),
            kind in any::<u8>(),
            salt in any::<u32>(),
            flip in any::<prop::sample::Index>(),
        ) {
            let mut bytes = Vec::new();
            for (at, body) in bodies.iter().enumerate() {
                encode(&mut bytes, u64::from(number) + at as u64, time_us, kind, body);
            }
            let count = u16::try_from(bodies.len()).unwrap();
            seal(&mut bytes, count, seed(salt));
            let hashes: Vec<Hash> = leaves(&bytes).collect();
            let mut at = 0;
            for (place, body) in bodies.iter().enumerate() {
                let record = parse(&bytes[at..], seed(salt)).unwrap();
                prop_assert_eq!(usize::from(record.place), place);
                prop_assert_eq!(record.count, count);
                prop_assert_eq!(record.number, u64::from(number) + place as u64);
                prop_assert_eq!((record.time_us, record.kind), (time_us, kind));
                prop_assert_eq!(record.body, &body[..]);
                prop_assert_eq!(record.batch_first(), Some(u64::from(number)));
                prop_assert_eq!(OwnedRecord::from(record).leaf_hash(), hashes[place]);
                let mut damaged = bytes[at..at + record.bytes].to_vec();
                let bit = flip.index(damaged.len() * 8);
                damaged[bit / 8] ^= 1 << (bit % 8);
                prop_assert_eq!(parse(&damaged, seed(salt)), None);
                at += record.bytes;
            }
            prop_assert_eq!(at, bytes.len());
        }
    }

    #[test]
    fn another_segments_salt_does_not_fit() {
        let mut bytes = Vec::new();
        encode(&mut bytes, 7, 1, 2, b"body");
        seal(&mut bytes, 1, seed(1));
        assert!(parse(&bytes, seed(1)).is_some());
        assert_eq!(parse(&bytes, seed(2)), None);
        assert_eq!(parse(&[0; 64], seed(1)), None);
    }
}
