//! Nlets NIEM XML: the same messages as [`nlets`](super::nlets), built of elements.
//!
//! ```text
//! NLETS version="4.00"
//!   NLETSMessageHeader
//!     MessageKeyCodeText, OriginatingORIID, DestinationORIID (one or more),
//!     DocumentControlFieldText?, and from Nlets: MessageReceiveDate, MessageReceiveTime,
//!     MessageSendDate, MessageSendTime, ReceiveMessageNumeric, SendMessageNumeric
//!   NLETSInquiryData | NLETSMailData | NLETSResponseData | NLETSUpdateData, key="MKE"
//! ```
//!
//! XML cannot be read in place: names of elements stand for field codes, dates have hyphens, and
//! characters may be references. So a payload is put into Nlets text first, as Nlets does for its
//! members who take text, and that text is decoded and routed; the XML stays what it was. Which
//! element is which field is data: `data/niem.csv`.
//!
//! CITE: Nlets public guide, message structure and the NIEM pages of each message family.

mod read;
pub(super) mod table;
#[cfg(test)]
mod tests;
mod write;

pub(super) use read::text_of;
pub(super) use write::encode;
