//! A configuration under construction: later values replace earlier ones, and mistakes are
//! collected.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use super::builder::{Builder, Sources};
use super::table::{Setting, settings};
use super::{Config, Mistake, Mistakes, Origin, check};

/// The values of the layers so far.
pub(super) struct Draft {
    pub config: Config,
    given: HashMap<&'static str, Given>,
    mistakes: Vec<Mistake>,
    notes: Vec<String>,
}

/// The last value that a layer gave to a setting.
struct Given {
    shown: String,
    origin: Origin,
    /// True if the value has the right form. If not, checks that depend on it are skipped.
    good: bool,
}

impl Default for Draft {
    fn default() -> Self {
        let config = Config::before_all_layers();
        Self { config, given: HashMap::new(), mistakes: Vec::new(), notes: Vec::new() }
    }
}

impl Draft {
    /// Accepts a value: `text` is its content, and `shown` is its form in the source.
    pub fn take(&mut self, setting: &'static Setting, text: &str, shown: String, origin: Origin) {
        // U+FFFD stands where a variable or a path was not UTF-8.
        let text_only = !text.contains('\u{fffd}');
        let good = text_only && (setting.set)(&mut self.config, text).is_some();
        self.given.insert(setting.key, Given { shown, origin, good });
        if !good {
            let reason = match (setting.wrong)(text) {
                _ if !text_only => "the value is not UTF-8".to_owned(),
                Some(reason) => reason,
                None => format!("expected {}", setting.allowed()),
            };
            let mistake = self.mistake(setting.key, reason);
            self.mistakes.push(mistake);
        }
    }

    /// Records a name that is not one of ours.
    pub fn unknown(&mut self, name: &str, near: Option<&str>, origin: Origin) {
        let reason = match near {
            Some(near) => format!("there is no such setting; did you mean {near}?"),
            None => "there is no such setting".into(),
        };
        self.reject(Mistake { name: name.into(), value: None, origin, reason });
    }

    /// Records a mistake.
    pub fn reject(&mut self, mistake: Mistake) {
        self.mistakes.push(mistake);
    }

    /// Keeps a line for the log, because something was ignored.
    pub fn note(&mut self, line: String) {
        self.notes.push(line);
    }

    /// Records a conflict between settings, unless one of them is already invalid on its own. The
    /// mistake is reported for the first setting.
    pub fn conflict(&mut self, keys: &[&str], reason: String) {
        if keys.iter().all(|key| self.given.get(key).is_none_or(|given| given.good)) {
            let mistake = self.mistake(keys[0], reason);
            self.mistakes.push(mistake);
        }
    }

    /// The value of a setting, as it was given.
    pub fn shown(&self, key: &str) -> String {
        match self.given.get(key) {
            Some(given) => given.shown.clone(),
            None => (setting(key).get)(&self.config),
        }
    }

    /// The origin of a setting's value.
    pub fn origin(&self, key: &str) -> &Origin {
        self.given.get(key).map_or(&Origin::Default, |given| &given.origin)
    }

    /// Decides the values that were left open, and checks the values that depend on each other.
    pub fn finish(mut self, file: Option<PathBuf>, layers: Arc<Builder>) -> crate::Result<Config> {
        self.decide();
        check::all(&mut self);
        if !self.mistakes.is_empty() {
            return Err(Mistakes::into_error(self.mistakes));
        }
        let sources = Sources { layers, notes: self.notes };
        Ok(Config { file, sources, ..self.config })
    }

    fn decide(&mut self) {
        let policy = &mut self.config.policy;
        if policy.workers == 0 {
            let most = if policy.max_workers == 0 { 1024 } else { policy.max_workers };
            let cores = available_parallelism().map_or(1, usize::from);
            policy.workers = cores.max(policy.min_workers).min(most);
        }
        if policy.max_workers == 0 {
            policy.max_workers = policy.workers.max(256);
        }
        if self.config.log_stats == Some(Duration::ZERO) {
            self.config.log_stats = policy.heartbeat.or(Some(self.config.health_check_interval));
        }
    }

    /// Makes a mistake about the current value of a setting.
    fn mistake(&self, key: &str, reason: String) -> Mistake {
        let setting = setting(key);
        let origin = self.origin(key).clone();
        let name = if origin == Origin::Environment { setting.env } else { setting.key };
        let value = (!setting.is_secret()).then(|| self.shown(key));
        Mistake { name: name.into(), value, origin, reason }
    }
}

fn setting(key: &str) -> &'static Setting {
    settings()
        .iter()
        .find(|setting| setting.key == key)
        .expect("our own code names only existing rows")
}
