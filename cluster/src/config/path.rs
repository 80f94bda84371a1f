//! The form in which a path is sent to a worker: text if it is UTF-8, otherwise an array of its
//! bytes.
//!
//! A path is bytes without a zero (`path_resolution(7)`), and JSON text is Unicode, so serde refuses
//! a [`PathBuf`] that is not UTF-8. A relative path in the settings, made absolute in a working
//! directory with such a name, would then prevent every worker from starting.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A path in its written form.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Bytes(Vec<u8>),
}

impl Written {
    fn of(path: &Path) -> Self {
        match path.to_str() {
            Some(text) => Self::Text(text.to_owned()),
            None => Self::Bytes(path.as_os_str().as_bytes().to_vec()),
        }
    }

    fn path(self) -> PathBuf {
        match self {
            Self::Text(text) => text.into(),
            Self::Bytes(bytes) => OsString::from_vec(bytes).into(),
        }
    }
}

pub(super) fn serialize<S: Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
    Written::of(path).serialize(to)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<PathBuf, D::Error> {
    Written::deserialize(from).map(Written::path)
}

/// The same for a path that may be missing.
pub(super) mod optional {
    use super::{Deserialize, Deserializer, PathBuf, Serialize, Serializer, Written};

    #[allow(clippy::ref_option)] // serde gives the field by reference
    pub fn serialize<S: Serializer>(path: &Option<PathBuf>, to: S) -> Result<S::Ok, S::Error> {
        path.as_deref().map(Written::of).serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<PathBuf>, D::Error> {
        Ok(Option::<Written>::deserialize(from)?.map(Written::path))
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::path::Path;

    use crate::Config;
    use crate::config::{Address, Admin};

    #[test]
    fn paths_that_are_not_utf8_reach_a_worker() {
        let odd = Path::new("/srv").join(OsStr::from_bytes(b"caf\xe9"));
        let mut config = Config::builder().build().expect("the defaults are good");
        config.listen[0].address = Address::Unix(odd.join("app.sock"));
        config.pid_file = Some(odd.join("app.pid"));
        config.admin = Admin::Unix(Some(odd.join("admin.sock")));
        config.file = Some(odd.join("app.toml"));
        let sent = serde_json::to_string(&config).expect("every path can be written");
        let got: Config = serde_json::from_str(&sent).expect("and read again");
        assert_eq!(got, config);
    }

    #[test]
    fn paths_that_are_utf8_travel_as_text() {
        let admin = Admin::Unix(Some("/run/ä.sock".into()));
        let sent = serde_json::to_value(&admin).expect("it can be written");
        assert_eq!(sent, serde_json::json!({ "Unix": "/run/ä.sock" }));
        let none = serde_json::to_value(Admin::Unix(None)).expect("it can be written");
        assert_eq!(none, serde_json::json!({ "Unix": null }));
        assert_eq!(serde_json::from_value::<Admin>(none).expect("it is ours"), Admin::Unix(None));
    }
}
