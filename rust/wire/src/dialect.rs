//! The text forms a message can have, and the way to read and to write each.

mod clets;
mod fields;
#[cfg(test)]
mod naive;
mod ncic;
mod niem;
mod nlets;
mod pieces;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::cases;

use std::borrow::Cow;

use crate::code;
use crate::envelope::Envelope;
use crate::error::DecodeError;
use crate::limits::PAYLOAD_BYTES_MAX;
use crate::outbound::Outbound;

/// A text form. `In` and `Out` are seen from the remote system: `NcicIn` is what NCIC takes in.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Dialect {
    /// The header form of the agencies' lines and of CLETS systems, both directions.
    Clets,
    /// To NCIC.
    NcicIn,
    /// From NCIC.
    NcicOut,
    /// To Nlets.
    NletsIn,
    /// From Nlets.
    NletsOut,
    /// To Nlets, as XML.
    NiemIn,
    /// From Nlets, as XML.
    NiemOut,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 7] = [
        Self::Clets,
        Self::NcicIn,
        Self::NcicOut,
        Self::NletsIn,
        Self::NletsOut,
        Self::NiemIn,
        Self::NiemOut,
    ];

    /// Name, as used in configuration and in Python.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clets => "clets",
            Self::NcicIn => "ncic-in",
            Self::NcicOut => "ncic-out",
            Self::NletsIn => "nlets-in",
            Self::NletsOut => "nlets-out",
            Self::NiemIn => "niem-in",
            Self::NiemOut => "niem-out",
        }
    }

    /// The dialect with this [`name`](Self::name).
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.name() == name)
    }
}

/// The text that [`decode`] reads: a payload itself, or what an XML payload says in Nlets text.
///
/// # Errors
///
/// For XML alone, those of [`decode`], with offsets into the XML; what it gives is always read.
pub fn text_form(bytes: &[u8], dialect: Dialect) -> Result<Cow<'_, [u8]>, DecodeError> {
    match dialect {
        Dialect::NiemIn | Dialect::NiemOut => {
            check_length(bytes)?;
            niem::text_of(bytes, dialect == Dialect::NiemOut).map(Cow::Owned)
        }
        _ => Ok(Cow::Borrowed(bytes)),
    }
}

/// Reads one payload, for XML its [`text_form`]. Time is linear in `bytes.len()`, in one pass;
/// nothing is copied, and nothing allocated up to 4 destinations and 12 fields.
///
/// # Errors
///
/// E102 payload longer than [`PAYLOAD_BYTES_MAX`], E201 not built like this dialect, E202 a field
/// or destination malformed, E203 a header part missing, malformed or too long, E204 more fields or
/// destinations than [`crate::limits`] allows.
pub fn decode(bytes: &[u8], dialect: Dialect) -> Result<Envelope, DecodeError> {
    check_length(bytes)?;
    match dialect {
        Dialect::Clets => clets::decode(bytes),
        Dialect::NcicIn => ncic::decode_in(bytes),
        Dialect::NcicOut => ncic::decode_out(bytes),
        Dialect::NletsIn | Dialect::NiemIn => nlets::decode_in(bytes, dialect),
        Dialect::NletsOut | Dialect::NiemOut => nlets::decode_out(bytes, dialect),
    }
}

/// System, key and ORI of a payload alone, as [`decode`] finds them: for who needs no more of it.
/// What follows is not looked at. `None` where they are no such parts, or the dialect is not the
/// state's.
#[must_use]
pub fn decode_address(bytes: &[u8], dialect: Dialect) -> Option<Envelope> {
    let reads = dialect == Dialect::Clets && bytes.len() <= PAYLOAD_BYTES_MAX;
    reads.then(|| clets::decode_address(bytes).ok()).flatten()
}

fn check_length(bytes: &[u8]) -> Result<(), DecodeError> {
    if bytes.len() <= PAYLOAD_BYTES_MAX {
        return Ok(());
    }
    let expected = "a payload of at most 16 MiB";
    Err(DecodeError { code: code::FRAME_TOO_LONG, offset: PAYLOAD_BYTES_MAX, expected })
}

/// Appends the payload of `message`. Parts the dialect has no place for are left out; see
/// [`Outbound`] for what makes parts legal, which is not checked here.
pub fn encode(out: &mut Vec<u8>, dialect: Dialect, message: &Outbound<'_>) {
    match dialect {
        Dialect::Clets => clets::encode(out, message),
        Dialect::NcicIn => ncic::encode_in(out, message),
        Dialect::NcicOut => ncic::encode_out(out, message),
        Dialect::NletsIn => nlets::encode_in(out, message),
        Dialect::NletsOut => nlets::encode_out(out, message),
        Dialect::NiemIn => niem::encode(out, message, false),
        Dialect::NiemOut => niem::encode(out, message, true),
    }
}
