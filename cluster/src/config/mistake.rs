//! Mistakes in the settings: all of them at once, each with its value and origin.

use std::fmt;
use std::path::{Path, PathBuf};

/// One wrong setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The setting's name in its source: `CLUSTER_WORKERS`, or `workers` in a file and in code.
    pub name: String,
    /// The value as it was given. `None` if there is none to show, or if it is a secret.
    pub value: Option<String>,
    /// The source of the value.
    pub origin: Origin,
    /// The allowed values, or the way to correct the mistake.
    pub reason: String,
}

/// The source of a value. Later sources override earlier ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// No layer gave a value.
    Default,
    /// The program's own code.
    Code,
    /// A TOML file.
    File {
        /// The file's path.
        path: PathBuf,
        /// The line, counted from 1; `None` for the file as a whole.
        line: Option<usize>,
    },
    /// The environment.
    Environment,
}

/// All mistakes, in the order of the layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes(Vec<Mistake>);

impl Mistakes {
    /// The mistakes behind an error that [`Builder::build`](super::Builder::build) returned.
    #[must_use]
    pub fn of(error: &crate::Error) -> Option<&[Mistake]> {
        let mistakes: &Self = std::error::Error::source(error)?.downcast_ref()?;
        Some(&mistakes.0)
    }

    /// Combines all mistakes into one error.
    pub(super) fn into_error(mistakes: Vec<Mistake>) -> crate::Error {
        crate::Error::because("this configuration cannot be used", Self(mistakes))
    }
}

impl Mistake {
    /// A mistake about a file as a whole.
    pub(super) fn of_file(path: &Path, line: Option<usize>, reason: String) -> Self {
        let origin = Origin::File { path: path.to_owned(), line };
        Self { name: "the file".into(), value: None, origin, reason }
    }
}

impl std::error::Error for Mistakes {}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("1 setting is wrong")?,
            n => write!(f, "{n} settings are wrong")?,
        }
        self.0.iter().try_for_each(|mistake| write!(f, "\n  {mistake}"))
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let equals = if self.origin == Origin::Environment { "=" } else { " = " };
        f.write_str(&self.name)?;
        if let Some(value) = &self.value {
            write!(f, "{equals}{}", short(value))?;
        }
        write!(f, " ({}): {}", self.origin, self.reason)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("the default"),
            Self::Code => f.write_str("in code"),
            Self::File { path, line: Some(line) } => write!(f, "{}, line {line}", path.display()),
            Self::File { path, line: None } => write!(f, "{}", path.display()),
            Self::Environment => f.write_str("environment"),
        }
    }
}

/// Shortens a value to one line: no control characters, and not a whole file by accident.
pub(super) fn short(value: &str) -> String {
    const MOST: usize = 60;
    let mut shown: String = value.chars().take(MOST).flat_map(visible).collect();
    if value.chars().nth(MOST).is_some() {
        shown.push('…');
    }
    shown
}

fn visible(character: char) -> impl Iterator<Item = char> {
    let escaped = character.is_control().then(|| character.escape_default());
    let plain = escaped.is_none().then_some(character);
    escaped.into_iter().flatten().chain(plain)
}
