//! The body of a change.

use serde_json::{Map, Value};

/// Reads the only field of a body such as `{"workers": 4}`.
///
/// The error describes the problem for the client.
pub(super) fn number(body: &[u8], field: &str) -> Result<u64, String> {
    let example = format!("; send {{\"{field}\": 4}}");
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| format!("the body is not JSON ({error}){example}"))?;
    let Value::Object(fields) = value else {
        return Err(format!("the body is not an object{example}"));
    };
    the_only(&fields, field).map_err(|reason| reason + &example)
}

fn the_only(fields: &Map<String, Value>, field: &str) -> Result<u64, String> {
    if let Some(other) = fields.keys().find(|key| *key != field) {
        return Err(format!("there is no field {other:?}"));
    }
    let value = fields.get(field).ok_or_else(|| format!("the field {field:?} is missing"))?;
    value.as_u64().ok_or_else(|| format!("the field {field:?} must be a whole number"))
}

#[cfg(test)]
mod tests {
    use super::number;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn arbitrary_body_never_panics(body: Vec<u8>) {
            let _ = number(&body, "workers");
        }

        #[test]
        fn only_the_named_field_is_accepted(name in "workers?|slot", n: i64, garbage in "[ ,}0]?") {
            let body = format!("{{\"{name}\": {n}}}{garbage}");
            let good = name == "workers" && n >= 0 && garbage.trim().is_empty();
            prop_assert_eq!(number(body.as_bytes(), "workers").ok(), good.then_some(n.unsigned_abs()));
        }
    }
}
