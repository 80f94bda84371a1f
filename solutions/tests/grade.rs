//! `cargo test -p solutions`: the suite of the grader, compiled against the solutions.

use solutions::level_1;

#[path = "../../grader/suite/mod.rs"]
mod suite;

fn main() -> std::process::ExitCode {
    let subject = grader::Subject { package: "solutions", strict: true };
    grader::main(subject, &suite::exercises())
}
