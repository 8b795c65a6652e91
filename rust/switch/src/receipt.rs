//! The answer to one frame: in custody, or refused.

use clets_wire::framing::dmpp::{self, function, status};
use clets_wire::framing::native;
use smallvec::SmallVec;

/// How the sender wants to be answered.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Receipt {
    /// By an acknowledgement with these bytes, if wanted.
    Dmpp { validation: [u8; 4], wanted: bool },
    /// By ACCEPT or REJECT of this number.
    Native { sequence: u64 },
}

impl Receipt {
    pub(crate) fn sequence(self) -> u64 {
        match self {
            Self::Dmpp { .. } => 0,
            Self::Native { sequence } => sequence,
        }
    }

    /// "In custody, under this number."
    pub(crate) fn accepted(self, number: u64) -> SmallVec<[u8; 48]> {
        let mut out = Vec::with_capacity(48);
        match self {
            Self::Dmpp { validation, wanted: true } => {
                dmpp::encode(&mut out, function::POSITIVE_ACK, validation, status::OK, 1, b"");
            }
            Self::Dmpp { .. } => {}
            Self::Native { sequence } => native::encode(
                &mut out,
                &native::Frame {
                    sequence,
                    body: &number.to_be_bytes(),
                    ..native::Frame::bare(native::Kind::Accept)
                },
            ),
        }
        SmallVec::from_vec(out)
    }

    /// "Not now." Without words, for there may be very many; the code has its sentence. A DMPP line
    /// learns of a temporary error, and sends the same again later.
    pub(crate) fn turned_away(self, code: u16, out: &mut Vec<u8>) {
        match self {
            Self::Dmpp { validation, .. } => {
                let why = status::TEMPORARY_ERROR;
                dmpp::encode(out, function::NEGATIVE_ACK, validation, why, 1, b"");
            }
            Self::Native { sequence } => reject(out, sequence, code, ""),
        }
    }

    /// "Refused." A DMPP line gets the words in a message of their own, if it can be addressed.
    pub(crate) fn refused(self, code: u16, text: &str, told: bool) -> SmallVec<[u8; 48]> {
        let mut out = Vec::new();
        match self {
            Self::Dmpp { .. } if told => return self.accepted(0),
            Self::Dmpp { validation, .. } => {
                let why = status::LOGIC_ERROR;
                dmpp::encode(&mut out, function::NEGATIVE_ACK, validation, why, 1, b"");
            }
            Self::Native { sequence } => reject(&mut out, sequence, code, text),
        }
        SmallVec::from_vec(out)
    }
}

fn reject(out: &mut Vec<u8>, sequence: u64, code: u16, text: &str) {
    let body = text.as_bytes();
    native::encode(
        out,
        &native::Frame { sequence, code, body, ..native::Frame::bare(native::Kind::Reject) },
    );
}
