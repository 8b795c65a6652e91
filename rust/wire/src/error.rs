//! What can be wrong with bytes.

use thiserror::Error;

/// A payload that is no message of its dialect. Never holds a byte of the message itself.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("E{code} at offset {offset}: expected {expected}")]
pub struct DecodeError {
    /// Number of the error, see [`crate::code`].
    pub code: u16,
    /// Offset into the payload, in bytes, of what was found instead.
    pub offset: usize,
    /// What the grammar wants there.
    pub expected: &'static str,
}

/// Bytes of a line that are no frame; nothing after them can be trusted, so the line must close.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("E{code} at offset {offset}: expected {expected}")]
pub struct FrameError {
    /// Number of the error, see [`crate::code`].
    pub code: u16,
    /// Offset into the frame, in bytes, of what was found instead.
    pub offset: usize,
    /// What the framing wants there.
    pub expected: &'static str,
}
