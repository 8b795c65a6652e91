//! Rust errors to Python exceptions, and bytes of a message to text: all of it, in one place.

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::PyString;

use clets_wire::{DecodeError, FrameError, Span};

/// Raises a class of `clets_core.errors` with its numbered code.
///
/// The tree of exceptions is written once, in Python; a class that cannot be found would be a
/// fault of the package, and its own exception says so.
pub(crate) fn raise(py: Python<'_>, class: &str, code: u16, text: &str) -> PyErr {
    made(py, class, (code, text))
}

/// Raises `BundleError` with every problem: file, line, code, sentence.
pub(crate) fn raise_problems(py: Python<'_>, problems: &[(&str, u32, u16, &str)]) -> PyErr {
    let listed = || -> PyResult<Vec<Bound<'_, PyAny>>> {
        let class = py.import("clets_core.errors")?.getattr("Problem")?;
        problems.iter().map(|problem| class.call1(*problem)).collect()
    };
    match listed() {
        Ok(problems) => made(py, "BundleError", (problems,)),
        Err(error) => error,
    }
}

/// Raises `DecodeError` or `FrameError`.
pub(crate) fn raise_bytes(
    py: Python<'_>,
    class: &str,
    code: u16,
    offset: usize,
    expected: &str,
) -> PyErr {
    made(py, class, (code, offset, expected))
}

fn made<'py>(py: Python<'py>, class: &str, arguments: impl pyo3::call::PyCallArgs<'py>) -> PyErr {
    let exception = py
        .import("clets_core.errors")
        .and_then(|module| module.getattr(class))
        .and_then(|class| class.call1(arguments));
    match exception {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}

pub(crate) fn decode_error(py: Python<'_>, error: &DecodeError, base: usize) -> PyErr {
    raise_bytes(py, "DecodeError", error.code, base + error.offset, error.expected)
}

pub(crate) fn frame_error(py: Python<'_>, error: &FrameError, base: usize) -> PyErr {
    raise_bytes(py, "FrameError", error.code, base + error.offset, error.expected)
}

pub(crate) fn journal_error(py: Python<'_>, error: &clets_journal::Error) -> PyErr {
    // The number is the exception's own to show.
    let (code, text) = (error.code(), error.to_string());
    let text = text.strip_prefix(&format!("E{code}: ")).unwrap_or(&text);
    raise(py, "JournalError", code, text)
}

/// Text of a message: UTF-8 where it is, and otherwise each byte as the character of its number,
/// so that nothing is lost and nothing can fail.
pub(crate) fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// A header part as text; absent ones are `None`.
pub(crate) fn part(span: Option<Span>, bytes: &[u8]) -> Option<String> {
    span.map(|span| text(span.of(bytes))).filter(|text| !text.is_empty())
}

/// A value of a field table: one text, or a tuple where the code stands several times.
pub(crate) fn one_or_many<'py>(
    py: Python<'py>,
    so_far: Option<Bound<'py, PyAny>>,
    next: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let next = PyString::new(py, next).into_any();
    match so_far {
        None => Ok(next),
        Some(first) if first.is_instance_of::<PyString>() => (first, next).into_bound_py_any(py),
        Some(several) => several.add((next,).into_bound_py_any(py)?),
    }
}
