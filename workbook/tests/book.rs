//! The rules that the pages of the workbook keep.

use std::fs;
use std::path::{Path, PathBuf};

use workbook::list::{Item, List};
use workbook::page::Page;
use workbook::{interview, pages_with_tables, root, tables};

/// The bones of a guide.
const BONES: [&str; 9] = [
    "By the end you can",
    "Commands",
    "What must always hold",
    "Predict",
    "Run",
    "Why",
    "Pitfalls",
    "Interview questions",
    "Further reading",
];

fn list() -> List {
    List::read(&root()).unwrap_or_else(|error| panic!("{error}"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_list_has_no_mistakes() {
    let mistakes = list().mistakes(&root());
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}

#[test]
fn every_interview_question_is_listed_with_level_and_topic() {
    let mistakes = interview::mistakes(&list(), &root()).unwrap_or_else(|error| panic!("{error}"));
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}

#[test]
fn every_prediction_has_its_answers() {
    for guide in &list().guides {
        let text = read(&root().join(&guide.file));
        let (_, predict) = text.split_once("\n## Predict\n").expect("it has its bones");
        let (predict, _) = predict.split_once("\n## Run\n").expect("it has its bones");
        let (questions, answers) = predict.split_once("<details>").unwrap_or((predict, ""));
        let items = |text: &str| {
            let first =
                |line: &&str| line.split('.').next().is_some_and(|it| it.parse::<u8>().is_ok());
            text.lines().filter(first).count()
        };
        assert!(items(questions) >= 2, "{}: too few predictions", guide.file);
        assert_eq!(items(questions), items(answers), "{}: answers to predictions", guide.file);
    }
}

#[test]
fn the_tables_match_the_list() {
    for page in pages_with_tables(&list()) {
        let text = read(&root().join(&page));
        let folder = page.strip_suffix("README.md").expect("only READMEs have tables");
        let filled = tables::fill(&text, folder, &list()).unwrap_or_else(|e| panic!("{page}: {e}"));
        assert!(filled == text, "{page} differs from workbook.toml: run `cargo run -p workbook`");
    }
}

#[test]
fn every_guide_and_example_on_disk_is_in_the_list() {
    let list = list();
    for level in &list.levels {
        let folder = root().join(&level.folder);
        let listed = |items: &[Item]| -> Vec<PathBuf> {
            let mine = items.iter().filter(|item| item.level == level.number);
            let mut files: Vec<PathBuf> = mine.map(|item| root().join(&item.file)).collect();
            files.sort();
            files
        };
        assert_eq!(inside(&folder.join("guides"), ""), listed(&list.guides));
        assert_eq!(inside(&folder.join("examples"), "main.rs"), listed(&list.examples));
    }
}

#[test]
fn every_exercise_on_disk_is_listed_with_hints_and_follow_ups() {
    let exercises = list().exercises;
    let sorted = |mut files: Vec<PathBuf>| {
        files.sort();
        files
    };
    let folder = root().join("exercises");
    for exercise in &exercises {
        let hints = exercise.hints.iter().map(|file| root().join(file)).collect();
        assert_eq!(inside(&folder.join("hints").join(&exercise.id), ""), sorted(hints));
    }
    let interviews = exercises.iter().flat_map(|one| &one.interview).map(|file| root().join(file));
    assert_eq!(inside(&folder.join("interview"), ""), sorted(interviews.collect()));
    for level in list().levels {
        let src = folder.join("src").join(format!("level_{}", level.number));
        let mine = exercises.iter().filter(|one| one.level == level.number);
        let mut files: Vec<PathBuf> = mine.map(|one| root().join(&one.file)).collect();
        if files.is_empty() {
            assert!(!src.exists(), "{} is not in the list", src.display());
            continue;
        }
        files.push(src.join("mod.rs"));
        assert_eq!(inside(&src, ""), sorted(files));
    }
}

/// The entries of `folder`, or the file of that name in each of its folders.
fn inside(folder: &Path, file: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let path = |entry: fs::DirEntry| {
        if file.is_empty() { entry.path() } else { entry.path().join(file) }
    };
    let mut found: Vec<PathBuf> = entries.map(|entry| path(entry.expect("listed"))).collect();
    found.sort();
    found
}

#[test]
fn every_guide_has_the_same_bones_and_a_readable_length() {
    for guide in &list().guides {
        let page = Page::read(&read(&root().join(&guide.file)));
        assert_eq!(page.headings, BONES, "{}", guide.file);
        assert!((700..=1400).contains(&page.words), "{} has {} words", guide.file, page.words);
    }
}

#[test]
fn every_guide_has_collapsed_answers() {
    for guide in &list().guides {
        let text = read(&root().join(&guide.file));
        let (_, questions) = text.split_once("## Interview questions").expect("it has its bones");
        let answers = questions.matches("<details>").count();
        assert!(answers >= 3, "{} has {answers} questions with answers", guide.file);
        assert_eq!(answers, questions.matches("</details>").count(), "{}", guide.file);
        assert_eq!(answers, questions.matches("<summary>").count(), "{}", guide.file);
    }
}

#[test]
fn every_command_of_a_guide_is_shown_with_its_output() {
    for guide in &list().guides {
        let page = Page::read(&read(&root().join(&guide.file)));
        let consoles = page.blocks.iter().filter(|(language, _)| language == "console");
        for (_, text) in consoles {
            let last = text.lines().last().unwrap_or_default();
            assert!(!last.starts_with("$ "), "{}: no output after {last:?}", guide.file);
        }
        let unknown = page
            .blocks
            .iter()
            .find(|(language, _)| !["console", "rust", "text"].contains(&language.as_str()));
        assert!(unknown.is_none(), "{}: a block in {:?}", guide.file, unknown);
    }
}

#[test]
fn every_diagram_is_followed_by_a_sentence() {
    for page in pages() {
        let text = read(&page);
        for (at, _) in text.match_indices("```text\n") {
            let after = &text[at + 8..];
            let (_, after) = after.split_once("```\n").expect("a block has an end");
            let next = after.trim_start().chars().next().unwrap_or_default();
            assert!(
                next.is_alphabetic() || next == '`',
                "{}: a diagram without a sentence",
                page.display()
            );
        }
    }
}

#[test]
fn every_link_inside_the_workbook_leads_somewhere() {
    for page in pages() {
        let folder = page.parent().expect("a page lies in a folder");
        for link in Page::read(&read(&page)).links {
            if link.contains("://") || link.starts_with('#') {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = folder.join(path);
            assert!(target.exists(), "{}: {link} leads nowhere", page.display());
            if !anchor.is_empty() {
                let headings = read(&target).to_lowercase().replace(' ', "-");
                assert!(headings.contains(&format!("#-{anchor}")), "{}: {link}", page.display());
            }
        }
    }
}

/// All Markdown pages of the workbook.
fn pages() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder can be listed") {
            let path = entry.expect("listed").path();
            let name = path.file_name().expect("listed by name").to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found
}
