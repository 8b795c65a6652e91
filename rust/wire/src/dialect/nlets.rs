//! Nlets legacy text.
//!
//! ```text
//! in  = KEY "." ORI "." dest *( "," dest ) "." [ "*" 1*20ctl "." ] "TXT" [CR] [LF] [DEL] body
//! out = KEY "." ORI CRLF hh:mm SP mm/dd/yyyy SP 5DIGIT CRLF
//!       hh:mm SP mm/dd/yyyy SP 5DIGIT SP ORI CRLF [ "*" 1*20ctl CRLF ] "TXT" CRLF body
//! ```
//!
//! CITE: Nlets public guide, message structure, ER and AM sections. The two stamps are reception by
//! Nlets and sending to this member, each with the running number of that side.

use crate::code;
use crate::envelope::{Envelope, Stamp};
use crate::error::DecodeError;
use crate::limits::{DESTINATIONS_MAX, MEMBER_BYTES, NLETS_CONTROL_BYTES_MAX};
use crate::outbound::Outbound;
use crate::span::Span;

use super::ncic::line;
use super::pieces::{
    CRLF, Pieces, TXT, each_destination, header_part, is_ori, key, optional, ori, trimmed,
};
use super::{Dialect, fields};

/// Keys whose body is text even if it looks like fields.
const TEXT_KEYS: [&[u8]; 6] = [b"AM", b"AML", b"AQ", b"ER", b"LQ", b"SM"];
/// Keys whose body is fields even if a remark among them holds periods.
const CONFIRMATION_KEYS: [&[u8]; 2] = [b"YQ", b"YR"];
/// CITE: Nlets public guide, hit confirmation: the kind of record is the first field.
const CONFIRMATION_START: &[u8] = b"RTY/";
const CONTROL: &str = "a star and 1 to 20 visible control characters";
const NO_STAMP: &[u8] = b"00:00 00/00/0000";
const STAMP_BYTES: usize = 16;
const COUNT_BYTES: usize = 5;
const COUNT_MODULUS: u32 = 100_000;
const DELETE: u8 = 0x7F;

pub(super) fn decode_in(bytes: &[u8], dialect: Dialect) -> Result<Envelope, DecodeError> {
    let mut envelope = Envelope::new(dialect);
    let mut pieces = Pieces::new(bytes);
    let key_at = pieces.require("a message key")?;
    envelope.mke = Some(key(bytes, key_at)?);
    let ori_at = pieces.require("an ORI")?;
    envelope.origin = Some(ori(bytes, ori_at)?);
    let list = pieces.require("destinations")?;
    read_destinations(bytes, list, &mut envelope)?;
    if !pieces.is_done() && bytes.get(pieces.at()) == Some(&b'*') {
        let star = pieces.require(CONTROL)?;
        envelope.control = Some(control(bytes, star)?);
    }
    let at = pieces.at();
    if !is_text_mark(bytes, at) {
        let expected = "TXT before the body";
        return Err(DecodeError { code: code::STRUCTURE, offset: at, expected });
    }
    let mut body = at + TXT.len();
    for filler in [b'\r', b'\n', DELETE] {
        body += usize::from(bytes.get(body) == Some(&filler));
    }
    read_body(bytes, body, &mut envelope);
    Ok(envelope)
}

pub(super) fn decode_out(bytes: &[u8], dialect: Dialect) -> Result<Envelope, DecodeError> {
    let mut envelope = Envelope::new(dialect);
    let (first, received_at) = line(bytes, 0)?;
    let mut pieces = Pieces::new(first.of(bytes));
    let key_at = pieces.require("a message key")?;
    envelope.mke = Some(key(bytes, key_at)?);
    let ori_at = pieces.require("an ORI")?;
    envelope.origin = Some(ori(bytes, ori_at)?);
    if !pieces.is_done() {
        let expected = "CR LF after the sender's ORI";
        return Err(DecodeError { code: code::STRUCTURE, offset: ori_at.end as usize, expected });
    }
    let (received, sent_at) = line(bytes, received_at)?;
    envelope.received = Some(stamp(bytes, received, received.end as usize)?);
    let (sent, mut at) = line(bytes, sent_at)?;
    let stamp_end = (sent.start as usize + STAMP_BYTES + 1 + COUNT_BYTES).min(sent.end as usize);
    envelope.sent = Some(stamp(bytes, sent, stamp_end)?);
    if bytes.get(stamp_end) != Some(&b' ') {
        let expected = "a blank and the receiver's ORI";
        return Err(DecodeError { code: code::STRUCTURE, offset: stamp_end, expected });
    }
    let receiver = Span::new(stamp_end + 1, sent.end as usize);
    envelope.destinations.push(ori(bytes, receiver)?);
    if bytes.get(at) == Some(&b'*') {
        let (star, next) = line(bytes, at)?;
        envelope.control = Some(control(bytes, star)?);
        at = next;
    }
    let (mark, body) = line(bytes, at)?;
    if mark.of(bytes) != TXT {
        let expected = "TXT on a line of its own";
        return Err(DecodeError { code: code::STRUCTURE, offset: at, expected });
    }
    read_body(bytes, body, &mut envelope);
    Ok(envelope)
}

pub(super) fn encode_in(out: &mut Vec<u8>, message: &Outbound<'_>) {
    out.extend_from_slice(message.mke);
    out.push(b'.');
    out.extend_from_slice(message.origin);
    out.push(b'.');
    for (index, destination) in message.destinations.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(destination);
    }
    out.push(b'.');
    if let Some(control) = message.control {
        out.push(b'*');
        out.extend_from_slice(control);
        out.push(b'.');
    }
    out.extend_from_slice(TXT);
    out.extend_from_slice(CRLF);
    // A reader drops one DEL after the line end; a text that begins with one needs a second.
    if message.text.is_some_and(|text| text.first() == Some(&DELETE)) {
        out.push(DELETE);
    }
    write_body(out, message);
}

pub(super) fn encode_out(out: &mut Vec<u8>, message: &Outbound<'_>) {
    out.extend_from_slice(message.mke);
    out.push(b'.');
    out.extend_from_slice(message.origin);
    out.extend_from_slice(CRLF);
    write_stamp(out, message.received);
    out.extend_from_slice(CRLF);
    write_stamp(out, message.sent);
    out.push(b' ');
    out.extend_from_slice(message.destinations.first().copied().unwrap_or_default());
    out.extend_from_slice(CRLF);
    if let Some(control) = message.control {
        out.push(b'*');
        out.extend_from_slice(control);
        out.extend_from_slice(CRLF);
    }
    out.extend_from_slice(TXT);
    out.extend_from_slice(CRLF);
    write_body(out, message);
}

/// Fields when every piece is one, else text: a reply in prose must pass as it is. A body with more
/// fields than the limit is text too, so nothing is lost and no rule sees half of it.
fn read_body(bytes: &[u8], body: usize, envelope: &mut Envelope) {
    let is_text_key = envelope.mke.is_some_and(|key| TEXT_KEYS.contains(&key.of(bytes)));
    let end = trimmed(bytes).len().max(body);
    if is_text_key
        || !(fields::read_all(bytes, body, end, &mut envelope.fields)
            || read_confirmation(bytes, body, end, envelope))
    {
        envelope.text = Some(Span::new(body, bytes.len()));
    }
}

/// A hit confirmation begins with its kind and is no prose, but its remarks may hold periods; the
/// number of the record must not be lost with them.
fn read_confirmation(bytes: &[u8], body: usize, end: usize, envelope: &mut Envelope) -> bool {
    let is_it = envelope.mke.is_some_and(|key| CONFIRMATION_KEYS.contains(&key.of(bytes)))
        && bytes.get(body..).is_some_and(|rest| rest.starts_with(CONFIRMATION_START));
    let mut pieces = Pieces::new_at(bytes.get(..end).unwrap_or_default(), body);
    let is_read = is_it && fields::read(bytes, &mut pieces, &mut envelope.fields).is_ok();
    if !is_read {
        envelope.fields.clear();
    }
    is_read
}

fn write_body(out: &mut Vec<u8>, message: &Outbound<'_>) {
    match message.text {
        Some(text) => out.extend_from_slice(text),
        None => fields::write(out, message.fields),
    }
}

/// Each destination is a member or region code, or an ORI or HELP address of nine.
fn read_destinations(bytes: &[u8], list: Span, envelope: &mut Envelope) -> Result<(), DecodeError> {
    each_destination(bytes, list, |destination| {
        let text = destination.of(bytes);
        let is_member = text.len() == MEMBER_BYTES && text.iter().all(u8::is_ascii_alphanumeric);
        let offset = destination.start as usize;
        if !is_member && !is_ori(text) {
            let expected = "a destination of 2 or 9 letters and digits";
            return Err(DecodeError { code: code::FIELD, offset, expected });
        }
        if envelope.destinations.len() == DESTINATIONS_MAX {
            let expected = "at most 32 destinations";
            return Err(DecodeError { code: code::TOO_MANY, offset, expected });
        }
        envelope.destinations.push(destination);
        Ok(())
    })
}

/// The control field behind its star.
fn control(bytes: &[u8], star: Span) -> Result<Span, DecodeError> {
    let span = Span::new(star.start as usize + 1, star.end as usize);
    optional(bytes, span, NLETS_CONTROL_BYTES_MAX, CONTROL)?.ok_or(header_part(span, CONTROL))
}

fn is_text_mark(bytes: &[u8], at: usize) -> bool {
    bytes.get(at..).is_some_and(|rest| rest.starts_with(TXT))
}

/// `hh:mm mm/dd/yyyy nnnnn`, exactly from the beginning of `line` to `end`.
fn stamp(bytes: &[u8], line: Span, end: usize) -> Result<Stamp, DecodeError> {
    const PATTERN: &[u8; STAMP_BYTES + 1 + COUNT_BYTES] = b"00:00 00/00/0000 00000";
    let start = line.start as usize;
    let text = Span::new(start, end).of(bytes);
    let fits = |(found, wanted): (&u8, &u8)| match wanted {
        b'0' => found.is_ascii_digit(),
        _ => found == wanted,
    };
    if text.len() != PATTERN.len() || !text.iter().zip(PATTERN).all(fits) {
        return Err(header_part(line, "hh:mm mm/dd/yyyy and a running number of 5 digits"));
    }
    let at_end = start + STAMP_BYTES;
    Ok(Stamp { at: Span::new(start, at_end), count: Span::new(at_end + 1, end) })
}

fn write_stamp(out: &mut Vec<u8>, stamp: Option<(&[u8], u32)>) {
    let (at, count) = stamp.unwrap_or((NO_STAMP, 0));
    out.extend_from_slice(at);
    out.push(b' ');
    let count = count % COUNT_MODULUS;
    let digit = |power: u32| b'0' + (count / power % 10) as u8;
    out.extend_from_slice(&[digit(10_000), digit(1000), digit(100), digit(10), digit(1)]);
}
