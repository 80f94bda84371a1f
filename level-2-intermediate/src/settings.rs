//! The settings of an example's cluster, from its options.

use std::env;
use std::ffi::OsString;

use cluster::Config;
use cluster::config::{Builder, LogFormat};
use lab::args::Common;
use lab::{Result, say};

/// A setting that turns on a line of the log.
const STATS: &str = "LOG_CLUSTER_STATS";

/// Completes the settings of an example. All settings of the library may be overridden in its file and
/// in the environment; the address and the workers come from the command line in any case.
///
/// The library's own log is off, because the examples report events in sentences. `LOG_FORMAT=text`
/// shows it alongside them; so does `LOG_CLUSTER_STATS`, whose line is part of the log.
///
/// # Errors
/// Variables have values that their settings do not accept; the message lists all of them.
pub fn complete(example: Builder, common: &Common) -> Result<Config> {
    let wants_stats =
        env::var(STATS).is_ok_and(|value| !matches!(value.as_str(), "" | "false" | "off" | "0"));
    let settings = example
        .log_format(if wants_stats { LogFormat::Text } else { LogFormat::Off })
        .env_from(environment(common));
    let config = settings.build()?;
    config.notes().iter().for_each(|note| say!("primary: {note}")); // workers get none
    Ok(config)
}

/// The environment, with two variables replaced by the values of the command line: these take
/// precedence over the library's file.
fn environment(common: &Common) -> Vec<(String, String)> {
    let options = [
        ("CLUSTER_LISTEN".to_owned(), common.listen.to_string()),
        ("CLUSTER_WORKERS".to_owned(), common.workers.to_string()),
    ];
    let text = |text: OsString| text.to_string_lossy().into_owned(); // other variables may be anything
    let given = env::vars_os().map(|(name, value)| (text(name), text(value)));
    let others = given.filter(|(name, _)| options.iter().all(|(option, _)| name != option));
    others.chain(options.clone()).collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Args {
        #[command(flatten)]
        common: Common,
    }

    #[test]
    fn command_line_takes_precedence_over_the_file() {
        let folder = tempfile::tempdir().expect("there is room");
        let file = folder.path().join("cluster.toml");
        let text = "listen = \"unix:/nowhere\"\nworkers = 7\nmax_workers = 9\n";
        std::fs::write(&file, text).expect("there is room");
        let line = ["test", "--listen", "127.0.0.1:0", "--workers", "3"];
        let common = Args::try_parse_from(line).expect("it is right").common;
        let config = complete(Config::builder().file(file), &common).expect("it is right");
        assert_eq!(config.workers(), 3);
    }
}
