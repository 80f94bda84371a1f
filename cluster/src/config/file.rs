//! A TOML file, as a layer of settings.
//!
//! `[http] idle_time` and `http_idle_time` are the same: a table's name is put before its keys.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::draft::Draft;
use super::environment::nearest;
use super::table::settings;
use super::{Mistake, Origin};

/// The limit of a settings file, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// Makes a path absolute, so that a reload finds the same file in any working directory. Symbolic
/// links are not resolved: a deploy moves them on purpose.
pub(super) fn complete(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

/// Hands the file's values to the draft, in the order of the table.
pub(super) fn lay(path: &Path, draft: &mut Draft) {
    let text = match read(path) {
        Ok(text) => text,
        Err(error) => {
            let reason = format!("it cannot be read: {error}");
            return draft.reject(Mistake::of_file(path, None, reason));
        }
    };
    let line = |at| 1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count();
    match DeTable::parse(&text) {
        Ok(table) => {
            let mut values = Vec::new();
            flatten("", table.get_ref(), &mut values);
            lay_values(path, &values, line, draft);
        }
        Err(error) => {
            let reason = format!("it is not TOML: {}", error.message().replace('\n', " "));
            let line = error.span().map(|span| line(span.start));
            draft.reject(Mistake::of_file(path, line, reason));
        }
    }
}

/// Reads a file, up to the limit of a settings file; `/dev/zero` would never end.
fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let size = File::open(path)?.take(LARGEST + 1).read_to_string(&mut text)? as u64;
    if size > LARGEST {
        return Err(io::Error::other(format!("it is larger than {LARGEST} bytes")));
    }
    Ok(text)
}

/// A key prefixed with the names of its tables, its position in the text, and its value.
type Value<'a> = (String, usize, &'a DeValue<'a>);

fn flatten<'a>(prefix: &str, table: &'a DeTable<'a>, values: &mut Vec<Value<'a>>) {
    for (key, value) in table {
        let name = format!("{prefix}{}", key.get_ref());
        match value.get_ref() {
            DeValue::Table(inner) => flatten(&format!("{name}_"), inner, values),
            plain => values.push((name, key.span().start, plain)),
        }
    }
}

fn lay_values(path: &Path, values: &[Value<'_>], line: impl Fn(usize) -> usize, draft: &mut Draft) {
    let origin = |at| Origin::File { path: path.to_owned(), line: Some(line(at)) };
    for setting in settings() {
        for (_, at, value) in values.iter().filter(|(name, ..)| name == setting.key) {
            draft.take(setting, &plain(value), shown(value), origin(*at));
        }
    }
    for (name, at, _) in values {
        if settings().iter().all(|setting| setting.key != name) {
            let near = nearest(name, settings().iter().map(|setting| setting.key));
            draft.unknown(name, near, origin(*at));
        }
    }
}

/// The value as the forms read it: words without quotes, an array as a comma-separated list.
fn plain(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Array(values) => list(values, plain, ","),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| number.to_string(), |number| number.to_string()),
        other => shown(other),
    }
}

/// The value as a mistake shows it: as it is written in the file.
fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("{:?}", text.as_ref()),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(truth) => truth.to_string(),
        DeValue::Datetime(moment) => moment.to_string(),
        DeValue::Array(values) => format!("[{}]", list(values, shown, ", ")),
        DeValue::Table(_) => "{…}".into(),
    }
}

fn list(values: &[Spanned<DeValue<'_>>], one: fn(&DeValue<'_>) -> String, between: &str) -> String {
    values.iter().map(|value| one(value.get_ref())).collect::<Vec<_>>().join(between)
}
