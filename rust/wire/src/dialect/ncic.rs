//! NCIC text.
//!
//! ```text
//! in  = [ "1N01" 1*15VCHAR "." ] KEY "." ORI 1*( "." CODE "/" value )
//! out = "1L01" 1*15VCHAR CRLF ORI CRLF [ CRLF ] text
//! ```
//!
//! The control characters behind `1N01` come back behind `1L01`.

use crate::code;
use crate::envelope::Envelope;
use crate::error::DecodeError;
use crate::limits::NCIC_CONTROL_BYTES_MAX;
use crate::outbound::Outbound;
use crate::span::Span;

use super::pieces::{CRLF, Pieces, header_part, key, optional, ori, trimmed};
use super::{Dialect, fields};

const HEADER_IN: &[u8; 4] = b"1N01";
const HEADER_OUT: &[u8; 4] = b"1L01";
const CONTROL: &str = "1 to 15 visible control characters";

pub(super) fn decode_in(bytes: &[u8]) -> Result<Envelope, DecodeError> {
    let mut envelope = Envelope::new(Dialect::NcicIn);
    let mut pieces = Pieces::new(trimmed(bytes));
    let mut key_at = pieces.require("1N01 or a message key")?;
    if key_at.of(bytes).starts_with(HEADER_IN) {
        envelope.control = Some(control(bytes, key_at)?);
        key_at = pieces.require("a message key")?;
    }
    envelope.mke = Some(key(bytes, key_at)?);
    let ori_at = pieces.require("an ORI")?;
    envelope.origin = Some(ori(bytes, ori_at)?);
    if pieces.is_done() {
        let expected = "at least one field";
        return Err(DecodeError { code: code::STRUCTURE, offset: pieces.at(), expected });
    }
    fields::read(bytes, &mut pieces, &mut envelope.fields)?;
    Ok(envelope)
}

pub(super) fn decode_out(bytes: &[u8]) -> Result<Envelope, DecodeError> {
    let mut envelope = Envelope::new(Dialect::NcicOut);
    if !bytes.starts_with(HEADER_OUT) {
        let expected = "1L01 and control characters";
        return Err(DecodeError { code: code::STRUCTURE, offset: 0, expected });
    }
    let (header, ori_at) = line(bytes, 0)?;
    envelope.control = Some(control(bytes, header)?);
    let (receiver, text_at) = line(bytes, ori_at)?;
    envelope.destinations.push(ori(bytes, receiver)?);
    let is_blank = bytes.get(text_at..).is_some_and(|rest| rest.starts_with(CRLF));
    let text_at = if is_blank { text_at + CRLF.len() } else { text_at };
    envelope.text = Some(Span::new(text_at, bytes.len()));
    Ok(envelope)
}

pub(super) fn encode_in(out: &mut Vec<u8>, message: &Outbound<'_>) {
    if let Some(control) = message.control {
        out.extend_from_slice(HEADER_IN);
        out.extend_from_slice(control);
        out.push(b'.');
    }
    out.extend_from_slice(message.mke);
    out.push(b'.');
    out.extend_from_slice(message.origin);
    out.push(b'.');
    fields::write(out, message.fields);
}

pub(super) fn encode_out(out: &mut Vec<u8>, message: &Outbound<'_>) {
    out.extend_from_slice(HEADER_OUT);
    out.extend_from_slice(message.control.unwrap_or_default());
    out.extend_from_slice(CRLF);
    out.extend_from_slice(message.destinations.first().copied().unwrap_or_default());
    // The blank line is optional for a reader; writing it keeps a text that begins with one whole.
    out.extend_from_slice(b"\r\n\r\n");
    out.extend_from_slice(message.text.unwrap_or_default());
}

/// The control characters behind the four of the header.
fn control(bytes: &[u8], header: Span) -> Result<Span, DecodeError> {
    let span = Span::new(header.start as usize + HEADER_IN.len(), header.end as usize);
    optional(bytes, span, NCIC_CONTROL_BYTES_MAX, CONTROL)?.ok_or(header_part(span, CONTROL))
}

/// The line at `start` without its CR LF, and where the next begins.
pub(super) fn line(bytes: &[u8], start: usize) -> Result<(Span, usize), DecodeError> {
    let rest = bytes.get(start..).unwrap_or_default();
    let end = memchr::memchr(b'\r', rest).map(|at| start + at);
    match end {
        Some(end) if bytes.get(end..).is_some_and(|tail| tail.starts_with(CRLF)) => {
            Ok((Span::new(start, end), end + CRLF.len()))
        }
        Some(offset) => Err(line_end(offset)),
        None => Err(line_end(bytes.len())),
    }
}

const fn line_end(offset: usize) -> DecodeError {
    DecodeError { code: code::STRUCTURE, offset, expected: "CR LF at the end of a header line" }
}
