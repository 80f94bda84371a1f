//! Every exercise has all its parts. These tests list the missing parts of a new one; the steps are in
//! CONTRIBUTING.md.

use std::fs;

use grader::words::words;

use crate::attempts::Attempt;
use crate::source::{self, holes, read, root};

#[test]
fn every_exercise_has_all_its_parts() {
    let mut missing = Vec::new();
    for item in source::list().exercises {
        let id = &item.id;
        let mut wants = |is_there: bool, what: String| {
            if !is_there {
                missing.push(format!("{id}: {what}"));
            }
        };
        let level = format!("level_{}", item.level);
        let file = format!("src/{level}/{id}.rs");
        wants(item.file == format!("exercises/{file}"), format!("its file is exercises/{file}"));
        for tree in ["exercises", "solutions"] {
            let manifest = read(root().join(tree).join("Cargo.toml"));
            wants(manifest.contains(&format!("\n{id} = []\n")), format!("a feature in {tree}"));
            wants(
                manifest.contains(&format!("\"{id}\"")),
                format!("its feature in {tree}'s level"),
            );
            let modules = read(root().join(tree).join("src").join(&level).join("mod.rs"));
            wants(modules.contains(&format!("pub mod {id};")), format!("a module in {tree}"));
            wants(root().join(tree).join(&file).is_file(), format!("{tree}/{file}"));
        }
        let suite = format!("grader/suite/{level}/{id}.rs");
        wants(root().join(&suite).is_file(), suite);
        let holes = holes(&source::stub(id));
        wants(
            holes.len() == item.steps.len(),
            "one hole for each step in workbook.toml".to_owned(),
        );
        for (index, hole) in holes.iter().enumerate() {
            let trial = format!("{id}::{}", index + 1);
            let right = hole.lines.iter().any(|line| line.contains(&format!("hole!(\"{trial}\"")));
            wants(right, format!("the hole {trial} in fn {}", hole.name));
            wants(!words().done(&trial).is_empty(), format!("what is done in {trial}, in words"));
        }
        for hint in 1..=3 {
            is_hint(id, hint, item.steps.len(), &mut wants);
        }
        is_interview(id, &mut wants);
        let guides = source::list().guides;
        let reads = guides.iter().any(|guide| item.prerequisites.contains(&guide.id));
        wants(reads, "a guide to read, among its prerequisites".to_owned());
        let attempts = Attempt::all(id).len();
        wants(attempts >= 3, format!("at least three wrong attempts, but it has {attempts}"));
    }
    assert!(missing.is_empty(), "these parts are missing or wrong:\n{}", missing.join("\n"));
}

fn is_hint(id: &str, number: usize, steps: usize, wants: &mut impl FnMut(bool, String)) {
    let path = format!("exercises/hints/{id}/{number}.md");
    let text = fs::read_to_string(root().join(&path)).unwrap_or_default();
    wants(text.starts_with(&format!("# {id}, hint {number}\n")), format!("{path} with its title"));
    let headings: Vec<&str> = text.lines().filter(|line| line.starts_with("## ")).collect();
    let expected: Vec<String> = (1..=steps).map(|step| format!("## Step {step}")).collect();
    wants(headings == expected, format!("{path} with one heading for each step"));
}

fn is_interview(id: &str, wants: &mut impl FnMut(bool, String)) {
    let path = format!("exercises/interview/{id}.md");
    let text = fs::read_to_string(root().join(&path)).unwrap_or_default();
    let headings: Vec<&str> = text.lines().filter(|line| line.starts_with("## ")).collect();
    let expected = ["## 1 Recall", "## 2 Explain", "## 3 Debug", "## 4 Change", "## 5 Design"];
    wants(headings == expected, format!("{path} with five follow-ups, from recall to design"));
    let closed = text.matches("</details>").count();
    let criteria = text.matches("<summary>What a good answer has</summary>").count();
    wants(criteria == 5 && closed == 5, format!("{path} with collapsed criteria for each"));
}

#[test]
fn every_finding_has_words_that_lead_to_a_guide() {
    let mut wrong = Vec::new();
    let suite: Vec<(String, String)> =
        sources("grader/suite").chain(sources("grader/src")).collect();
    for one in words().all() {
        let quoted = format!("\"{}\"", one.id);
        let is_word = |path: &str| path.contains("/words/");
        let used = suite.iter().any(|(path, text)| !is_word(path) && text.contains(&quoted));
        if !used {
            wrong.push(format!("no check finds {}", one.id));
        }
        if let Some((file, section)) = one.read {
            let text = fs::read_to_string(root().join(file)).unwrap_or_default();
            if ![format!("**{section}"), format!("**\"{section}"), format!("**`{section}`")]
                .iter()
                .any(|lead| text.contains(lead))
            {
                wrong.push(format!("{}: {file} has no paragraph {section:?}", one.id));
            }
        }
    }
    for (path, text) in suite.iter().filter(|(path, _)| path.starts_with("grader/suite")) {
        for (id, values) in ensured(text) {
            let known = words().all().find(|one| one.id == id);
            let Some(known) = known else {
                wrong.push(format!("{path}: there are no words for {id}"));
                continue;
            };
            let said = [known.expected, known.observed, known.cause].concat();
            for value in values {
                if !said.contains(&format!("{{{value}}}")) {
                    wrong.push(format!("{path}: the words for {id} have no place for {value}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The ids of all `ensure!` in a file, and the names of the values that they give.
fn ensured(text: &str) -> Vec<(String, Vec<String>)> {
    let calls =
        text.split("ensure!(").skip(1).map(|rest| rest.split(");\n").next().unwrap_or(rest));
    let one = |call: &str| {
        // The first text with a dot in it is the id; the word before each `=` after it is a name.
        let id = call.split('"').skip(1).step_by(2).find(|text| text.contains('.'))?;
        let (_, values) = call.split_once(&format!("\"{id}\""))?;
        let last = |part: &str| part.split_whitespace().last().unwrap_or_default().to_owned();
        let mut names: Vec<String> = values.split(" = ").map(last).collect();
        names.pop();
        Some((id.to_owned(), names))
    };
    calls.filter_map(one).collect()
}

/// All Rust files below `folder`, with their texts.
fn sources(folder: &str) -> impl Iterator<Item = (String, String)> + use<> {
    let mut folders = vec![root().join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder can be listed").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root()).expect("below the root").display().to_string();
                found.push((name, read(&path)));
            }
        }
    }
    found.into_iter()
}
