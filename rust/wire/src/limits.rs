//! Every limit of this crate, in bytes or counts.

/// Longest frame a line accepts unless it is configured otherwise, in bytes.
pub const FRAME_BYTES_DEFAULT: usize = 64 * 1024;
/// Longest payload [`crate::decode`] looks at, in bytes; far below what a [`crate::Span`] can say.
pub const PAYLOAD_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Most fields in one message. The longest NCIC entry has about half as many.
pub const FIELDS_MAX: usize = 128;
/// Most destinations in one message. A joint message of the Los Angeles county switch ends at 20
/// (CITE: LASD manual, JDIC), an Nlets broadcast at 8 regions and 5 states.
pub const DESTINATIONS_MAX: usize = 32;
/// Longest destination of the CLETS form: a mnemonic, a group, an ORI or a state.
pub const DESTINATION_BYTES_MAX: usize = 16;
/// Longest station mnemonic (CITE: DMPP-2020, device access code 1-11).
pub const STATION_BYTES_MAX: usize = 11;
/// Longest sender's reference. DMPP-2020 says 10; room is left for Nlets control fields of 20.
pub const REFERENCE_BYTES_MAX: usize = 20;
/// Longest user id (CITE: OFML USR, 30).
pub const USER_BYTES_MAX: usize = 30;
/// Longest message key. Texas uses up to 6, Nlets 3.
pub const KEY_BYTES_MAX: usize = 6;
/// Length of an ORI (CITE: Nlets RAND, NCIC ORI File).
pub const ORI_BYTES: usize = 9;
/// Length of a state, member or region code of Nlets.
pub const MEMBER_BYTES: usize = 2;
/// Longest control text behind `1N01` or `1L01`.
pub const NCIC_CONTROL_BYTES_MAX: usize = 15;
/// Longest Nlets control field, without its star. The published header widths leave room for 20.
pub const NLETS_CONTROL_BYTES_MAX: usize = 20;
/// Deepest nesting of elements in a NIEM message; the deepest of the public examples has eight.
pub const XML_DEPTH_MAX: usize = 16;
/// Most elements in a NIEM message.
pub const XML_ELEMENTS_MAX: usize = 4096;
/// Most attributes of an element, declarations of namespaces among them.
pub const XML_ATTRIBUTES_MAX: usize = 32;
/// Longest name of an element, without its prefix.
pub const XML_NAME_BYTES_MAX: usize = 128;
/// Shortest field code (`IP`), letters.
pub const FIELD_CODE_BYTES_MIN: usize = 2;
/// Longest field code, letters.
pub const FIELD_CODE_BYTES_MAX: usize = 4;
