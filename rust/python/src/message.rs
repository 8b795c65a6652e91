//! One decoded message, for those who embed the parser.

use std::borrow::Cow;

use clets_wire::framing::dmpp;
use clets_wire::{Dialect, Envelope, Outbound};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use clets_switch::codes;

use crate::convert::{decode_error, frame_error, one_or_many, part, raise_bytes, text};

/// The dialects by name; `dmpp` is the CLETS form inside a DMPP-2020 frame.
const DMPP: &str = "dmpp";
/// The largest frame read from a file, bytes; a line's own limit is smaller.
const FRAME_BYTES_MAX: usize = 16 << 20;

/// A message: its header and fields as text, and its bytes as they came.
///
/// Times and running numbers stand as on the wire; the time of day has no zone there. Parts that
/// a dialect does not have, or that were empty, are `None`.
#[pyclass(frozen, module = "clets_core._core")]
#[derive(Debug)]
pub(crate) struct Message {
    dmpp: bool,
    /// The text that `envelope` is of.
    bytes: Box<[u8]>,
    /// The message as it came, where that is not `bytes`.
    xml: Option<Box<[u8]>>,
    envelope: Envelope,
}

impl Message {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn envelope(&self) -> &Envelope {
        &self.envelope
    }
}

#[pymethods]
impl Message {
    /// The dialect it was read in.
    #[getter]
    fn dialect(&self) -> &'static str {
        if self.dmpp { DMPP } else { self.envelope.dialect.name() }
    }

    /// Message key, without its destination system.
    #[getter]
    fn mke(&self) -> Option<String> {
        part(self.envelope.mke, &self.bytes)
    }

    /// ORI of the sender, nine characters.
    #[getter]
    fn origin(&self) -> Option<String> {
        part(self.envelope.origin, &self.bytes)
    }

    /// Destination system (`IV`, `NLTS` …) if the form has one, then the addressees.
    #[getter]
    fn destinations<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<Option<Bound<'py, pyo3::types::PyTuple>>> {
        let system = self.envelope.system.iter();
        let names: Vec<String> = system
            .chain(&self.envelope.destinations)
            .map(|span| text(span.of(&self.bytes)))
            .collect();
        if names.is_empty() {
            return Ok(None);
        }
        pyo3::types::PyTuple::new(py, names).map(Some)
    }

    /// Control field of NCIC or Nlets.
    #[getter]
    fn control(&self) -> Option<String> {
        part(self.envelope.control, &self.bytes)
    }

    /// The sender's reference.
    #[getter]
    fn reference(&self) -> Option<String> {
        part(self.envelope.reference, &self.bytes)
    }

    /// The user.
    #[getter]
    fn user(&self) -> Option<String> {
        part(self.envelope.user, &self.bytes)
    }

    /// Mnemonic of the station.
    #[getter]
    fn station(&self) -> Option<String> {
        part(self.envelope.station, &self.bytes)
    }

    /// The fields by code; a code that stands several times has a tuple of its values.
    #[getter]
    fn fields<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        if self.envelope.fields.is_empty() {
            return Ok(None);
        }
        let fields = PyDict::new(py);
        for field in &self.envelope.fields {
            let code = text(field.code_span().of(&self.bytes));
            let value = text(field.value.of(&self.bytes));
            let value = one_or_many(py, fields.get_item(&code)?, &value)?;
            fields.set_item(code, value)?;
        }
        Ok(Some(fields))
    }

    /// Free text, when the body is not a list of fields.
    #[getter]
    fn text(&self) -> Option<String> {
        part(self.envelope.text, &self.bytes)
    }

    /// Nlets: when it was received, `hh:mm mm/dd/yyyy`.
    #[getter]
    fn received_at(&self) -> Option<String> {
        part(self.envelope.received.map(|stamp| stamp.at), &self.bytes)
    }

    /// Nlets: when it was sent, `hh:mm mm/dd/yyyy`.
    #[getter]
    fn sent_at(&self) -> Option<String> {
        part(self.envelope.sent.map(|stamp| stamp.at), &self.bytes)
    }

    /// Nlets: the sender's running number.
    #[getter]
    fn in_count(&self) -> Option<u32> {
        part(self.envelope.received.map(|stamp| stamp.count), &self.bytes)?.parse().ok()
    }

    /// Nlets: the running number to the receiver.
    #[getter]
    fn out_count(&self) -> Option<u32> {
        part(self.envelope.sent.map(|stamp| stamp.count), &self.bytes)?.parse().ok()
    }

    /// The message byte for byte (for `dmpp` the data of its frames).
    #[getter]
    fn raw<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.xml.as_ref().unwrap_or(&self.bytes))
    }

    fn __repr__(&self) -> String {
        let mke = self.mke().unwrap_or_default();
        let origin = self.origin().unwrap_or_default();
        format!("Message(dialect='{}', mke='{mke}', origin='{origin}')", self.dialect())
    }
}

/// Reads one message.
///
/// Raises `DecodeError` or `FrameError` with `code`, `offset` and what was expected there.
#[pyfunction]
pub(crate) fn decode(py: Python<'_>, data: &[u8], dialect: &str) -> PyResult<Message> {
    let mut messages = decode_all(py, data, dialect)?;
    if messages.len() > 1 {
        let expected = format!("one message, not {}", messages.len());
        return Err(raise_bytes(py, "DecodeError", codes::NOT_A_MESSAGE, 0, &expected));
    }
    messages.pop().ok_or_else(|| {
        let expected = "a frame with data";
        raise_bytes(py, "DecodeError", codes::NOT_A_MESSAGE, 0, expected)
    })
}

/// Reads every message of a recording: several frames for `dmpp` (acknowledgements and
/// keep-alives carry none), one message for a text dialect.
#[pyfunction]
pub(crate) fn decode_all(py: Python<'_>, data: &[u8], dialect: &str) -> PyResult<Vec<Message>> {
    if dialect == DMPP {
        return decode_frames(py, data);
    }
    let Some(known) = Dialect::parse(dialect) else {
        let names = Dialect::ALL.map(Dialect::name).join(", ");
        let text = format!("dialect `{dialect}`: expected {names} or {DMPP}");
        return Err(PyValueError::new_err(text));
    };
    let text = clets_wire::text_form(data, known).map_err(|error| decode_error(py, &error, 0))?;
    let envelope = clets_wire::decode(&text, known).map_err(|error| decode_error(py, &error, 0))?;
    let xml = matches!(text, Cow::Owned(_)).then(|| data.into());
    Ok(vec![Message { dmpp: false, bytes: text.into(), xml, envelope }])
}

fn decode_frames(py: Python<'_>, data: &[u8]) -> PyResult<Vec<Message>> {
    /// Bytes of a frame before its data.
    const HEADER_BYTES: usize = dmpp::OVERHEAD - dmpp::STOP.len();
    let mut messages = Vec::new();
    let mut whole: Vec<u8> = Vec::new();
    let (mut at, mut begun) = (0, 0);
    while at < data.len() {
        let rest = data.get(at..).unwrap_or_default();
        let found =
            dmpp::next(rest, FRAME_BYTES_MAX).map_err(|error| frame_error(py, &error, at))?;
        let Some((frame, size)) = found else {
            let expected = format!("the rest of the frame that begins at {at}");
            return Err(truncated(py, data.len(), &expected));
        };
        if whole.is_empty() {
            begun = at + HEADER_BYTES;
        }
        at += size;
        let carries = frame.more_follows()
            || matches!(frame.function, dmpp::function::DATA | dmpp::function::DATA_ACK);
        if !carries {
            continue;
        }
        whole.extend_from_slice(frame.data);
        if !frame.more_follows() {
            let bytes = std::mem::take(&mut whole);
            let envelope = clets_wire::decode(&bytes, Dialect::Clets)
                .map_err(|error| decode_error(py, &error, begun))?;
            messages.push(Message { dmpp: true, bytes: bytes.into(), xml: None, envelope });
        }
    }
    if !whole.is_empty() {
        return Err(truncated(py, at, "the next block of the message"));
    }
    Ok(messages)
}

fn truncated(py: Python<'_>, offset: usize, expected: &str) -> PyErr {
    raise_bytes(py, "FrameError", codes::FRAME_TRUNCATED, offset, expected)
}

/// Writes one message; parts that the dialect has no place for are left out.
#[pyfunction]
#[pyo3(signature = (
    dialect, *, mke, origin, destinations = vec![], control = None, reference = "", user = "",
    station = "", system = None, federal_only = false, fields = vec![], text = None,
    received = None, sent = None,
))]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of a Python function")]
pub(crate) fn encode<'py>(
    py: Python<'py>,
    dialect: &str,
    mke: &str,
    origin: &str,
    destinations: Vec<String>,
    control: Option<&str>,
    reference: &str,
    user: &str,
    station: &str,
    system: Option<&str>,
    federal_only: bool,
    fields: Vec<(String, String)>,
    text: Option<&str>,
    received: Option<(String, u32)>,
    sent: Option<(String, u32)>,
) -> PyResult<Bound<'py, PyBytes>> {
    let Some(known) = Dialect::parse(dialect) else {
        let text = format!("dialect `{dialect}`: expected a text dialect");
        return Err(PyValueError::new_err(text));
    };
    let destinations: Vec<&[u8]> = destinations.iter().map(|name| name.as_bytes()).collect();
    let fields: Vec<(&[u8], &[u8])> =
        fields.iter().map(|(code, value)| (code.as_bytes(), value.as_bytes())).collect();
    let mut out = Vec::new();
    clets_wire::encode(
        &mut out,
        known,
        &Outbound {
            mke: mke.as_bytes(),
            system: system.map(str::as_bytes),
            federal_only,
            origin: origin.as_bytes(),
            destinations: &destinations,
            control: control.map(str::as_bytes),
            reference: reference.as_bytes(),
            user: user.as_bytes(),
            station: station.as_bytes(),
            fields: &fields,
            text: text.map(str::as_bytes),
            received: received.as_ref().map(|(at, count)| (at.as_bytes(), *count)),
            sent: sent.as_ref().map(|(at, count)| (at.as_bytes(), *count)),
        },
    );
    Ok(PyBytes::new(py, &out))
}
