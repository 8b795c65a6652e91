use proptest::prelude::*;

use super::super::splits::{LIMIT, split as read_split, whole};
use super::*;

/// A frame that owns its body.
#[derive(Clone, Debug, PartialEq)]
struct Owned {
    kind: Kind,
    precedence: u8,
    flags: u8,
    code: u16,
    sequence: u64,
    body: Vec<u8>,
}

impl Owned {
    fn write(&self, out: &mut Vec<u8>) {
        let Self { kind, precedence, flags, code, sequence, ref body } = *self;
        encode(out, &Frame { kind, precedence, flags, code, sequence, body });
    }
}

fn take(bytes: &[u8]) -> Result<Option<(Owned, usize)>, FrameError> {
    let own = |(frame, used): (Frame<'_>, usize)| {
        let Frame { kind, precedence, flags, code, sequence, body } = frame;
        (Owned { kind, precedence, flags, code, sequence, body: body.to_vec() }, used)
    };
    next(bytes, LIMIT).map(|found| found.map(own))
}

fn sample() -> Vec<u8> {
    let mut out = Vec::new();
    let body = b"hello";
    let kind = Kind::Data;
    let flags = POSSIBLE_DUPLICATE;
    encode(&mut out, &Frame { kind, precedence: 2, flags, code: 0, sequence: 7, body });
    out
}

/// CRC-32C bit by bit, reflected polynomial 82F63B78.
fn crc_naive(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| {
        if crc & 1 == 1 { (crc >> 1) ^ 0x82F6_3B78 } else { crc >> 1 }
    };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

#[test]
fn layout() {
    let bytes = sample();
    assert_eq!(&bytes[..20], b"CL\x01\x02\0\0\0\x05\0\0\0\0\0\0\0\x07\x02\x01\0\0");
    assert_eq!(&bytes[24..], b"hello");
    let checked = [&bytes[..20], &bytes[24..]].concat();
    assert_eq!(bytes[20..24], crc_naive(&checked).to_be_bytes());
    assert_eq!(crc_naive(b"123456789"), 0xE306_9283);
}

#[test]
fn refusals() {
    let refused = |at: usize, byte: u8| {
        let mut bad = sample();
        bad[at] = byte;
        let error = next(&bad, LIMIT).unwrap_err();
        (error.code, error.offset)
    };
    assert_eq!(refused(0, b'X'), (101, 0));
    assert_eq!(refused(1, b'X'), (101, 1));
    assert_eq!(refused(2, 2), (105, 2));
    assert_eq!(refused(3, 0), (105, 3));
    assert_eq!(refused(3, 11), (105, 3));
    assert_eq!(refused(4, 1), (102, 4));
    assert_eq!(refused(16, 5), (105, 16));
    for at in [8, 17, 18, 20, 23, 24, 28] {
        assert_eq!(refused(at, 0xEE), (104, 20), "byte {at}");
    }
}

#[test]
fn kinds_have_one_number_and_one_name() {
    for kind in Kind::ALL {
        assert_eq!(Kind::from_byte(kind as u8), Some(kind));
        assert_eq!(Kind::parse(kind.name()), Some(kind));
    }
    assert_eq!(Kind::from_byte(0), None);
    assert_eq!(Kind::parse("nothing"), None);
}

fn frames() -> impl Strategy<Value = Vec<Owned>> {
    let frame = (
        prop::sample::select(Kind::ALL.to_vec()),
        0u8..=4,
        any::<u8>(),
        any::<u16>(),
        any::<u64>(),
        prop::collection::vec(any::<u8>(), 0..=LIMIT - OVERHEAD),
    )
        .prop_map(|(kind, precedence, flags, code, sequence, body)| Owned {
            kind,
            precedence,
            flags,
            code,
            sequence,
            body,
        });
    prop::collection::vec(frame, 0..6)
}

proptest! {
    #[test]
    fn what_is_written_is_read(frames in frames()) {
        let mut bytes = Vec::new();
        frames.iter().for_each(|frame| frame.write(&mut bytes));
        let read = whole(&bytes, take);
        prop_assert_eq!(read.frames, frames);
        prop_assert_eq!(read.end, Ok(Vec::new()));
    }

    #[test]
    fn any_split_gives_the_same(
        frames in frames(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        cut in any::<prop::sample::Index>(),
        sizes in prop::collection::vec(1usize..90, 1..8),
    ) {
        let mut bytes = Vec::new();
        frames.iter().for_each(|frame| frame.write(&mut bytes));
        if !bytes.is_empty() {
            for (at, byte) in damage {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes.truncate(cut.index(bytes.len() + 1));
        }
        prop_assert_eq!(read_split(&bytes, &sizes, take), whole(&bytes, take));
    }

    #[test]
    fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..64), limit in 0usize..64) {
        let _ = next(&bytes, limit);
        let _ = next(&[b"CL\x01\x02".as_slice(), &bytes].concat(), limit);
    }
}
