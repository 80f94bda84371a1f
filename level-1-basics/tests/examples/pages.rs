//! An example is a page: short enough to be read in one sitting, and free of what its level has not
//! taught.

use std::fs;
use std::path::Path;

use crate::EXAMPLES;

#[test]
fn each_file_of_an_example_is_a_page() {
    for example in EXAMPLES {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(example);
        for entry in fs::read_dir(folder).expect("each example has a folder") {
            let path = entry.expect("it can be listed").path();
            let text = fs::read_to_string(&path).expect("it can be read");
            let code: Vec<&str> =
                text.lines().map(str::trim).filter(|line| is_code(line)).collect();
            assert!(code.len() <= 150, "{} has {} lines of code", path.display(), code.len());
            assert!(text.starts_with("//! "), "{} does not say what it is", path.display());
            let of_later =
                code.iter().find(|line| line.contains("async") || line.contains(".await"));
            assert_eq!(of_later, None, "{}", path.display());
        }
    }
}

fn is_code(line: &str) -> bool {
    !line.is_empty() && !line.starts_with("//")
}
