//! Settings: the meaning of the layers, and the refusals and their wording.

mod layers;
mod mistakes;
mod table;

use std::path::PathBuf;

use cluster::Config;
use cluster::config::Builder;
use serde_json::Value;

/// A file that lives as long as the test.
struct File {
    folder: tempfile::TempDir,
}

impl File {
    fn new(text: &str) -> Self {
        let file = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        file.write(text);
        file
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("app.toml")
    }

    fn write(&self, text: &str) {
        std::fs::write(self.path(), text).expect("a writable folder");
    }
}

fn env<const N: usize>(variables: [(&str, &str); N]) -> Builder {
    Config::builder().env_from(variables)
}

/// The settings as a worker gets them.
fn sent(config: &Config) -> Value {
    serde_json::to_value(config).expect("settings can be sent")
}

fn good(builder: Builder) -> Value {
    sent(&builder.build().expect("good settings"))
}

fn wrong(builder: Builder) -> String {
    builder.build().expect_err("wrong settings").to_string()
}
