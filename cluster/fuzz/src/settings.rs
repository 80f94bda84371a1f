//! Settings from the environment and from a file.

use std::io::Write;

use cluster::Config;
use cluster::config::Builder;

/// The bytes as a TOML file, and as lines `NAME=value` of an environment.
pub fn settings(bytes: &[u8]) {
    let mut file = tempfile::NamedTempFile::new().expect("a writable folder");
    file.write_all(bytes).expect("room for a small file");
    check(Config::builder().file(file.path()));

    let text = String::from_utf8_lossy(bytes);
    let lines = text.lines().filter_map(|line| line.split_once('='));
    // That variable names a file, which might be any file on this machine.
    check(Config::builder().env_from(lines.filter(|(name, _)| *name != "CLUSTER_CONFIG")));
}

/// Settings are either refused with a message or valid. If they are valid, a worker gets the same
/// ones, and a reload changes none.
fn check(builder: Builder) {
    match builder.build() {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(config) => {
            let sent = serde_json::to_string(&config).expect("settings can be sent");
            let received: Config = serde_json::from_str(&sent).expect("and received");
            assert_eq!(serde_json::to_string(&received).expect("and sent again"), sent);
            assert_eq!(config.reread().expect("they were good a moment ago"), config);
        }
    }
}
