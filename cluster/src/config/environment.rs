//! The environment, as a layer of settings.

use std::path::PathBuf;

use super::draft::Draft;
use super::mistake::short;
use super::table::{Setting, settings};
use super::{Origin, file};

/// The variable that names the TOML file.
const CONFIG_FILE: &str = "CLUSTER_CONFIG";

/// Settings whose variables are also read by other programs. A value that is not one of ours is
/// ignored, with a note, and so is a near miss of the name.
///
/// Only the format of the log matters little enough for that. `WORKER_THREADS`, `DRAIN_TIMEOUT`,
/// `HEALTH_CHECK_INTERVAL` and the others without our prefix may belong to another program as well,
/// but they are limits and timeouts: after a typo, the operator would rely on a number that is not
/// in effect, and find out during the next outage. So a wrong value of these variables remains a
/// mistake.
const ALSO_OTHERS: [&str; 1] = ["LOG_FORMAT"];

/// Returns whether a variable is one of ours, or looks like a misspelling of one.
pub(super) fn concerns_us((name, value): &(String, String)) -> bool {
    let known = || name == CONFIG_FILE || is_known(name);
    !value.is_empty() && (known() || meant(name, value).is_some())
}

/// The file that the environment names.
pub(super) fn config_file(variables: &[(String, String)]) -> Option<PathBuf> {
    let (_, path) = variables.iter().find(|(name, _)| name == CONFIG_FILE)?;
    Some(file::complete(path.into()))
}

/// Hands the variables to the draft, in the order of the table.
pub(super) fn lay(variables: &[(String, String)], draft: &mut Draft) {
    let value_of = |name| variables.iter().find(|(one, _)| one == name).map(|(_, value)| value);
    for setting in settings() {
        let Some(value) = value_of(setting.env) else { continue };
        match not_for_us(setting, value) {
            Some(why) => draft.note(ignored(setting.env, value, &why)),
            None => draft.take(setting, value, value.clone(), Origin::Environment),
        }
    }
    for (name, value) in variables {
        if let Some(meant) = meant(name, value) {
            draft.unknown(name, Some(meant), Origin::Environment);
        }
    }
}

/// The reason why a variable that has the name of a setting is not meant for us.
fn not_for_us(setting: &Setting, value: &str) -> Option<String> {
    if setting.env.ends_with("_PORT") && is_address_of_a_service(value) {
        return Some(OF_A_SERVICE.into());
    }
    let others = ALSO_OTHERS.contains(&setting.env) && !setting.takes(value);
    others.then(|| format!("it looks like another program's; here it is {}", setting.allowed()))
}

const OF_A_SERVICE: &str = "Kubernetes and Docker set such variables for services; \
    `enableServiceLinks: false` prevents that, and the setting can be given in the file";

fn ignored(name: &str, value: &str, why: &str) -> String {
    format!("{name}={} is ignored: {why}", short(value))
}

/// Recognises `tcp://10.96.0.10:443`: for a service called `cluster-api`, Kubernetes sets
/// `CLUSTER_API_PORT` to such a value in every pod of its namespace. Under any other name such a
/// value is the operator's mistake.
///
/// See <https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables>.
fn is_address_of_a_service(value: &str) -> bool {
    let mut schemes = ["tcp://", "udp://", "sctp://"].iter();
    let rest = schemes.find_map(|scheme| value.strip_prefix(scheme));
    let Some((host, port)) = rest.and_then(|rest| rest.rsplit_once(':')) else { return false };
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:[]".contains(c);
    !host.is_empty() && host.chars().all(plain) && port.parse::<u16>().is_ok()
}

fn is_known(name: &str) -> bool {
    settings().iter().any(|setting| setting.env == name)
}

/// The setting that a variable was probably meant to be. All programs share the environment, and some
/// use our prefix too (Kubernetes sets `CLUSTER_PORT` for a service named `cluster`), so only a
/// near miss counts, and without the prefix only a difference of a single letter.
fn meant(name: &str, value: &str) -> Option<&'static str> {
    if name == CONFIG_FILE || is_known(name) || is_address_of_a_service(value) {
        return None;
    }
    let names = settings().iter().map(|setting| setting.env);
    let near = nearest(name, names.filter(|name| !ALSO_OTHERS.contains(name)))?;
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
