use proptest::prelude::*;

use super::super::splits::{LIMIT, split as read_split, whole};
use super::*;
use crate::limits::FRAME_BYTES_DEFAULT;

const QW: &[u8] = b"XX048063Y.KAVA85880.1234567.QW.TX0100000.NAM/RECORD,TEST.DOB/19430504";

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b' ').collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// (function, validation, status, destination, data, stated data length)
type Owned = (u16, [u8; 4], u16, u16, Vec<u8>, u32);

fn owned(frame: Frame<'_>) -> Owned {
    let Frame { function, validation, status, destination, data, data_length } = frame;
    (function, validation, status, destination, data.to_vec(), data_length)
}

fn take(bytes: &[u8]) -> Result<Option<(Owned, usize)>, FrameError> {
    next(bytes, LIMIT).map(|found| found.map(|(frame, used)| (owned(frame), used)))
}

fn written(function: u16, data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    encode(&mut out, function, *b"2120", status::OK, DESTINATION, data);
    out
}

#[test]
fn vectors_of_the_document() {
    for (text, function, validation, status) in [
        (
            "ff00aa55 0000001c 0010 0021 31363138 00000000 0021 0001 55aa00ff",
            function::STATUS_REQUEST,
            *b"1618",
            status::READY,
        ),
        (
            "ff00aa55 0000001c 0010 0022 31363138 00000000 0021 0001 55aa00ff",
            function::STATUS_REPLY,
            *b"1618",
            status::READY,
        ),
        (
            "ff00aa55 0000001c 0010 0011 32313230 00000000 0001 0001 55aa00ff",
            function::POSITIVE_ACK,
            *b"2120",
            status::OK,
        ),
    ] {
        let bytes = hex(text);
        let mut out = Vec::new();
        encode(&mut out, function, validation, status, DESTINATION, b"");
        assert_eq!(out, bytes);
        let (frame, used) = next(&bytes, FRAME_BYTES_DEFAULT).unwrap().unwrap();
        assert_eq!(owned(frame), (function, validation, status, 1, Vec::new(), 0));
        assert_eq!(used, bytes.len());
    }
}

#[test]
fn data_vector() {
    let mut bytes = hex("ff00aa55 00000061 0010 0002 32313230 00000045 0001 0001");
    bytes.extend_from_slice(QW);
    bytes.extend_from_slice(&STOP);
    assert_eq!(written(function::DATA_ACK, QW), bytes);
    let (frame, used) = next(&bytes, FRAME_BYTES_DEFAULT).unwrap().unwrap();
    assert_eq!((frame.data, used), (QW, 0x61));
    assert!(frame.wants_ack() && !frame.more_follows());
}

#[test]
fn block_length_counts_and_data_length_does_not() {
    let mut bytes = written(function::DATA, b"0123456789");
    bytes[19] = 80;
    let (frame, _) = next(&bytes, LIMIT).unwrap().unwrap();
    assert_eq!((frame.data, frame.data_length), (b"0123456789".as_slice(), 80));
}

#[test]
fn stop_within_data_is_data() {
    let data = [STOP, START, STOP].concat();
    let bytes = written(function::DATA_MORE, &data);
    let (frame, used) = next(&bytes, LIMIT).unwrap().unwrap();
    assert_eq!((frame.data, used), (data.as_slice(), bytes.len()));
    assert!(frame.more_follows() && !frame.wants_ack());
}

#[test]
fn refusals() {
    let good = written(function::DATA, b"abc");
    let refused = |at: usize, bytes: &[u8]| {
        let mut bad = good.clone();
        bad[at..at + bytes.len()].copy_from_slice(bytes);
        let error = next(&bad, LIMIT).unwrap_err();
        (error.code, error.offset)
    };
    assert_eq!(refused(0, b"G"), (101, 0));
    assert_eq!(refused(2, b"\xAB"), (101, 2));
    assert_eq!(refused(4, &27u32.to_be_bytes()), (105, 4));
    assert_eq!(refused(4, &(LIMIT as u32 + 1).to_be_bytes()), (102, 4));
    assert_eq!(refused(4, &u32::MAX.to_be_bytes()), (102, 4));
    assert_eq!(refused(8, &42u16.to_be_bytes()), (105, 8));
    assert_eq!(refused(good.len() - 1, b"\0"), (104, good.len() - 4));
    assert_eq!(
        next(b"GET / HTTP/1.1", LIMIT).unwrap_err().to_string(),
        "E101 at offset 0: expected START (FF 00 AA 55)"
    );
}

#[test]
fn too_long_is_told_before_the_data_arrives() {
    let head = [&START[..], &100_000u32.to_be_bytes()].concat();
    assert_eq!(next(&head[..7], LIMIT), Ok(None));
    assert_eq!(next(&head, LIMIT).unwrap_err().code, 102);
}

#[test]
fn limit_is_inclusive() {
    let exact = written(function::DATA, &vec![b'x'; LIMIT - OVERHEAD]);
    assert!(next(&exact, LIMIT).unwrap().is_some());
    assert_eq!(next(&exact, LIMIT - 1).unwrap_err().code, 102);
}

fn frames() -> impl Strategy<Value = Vec<Owned>> {
    let frame = (
        any::<u16>(),
        any::<[u8; 4]>(),
        any::<u16>(),
        any::<u16>(),
        prop::collection::vec(any::<u8>(), 0..=LIMIT - OVERHEAD),
    )
        .prop_map(|(function, validation, status, destination, data)| {
            let length = data.len() as u32;
            (function, validation, status, destination, data, length)
        });
    prop::collection::vec(frame, 0..6)
}

fn stream(frames: &[Owned]) -> Vec<u8> {
    let mut out = Vec::new();
    for (function, validation, status, destination, data, _) in frames {
        encode(&mut out, *function, *validation, *status, *destination, data);
    }
    out
}

proptest! {
    #[test]
    fn what_is_written_is_read(frames in frames()) {
        let read = whole(&stream(&frames), take);
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
        let mut bytes = stream(&frames);
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
        let _ = next(&[&START[..], &bytes].concat(), limit);
    }
}
