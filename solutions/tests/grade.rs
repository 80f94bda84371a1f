//! `cargo test -p solutions`: the suite of the grader, compiled against the solutions.

#[path = "../src/level_1/mod.rs"]
mod level_1;
#[path = "../../exercises/src/provided.rs"]
mod provided;
#[path = "../../grader/suite/mod.rs"]
mod suite;

fn main() -> std::process::ExitCode {
    grader::main("solutions", &suite::exercises())
}
