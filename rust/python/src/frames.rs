//! Frames for those who are not the switch: clients, simulated hosts, tests.

use std::sync::{Mutex, PoisonError};

use clets_wire::framing::dmpp::{self, function, status};
use clets_wire::framing::native;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::convert::frame_error;

#[derive(Clone, Copy, Debug)]
enum Framing {
    Dmpp,
    Native,
}

fn framing(name: &str) -> PyResult<Framing> {
    match name {
        "dmpp" => Ok(Framing::Dmpp),
        "native" => Ok(Framing::Native),
        _ => Err(PyValueError::new_err(format!("framing `{name}`: expected dmpp or native"))),
    }
}

/// One frame of a line.
#[pyclass(frozen, get_all, module = "clets_core._core")]
#[derive(Debug)]
pub(crate) struct Frame {
    /// What it is, such as `data`, `accept`, `positive_ack`, `status_request`.
    kind: &'static str,
    /// Native: its number; meaning by kind.
    sequence: u64,
    /// Native: 0 to 4.
    precedence: u8,
    /// Native: bit 0 marks a possible duplicate.
    flags: u8,
    /// Native: the code of a refusal.
    code: u16,
    /// DMPP: four bytes to return in the acknowledgement.
    validation: Py<PyBytes>,
    /// DMPP: status.
    status: u16,
    /// DMPP: the sender waits for an acknowledgement.
    wants_ack: bool,
    /// The data.
    body: Py<PyBytes>,
}

/// Cuts a byte stream into frames, whatever the reads.
#[pyclass(frozen, module = "clets_core._core")]
#[derive(Debug)]
pub(crate) struct Framer {
    framing: Framing,
    limit: usize,
    bytes: Mutex<Vec<u8>>,
}

#[pymethods]
impl Framer {
    #[new]
    #[pyo3(signature = (framing, limit = 65_536))]
    fn new(framing: &str, limit: usize) -> PyResult<Self> {
        Ok(Self { framing: self::framing(framing)?, limit, bytes: Mutex::default() })
    }

    /// Adds bytes and gives the frames that are whole now.
    ///
    /// Raises `FrameError` when the bytes are no frame of this framing.
    fn feed(&self, py: Python<'_>, data: &[u8]) -> PyResult<Vec<Frame>> {
        let mut bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        bytes.extend_from_slice(data);
        let mut frames = Vec::new();
        let mut used = 0;
        loop {
            let rest = bytes.get(used..).unwrap_or_default();
            let found = match self.framing {
                Framing::Dmpp => dmpp::next(rest, self.limit)
                    .map(|it| it.map(|(frame, size)| (of_dmpp(py, &frame), size))),
                Framing::Native => native::next(rest, self.limit)
                    .map(|it| it.map(|(frame, size)| (of_native(py, &frame), size))),
            };
            match found {
                Ok(Some((frame, size))) => {
                    frames.push(frame);
                    used += size;
                }
                Ok(None) => break,
                Err(error) => return Err(frame_error(py, &error, used)),
            }
        }
        bytes.drain(..used);
        Ok(frames)
    }

    /// Bytes that are no whole frame yet.
    #[getter]
    fn pending(&self) -> usize {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

/// One frame as bytes.
#[pyfunction]
#[pyo3(signature = (
    framing, kind, body = <&[u8]>::default(), *, sequence = 0, precedence = 0, flags = 0, code = 0,
    validation = [0; 4], status = None, wants_ack = true,
))]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of a Python function")]
pub(crate) fn frame<'py>(
    py: Python<'py>,
    framing: &str,
    kind: &str,
    body: &[u8],
    sequence: u64,
    precedence: u8,
    flags: u8,
    code: u16,
    validation: [u8; 4],
    status: Option<u16>,
    wants_ack: bool,
) -> PyResult<Bound<'py, PyBytes>> {
    let unknown = || PyValueError::new_err(format!("kind `{kind}` is no frame of `{framing}`"));
    let mut out = Vec::with_capacity(body.len() + dmpp::OVERHEAD);
    match self::framing(framing)? {
        Framing::Dmpp => {
            let (function, usual) = function_of(kind, wants_ack).ok_or_else(unknown)?;
            let status = status.unwrap_or(usual);
            dmpp::encode(&mut out, function, validation, status, dmpp::DESTINATION, body);
        }
        Framing::Native => {
            let kind = native::Kind::parse(kind).ok_or_else(unknown)?;
            let frame = native::Frame { kind, precedence, flags, code, sequence, body };
            native::encode(&mut out, &frame);
        }
    }
    Ok(PyBytes::new(py, &out))
}

fn of_dmpp(py: Python<'_>, frame: &dmpp::Frame<'_>) -> Frame {
    Frame {
        kind: kind_of(frame.function),
        sequence: 0,
        precedence: 0,
        flags: 0,
        code: 0,
        validation: PyBytes::new(py, &frame.validation).unbind(),
        status: frame.status,
        wants_ack: frame.wants_ack(),
        body: PyBytes::new(py, frame.data).unbind(),
    }
}

fn of_native(py: Python<'_>, frame: &native::Frame<'_>) -> Frame {
    Frame {
        kind: frame.kind.name(),
        sequence: frame.sequence,
        precedence: frame.precedence,
        flags: frame.flags,
        code: frame.code,
        validation: PyBytes::new(py, &[]).unbind(),
        status: 0,
        wants_ack: frame.kind == native::Kind::Data,
        body: PyBytes::new(py, frame.body).unbind(),
    }
}

fn kind_of(function: u16) -> &'static str {
    match function {
        function::DATA | function::DATA_ACK => "data",
        function::DATA_MORE | function::DATA_MORE_ACK => "data_more",
        function::POSITIVE_ACK => "positive_ack",
        function::NEGATIVE_ACK => "negative_ack",
        function::STATUS_REQUEST => "status_request",
        function::STATUS_REPLY => "status_reply",
        _ => "unknown",
    }
}

/// The function of a kind, and the status that usually goes with it.
fn function_of(kind: &str, wants_ack: bool) -> Option<(u16, u16)> {
    Some(match (kind, wants_ack) {
        ("data", true) => (function::DATA_ACK, status::OK),
        ("data", false) => (function::DATA, status::OK),
        ("data_more", _) => (function::DATA_MORE, status::OK),
        ("positive_ack", _) => (function::POSITIVE_ACK, status::OK),
        ("negative_ack", _) => (function::NEGATIVE_ACK, status::LOGIC_ERROR),
        ("status_request", _) => (function::STATUS_REQUEST, status::READY),
        ("status_reply", _) => (function::STATUS_REPLY, status::READY),
        _ => return None,
    })
}
