//! `exercises` and `solutions` are the same tree: the same modules, types, signatures and
//! documentation. Only the bodies of the steps differ, and the private parts of the solutions.

use std::collections::BTreeSet;

use crate::source::{self, functions, holes};
use crate::workshop::exercises;

#[test]
fn both_trees_have_the_same_public_text() {
    for id in exercises() {
        let steps: Vec<String> = holes(&source::stub(&id)).into_iter().map(|f| f.name).collect();
        let (stub, solution) =
            (public(&source::stub(&id), &steps), public(&source::solution(&id), &steps));
        for (one, other) in stub.iter().zip(&solution) {
            assert_eq!(one, other, "{id}: the stub and the solution differ");
        }
        assert_eq!(stub.len(), solution.len(), "{id}: one of the two has more lines");
    }
    let levels: BTreeSet<u8> = source::list().exercises.iter().map(|one| one.level).collect();
    for level in levels {
        let path = format!("src/level_{level}/mod.rs");
        let modules = |tree: &str| source::read(source::root().join(tree).join(&path));
        assert_eq!(modules("exercises"), modules("solutions"));
    }
}

#[test]
fn no_hole_is_left_in_a_solution() {
    for id in exercises() {
        assert!(!source::solution(&id).contains("hole!"), "{id}");
    }
}

/// The public text of a file: without the bodies of the steps, imports, comments, and functions that
/// are private and not provided.
fn public(text: &str, steps: &[String]) -> Vec<String> {
    let mut text = text.to_owned();
    for function in functions(&text) {
        let whole = function.lines.join("\n");
        let is_private = !function.lines[0].trim_start().starts_with("pub ");
        if steps.contains(&function.name) {
            let body = function.lines.iter().position(|line| line.ends_with('{')).expect("a body");
            text = text.replacen(&whole, &function.lines[..=body].join("\n"), 1);
        } else if is_private && !whole.starts_with(' ') {
            text = without_docs_before(&text, &whole);
        }
    }
    let uses = text.split_inclusive(";\n").map(|part| match part.find("\nuse ") {
        Some(at) => &part[..at],
        None => part,
    });
    let text: String = uses.collect();
    let is_seen = |line: &&str| {
        let line = line.trim();
        !line.is_empty()
            && !line.starts_with("#![allow")
            && (!line.starts_with("//") || is_doc(line))
    };
    text.lines().filter(is_seen).map(str::to_owned).collect()
}

fn is_doc(line: &str) -> bool {
    line.starts_with("///") || line.starts_with("//!")
}

fn without_docs_before(text: &str, whole: &str) -> String {
    let (before, after) = text.split_once(whole).expect("it was found there");
    let kept: Vec<&str> = before.lines().collect();
    let docs = kept.iter().rev().take_while(|line| is_doc(line)).count();
    kept[..kept.len() - docs].join("\n") + "\n" + after
}
