//! The tables that both languages share, for documents and tests.

use clets_switch::codes;
use clets_wire::Catalogue;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::convert::text;

/// Every numbered code of the switch: number, name, what was expected.
#[pyfunction]
pub(crate) fn error_codes() -> Vec<(u16, &'static str, &'static str)> {
    codes::ALL.iter().map(|code| (code.number, code.name, code.expected)).collect()
}

/// Every message key, one mapping a row of the catalogue.
#[pyfunction]
pub(crate) fn message_keys(py: Python<'_>) -> PyResult<Vec<Bound<'_, PyDict>>> {
    let catalogue = Catalogue::standard().map_err(PyRuntimeError::new_err)?;
    let row = |key: &clets_wire::Key| {
        let row = PyDict::new(py);
        row.set_item("system", &key.system)?;
        row.set_item("key", &key.key)?;
        row.set_item("family", &key.family)?;
        row.set_item("action", key.action.name())?;
        row.set_item("direction", key.direction().name())?;
        row.set_item("class", &key.class)?;
        row.set_item("precedence", key.precedence as u8)?;
        row.set_item("update", key.update)?;
        row.set_item("title", &key.title)?;
        row.set_item("replies", &key.replies)?;
        row.set_item("fields", codes_of(&key.fields))?;
        row.set_item("required", key.required.iter().map(|all| codes_of(all)).collect::<Vec<_>>())?;
        row.set_item("text", key.text)?;
        row.set_item("source", &key.source)?;
        Ok(row)
    };
    catalogue.iter().map(|(_, key)| row(key)).collect()
}

fn codes_of(codes: &[Box<[u8]>]) -> Vec<String> {
    codes.iter().map(|code| text(code)).collect()
}
