//! A decoded message: the header and the fields as ranges into the payload.

use smallvec::SmallVec;

use crate::dialect::Dialect;
use crate::span::Span;

/// The destinations of a message; four fit without allocation.
pub type Destinations = SmallVec<[Span; 4]>;
/// The fields of a message; twelve fit without allocation.
pub type Fields = SmallVec<[Field; 12]>;

/// One `CODE/value` of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Field {
    /// The code, 2-4 letters.
    pub code: FieldCode,
    /// The value, at least one byte; before it stands a slash, and before that the code.
    pub value: Span,
}

impl Field {
    /// Where the code stands.
    #[must_use]
    pub fn code_span(&self) -> Span {
        let end = self.value.start.saturating_sub(1);
        Span { start: end.saturating_sub(self.code.length()), end }
    }
}

/// The code of a field as one number, so that two are compared at once.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct FieldCode(u32);

impl FieldCode {
    /// The code of these bytes; none when no code is as long. (No code has a zero byte.)
    #[inline]
    #[must_use]
    pub const fn of(code: &[u8]) -> Option<Self> {
        match *code {
            [one] => Some(Self(one as u32)),
            [one, two] => Some(Self(u32::from_be_bytes([0, 0, one, two]))),
            [one, two, three] => Some(Self(u32::from_be_bytes([0, one, two, three]))),
            [one, two, three, four] => Some(Self(u32::from_be_bytes([one, two, three, four]))),
            _ => None,
        }
    }

    const fn length(self) -> u32 {
        (u32::BITS - self.0.leading_zeros()).div_ceil(u8::BITS)
    }
}

/// One time line of an Nlets output header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stamp {
    /// `hh:mm mm/dd/yyyy`, in the time zone of Nlets.
    pub at: Span,
    /// The running number, five digits.
    pub count: Span,
}

/// What the switch must know of a message. All spans are ranges into the payload given to
/// [`crate::decode`]; a part the dialect does not have, or that was empty, is `None`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Envelope {
    /// The dialect it was read in.
    pub dialect: Dialect,
    /// CLETS destination system: `IA` to `IZ`, `UM` or `NLTS`.
    pub system: Option<Span>,
    /// The `R` part of a CLETS message: pass to the federal file and skip the state's.
    pub federal_only: bool,
    /// Message key.
    pub mke: Option<Span>,
    /// ORI of the sender.
    pub origin: Option<Span>,
    /// Whom the header names as receivers, in its order.
    pub destinations: Destinations,
    /// Control field of NCIC or Nlets, to be echoed byte for byte.
    pub control: Option<Span>,
    /// The sender's reference, echoed in every reply.
    pub reference: Option<Span>,
    /// The user id the sender states.
    pub user: Option<Span>,
    /// The station mnemonic the sender states.
    pub station: Option<Span>,
    /// The fields, in the sender's order, repeated ones repeatedly.
    pub fields: Fields,
    /// Free text, or a body that is no list of fields.
    pub text: Option<Span>,
    /// When Nlets received it, and the sender's running number.
    pub received: Option<Stamp>,
    /// When Nlets sent it, and the running number to this receiver.
    pub sent: Option<Stamp>,
}

impl Envelope {
    /// An envelope with nothing in it yet.
    #[inline]
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            system: None,
            federal_only: false,
            mke: None,
            origin: None,
            destinations: SmallVec::new(),
            control: None,
            reference: None,
            user: None,
            station: None,
            fields: SmallVec::new(),
            text: None,
            received: None,
            sent: None,
        }
    }

    /// The text of the message, or its fields as they stand.
    #[must_use]
    pub fn content<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        self.content_span().map(|span| span.of(bytes)).unwrap_or_default()
    }

    /// Where [`Self::content`] stands; none in a message of a header alone.
    #[must_use]
    pub fn content_span(&self) -> Option<Span> {
        let fields = || {
            let (first, last) = (self.fields.first()?, self.fields.last()?);
            Some(Span { start: first.code_span().start, end: last.value.end })
        };
        self.text.or_else(fields)
    }

    /// The value of the first field with this code. `bytes` must be the payload that was decoded.
    #[must_use]
    pub fn field<'a>(&self, bytes: &'a [u8], code: &[u8]) -> Option<&'a [u8]> {
        self.values(bytes, code).next()
    }

    /// True when a field with this code stands more than once. Two readers may pick different
    /// ones, so a decision must not rest on a field for which this is true.
    #[must_use]
    pub fn is_repeated(&self, bytes: &[u8], code: &[u8]) -> bool {
        self.values(bytes, code).nth(1).is_some()
    }

    /// The values of the fields with this code, in the order of the message.
    pub fn values<'a>(
        &self,
        bytes: &'a [u8],
        code: &[u8],
    ) -> impl Iterator<Item = &'a [u8]> + Clone {
        let code = FieldCode::of(code);
        let fields = self.fields.iter().filter(move |field| Some(field.code) == code);
        fields.map(|field| field.value.of(bytes))
    }
}
