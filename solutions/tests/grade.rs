//! `cargo test -p solutions`: the suite of the grader, compiled against the solutions.

use solutions::level_1;

#[path = "../../grader/suite/mod.rs"]
mod suite;

fn main() -> std::process::ExitCode {
    grader::main("solutions", &suite::exercises())
}
