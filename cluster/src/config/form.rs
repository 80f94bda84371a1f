//! Values as text. A form reads a value, shows a value, and describes the allowed values.
//!
//! All three layers provide text: the environment does so anyway, a file's numbers and words are
//! taken as they are written, and the builder turns its arguments into text. So there is one
//! grammar, and one place for each limit.

use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::units::{bytes, duration, show_bytes};

/// The form of a setting's value.
pub(super) trait Form {
    /// The type of the value.
    type Value;

    /// Describes the allowed values, as the end of the sentence "expected …".
    fn allowed(&self) -> String;

    /// Gives a better reason why a text does not have this form, if there is one.
    fn wrong(&self, _text: &str) -> Option<String> {
        None
    }

    /// Reads a value; `None` if the text does not have this form.
    fn read(&self, text: &str) -> Option<Self::Value>;

    /// Shows a value as [`Form::read`] would read it.
    fn show(&self, value: &Self::Value) -> String;
}

/// A whole number from the first bound to the second.
pub(super) struct Whole<T>(pub T, pub T);

impl<T: Copy + Display + FromStr + PartialOrd> Form for Whole<T> {
    type Value = T;

    fn allowed(&self) -> String {
        format!("a whole number from {} to {}", self.0, self.1)
    }

    fn read(&self, text: &str) -> Option<T> {
        text.parse().ok().filter(|number| (self.0..=self.1).contains(number))
    }

    fn show(&self, value: &T) -> String {
        value.to_string()
    }
}

/// A whole number, or `auto`, which is kept as zero until all layers are known.
pub(super) struct Auto<T>(pub T, pub T);

impl<T: Copy + Default + Display + FromStr + PartialOrd> Form for Auto<T> {
    type Value = T;

    fn allowed(&self) -> String {
        format!("auto, or {}", Whole(self.0, self.1).allowed())
    }

    fn read(&self, text: &str) -> Option<T> {
        if text == "auto" { Some(T::default()) } else { Whole(self.0, self.1).read(text) }
    }

    fn show(&self, value: &T) -> String {
        if *value == T::default() { "auto".into() } else { value.to_string() }
    }
}

/// Another form, or `off`. Zero also means `off`.
pub(super) struct Off<F>(pub F);

impl<F: Form> Form for Off<F> {
    type Value = Option<F::Value>;

    fn allowed(&self) -> String {
        format!("off, or {}", self.0.allowed())
    }

    fn read(&self, text: &str) -> Option<Self::Value> {
        match text {
            "off" | "0" | "false" => Some(None),
            text => self.0.read(text).map(Some),
        }
    }

    fn show(&self, value: &Self::Value) -> String {
        value.as_ref().map_or_else(|| "off".into(), |value| self.0.show(value))
    }
}

/// A duration from the first bound to the second: `30s`, `1h 30m`; a bare number is milliseconds.
pub(super) struct Span(pub Duration, pub Duration);

impl Form for Span {
    type Value = Duration;

    fn allowed(&self) -> String {
        let (from, to) = (self.show(&self.0), self.show(&self.1));
        format!("a duration from {from} to {to}, such as 1m 30s; a bare number is milliseconds")
    }

    fn read(&self, text: &str) -> Option<Duration> {
        duration(text).filter(|duration| (self.0..=self.1).contains(duration))
    }

    fn show(&self, value: &Duration) -> String {
        humantime::format_duration(*value).to_string()
    }
}

/// A number of bytes from the first bound to the second: `64KiB`, `1.5GiB`; a bare number is bytes.
pub(super) struct Size<T>(pub T, pub T);

impl<T: Copy + PartialOrd + TryFrom<u64> + TryInto<u64>> Form for Size<T> {
    type Value = T;

    fn allowed(&self) -> String {
        let (from, to) = (self.show(&self.0), self.show(&self.1));
        format!("a size from {from} to {to}, such as 1.5MiB; a bare number is bytes")
    }

    fn read(&self, text: &str) -> Option<T> {
        let size = T::try_from(bytes(text)?).ok()?;
        (self.0..=self.1).contains(&size).then_some(size)
    }

    fn show(&self, value: &T) -> String {
        show_bytes((*value).try_into().unwrap_or(u64::MAX))
    }
}

/// One of a few words.
pub(super) struct OneOf<T: 'static>(pub &'static [(&'static str, T)]);

impl<T: Copy + PartialEq> Form for OneOf<T> {
    type Value = T;

    fn allowed(&self) -> String {
        let words: Vec<_> = self.0.iter().map(|(word, _)| *word).collect();
        format!("one of {}", words.join(", "))
    }

    fn read(&self, text: &str) -> Option<T> {
        self.0.iter().find(|(word, _)| *word == text).map(|(_, value)| *value)
    }

    fn show(&self, value: &T) -> String {
        self.0.iter().find(|(_, one)| one == value).map_or("", |(word, _)| word).into()
    }
}

/// A file. A relative path is made absolute now: the working directory may change later.
pub(super) struct FilePath;

impl Form for FilePath {
    type Value = PathBuf;

    fn allowed(&self) -> String {
        "a path".into()
    }

    fn read(&self, text: &str) -> Option<PathBuf> {
        std::path::absolute(text).ok()
    }

    fn show(&self, value: &PathBuf) -> String {
        value.display().to_string()
    }
}
