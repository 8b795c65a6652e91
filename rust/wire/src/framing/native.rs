//! The native line protocol: frames that carry the whole delivery contract.
//!
//! ```text
//!  0  2  magic "CL"
//!  2  1  version, 1
//!  3  1  kind
//!  4  4  body length
//!  8  8  sequence
//! 16  1  precedence, 0-4
//! 17  1  flags
//! 18  2  code, an error number or 0
//! 20  4  CRC-32C of bytes 0 to 20 and of the body
//! 24  n  body
//! ```
//!
//! Integers are big-endian.

use super::{bytes_at, expect_start};
use crate::code;
use crate::error::FrameError;

/// Bytes of a frame besides its body.
pub const OVERHEAD: usize = 24;
/// First bytes of every frame.
pub const MAGIC: [u8; 2] = *b"CL";
/// The version spoken here.
pub const VERSION: u8 = 1;
/// Flag: this may be a second transmission of a message delivered before.
pub const POSSIBLE_DUPLICATE: u8 = 1;

const CHECKED: usize = 20;
const PRECEDENCE_MAX: u8 = 4;

/// What a frame is; the number is its byte on the line.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(u8)]
pub enum Kind {
    /// The receiver has durable custody of a data frame.
    Accept = 1,
    /// A message.
    Data = 2,
    /// The destination has custody; cumulative per precedence.
    Delivered = 3,
    /// The receiver misses sequence numbers.
    Gap = 4,
    /// Nothing to say, still here.
    Heartbeat = 5,
    /// The session ends in good order.
    Logoff = 6,
    /// A session begins: line name and resume points.
    Logon = 7,
    /// The session is open.
    LogonAck = 8,
    /// A data frame or a logon is refused.
    Reject = 9,
    /// Sequence numbers that will never be sent are closed.
    Skip = 10,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::Accept,
        Self::Data,
        Self::Delivered,
        Self::Gap,
        Self::Heartbeat,
        Self::Logoff,
        Self::Logon,
        Self::LogonAck,
        Self::Reject,
        Self::Skip,
    ];

    /// The kind with this byte on the line.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::Accept,
            2 => Self::Data,
            3 => Self::Delivered,
            4 => Self::Gap,
            5 => Self::Heartbeat,
            6 => Self::Logoff,
            7 => Self::Logon,
            8 => Self::LogonAck,
            9 => Self::Reject,
            10 => Self::Skip,
            _ => return None,
        })
    }

    /// Name in lower case, as used in configuration and in Python.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Data => "data",
            Self::Delivered => "delivered",
            Self::Gap => "gap",
            Self::Heartbeat => "heartbeat",
            Self::Logoff => "logoff",
            Self::Logon => "logon",
            Self::LogonAck => "logon_ack",
            Self::Reject => "reject",
            Self::Skip => "skip",
        }
    }

    /// The kind with this [`name`](Self::name).
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// One whole frame, borrowed from the bytes it was found in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Frame<'a> {
    /// What it is.
    pub kind: Kind,
    /// Precedence, 0 (first) to 4.
    pub precedence: u8,
    /// Bits, see [`POSSIBLE_DUPLICATE`]; others are not used and not checked.
    pub flags: u8,
    /// Error number of a refusal, else 0.
    pub code: u16,
    /// Sequence number; its meaning depends on the kind.
    pub sequence: u64,
    /// The body.
    pub body: &'a [u8],
}

impl Frame<'static> {
    /// A frame without numbers or body.
    #[must_use]
    pub const fn bare(kind: Kind) -> Self {
        Self { kind, precedence: 0, flags: 0, code: 0, sequence: 0, body: b"" }
    }
}

/// The frame at the beginning of `bytes` and its length in bytes; `None` while it is incomplete.
///
/// # Errors
///
/// E101 no magic, E105 version, kind or precedence not allowed, E102 frame longer than `limit`
/// (told as soon as the length has arrived), E104 wrong checksum.
pub fn next(bytes: &[u8], limit: usize) -> Result<Option<(Frame<'_>, usize)>, FrameError> {
    expect_start(bytes, &MAGIC, "the magic `CL`")?;
    match bytes.get(2) {
        None | Some(&VERSION) => (),
        Some(_) => return Err(header(2, "version 1")),
    }
    let Some(kind) = bytes.get(3).copied() else {
        return Ok(None);
    };
    let kind = Kind::from_byte(kind).ok_or_else(|| header(3, "a kind from 1 to 10"))?;
    let Some(length) = bytes_at(bytes, 4).map(u32::from_be_bytes) else {
        return Ok(None);
    };
    let total = usize::try_from(length).unwrap_or(usize::MAX).saturating_add(OVERHEAD);
    if total > limit {
        let expected = "a body length within the limit of the line";
        return Err(FrameError { code: code::FRAME_TOO_LONG, offset: 4, expected });
    }
    match bytes.get(16) {
        Some(&precedence) if precedence > PRECEDENCE_MAX => {
            return Err(header(16, "a precedence from 0 to 4"));
        }
        Some(_) => (),
        None => return Ok(None),
    }
    let Some(frame) = bytes.get(..total) else {
        return Ok(None);
    };
    Ok(split(frame, kind)?.map(|frame| (frame, total)))
}

/// Appends one frame.
pub fn encode(out: &mut Vec<u8>, frame: &Frame<'_>) {
    let length = u32::try_from(frame.body.len()).unwrap_or(u32::MAX);
    let mut head = [0; OVERHEAD];
    head[..2].copy_from_slice(&MAGIC);
    head[2] = VERSION;
    head[3] = frame.kind as u8;
    head[4..8].copy_from_slice(&length.to_be_bytes());
    head[8..16].copy_from_slice(&frame.sequence.to_be_bytes());
    head[16] = frame.precedence;
    head[17] = frame.flags;
    head[18..CHECKED].copy_from_slice(&frame.code.to_be_bytes());
    let check = crc32c::crc32c_append(crc32c::crc32c(&head[..CHECKED]), frame.body);
    head[CHECKED..].copy_from_slice(&check.to_be_bytes());
    out.extend_from_slice(&head);
    out.extend_from_slice(frame.body);
}

/// Takes apart a frame of the right length. `None` cannot happen for `OVERHEAD` bytes or more.
fn split(frame: &[u8], kind: Kind) -> Result<Option<Frame<'_>>, FrameError> {
    let Some((head, rest)) = frame.split_at_checked(CHECKED) else {
        return Ok(None);
    };
    let Some((check, body)) = rest.split_first_chunk::<4>() else {
        return Ok(None);
    };
    let computed = crc32c::crc32c_append(crc32c::crc32c(head), body);
    if computed != u32::from_be_bytes(*check) {
        let expected = "the CRC-32C of header and body";
        return Err(FrameError { code: code::FRAME_DAMAGED, offset: CHECKED, expected });
    }
    let frame = || {
        Some(Frame {
            kind,
            sequence: u64::from_be_bytes(bytes_at(head, 8)?),
            precedence: *head.get(16)?,
            flags: *head.get(17)?,
            code: u16::from_be_bytes(bytes_at(head, 18)?),
            body,
        })
    };
    Ok(frame())
}

const fn header(offset: usize, expected: &'static str) -> FrameError {
    FrameError { code: code::FRAME_HEADER, offset, expected }
}

#[cfg(test)]
mod tests;
