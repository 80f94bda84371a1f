//! The grader, graded: real learners' files in a copy of the workbook, and `cargo test -p exercises`
//! on them, as a learner would run it.
//!
//! `GALLERY=record cargo test -p grader gallery` records the messages that a test compares.

mod attempts;
mod classroom;
mod gallery;
mod hostile;
mod parts;
mod paste;
mod source;
mod trees;
mod workshop;
