//! Numbers of the errors this crate reports; a number never changes its meaning.

/// The bytes do not begin a frame.
pub const GARBAGE: u16 = 101;
/// The frame is longer than the limit of the line.
pub const FRAME_TOO_LONG: u16 = 102;
/// The connection closed in the middle of a frame; reported by whoever sees it close.
pub const FRAME_TRUNCATED: u16 = 103;
/// The frame's trailer or checksum is wrong.
pub const FRAME_DAMAGED: u16 = 104;
/// A value in the frame's header is not allowed.
pub const FRAME_HEADER: u16 = 105;
/// The payload is not built like a message of this dialect.
pub const STRUCTURE: u16 = 201;
/// One field of the message is malformed.
pub const FIELD: u16 = 202;
/// A part of the header is missing or too long.
pub const HEADER_PART: u16 = 203;
/// More fields or destinations than [`crate::limits`] allows.
pub const TOO_MANY: u16 = 204;
/// A field that the key must carry is not there.
pub const FIELD_MISSING: u16 = 220;
/// A value is too short or too long.
pub const FIELD_WIDTH: u16 = 221;
/// A value is none of those listed for its field.
pub const FIELD_VALUE: u16 = 222;
/// A date is not a day of the calendar.
pub const DATE_INVALID: u16 = 223;
/// The field must not stand in a message of this key.
pub const FIELD_NOT_ALLOWED: u16 = 224;
/// A value has characters that its field does not take.
pub const FIELD_CHARACTERS: u16 = 225;
