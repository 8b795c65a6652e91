//! A payload cut at its periods, and the checks that header parts share.

use memchr::{Memchr, memchr_iter};

use crate::code;
use crate::error::DecodeError;
use crate::limits::{KEY_BYTES_MAX, ORI_BYTES};
use crate::span::Span;

/// Line end of all dialects.
pub(super) const CRLF: &[u8; 2] = b"\r\n";
/// Word before a text.
pub(super) const TXT: &[u8; 3] = b"TXT";

/// The pieces between periods, found lazily: a text behind the header is never searched.
pub(super) struct Pieces<'a> {
    bytes: &'a [u8],
    periods: Memchr<'a>,
    base: usize,
    at: usize,
    is_done: bool,
}

impl<'a> Pieces<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self::new_at(bytes, 0)
    }

    /// The pieces from offset `at` on; spans still count from the beginning of `bytes`.
    pub(super) fn new_at(bytes: &'a [u8], at: usize) -> Self {
        let rest = bytes.get(at..).unwrap_or_default();
        Self { bytes, periods: memchr_iter(b'.', rest), base: at, at, is_done: false }
    }

    /// Where the next piece begins; the length of the payload when there is none.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// True when the last piece has been taken.
    pub(super) const fn is_done(&self) -> bool {
        self.is_done
    }

    /// The next piece without its period.
    #[inline]
    pub(super) fn next(&mut self) -> Option<Span> {
        if self.is_done {
            return None;
        }
        let start = self.at;
        let end = match self.periods.next() {
            Some(period) => self.base + period,
            None => self.bytes.len(),
        };
        self.is_done = end == self.bytes.len();
        self.at = if self.is_done { end } else { end + 1 };
        Some(Span::new(start, end))
    }

    /// The next piece, or E201 with what should stand here.
    #[inline]
    pub(super) fn require(&mut self, expected: &'static str) -> Result<Span, DecodeError> {
        let offset = self.at;
        self.next().ok_or(DecodeError { code: code::STRUCTURE, offset, expected })
    }
}

/// What stands before the CR, LF and ETX at the end of a message.
pub(super) fn trimmed(bytes: &[u8]) -> &[u8] {
    let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n' | 0x03);
    let end = bytes.iter().rposition(|byte| !is_end(byte)).map_or(0, |last| last + 1);
    bytes.get(..end).unwrap_or_default()
}

/// Accepts 1-6 letters and digits.
#[inline]
pub(super) fn key(bytes: &[u8], span: Span) -> Result<Span, DecodeError> {
    let text = span.of(bytes);
    if (1..=KEY_BYTES_MAX).contains(&text.len()) && text.iter().all(u8::is_ascii_alphanumeric) {
        return Ok(span);
    }
    Err(header_part(span, "a message key of 1 to 6 letters and digits"))
}

/// Accepts nine letters and digits.
#[inline]
pub(super) fn ori(bytes: &[u8], span: Span) -> Result<Span, DecodeError> {
    if is_ori(span.of(bytes)) {
        return Ok(span);
    }
    Err(header_part(span, "an ORI of 9 letters and digits"))
}

#[inline]
pub(super) fn is_ori(text: &[u8]) -> bool {
    text.len() == ORI_BYTES && text.iter().all(u8::is_ascii_alphanumeric)
}

/// Accepts up to `max` visible characters; `None` when there is none.
#[inline]
pub(super) fn optional(
    bytes: &[u8],
    span: Span,
    max: usize,
    expected: &'static str,
) -> Result<Option<Span>, DecodeError> {
    let text = span.of(bytes);
    if text.len() > max || !text.iter().all(u8::is_ascii_graphic) {
        return Err(header_part(span, expected));
    }
    Ok((!text.is_empty()).then_some(span))
}

/// E203 at the beginning of a part.
pub(super) const fn header_part(span: Span, expected: &'static str) -> DecodeError {
    DecodeError { code: code::HEADER_PART, offset: span.start as usize, expected }
}

/// Cuts a list at its commas and gives each part to `accept`.
pub(super) fn each_destination(
    bytes: &[u8],
    list: Span,
    mut accept: impl FnMut(Span) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    let mut start = list.start as usize;
    for comma in memchr_iter(b',', list.of(bytes)) {
        let end = list.start as usize + comma;
        accept(Span::new(start, end))?;
        start = end + 1;
    }
    accept(Span::new(start, list.end as usize))
}
