//! The sample's policies, for tests, benches and the simulation.

use std::path::Path;
use std::sync::Arc;

use clets_switch::Bundle;

/// A bundle of this document and the sample's policies, but for `files`, which stand in the place
/// of those of the same name.
pub(crate) fn compile(document: &[u8], files: &[(&str, &str)]) -> Arc<Bundle> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/california/policy");
    let is_policy = |path: &Path| {
        let kinds = ["cedar", "csv", "key"];
        path.extension().is_some_and(|extension| kinds.iter().any(|kind| extension == *kind))
    };
    let mut policies: Vec<(String, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| is_policy(path))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .filter(|(name, _)| !files.iter().any(|(file, _)| file == name))
        .collect();
    policies.extend(files.iter().map(|(name, text)| ((*name).into(), (*text).into())));
    policies.sort();
    let schema = std::fs::read_to_string(format!("{folder}/schema.cedarschema")).unwrap();
    Bundle::compile(document, &policies, &schema, "test".to_owned()).unwrap()
}
