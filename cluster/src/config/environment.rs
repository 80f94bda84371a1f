//! The environment, as a layer of settings.

use std::path::PathBuf;

use super::draft::Draft;
use super::table::settings;
use super::{Origin, file};

/// Names the TOML file.
const CONFIG_FILE: &str = "CLUSTER_CONFIG";

/// Whether a variable is one of ours, or looks like one that was misspelt.
pub(super) fn concerns_us((name, value): &(String, String)) -> bool {
    !value.is_empty() && (name == CONFIG_FILE || is_known(name) || meant(name).is_some())
}

/// The file that the environment names.
pub(super) fn config_file(variables: &[(String, String)]) -> Option<PathBuf> {
    let (_, path) = variables.iter().find(|(name, _)| name == CONFIG_FILE)?;
    Some(file::complete(path.into()))
}

/// Hands the variables to the draft, in the order of the table.
pub(super) fn lay(variables: &[(String, String)], draft: &mut Draft) {
    for setting in settings() {
        if let Some((_, value)) = variables.iter().find(|(name, _)| name == setting.env) {
            draft.take(setting, value, value.clone(), Origin::Environment);
        }
    }
    for (name, _) in variables {
        if let Some(meant) = meant(name) {
            draft.unknown(name, Some(meant), Origin::Environment);
        }
    }
}

fn is_known(name: &str) -> bool {
    settings().iter().any(|setting| setting.env == name)
}

/// What a variable was probably meant to be. The environment belongs to everybody, and others use
/// our prefix too (Kubernetes makes `CLUSTER_PORT` for a service of that name), so only a near
/// miss counts; without the prefix, only one of a single letter.
fn meant(name: &str) -> Option<&'static str> {
    if name == CONFIG_FILE || is_known(name) {
        return None;
    }
    let near = nearest(name, settings().iter().map(|setting| setting.env))?;
    let far = strsim::damerau_levenshtein(name, near);
    (name.starts_with("CLUSTER_") || far == 1).then_some(near)
}

/// The name that differs by at most two letters.
pub(super) fn nearest(
    name: &str,
    names: impl Iterator<Item = &'static str>,
) -> Option<&'static str> {
    let distance = |known: &str| strsim::damerau_levenshtein(name, known);
    names.map(|known| (distance(known), known)).filter(|(far, _)| *far <= 2).min().map(|(_, k)| k)
}
