//! The pages of this level have no `async`, which it does not teach yet.

use lab::contract::{code, pages};

use crate::SUITE;

#[test]
fn no_example_has_async() {
    for example in SUITE.examples {
        for (path, text) in pages(&SUITE, example) {
            let of_later =
                code(&text).find(|line| line.contains("async") || line.contains(".await"));
            assert_eq!(of_later, None, "{path}");
        }
    }
}
