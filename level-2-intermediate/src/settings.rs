//! From the options of an example to the settings of its cluster.

use cluster::Config;
use cluster::config::{Builder, LogFormat};
use lab::Result;
use lab::args::Common;

/// These come from the command line, which has read their variables already.
const OPTIONS: [&str; 2] = ["CLUSTER_LISTEN", "CLUSTER_WORKERS"];

/// Completes what an example has set: the address and the workers are those of the command line, and
/// all other settings of the library may be overridden in the environment.
///
/// The library's own log is off, because the examples tell what happens in sentences; `LOG_FORMAT=text`
/// shows it beside them.
///
/// # Errors
/// A variable has a value that its setting cannot take; all such mistakes at once.
pub fn complete(example: Builder, common: &Common) -> Result<Config> {
    let variables = std::env::vars().filter(|(name, _)| !OPTIONS.contains(&name.as_str()));
    let settings = example
        .listen(&common.listen.to_string())
        .workers(common.workers.get())
        .log_format(LogFormat::Off)
        .env_from(variables);
    Ok(settings.build()?)
}
