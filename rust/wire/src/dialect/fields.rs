//! Fields: `CODE/value`, divided by periods.

use crate::code;
use crate::envelope::{Field, FieldCode, Fields};
use crate::error::DecodeError;
use crate::limits::{FIELD_CODE_BYTES_MAX, FIELD_CODE_BYTES_MIN, FIELDS_MAX};
use crate::span::Span;

use super::pieces::Pieces;

/// Reads all remaining pieces as fields. A piece that does not begin with a code and a slash
/// continues the value before it, since free text (`MIS`, `RSN`) may hold periods.
///
/// # Errors
///
/// E202 the first piece is no field, a value is empty, or the last one ends in a period (CITE:
/// Nlets driver licence rules, which follow NCIC: no period at the end); E204 too many fields.
pub(super) fn read(
    bytes: &[u8],
    pieces: &mut Pieces<'_>,
    fields: &mut Fields,
) -> Result<(), DecodeError> {
    while let Some(piece) = pieces.next() {
        if let Some(field) = split(bytes, piece) {
            closed(fields)?;
            if fields.len() == FIELDS_MAX {
                return Err(error(code::TOO_MANY, piece.start, "at most 128 fields"));
            }
            fields.push(field);
        } else if let Some(last) = fields.last_mut() {
            last.value.end = piece.end;
        } else {
            let expected = "a field code of 2 to 4 letters and a slash";
            return Err(error(code::FIELD, piece.start, expected));
        }
    }
    closed(fields)?;
    match fields.last() {
        Some(last) if last.value.of(bytes).ends_with(b".") => {
            let offset = last.value.end.saturating_sub(1);
            Err(error(code::FIELD, offset, "no period after the last field"))
        }
        _ => Ok(()),
    }
}

/// Reads a whole body as fields, all or nothing: false, and no field, unless every piece is a code,
/// a slash and a value. Used where the body may also be free text.
pub(super) fn read_all(bytes: &[u8], start: usize, end: usize, fields: &mut Fields) -> bool {
    let Some(body) = bytes.get(..end) else {
        return false;
    };
    let mut pieces = Pieces::new_at(body, start);
    while let Some(piece) = pieces.next() {
        match split(bytes, piece) {
            Some(field) if !field.value.is_empty() && fields.len() < FIELDS_MAX => {
                fields.push(field);
            }
            _ => {
                fields.clear();
                return false;
            }
        }
    }
    true
}

/// Writes `CODE/value` for each field, with periods between them.
pub(super) fn write(out: &mut Vec<u8>, fields: &[(&[u8], &[u8])]) {
    for (index, (code, value)) in fields.iter().enumerate() {
        if index > 0 {
            out.push(b'.');
        }
        out.extend_from_slice(code);
        out.push(b'/');
        out.extend_from_slice(value);
    }
}

/// The piece as a field if it begins with 2-4 letters and a slash. Letters of either case count, so
/// that no field can hide in the value before it.
#[inline]
fn split(bytes: &[u8], piece: Span) -> Option<Field> {
    let text = piece.of(bytes);
    let letters = text
        .iter()
        .take(FIELD_CODE_BYTES_MAX + 1)
        .take_while(|byte| byte.is_ascii_alphabetic())
        .count();
    if letters < FIELD_CODE_BYTES_MIN || text.get(letters) != Some(&b'/') {
        return None;
    }
    let code = text.get(..letters).and_then(FieldCode::of)?;
    let value = Span::new(piece.start as usize + letters + 1, piece.end as usize);
    Some(Field { code, value })
}

/// Checks the field that is complete now.
#[inline]
fn closed(fields: &Fields) -> Result<(), DecodeError> {
    match fields.last() {
        Some(last) if last.value.is_empty() => {
            Err(error(code::FIELD, last.value.start, "a value after the slash"))
        }
        _ => Ok(()),
    }
}

const fn error(code: u16, offset: u32, expected: &'static str) -> DecodeError {
    DecodeError { code, offset: offset as usize, expected }
}
