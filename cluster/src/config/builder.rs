//! The layers, one on top of the other: code, file, environment.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::draft::Draft;
use super::form::{Form, OneOf};
use super::{Config, LogFormat, Origin, Sharing, environment, file, settings, table};
use crate::worker;

/// Collects the values of a [`Config`]. There is a method for each [setting](super::settings). The
/// order of the calls does not matter: the environment overrides the file, and the file overrides the
/// code.
#[derive(Clone, Default)]
pub struct Builder {
    code: Vec<(&'static str, String)>,
    file: Option<PathBuf>,
    environment: Option<Vec<(String, String)>>,
}

/// The layers that a configuration was built from, and notes about ignored variables.
#[derive(Clone, Debug, Default)]
pub(super) struct Sources {
    pub layers: Arc<Builder>,
    pub notes: Vec<String>,
}

impl Builder {
    /// Adds a TOML file. If the environment is read, the variable `CLUSTER_CONFIG` overrides the path.
    ///
    /// A relative path is relative to the current working directory. The file must exist when the
    /// configuration is built; it is read again at each reload.
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some(file::complete(path.into()));
        self
    }

    /// Adds the current environment of this process. An empty variable counts as not set.
    #[must_use]
    pub fn env(self) -> Self {
        let lossy = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        self.env_from(std::env::vars_os().map(|(name, value)| (lossy(name), lossy(value))))
    }

    /// Adds an environment of names and values. Variables that are not ours are not kept.
    #[must_use]
    pub fn env_from<N, V>(mut self, variables: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<String>,
        V: Into<String>,
    {
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into()));
        self.environment = Some(variables.filter(environment::concerns_us).collect());
        self
    }

    /// Reads the layers and checks everything.
    ///
    /// # Errors
    /// All mistakes of all layers are reported in one error; [`Mistakes::of`](super::Mistakes::of)
    /// returns them one by one.
    pub fn build(self) -> crate::Result<Config> {
        if let Some(config) = worker::handed_down() {
            return config; // a worker gets its settings from its primary
        }
        let (draft, file) = self.lay();
        draft.finish(file, Arc::new(self))
    }

    /// Puts the layers on top of each other: the file as it is now, the others as they were kept.
    pub(super) fn lay(&self) -> (Draft, Option<PathBuf>) {
        let mut draft = Draft::default();
        let variables = self.environment.as_deref().unwrap_or_default();
        let path = environment::config_file(variables).or_else(|| self.file.clone());
        self.lay_code(&mut draft);
        if let Some(path) = &path {
            file::lay(path, &mut draft);
        }
        environment::lay(variables, &mut draft);
        (draft, path)
    }

    fn lay_code(&self, draft: &mut Draft) {
        for setting in settings() {
            if let Some((_, text)) = self.code.iter().find(|(key, _)| *key == setting.key) {
                draft.take(setting, text, text.clone(), Origin::Code);
            }
        }
    }

    /// Keeps a value until the layers are read. A later call overrides an earlier one.
    pub(super) fn given(mut self, key: &'static str, text: String) -> Self {
        self.code.retain(|(earlier, _)| *earlier != key);
        self.code.push((key, text));
        self
    }
}

/// The builder may hold a token, so no value is shown.
impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("file", &self.file).finish_non_exhaustive()
    }
}

/// Two configurations are equal if their values are equal; the sources do not count.
impl PartialEq for Sources {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// A plain value that can be written in the syntax that the forms read.
pub(super) trait Text {
    fn text(self) -> String;
}

macro_rules! as_displayed {
    ($($type:ty),+) => {$(
        impl Text for $type {
            fn text(self) -> String {
                self.to_string()
            }
        }
    )+};
}

as_displayed!(&str, u16, u32, u64, usize);

impl Text for Duration {
    fn text(self) -> String {
        humantime::format_duration(self).to_string()
    }
}

impl<T: Text> Text for Option<T> {
    fn text(self) -> String {
        self.map_or_else(|| "off".into(), T::text)
    }
}

impl Text for Sharing {
    fn text(self) -> String {
        OneOf(&table::SHARING).show(&self)
    }
}

impl Text for LogFormat {
    fn text(self) -> String {
        OneOf(&table::LOG_FORMATS).show(&self)
    }
}
