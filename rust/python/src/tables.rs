//! The tables that both languages share, for documents and tests.

use clets_policy::{Identifier, Policies, Rule, SubjectKey, day_text};
use clets_switch::{BundleError, codes};
use clets_wire::Catalogue;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
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

/// A rule: id, effect, code, text, citation, first and last day in force (empty: always).
type RuleRow = (String, &'static str, u16, String, String, String, String);

/// Every rule of a set of policy files, in their order, every version. Raises `BundleError` with
/// each problem when the set is not valid.
#[pyfunction]
pub(crate) fn policy_rules(
    py: Python<'_>,
    files: Vec<(String, String)>,
    schema: &str,
) -> PyResult<Vec<RuleRow>> {
    let policies = Policies::load(&files, schema)
        .map_err(|problems| crate::bundle::refused(py, &BundleError::Policy(problems)))?;
    let day = |day: Option<i32>| day.map(day_text).unwrap_or_default();
    let row = |rule: &Rule| -> RuleRow {
        let (text, cite) = (rule.text.clone(), rule.cite.clone());
        let (from, to) = (day(rule.from_day), day(rule.to_day));
        (rule.id.clone(), rule.effect.name(), rule.code, text, cite, from, to)
    };
    Ok(policies.rules().iter().map(row).collect())
}

/// The digest of an identifier for `subjects.csv`, 32 hexadecimal digits: of `value` in the field
/// `field`, with its state, or for `NAM` with the date of birth. With a user it is the user's own.
///
/// Raises `ValueError` for a key that is not 32 hexadecimal digits and for another field.
#[pyfunction]
#[pyo3(signature = (key, field, value, beside = "", user = ""))]
pub(crate) fn subject_digest(
    key: &str,
    field: &str,
    value: &str,
    beside: &str,
    user: &str,
) -> PyResult<String> {
    let wrong = |what: &str| PyValueError::new_err(what.to_owned());
    let key = SubjectKey::parse(key).ok_or_else(|| wrong("expected 32 hexadecimal digits"))?;
    let identifier = if field == "NAM" {
        Some(Identifier::Person { name: value.as_bytes(), birth: beside.as_bytes() })
    } else {
        Identifier::kind(field.as_bytes()).map(|(kind, by)| {
            let state = if by.is_empty() { b"" } else { beside.as_bytes() };
            Identifier::Number { kind, state, value: value.as_bytes() }
        })
    };
    let identifier = identifier.ok_or_else(|| wrong("expected the field of a name or number"))?;
    Ok(format!("{:032x}", key.digest(user.as_bytes(), &identifier)))
}
