//! DMPP-2020, plain form: the frames of the Datamaxx Message Processing Protocol.
//!
//! CITE: OpenFox DMPP 2020 Workstation and Remote Agency Interface, v6a, Texas DPS.
//!
//! ```text
//!  0  4  START  FF 00 AA 55
//!  4  4  block length, everything from START to STOP
//!  8  2  header length, 16 (42 = encrypted, refused here: lines run inside TLS)
//! 10  2  function
//! 12  4  validation, returned unchanged in the acknowledgement
//! 16  4  data length
//! 20  2  status
//! 22  2  destination, 1 on output, ignored on input
//! 24  n  data
//! ..  4  STOP   55 AA 00 FF
//! ```
//!
//! Integers are big-endian. The examples of the document print wrong data lengths, therefore the
//! block length alone says where a frame ends; STOP is checked there and never searched, for data
//! may contain it.

use super::{bytes_at, expect_start};
use crate::code;
use crate::error::FrameError;

/// Bytes of a frame besides its data.
pub const OVERHEAD: usize = HEADER + STOP.len();
/// First bytes of every frame.
pub const START: [u8; 4] = [0xFF, 0x00, 0xAA, 0x55];
/// Last bytes of every frame.
pub const STOP: [u8; 4] = [0x55, 0xAA, 0x00, 0xFF];
/// Destination written on output.
pub const DESTINATION: u16 = 1;

const HEADER: usize = 24;
const HEADER_LENGTH: u16 = 16;

/// Functions, at offset 10.
pub mod function {
    /// Data, final block, no acknowledgement wanted.
    pub const DATA: u16 = 0x0001;
    /// Data, final block, acknowledgement wanted.
    pub const DATA_ACK: u16 = 0x0002;
    /// Data, more blocks follow, no acknowledgement wanted.
    pub const DATA_MORE: u16 = 0x0003;
    /// Data, more blocks follow, acknowledgement wanted.
    pub const DATA_MORE_ACK: u16 = 0x0004;
    /// Received and safely stored; the sender may forget it.
    pub const POSITIVE_ACK: u16 = 0x0011;
    /// Not accepted, the status says why.
    pub const NEGATIVE_ACK: u16 = 0x0012;
    /// Keep-alive: how are you.
    pub const STATUS_REQUEST: u16 = 0x0021;
    /// Answer to a keep-alive.
    pub const STATUS_REPLY: u16 = 0x0022;
}

/// Status codes, at offset 20; their meaning depends on the function.
pub mod status {
    /// Request: no binary object. Reply: received without error.
    pub const OK: u16 = 0x0001;
    /// Reply: permanent error, for example of a disk.
    pub const PERMANENT_ERROR: u16 = 0x0011;
    /// Reply: temporary error.
    pub const TEMPORARY_ERROR: u16 = 0x0012;
    /// Reply: logic error, for example flooding.
    pub const LOGIC_ERROR: u16 = 0x0013;
    /// Reply: too long, discarded.
    pub const TOO_LONG: u16 = 0x0014;
    /// Status request and reply: ready.
    pub const READY: u16 = 0x0021;
    /// Status reply: not ready.
    pub const NOT_READY: u16 = 0x0022;
    /// Status reply: unavailable.
    pub const UNAVAILABLE: u16 = 0x0023;
    /// Reply: function not known.
    pub const BAD_FUNCTION: u16 = 0x0041;
    /// Reply: destination not known.
    pub const BAD_DESTINATION: u16 = 0x0042;
    /// Reply: extended header not understood.
    pub const BAD_EXTENDED_HEADER: u16 = 0x0043;
    /// Reply: not supported here.
    pub const UNSUPPORTED: u16 = 0x0044;
}

/// One whole frame, borrowed from the bytes it was found in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Frame<'a> {
    /// What the frame is, see [`function`]; unknown values are given as they came.
    pub function: u16,
    /// Four bytes of the sender's choice, to be returned in the acknowledgement.
    pub validation: [u8; 4],
    /// See [`status`].
    pub status: u16,
    /// Ignored by a receiver.
    pub destination: u16,
    /// Data length as the header states it; misprinted by some senders, `data` is what counts.
    pub data_length: u32,
    /// The data.
    pub data: &'a [u8],
}

impl Frame<'_> {
    /// True when the sender keeps the message until it is acknowledged.
    #[must_use]
    pub const fn wants_ack(&self) -> bool {
        matches!(self.function, function::DATA_ACK | function::DATA_MORE_ACK)
    }

    /// True when the message continues in the next data frame.
    #[must_use]
    pub const fn more_follows(&self) -> bool {
        matches!(self.function, function::DATA_MORE | function::DATA_MORE_ACK)
    }
}

/// The frame at the beginning of `bytes` and its length in bytes; `None` while it is incomplete.
///
/// # Errors
///
/// E101 no START, E105 block or header length not allowed, E102 longer than `limit` (told as soon
/// as the length has arrived), E104 no STOP at the end.
pub fn next(bytes: &[u8], limit: usize) -> Result<Option<(Frame<'_>, usize)>, FrameError> {
    expect_start(bytes, &START, "START (FF 00 AA 55)")?;
    let Some(block) = bytes_at(bytes, 4).map(u32::from_be_bytes) else {
        return Ok(None);
    };
    let block = usize::try_from(block).unwrap_or(usize::MAX);
    if block < OVERHEAD {
        return Err(header(4, "a block length of at least 28"));
    }
    if block > limit {
        let expected = "a block length within the limit of the line";
        return Err(FrameError { code: code::FRAME_TOO_LONG, offset: 4, expected });
    }
    let Some(length) = bytes_at(bytes, 8).map(u16::from_be_bytes) else {
        return Ok(None);
    };
    if length != HEADER_LENGTH {
        return Err(header(8, "a header length of 16 (plain)"));
    }
    let Some(frame) = bytes.get(..block) else {
        return Ok(None);
    };
    Ok(split(frame)?.map(|frame| (frame, block)))
}

/// Appends one frame. Lengths follow the rule, not the misprinted examples.
pub fn encode(
    out: &mut Vec<u8>,
    function: u16,
    validation: [u8; 4],
    status: u16,
    destination: u16,
    data: &[u8],
) {
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    let block = length.saturating_add(OVERHEAD as u32);
    out.reserve(OVERHEAD + data.len());
    out.extend_from_slice(&START);
    out.extend_from_slice(&block.to_be_bytes());
    out.extend_from_slice(&HEADER_LENGTH.to_be_bytes());
    out.extend_from_slice(&function.to_be_bytes());
    out.extend_from_slice(&validation);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&status.to_be_bytes());
    out.extend_from_slice(&destination.to_be_bytes());
    out.extend_from_slice(data);
    out.extend_from_slice(&STOP);
}

/// Takes apart a block of the right length. `None` cannot happen for a block of `OVERHEAD` bytes.
fn split(block: &[u8]) -> Result<Option<Frame<'_>>, FrameError> {
    let Some((head, stop)) = block.split_last_chunk::<4>() else {
        return Ok(None);
    };
    if *stop != STOP {
        let expected = "STOP (55 AA 00 FF) where the block ends";
        return Err(FrameError { code: code::FRAME_DAMAGED, offset: head.len(), expected });
    }
    let frame = || {
        Some(Frame {
            function: u16::from_be_bytes(bytes_at(head, 10)?),
            validation: bytes_at(head, 12)?,
            data_length: u32::from_be_bytes(bytes_at(head, 16)?),
            status: u16::from_be_bytes(bytes_at(head, 20)?),
            destination: u16::from_be_bytes(bytes_at(head, 22)?),
            data: head.get(HEADER..)?,
        })
    };
    Ok(frame())
}

const fn header(offset: usize, expected: &'static str) -> FrameError {
    FrameError { code: code::FRAME_HEADER, offset, expected }
}

#[cfg(test)]
mod tests;
