//! A message to be written.

/// The parts of a message for [`crate::encode`]. Parts the dialect has no place for are left out.
///
/// Reading the written bytes gives these parts back when they are legal: parts within
/// [`crate::limits`], no period in header parts, fields *or* text, field values that are not empty,
/// hold no `.CODE/` and (the last one) do not end in a period, CR, LF or ETX.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outbound<'a> {
    /// Message key. NCIC output has none.
    pub mke: &'a [u8],
    /// CLETS destination system.
    pub system: Option<&'a [u8]>,
    /// The CLETS `R` part; written only behind a system.
    pub federal_only: bool,
    /// ORI of the sender.
    pub origin: &'a [u8],
    /// Receivers. NCIC and Nlets output name exactly one ORI, the first.
    pub destinations: &'a [&'a [u8]],
    /// Control field of NCIC or Nlets.
    pub control: Option<&'a [u8]>,
    /// Reference, may be empty.
    pub reference: &'a [u8],
    /// User id, may be empty.
    pub user: &'a [u8],
    /// Station mnemonic.
    pub station: &'a [u8],
    /// Fields, code and value.
    pub fields: &'a [(&'a [u8], &'a [u8])],
    /// Text; when present it is the whole body and `fields` is not written.
    pub text: Option<&'a [u8]>,
    /// Nlets output: `hh:mm mm/dd/yyyy` of reception, and the running number modulo 100,000.
    pub received: Option<(&'a [u8], u32)>,
    /// Nlets output: `hh:mm mm/dd/yyyy` of sending, and the running number modulo 100,000.
    pub sent: Option<(&'a [u8], u32)>,
}
