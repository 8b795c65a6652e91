//! Reading and proving a journal from Python.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use clets_journal::Reader;
use clets_switch::record;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::convert::journal_error;

/// Proves a journal: every record, segment and signed checkpoint.
///
/// `vkey` is a verifier key kept elsewhere; without it the one beside the journal is used.
/// Raises `JournalError` at the first thing that does not hold.
#[pyfunction]
#[pyo3(signature = (path, vkey = None))]
pub(crate) fn journal_verify<'py>(
    py: Python<'py>,
    path: PathBuf,
    vkey: Option<&str>,
) -> PyResult<Bound<'py, PyDict>> {
    let report = py
        .detach(|| match vkey {
            Some(vkey) => clets_journal::verify_against(&path, vkey),
            None => clets_journal::verify(&path),
        })
        .map_err(|error| journal_error(py, &error))?;
    let root: String = report.root.iter().map(|byte| format!("{byte:02x}")).collect();
    let found = PyDict::new(py);
    found.set_item("origin", report.origin)?;
    found.set_item("first_number", report.first_number)?;
    found.set_item("records", report.records)?;
    found.set_item("segments", report.segments)?;
    found.set_item("checkpoints", report.checkpoints)?;
    found.set_item("signed", report.signed)?;
    found.set_item("checkpoints_unproved", report.checkpoints_unproved)?;
    found.set_item("front_proved", report.front_proved)?;
    found.set_item("root", root)?;
    found.set_item("torn_tail", report.torn_tail)?;
    Ok(found)
}

/// Records in order of number: `(number, kind, time_us, body)`, the body `MessagePack`.
#[pyclass(frozen, module = "clets_core._core")]
pub(crate) struct Records(Mutex<Reader>);

type Row<'py> = (u64, &'static str, i64, Bound<'py, PyBytes>);

#[pymethods]
impl Records {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Row<'py>>> {
        let mut reader = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match reader.next() {
            None => Ok(None),
            Some(Ok(found)) => {
                let body = PyBytes::new(py, &found.body);
                Ok(Some((found.number, record::kind_name(found.kind), found.time_us, body)))
            }
            Some(Err(error)) => Err(journal_error(py, &error)),
        }
    }
}

/// Reads a journal without locking it, also beside a running switch.
#[pyfunction]
pub(crate) fn journal_records(py: Python<'_>, path: PathBuf) -> PyResult<Records> {
    let reader = clets_journal::read(&path).map_err(|error| journal_error(py, &error))?;
    Ok(Records(Mutex::new(reader)))
}
