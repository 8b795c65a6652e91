//! The bundle's Cedar schema, which must describe exactly the facts of a [`Situation`].

use crate::fact::{Action, Fact};
use crate::load::{Problem, problems_of};
use crate::request::{MESSAGE, SENDER};
use crate::situation::{Home, Situation};
use cedar_policy::{Schema, SchemaFragment};
use serde_json::Value;
use std::collections::BTreeSet;

/// The name by which problems call the schema.
pub(crate) const FILE: &str = "schema.cedarschema";

/// # Errors
///
/// Every place where the text is no Cedar schema, or declares other facts than a situation has.
pub(crate) fn load(text: &str) -> Result<Schema, Vec<Problem>> {
    let schema = match Schema::from_cedarschema_str(text) {
        Ok((schema, _)) => schema,
        Err(error) => return Err(problems_of(FILE, text, &(&error).into())),
    };
    let json = SchemaFragment::from_cedarschema_str(text)
        .map_err(|error| error.to_string())
        .and_then(|(fragment, _)| fragment.to_json_value().map_err(|error| error.to_string()))
        .map_err(|error| vec![problem(text, "", error)])?;
    let declared = json.get("").unwrap_or(&Value::Null);
    let mut problems = Vec::new();
    for field in Situation::FIELDS.iter().filter(|field| field.home != Home::Action) {
        if field.type_name != bool::TYPE {
            check_values(text, declared, field.type_name, field.values, &mut problems);
        }
    }
    check_attributes(text, declared, &mut problems);
    check_actions(text, declared, &mut problems);
    problems.sort_by(|a, b| (a.line, &a.text).cmp(&(b.line, &b.text)));
    problems.dedup();
    if problems.is_empty() { Ok(schema) } else { Err(problems) }
}

fn check_values(
    text: &str,
    declared: &Value,
    type_name: &str,
    values: &[&str],
    problems: &mut Vec<Problem>,
) {
    let Some(listed) =
        declared.pointer(&format!("/entityTypes/{type_name}/enum")).and_then(Value::as_array)
    else {
        let message = format!("`{type_name}` is not declared as a list of values");
        problems.push(problem(text, type_name, message));
        return;
    };
    let listed: BTreeSet<&str> = listed.iter().filter_map(Value::as_str).collect();
    let known: BTreeSet<&str> = values.iter().copied().collect();
    compare(text, type_name, "value", &listed, &known, problems);
}

fn check_attributes(text: &str, declared: &Value, problems: &mut Vec<Problem>) {
    let shape = |name: &str| format!("/entityTypes/{name}/shape/attributes");
    let inquire = "/actions/inquire/appliesTo/context/attributes".to_owned();
    for (home, name, pointer) in [
        (Home::Principal, SENDER, shape(SENDER)),
        (Home::Resource, MESSAGE, shape(MESSAGE)),
        (Home::Context, "Statement", inquire),
    ] {
        // A context named as a common type is found under that type.
        let attributes = declared
            .pointer(&pointer)
            .or_else(|| declared.pointer(&format!("/commonTypes/{name}/attributes")))
            .and_then(Value::as_object);
        let Some(attributes) = attributes else {
            problems.push(problem(text, name, format!("the attributes of `{name}` are missing")));
            continue;
        };
        let listed: BTreeSet<&str> = attributes.keys().map(String::as_str).collect();
        let fields = || Situation::FIELDS.iter().filter(|field| field.home == home);
        let known: BTreeSet<&str> = fields().map(|field| field.name).collect();
        compare(text, name, "attribute", &listed, &known, problems);
        for field in fields() {
            let described = attributes.get(field.name);
            let given = described
                .and_then(|value| value.get("name").or_else(|| value.get("type")))
                .and_then(Value::as_str);
            let optional =
                described.and_then(|value| value.get("required")) == Some(&Value::Bool(false));
            if optional || given.is_some_and(|given| !same_type(given, field.type_name)) {
                let message = format!("`{}` must be a required `{}`", field.name, field.type_name);
                problems.push(problem(text, field.name, message));
            }
        }
    }
}

fn same_type(given: &str, wanted: &str) -> bool {
    given == wanted || (wanted == bool::TYPE && matches!(given, "__cedar::Bool" | "Boolean"))
}

fn check_actions(text: &str, declared: &Value, problems: &mut Vec<Problem>) {
    let Some(actions) = declared.get("actions").and_then(Value::as_object) else {
        problems.push(problem(text, "action", "no action is declared".to_owned()));
        return;
    };
    // An action that applies to nothing is a name for several others.
    let listed: BTreeSet<&str> = actions
        .iter()
        .filter(|(_, action)| action.get("appliesTo").is_some_and(|to| !applies_to_nothing(to)))
        .map(|(name, _)| name.as_str())
        .collect();
    let known: BTreeSet<&str> = Action::NAMES.iter().copied().collect();
    compare(text, Action::TYPE, "value", &listed, &known, problems);
}

fn applies_to_nothing(to: &Value) -> bool {
    ["principalTypes", "resourceTypes"]
        .iter()
        .any(|types| to.get(types).and_then(Value::as_array).is_none_or(Vec::is_empty))
}

fn compare(
    text: &str,
    owner: &str,
    what: &str,
    listed: &BTreeSet<&str>,
    known: &BTreeSet<&str>,
    problems: &mut Vec<Problem>,
) {
    for extra in listed.difference(known) {
        let message = format!("`{owner}` has no {what} `{extra}` in the switch");
        problems.push(problem(text, extra, message));
    }
    for missing in known.difference(listed) {
        let message = format!("`{owner}` lacks the {what} `{missing}`");
        problems.push(problem(text, owner, message));
    }
}

/// A problem on the first line that has the word, else on line 1.
fn problem(text: &str, word: &str, message: String) -> Problem {
    let line = text
        .lines()
        .position(|line| !word.is_empty() && line.contains(word))
        .and_then(|line| u32::try_from(line + 1).ok())
        .unwrap_or(1);
    Problem { file: FILE.to_owned(), line, text: message }
}
