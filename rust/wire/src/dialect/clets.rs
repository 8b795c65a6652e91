//! The CLETS header form, payload of DMPP and native frames.
//!
//! ```text
//! station "." [reference] "." [user] "." [ DD "." [ "R" "." ] ]
//!         KEY "." ORI [ "." dest *("," dest) ]
//!         ( *( "." CODE "/" value ) | ".TXT" CRLF text )
//! DD = "IA" .. "IZ" | "UM" | "NLTS"
//! ```
//!
//! The first three parts and the key follow DMPP-2020 (`DAC.REFERENCE.USERID.MKE.rest`), the
//! destination code in front of the key follows the California inquiry keys. The layout of the
//! state's own header is not public; this form stands in for it.

use crate::code;
use crate::envelope::Envelope;
use crate::error::DecodeError;
use crate::limits::{
    DESTINATION_BYTES_MAX, DESTINATIONS_MAX, ORI_BYTES, REFERENCE_BYTES_MAX, STATION_BYTES_MAX,
    USER_BYTES_MAX,
};
use crate::outbound::Outbound;
use crate::span::Span;

use super::pieces::{
    CRLF, Pieces, TXT, each_destination, header_part, key, optional, ori, trimmed,
};
use super::{Dialect, fields};

pub(super) fn decode(bytes: &[u8]) -> Result<Envelope, DecodeError> {
    let mut envelope = Envelope::new(Dialect::Clets);
    let mut pieces = Pieces::new(trimmed(bytes));
    read_identity(bytes, &mut pieces, &mut envelope)?;
    read_address(bytes, &mut pieces, &mut envelope)?;
    if read_text(bytes, &pieces, &mut envelope)? {
        return Ok(envelope);
    }
    if !pieces.is_done() && !has_slash_in_next(bytes, &pieces) {
        let list = pieces.require("destinations, a field or TXT")?;
        read_destinations(bytes, list, &mut envelope)?;
        if read_text(bytes, &pieces, &mut envelope)? {
            return Ok(envelope);
        }
    }
    fields::read(bytes, &mut pieces, &mut envelope.fields)?;
    Ok(envelope)
}

/// The parts of the header that say what is asked and by whom.
pub(super) fn decode_address(bytes: &[u8]) -> Result<Envelope, DecodeError> {
    let mut envelope = Envelope::new(Dialect::Clets);
    let mut pieces = Pieces::new(bytes);
    for part in ["a station", "a reference", "a user id"] {
        pieces.require(part)?;
    }
    read_address(bytes, &mut pieces, &mut envelope)?;
    Ok(envelope)
}

pub(super) fn encode(out: &mut Vec<u8>, message: &Outbound<'_>) {
    for part in [message.station, message.reference, message.user] {
        out.extend_from_slice(part);
        out.push(b'.');
    }
    if let Some(system) = message.system {
        out.extend_from_slice(system);
        out.push(b'.');
        if message.federal_only {
            out.extend_from_slice(b"R.");
        }
    }
    out.extend_from_slice(message.mke);
    out.push(b'.');
    out.extend_from_slice(message.origin);
    for (index, destination) in message.destinations.iter().enumerate() {
        out.push(if index == 0 { b'.' } else { b',' });
        out.extend_from_slice(destination);
    }
    if let Some(text) = message.text {
        out.push(b'.');
        out.extend_from_slice(TXT);
        out.extend_from_slice(CRLF);
        out.extend_from_slice(text);
    } else if !message.fields.is_empty() {
        out.push(b'.');
        fields::write(out, message.fields);
    }
}

/// Station, reference, user.
fn read_identity(
    bytes: &[u8],
    pieces: &mut Pieces<'_>,
    envelope: &mut Envelope,
) -> Result<(), DecodeError> {
    const STATION: &str = "a station of 1 to 11 visible characters";
    const REFERENCE: &str = "a reference of at most 20 visible characters";
    const USER: &str = "a user id of at most 30 visible characters";
    let station = pieces.require(STATION)?;
    envelope.station = optional(bytes, station, STATION_BYTES_MAX, STATION)?;
    if envelope.station.is_none() {
        return Err(header_part(station, STATION));
    }
    let reference = pieces.require(REFERENCE)?;
    envelope.reference = optional(bytes, reference, REFERENCE_BYTES_MAX, REFERENCE)?;
    let user = pieces.require(USER)?;
    envelope.user = optional(bytes, user, USER_BYTES_MAX, USER)?;
    Ok(())
}

/// System, key and ORI. `IQ` may be a system or an Nlets key, and `R` the federal mark or a key:
/// what a nine-character piece follows is the key, for no key is that long.
fn read_address(
    bytes: &[u8],
    pieces: &mut Pieces<'_>,
    envelope: &mut Envelope,
) -> Result<(), DecodeError> {
    const KEY: &str = "a message key";
    const ORI: &str = "an ORI";
    let mut key_at = pieces.require(KEY)?;
    let mut ori_at = pieces.require(ORI)?;
    if is_system(key_at.of(bytes)) && ori_at.len() != ORI_BYTES {
        envelope.system = Some(key_at);
        key_at = ori_at;
        ori_at = pieces.require(ORI)?;
        if key_at.of(bytes) == b"R" && ori_at.len() != ORI_BYTES {
            envelope.federal_only = true;
            key_at = ori_at;
            ori_at = pieces.require(ORI)?;
        }
    }
    envelope.mke = Some(key(bytes, key_at)?);
    envelope.origin = Some(ori(bytes, ori_at)?);
    Ok(())
}

fn is_system(text: &[u8]) -> bool {
    match text {
        [b'I', second] => second.is_ascii_uppercase(),
        b"UM" | b"NLTS" => true,
        _ => false,
    }
}

/// True when `TXT` and a line end stand here; the text is all that follows, untouched.
fn read_text(
    bytes: &[u8],
    pieces: &Pieces<'_>,
    envelope: &mut Envelope,
) -> Result<bool, DecodeError> {
    let at = pieces.at();
    let rest = bytes.get(at..).unwrap_or_default();
    // The last part was the end of the message: there is no piece that could be `TXT`.
    if pieces.is_done() {
        return Ok(false);
    }
    let Some(rest) = rest.strip_prefix(TXT) else {
        return Ok(false);
    };
    let text_at = at + TXT.len();
    if rest.starts_with(CRLF) {
        envelope.text = Some(Span::new(text_at + CRLF.len(), bytes.len()));
        Ok(true)
    } else if rest.is_empty() {
        envelope.text = Some(Span::new(text_at, bytes.len()));
        Ok(true)
    } else if rest.first().is_some_and(|&byte| byte.is_ascii_graphic() && byte != b'.') {
        // A destination or field code that begins with these letters.
        Ok(false)
    } else {
        let expected = "CR LF after TXT";
        Err(DecodeError { code: code::STRUCTURE, offset: text_at, expected })
    }
}

/// Looks for a slash before the next period: what has one can only be a field.
fn has_slash_in_next(bytes: &[u8], pieces: &Pieces<'_>) -> bool {
    let rest = bytes.get(pieces.at()..).unwrap_or_default();
    memchr::memchr2(b'/', b'.', rest).and_then(|at| rest.get(at)) == Some(&b'/')
}

fn read_destinations(bytes: &[u8], list: Span, envelope: &mut Envelope) -> Result<(), DecodeError> {
    const DESTINATION: &str = "a destination of 1 to 16 visible characters";
    each_destination(bytes, list, |destination| {
        let span = optional(bytes, destination, DESTINATION_BYTES_MAX, DESTINATION)
            .ok()
            .flatten()
            .ok_or(DecodeError {
                code: code::FIELD,
                offset: destination.start as usize,
                expected: DESTINATION,
            })?;
        if envelope.destinations.len() == DESTINATIONS_MAX {
            let offset = destination.start as usize;
            let expected = "at most 32 destinations";
            return Err(DecodeError { code: code::TOO_MANY, offset, expected });
        }
        envelope.destinations.push(span);
        Ok(())
    })
}
