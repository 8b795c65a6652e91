//! For tests: every decoder again, written for the eye and not for speed, with copies everywhere.

mod niem;

use super::Dialect;
use crate::envelope::{Envelope, Stamp};
use crate::span::Span;

type Bytes = Vec<u8>;

/// A decoded message that owns its parts.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Plain {
    pub(super) system: Option<Bytes>,
    pub(super) federal_only: bool,
    pub(super) mke: Option<Bytes>,
    pub(super) origin: Option<Bytes>,
    pub(super) destinations: Vec<Bytes>,
    pub(super) control: Option<Bytes>,
    pub(super) reference: Option<Bytes>,
    pub(super) user: Option<Bytes>,
    pub(super) station: Option<Bytes>,
    pub(super) fields: Vec<(Bytes, Bytes)>,
    pub(super) text: Option<Bytes>,
    pub(super) received: Option<(Bytes, Bytes)>,
    pub(super) sent: Option<(Bytes, Bytes)>,
}

impl Plain {
    /// The same message as an envelope has it.
    pub(super) fn of(envelope: &Envelope, bytes: &[u8]) -> Self {
        let own = |span: Span| span.of(bytes).to_vec();
        let stamp = |stamp: Stamp| (own(stamp.at), own(stamp.count));
        Self {
            system: envelope.system.map(own),
            federal_only: envelope.federal_only,
            mke: envelope.mke.map(own),
            origin: envelope.origin.map(own),
            destinations: envelope.destinations.iter().copied().map(own).collect(),
            control: envelope.control.map(own),
            reference: envelope.reference.map(own),
            user: envelope.user.map(own),
            station: envelope.station.map(own),
            fields: envelope.fields.iter().map(|f| (own(f.code_span()), own(f.value))).collect(),
            text: envelope.text.map(own),
            received: envelope.received.map(stamp),
            sent: envelope.sent.map(stamp),
        }
    }
}

/// The message, or the number of the error; `None` where bytes are no XML.
pub(super) fn decode(bytes: &[u8], dialect: Dialect) -> Option<Result<Plain, u16>> {
    Some(match dialect {
        Dialect::Clets => clets(bytes),
        Dialect::NcicIn => ncic_in(bytes),
        Dialect::NcicOut => ncic_out(bytes),
        Dialect::NletsIn => nlets_in(bytes),
        Dialect::NletsOut => nlets_out(bytes),
        Dialect::NiemIn => return niem::niem(bytes, false),
        Dialect::NiemOut => return niem::niem(bytes, true),
    })
}

fn clets(bytes: &[u8]) -> Result<Plain, u16> {
    let mut plain = Plain::default();
    let parts = split(trim(bytes), b'.');
    let part = |index: usize| parts.get(index).cloned().ok_or(201u16);
    plain.station = Some(filled(visible(part(0)?, 11)?)?);
    plain.reference = some(visible(part(1)?, 20)?);
    plain.user = some(visible(part(2)?, 30)?);
    let mut at = 3;
    let key = part(at)?;
    let is_system = key == b"UM"
        || key == b"NLTS"
        || (key.len() == 2 && key[0] == b'I' && key[1].is_ascii_uppercase());
    if is_system && part(at + 1)?.len() != 9 {
        plain.system = Some(key);
        at += 1;
        let next = part(at + 1)?;
        if part(at)? == b"R" && next.len() != 9 {
            plain.federal_only = true;
            at += 1;
        }
    }
    // The part after the key must be there before either is judged.
    let origin = part(at + 1)?;
    plain.mke = Some(is_key(part(at)?)?);
    plain.origin = Some(is_ori(origin)?);
    at += 2;
    for is_first in [true, false] {
        if at == parts.len() {
            return Ok(plain);
        }
        // A text is searched in all bytes, for its end is never trimmed.
        let rest = join(&split(bytes, b'.')[at..], b'.');
        if let Some(text) = rest.strip_prefix(b"TXT") {
            if text.is_empty() || text.starts_with(b"\r\n") {
                plain.text = Some(text.get(2..).unwrap_or_default().to_vec());
                return Ok(plain);
            }
            if text[0] == b'.' || !text[0].is_ascii_graphic() {
                return Err(201);
            }
        }
        if is_first && !split(bytes, b'.')[at].contains(&b'/') {
            for destination in split(&parts[at], b',') {
                let destination = visible(destination, 16).and_then(filled).map_err(|_| 202u16)?;
                plain.destinations.push(destination);
                if plain.destinations.len() > 32 {
                    return Err(204);
                }
            }
            at += 1;
        } else {
            break;
        }
    }
    if at < parts.len() {
        plain.fields = fields(&parts[at..])?;
    }
    Ok(plain)
}

fn ncic_in(bytes: &[u8]) -> Result<Plain, u16> {
    let mut plain = Plain::default();
    let mut parts = split(trim(bytes), b'.');
    if let Some(control) = parts[0].strip_prefix(b"1N01") {
        plain.control = Some(filled(visible(control.to_vec(), 15)?)?);
        parts.remove(0);
    }
    plain.mke = Some(is_key(parts.first().cloned().ok_or(201u16)?)?);
    plain.origin = Some(is_ori(parts.get(1).cloned().ok_or(201u16)?)?);
    if parts.len() < 3 {
        return Err(201);
    }
    plain.fields = fields(&parts[2..])?;
    Ok(plain)
}

fn ncic_out(bytes: &[u8]) -> Result<Plain, u16> {
    let mut rest = bytes.strip_prefix(b"1L01").ok_or(201u16)?;
    let control = filled(visible(line(&mut rest)?, 15)?)?;
    let receiver = is_ori(line(&mut rest)?)?;
    let text = rest.strip_prefix(b"\r\n").unwrap_or(rest).to_vec();
    Ok(Plain {
        control: Some(control),
        destinations: vec![receiver],
        text: Some(text),
        ..Plain::default()
    })
}

fn nlets_in(bytes: &[u8]) -> Result<Plain, u16> {
    let mut plain = Plain::default();
    let parts = split(bytes, b'.');
    let mke = is_key(parts[0].clone())?;
    plain.mke = Some(mke.clone());
    plain.origin = Some(is_ori(parts.get(1).cloned().ok_or(201u16)?)?);
    for destination in split(parts.get(2).ok_or(201u16)?, b',') {
        let is_plain = destination.iter().all(u8::is_ascii_alphanumeric);
        if !is_plain || ![2, 9].contains(&destination.len()) {
            return Err(202);
        }
        plain.destinations.push(destination);
        if plain.destinations.len() > 32 {
            return Err(204);
        }
    }
    let mut at = 3;
    if let Some(control) = parts.get(at).and_then(|part| part.strip_prefix(b"*")) {
        plain.control = Some(filled(visible(control.to_vec(), 20)?)?);
        at += 1;
    }
    let rest = join(parts.get(at..).unwrap_or_default(), b'.');
    let mut rest = rest.strip_prefix(b"TXT").ok_or(201u16)?;
    for filler in [b"\r", b"\n", b"\x7F"] {
        rest = rest.strip_prefix(filler).unwrap_or(rest);
    }
    body(&mke, rest, &mut plain);
    Ok(plain)
}

fn nlets_out(bytes: &[u8]) -> Result<Plain, u16> {
    let mut plain = Plain::default();
    let mut rest = bytes;
    let first = split(&line(&mut rest)?, b'.');
    let mke = is_key(first[0].clone())?;
    plain.mke = Some(mke.clone());
    plain.origin = Some(is_ori(first.get(1).cloned().ok_or(201u16)?)?);
    if first.len() > 2 {
        return Err(201);
    }
    plain.received = Some(stamp(&line(&mut rest)?)?);
    let sent = line(&mut rest)?;
    let (sent, receiver) = sent.split_at(sent.len().min(22));
    plain.sent = Some(stamp(sent)?);
    let receiver = receiver.strip_prefix(b" ").ok_or(201u16)?;
    plain.destinations = vec![is_ori(receiver.to_vec())?];
    if rest.starts_with(b"*") {
        let control = line(&mut rest)?;
        plain.control = Some(filled(visible(control[1..].to_vec(), 20)?)?);
    }
    if line(&mut rest)? != b"TXT" {
        return Err(201);
    }
    body(&mke, rest, &mut plain);
    Ok(plain)
}

fn body(mke: &[u8], bytes: &[u8], plain: &mut Plain) {
    let is_text_key = ["AM", "AML", "AQ", "ER", "LQ", "SM"].iter().any(|key| key.as_bytes() == mke);
    let found: Vec<_> = split(trim(bytes), b'.').iter().map(|part| field(part)).collect();
    let all_fields = found.iter().all(|f| f.as_ref().is_some_and(|(_, value)| !value.is_empty()));
    if !is_text_key && all_fields && found.len() <= 128 {
        plain.fields = found.into_iter().flatten().collect();
    } else if [&b"YQ"[..], b"YR"].contains(&mke)
        && bytes.starts_with(b"RTY/")
        && let Ok(fields) = fields(&split(trim(bytes), b'.'))
    {
        plain.fields = fields;
    } else {
        plain.text = Some(bytes.to_vec());
    }
}

fn fields(parts: &[Bytes]) -> Result<Vec<(Bytes, Bytes)>, u16> {
    let mut found: Vec<(Bytes, Bytes)> = Vec::new();
    for part in parts {
        if let Some(next) = field(part) {
            if found.last().is_some_and(|(_, value)| value.is_empty()) {
                return Err(202);
            }
            found.push(next);
            if found.len() > 128 {
                return Err(204);
            }
        } else {
            let (_, value) = found.last_mut().ok_or(202u16)?;
            value.push(b'.');
            value.extend_from_slice(part);
        }
    }
    match found.last() {
        Some((_, value)) if value.is_empty() || value.ends_with(b".") => Err(202),
        _ => Ok(found),
    }
}

fn field(part: &[u8]) -> Option<(Bytes, Bytes)> {
    let slash = part.iter().position(|byte| *byte == b'/')?;
    let (code, value) = (&part[..slash], &part[slash + 1..]);
    let is_code = (2..=4).contains(&slash) && code.iter().all(u8::is_ascii_alphabetic);
    is_code.then(|| (code.to_vec(), value.to_vec()))
}

fn stamp(bytes: &[u8]) -> Result<(Bytes, Bytes), u16> {
    let shape: Bytes = bytes.iter().map(|b| if b.is_ascii_digit() { b'0' } else { *b }).collect();
    if shape != b"00:00 00/00/0000 00000" {
        return Err(203);
    }
    Ok((bytes[..16].to_vec(), bytes[17..].to_vec()))
}

/// Takes the bytes up to the first CR, which an LF must follow.
fn line(rest: &mut &[u8]) -> Result<Bytes, u16> {
    let end = rest.iter().position(|byte| *byte == b'\r').ok_or(201u16)?;
    if rest.get(end + 1) != Some(&b'\n') {
        return Err(201);
    }
    let found = rest[..end].to_vec();
    *rest = &rest[end + 2..];
    Ok(found)
}

fn split(bytes: &[u8], at: u8) -> Vec<Bytes> {
    bytes.split(|byte| *byte == at).map(<[u8]>::to_vec).collect()
}

fn join(parts: &[Bytes], with: u8) -> Bytes {
    parts.join(&with)
}

fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [rest @ .., b'\r' | b'\n' | 3] = bytes {
        bytes = rest;
    }
    bytes
}

fn is_key(part: Bytes) -> Result<Bytes, u16> {
    let is_plain = part.iter().all(u8::is_ascii_alphanumeric);
    if is_plain && (1..=6).contains(&part.len()) { Ok(part) } else { Err(203) }
}

fn is_ori(part: Bytes) -> Result<Bytes, u16> {
    let is_plain = part.iter().all(u8::is_ascii_alphanumeric);
    if is_plain && part.len() == 9 { Ok(part) } else { Err(203) }
}

fn visible(part: Bytes, max: usize) -> Result<Bytes, u16> {
    let is_visible = part.iter().all(u8::is_ascii_graphic);
    if is_visible && part.len() <= max { Ok(part) } else { Err(203) }
}

fn filled(part: Bytes) -> Result<Bytes, u16> {
    some(part).ok_or(203)
}

fn some(part: Bytes) -> Option<Bytes> {
    if part.is_empty() { None } else { Some(part) }
}
