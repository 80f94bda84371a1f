//! English.

mod events;
mod frame;
mod general;
mod listen;
mod reap;
mod spawn;
mod stuck;
mod supervise;

use super::{Explanation, Labels, Language};

const GUIDE_2: &str = "level-1-basics/guides/02-primary-and-workers.md";
const GUIDE_3: &str = "level-1-basics/guides/03-fork-exec-wait.md";
const GUIDE_4: &str = "level-1-basics/guides/04-sharing-a-port.md";
const GUIDE_5: &str = "level-1-basics/guides/05-talking-to-workers.md";
const GUIDE_6: &str = "level-1-basics/guides/06-life-of-a-worker.md";

/// English.
pub const ENGLISH: Language = Language {
    labels: Labels {
        file: "file",
        done: "done",
        expected: "expected",
        observed: "observed",
        timeline: "timeline",
        cause: "cause",
        read: "read",
        hint: "hint",
        output: "output",
        check: "check",
        none: "none",
        nothing: "(nothing)",
        not_started: "not started",
        waits_for: "waits for",
        needs: "needs",
        unavailable: "not checked",
        done_count: "done",
        failing_count: "failing",
        next: "next",
        all_done: "nothing, all of this is done",
        nothing_found: "no step has this name; `cargo test -p exercises -- --list` shows all",
    },
    explanations: &[
        general::EXPLANATIONS,
        stuck::EXPLANATIONS,
        spawn::EXPLANATIONS,
        reap::EXPLANATIONS,
        listen::EXPLANATIONS,
        frame::EXPLANATIONS,
        supervise::EXPLANATIONS,
    ],
    events: &[events::EVENTS],
    done: &[spawn::DONE, reap::DONE, listen::DONE, frame::DONE, supervise::DONE],
};
