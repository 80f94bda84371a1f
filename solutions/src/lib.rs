//! The exercises, solved: the same tree as `exercises/src`, as somebody would write it who has done it
//! before, with comments where a learner would stop and ask.
//!
//! ```console
//! $ cargo test -p solutions
//! ```

pub mod level_1;

#[path = "../../exercises/src/provided.rs"]
mod provided;
