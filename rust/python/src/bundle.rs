//! A compiled bundle, and what it decides.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clets_policy::{Effect, Ground, Home, Situation, Surveyed};
use clets_routing::LineId;
use clets_switch::{Bundle, BundleError, Judge, codes};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};

use crate::convert::{decode_error, raise, raise_bytes, raise_problems};
use crate::message::Message;

/// What policy says of one message.
#[pyclass(frozen, module = "clets_core._core")]
#[derive(Debug)]
pub(crate) struct Verdict {
    /// `allow`, `label`, `flag`, `redact`, `hold`, `reject` or `block`.
    #[pyo3(get)]
    effect: &'static str,
    /// The numbered code of a refusal; 0 otherwise.
    #[pyo3(get)]
    code: u16,
    /// The whole account in plain sentences: rules, law, and what would have been permitted.
    #[pyo3(get)]
    explanation: String,
    rules: Vec<String>,
    citations: Vec<String>,
    labels: Vec<String>,
}

#[pymethods]
impl Verdict {
    /// Ids of the rules that decided; empty when no rule permits.
    #[getter]
    fn rules<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.rules)
    }

    /// The law behind each of `rules`, in the same order.
    #[getter]
    fn citations<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.citations)
    }

    /// Labels to deliver around the text.
    #[getter]
    fn labels<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.labels)
    }

    fn __repr__(&self) -> String {
        format!("Verdict(effect='{}', code={}, rules={:?})", self.effect, self.code, self.rules)
    }
}

/// The code of a policy file that Cedar does not take.
const POLICY_INVALID: u16 = 722;
/// The code of parts that do not fit together although each file was valid.
const BUNDLE_INCONSISTENT: u16 = 724;

pub(crate) fn refused(py: Python<'_>, error: &BundleError) -> PyErr {
    match error {
        BundleError::Policy(problems) => {
            let listed: Vec<_> = problems
                .iter()
                .map(|it| (it.file.as_str(), it.line, POLICY_INVALID, it.text.as_str()))
                .collect();
            raise_problems(py, &listed)
        }
        BundleError::Catalogue(text) | BundleError::Directory(text) => {
            raise_problems(py, &[("", 0, BUNDLE_INCONSISTENT, text)])
        }
    }
}

/// Id, file, line, example, rules beside it.
type SurveyRow = (String, String, u32, Vec<(String, String)>, Vec<String>);
/// Name, home, values, least known value.
type FactRow = (&'static str, &'static str, Vec<&'static str>, &'static str);

/// One immutable snapshot of directory, routes, policies and message keys.
#[pyclass(frozen, module = "clets_core._core")]
#[derive(Debug)]
pub(crate) struct Snapshot {
    bundle: Arc<Bundle>,
    judge: Mutex<Judge>,
}

impl Snapshot {
    pub(crate) fn bundle(&self) -> &Arc<Bundle> {
        &self.bundle
    }

    fn line(&self, py: Python<'_>, line: &str) -> PyResult<LineId> {
        self.bundle.directory.find_line(line).ok_or_else(|| {
            let text = format!("line `{line}`: expected the name of a line of the bundle");
            raise(py, "CletsError", codes::LINE_UNKNOWN, &text)
        })
    }

    fn check_dialect(&self, py: Python<'_>, line: LineId, message: &Message) -> PyResult<()> {
        let line = self.bundle.directory.line(line);
        if message.envelope().dialect == line.dialect_in {
            return Ok(());
        }
        let (dialect, name) = (line.dialect_in.name(), &line.name);
        let expected = format!("a message in {dialect}, which line `{name}` speaks");
        Err(raise_bytes(py, "DecodeError", codes::NOT_A_MESSAGE, 0, &expected))
    }

    /// The judge, with what it remembers.
    pub(crate) fn judge_mut(&self) -> MutexGuard<'_, Judge> {
        self.judge.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Snapshot {
    /// Compiles a bundle: the shell's validated document (JSON), the policy files by name, the
    /// Cedar schema, and the content hash. Raises `BundleError` when it does not hold together.
    #[new]
    fn new(
        py: Python<'_>,
        document: &[u8],
        policies: Vec<(String, String)>,
        schema: &str,
        hash: String,
    ) -> PyResult<Self> {
        let compiled = py.detach(|| Bundle::compile(document, &policies, schema, hash));
        let bundle = compiled.map_err(|error| refused(py, &error))?;
        Ok(Self { bundle, judge: Mutex::default() })
    }

    /// SHA-256 over the bundle's files, hexadecimal.
    #[getter]
    fn hash(&self) -> &str {
        &self.bundle.hash
    }

    /// Judges a situation: names of facts with names of their values; a fact that is not named has
    /// the value that knows least. Raises `ValueError` for a name that does not exist.
    fn judge(&self, facts: HashMap<String, String>, at_us: i64) -> PyResult<Verdict> {
        let names = facts.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let situation = Situation::of_names(names).map_err(PyValueError::new_err)?;
        let policies = &self.bundle.policies;
        let found = policies.explain(&situation, self.bundle.day(at_us));
        let grounds = |text: fn(&Ground) -> &String| found.grounds.iter().map(text).cloned();
        Ok(Verdict {
            effect: found.verdict.effect.name(),
            code: found.verdict.code,
            rules: grounds(|ground| &ground.id).collect(),
            citations: grounds(|ground| &ground.cite).collect(),
            labels: found.verdict.labels.iter().map(ToString::to_string).collect(),
            explanation: found.text,
        })
    }

    /// Every version of every rule in the order of the bundle: id, file, line, an example (the
    /// facts of a situation in which it decides that differ from what is least known; empty when
    /// none was found), and the ids of rules that decide beside it. Takes seconds.
    fn survey(&self, py: Python<'_>, at_us: i64) -> Vec<SurveyRow> {
        let policies = &self.bundle.policies;
        let row = |it: &Surveyed| -> Option<SurveyRow> {
            let rule = policies.rule(it.rule)?;
            let least: Vec<_> = Situation::default().names().collect();
            let example = it.example.iter().flat_map(|it| it.names());
            let example = example.filter(|fact| !least.contains(fact));
            let beside = it.beside.iter().filter_map(|id| Some(policies.rule(*id)?.id.clone()));
            Some((
                rule.id.clone(),
                rule.file.clone(),
                rule.line,
                example.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
                beside.collect(),
            ))
        };
        let surveyed = py.detach(|| policies.survey(self.bundle.day(at_us)));
        surveyed.iter().filter_map(row).collect()
    }

    /// Every fact that a rule may look at: name, where it stands in a rule, its values, and the
    /// value that knows least.
    #[staticmethod]
    fn facts() -> Vec<FactRow> {
        let least: Vec<_> = Situation::default().names().collect();
        let home = |home| match home {
            Home::Action => "action",
            Home::Context => "context",
            Home::Principal => "principal",
            Home::Resource => "resource",
        };
        let rows = Situation::FIELDS.iter().zip(least);
        rows.map(|(it, (_, least))| (it.name, home(it.home), it.values.to_vec(), least)).collect()
    }

    /// The effects alone of many messages, as `decide` gives them, in their order; bytes are
    /// decoded in the line's dialect. Raises `DecodeError` for bytes that are no message of it.
    fn effects<'py>(
        &self,
        py: Python<'py>,
        messages: Vec<Bound<'py, PyAny>>,
        line: &str,
        at_us: i64,
    ) -> PyResult<Vec<Bound<'py, PyString>>> {
        let id = self.line(py, line)?;
        let dialect = self.bundle.directory.line(id).dialect_in;
        let names = Effect::ALL.map(|effect| (effect, PyString::intern(py, effect.name())));
        let mut judge = self.judge_mut();
        let effect_of = |given: &Bound<'py, PyAny>| {
            let mut judged = |envelope: &_, bytes: &_| {
                judge.decide(&self.bundle, id, envelope, bytes, at_us).effect
            };
            let effect = if let Ok(bytes) = given.cast::<PyBytes>() {
                let failed = |error| decode_error(py, &error, 0);
                let text = clets_wire::text_form(bytes.as_bytes(), dialect).map_err(failed)?;
                judged(&clets_wire::decode(&text, dialect).map_err(failed)?, &text)
            } else {
                let message = given.extract::<PyRef<'_, Message>>()?;
                self.check_dialect(py, id, &message)?;
                judged(message.envelope(), message.bytes())
            };
            let name = names.iter().find(|(known, _)| *known == effect);
            Ok(name.map_or_else(|| PyString::new(py, effect.name()), |(_, name)| name.clone()))
        };
        messages.iter().map(effect_of).collect()
    }

    /// Judges a message as if it came on `line` at `at_us` (microseconds since 1970, UTC).
    fn decide(
        &self,
        py: Python<'_>,
        message: &Message,
        line: &str,
        at_us: i64,
    ) -> PyResult<Verdict> {
        let id = self.line(py, line)?;
        self.check_dialect(py, id, message)?;
        let mut judge = self.judge_mut();
        let decision = judge.decide(&self.bundle, id, message.envelope(), message.bytes(), at_us);
        let mut explanation = judge.explain(&self.bundle, &decision, at_us);
        let (catalogue, envelope) = (&self.bundle.catalogue, message.envelope());
        let key = catalogue.find_message(message.bytes(), envelope);
        // Of a field that is wrong: which, where, and what it must be.
        if let Some(Err(error)) = key.map(|key| catalogue.check(key, envelope, message.bytes()))
            && error.code == decision.code
        {
            explanation.push_str(&format!("\n{error}"));
        }
        let grounds = decision.grounds(&self.bundle);
        Ok(Verdict {
            effect: decision.effect.name(),
            code: decision.code,
            explanation,
            rules: grounds.iter().map(|(id, _)| (*id).to_owned()).collect(),
            citations: grounds.iter().map(|(_, cite)| (*cite).to_owned()).collect(),
            labels: decision.labels.iter().map(ToString::to_string).collect(),
        })
    }
}
