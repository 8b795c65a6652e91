//! Bytes to messages and back: framing, the text dialects and the table of message keys.
//!
//! A line's bytes become frames ([`framing`]), a frame's payload becomes an [`Envelope`]
//! ([`decode`]) and an [`Outbound`] becomes payload bytes again ([`encode`]). The envelope holds
//! ranges into the payload and never a copy, so the original bytes stay what they were.
//! This crate knows no policy, no route and no journal, and does no input or output.

#![forbid(unsafe_code)]

mod answers;
pub mod code;
mod dialect;
mod envelope;
mod error;
pub mod framing;
mod keys;
pub mod limits;
mod outbound;
mod span;

pub use answers::{Answer, Answers};
pub use dialect::{Dialect, decode, decode_address, encode, text_form};
pub use envelope::{Destinations, Envelope, Field, FieldCode, Fields, Stamp};
pub use error::{DecodeError, FrameError};
pub use framing::{FrameBuffer, dmpp, native};
pub use keys::{Action, Catalogue, Direction, EditError, Key, KeyId, Precedence};
pub use outbound::Outbound;
pub use span::Span;
