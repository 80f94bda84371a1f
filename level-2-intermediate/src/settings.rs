//! From the options of an example to the settings of its cluster.

use std::env;

use cluster::Config;
use cluster::config::{Builder, LogFormat};
use lab::Result;
use lab::args::Common;

/// These come from the command line, which has read their variables already.
const OPTIONS: [&str; 2] = ["CLUSTER_LISTEN", "CLUSTER_WORKERS"];

/// Who sets this one wants to see its line.
const STATS: &str = "LOG_CLUSTER_STATS";

/// Completes what an example has set: the address and the workers are those of the command line, and
/// all other settings of the library may be overridden in the environment.
///
/// The library's own log is off, because the examples tell what happens in sentences. `LOG_FORMAT=text`
/// shows it beside them; so does `LOG_CLUSTER_STATS`, whose line is one of the log.
///
/// # Errors
/// A variable has a value that its setting cannot take; all such mistakes at once.
pub fn complete(example: Builder, common: &Common) -> Result<Config> {
    let variables = env::vars().filter(|(name, _)| !OPTIONS.contains(&name.as_str()));
    let wants_stats =
        env::var(STATS).is_ok_and(|value| !matches!(value.as_str(), "false" | "off" | "0"));
    let settings = example
        .listen(&common.listen.to_string())
        .workers(common.workers.get())
        .log_format(if wants_stats { LogFormat::Text } else { LogFormat::Off })
        .env_from(variables);
    Ok(settings.build()?)
}
