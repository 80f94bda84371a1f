//! Measures the rivals over the number of workers, as whole processes under `load`.
//!
//! | file | role |
//! |---|---|
//! | `kind` | the kinds of work, with their clients and numbers of workers |
//! | `cell` | one run: a rival with a number of workers |
//! | `rounds` | all runs, in rounds |
//! | `gain` | the gain of two workers and more, against bare processes |

mod cell;
mod gain;
mod kind;
mod rounds;

pub use gain::Gain;
pub use kind::Kind;
pub use rounds::{Measured, Options, measure};
