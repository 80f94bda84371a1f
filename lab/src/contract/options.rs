//! The options of all examples, and the errors for wrong ones.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::Service;
use crate::suite::{Suite, stderr};

/// `--help` names the options that all examples have.
pub fn help_names_the_options_of_the_contract(suite: &Suite) {
    for example in suite.examples {
        let output = suite.run(example, &["--help"]);
        assert!(output.status.success(), "{example}");
        let help = String::from_utf8_lossy(&output.stdout);
        for word in ["--listen", "127.0.0.1:8000", "--workers", "CLUSTER_WORKERS", "--demo"] {
            assert!(help.contains(word), "{example} --help does not mention {word}:\n{help}");
        }
    }
}

/// A wrong argument gets one line that helps, code 2, and no process.
pub fn bad_arguments_get_a_sentence_and_start_nothing(suite: &Suite) {
    for example in suite.examples {
        for (args, advice) in [
            (["--workers", "0"], "whole number from 1 to 64"),
            (["--workers", "65"], "whole number from 1 to 64"),
            (["--workers", "two"], "whole number from 1 to 64"),
            (["--listen", "8000"], "such as 127.0.0.1:8000"),
            (["--listen", "localhost:http"], "such as 127.0.0.1:8000"),
            (["--listne", "127.0.0.1:0"], "--listen"),
            (["--wrong", "everything"], "possible values"),
            (["serve", "now"], "unexpected argument"),
        ] {
            let output = suite.run(example, &args);
            let said = stderr(&output);
            assert_eq!(output.status.code(), Some(2), "{example} {args:?}: {said}");
            assert!(
                said.starts_with("error: ") && said.contains(advice),
                "{example} {args:?}: {said}"
            );
            assert!(output.stdout.is_empty(), "{example} {args:?} wrote to stdout");
        }
    }
}

/// `CLUSTER_WORKERS` is checked like `--workers`.
pub fn the_environment_sets_the_number_of_workers_and_is_checked_too(suite: &Suite) {
    for example in suite.examples {
        let output =
            suite.bounded(example).env("CLUSTER_WORKERS", "many").output().expect("it runs");
        let said = stderr(&output);
        assert!(
            said.contains("CLUSTER_WORKERS take a whole number from 1 to 64"),
            "{example}: {said}"
        );
    }
}

/// Other variables in the environment do not matter, whatever they contain.
pub fn variable_that_is_not_text_is_ignored(suite: &Suite) {
    for example in suite.examples {
        let mut command = suite.command(example, &[]);
        command.env("WORKBOOK_ODD", OsStr::from_bytes(b"\xff"));
        let service = Service::launch(command).and_then(Service::until_ready);
        service.unwrap_or_else(|error| panic!("{example}: {error}"));
    }
}

/// An empty variable counts as not set: each one that `--help` names, and both of the contract.
pub fn empty_variable_counts_as_not_set(suite: &Suite) {
    for example in suite.examples {
        let help = suite.run(example, &["--help"]).stdout;
        let names = variables(&String::from_utf8_lossy(&help));
        assert!(names.iter().any(|name| name == "CLUSTER_WORKERS"), "{example}: {names:?}");
        let empty: Vec<_> = names.iter().map(|name| (name.as_str(), "")).collect();
        let _ = suite.start_with(&empty, example, &[]);

        // Here no option stands in for the address. The next variable is wrong, so nothing starts.
        let mut command = suite.bounded(example);
        command.env("CLUSTER_LISTEN", "").env("CLUSTER_WORKERS", "many");
        let said = stderr(&command.output().expect("it runs"));
        assert!(said.contains("CLUSTER_WORKERS take a whole number"), "{example}: {said}");
    }
}

/// The variables that a help names, such as `[env: CLUSTER_WORKERS=]`.
fn variables(help: &str) -> Vec<String> {
    let name = |rest: &str| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        rest[..end.unwrap_or(rest.len())].to_owned()
    };
    help.split("[env: ").skip(1).map(name).collect()
}
