//! The checks of all exercises. This folder is compiled twice: against `exercises`, and against
//! `solutions`, which must pass it.
//!
//! A check calls the learner's functions through [`grader::Check`], so that the warden knows where
//! the check is. It waits for facts, never for a time to pass, and never sleeps for as long as a
//! second: the warden would call it stuck.

mod level_1;

use grader::Exercise;

/// All exercises that are compiled.
pub fn exercises() -> Vec<Exercise> {
    level_1::exercises()
}
