//! Inputs that are close to valid ones.

use proptest::collection::vec;
use proptest::prelude::*;

/// Known pieces in any order, with some noise between them.
pub fn of(known: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(known).prop_map(|text| text.as_bytes().to_vec());
    let number = "-?[0-9]{1,25}(\\.[0-9]{1,20})?(e-?[0-9]{1,4})?".prop_map(String::into_bytes);
    let piece = prop_oneof![8 => known, 1 => number, 1 => vec(any::<u8>(), 0..8)];
    vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// JSON whose keys and strings mean something here.
pub fn json(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    let word = prop::sample::select(words);
    let leaf = prop_oneof![
        word.clone().prop_map(|word| format!("{word:?}")),
        "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,20})?(e-?[0-9]{1,4})?",
        Just("null".into()),
    ];
    leaf.prop_recursive(8, 64, 4, move |inner| {
        let entry = (word.clone(), inner.clone());
        let object = vec(entry, 0..4).prop_map(|entries| {
            let entries: Vec<_> = entries.iter().map(|(k, v)| format!("{k:?}:{v}")).collect();
            format!("{{{}}}", entries.join(","))
        });
        prop_oneof![vec(inner, 0..4).prop_map(|all| format!("[{}]", all.join(","))), object]
    })
}
