//! `spawn`.

use super::{Explanation, GUIDE_2, GUIDE_3, GUIDE_5};

/// By the name of the trial.
pub const DONE: &[(&str, &str)] = &[
    (
        "spawn::1",
        "fork_worker(work) was called. The work reports its pid, waits for the grader, and returns 7.",
    ),
    (
        "spawn::2",
        "fork_workers(4, work) was called. Worker n reports its number, waits at the grader's gate \
         until all four are at work, and returns 10 + n.",
    ),
    (
        "spawn::3",
        "ask_worker(work) was called with answers from nothing to more than 1 MiB, once while an \
         older child had ended and had not been reaped; with work that exits with code 3, and with \
         work that dies of SIGKILL.",
    ),
    (
        "spawn::4",
        "ask_workers(4, work) was called. Each worker waits until all four are at work, and then \
         answers with its number and 200,000 letters. Then ask_workers(3, work) was called, where \
         worker 1 exits with code 3.",
    ),
];

/// By id.
pub const EXPLANATIONS: &[Explanation] = &[
    Explanation {
        id: "spawn.in-primary",
        expected: "the work is done in a worker",
        observed: "the process that called your function did it itself",
        cause: "`work` was called outside the child's branch. The primary is the only process that is \
                not restarted when it dies, so it does no work.",
        read: Some((GUIDE_2, "What must a primary not do?")),
    },
    Explanation {
        id: "spawn.pid",
        expected: "the pid of the worker: {worker}",
        observed: "{returned}",
        cause: "`fork` returns twice. In the parent it returns the child's pid; `getpid()` returns your \
                own, and a child that forks again is no longer the worker.",
        read: Some((GUIDE_2, "Which role is mine?")),
    },
    Explanation {
        id: "spawn.code",
        expected: "a worker that exited with code {expected}, which its work returned",
        observed: "it {seen}",
        cause: "The value that `work` returns has to become the exit code: `exit(work())`. A \
                constant code gives the primary no information.",
        read: Some((GUIDE_3, "Status.")),
    },
    Explanation {
        id: "spawn.numbers",
        expected: "the numbers 0, 1, 2 and 3, each in one worker",
        observed: "{seen}",
        cause: "If a number appears twice, two processes worked on it: a child continued in its \
                parent's loop. If a number is missing, the loop counts wrongly.",
        read: Some((GUIDE_2, "Which role is mine?")),
    },
    Explanation {
        id: "spawn.pids",
        expected: "the pids in the order of the numbers: {workers}",
        observed: "{returned}",
        cause: "The caller finds a worker by its place in the list. Keep the order in which you forked.",
        read: None,
    },
    Explanation {
        id: "spawn.more-work",
        expected: "each worker does one piece of work",
        observed: "after all of them had ended, more work was done",
        cause: "A child continued in its parent's loop, and forked workers of its own. With n \
                rounds there are 2ⁿ processes.",
        read: Some((GUIDE_2, "Which role is mine?")),
    },
    Explanation {
        id: "spawn.answers",
        expected: "{expected} answers",
        observed: "{seen}",
        cause: "There is one answer for each worker.",
        read: None,
    },
    Explanation {
        id: "spawn.answer",
        expected: "the whole answer: {expected} bytes",
        observed: "{seen} bytes, or the wrong ones",
        cause: "A pipe is a stream: one read returns only the bytes that are available, and that \
                may be a part. The answer ends where the stream ends.",
        read: Some((GUIDE_5, "A stream has no messages.")),
    },
    Explanation {
        id: "spawn.half-answer",
        expected: "an error, because a worker died before it had answered",
        observed: "{seen}",
        cause: "The end of a pipe looks the same after half an answer, or none. The difference is in how \
                the worker ended: waitpid returns that, and only code 0 means that the work was \
                finished.",
        read: Some((GUIDE_3, "Status.")),
    },
    Explanation {
        id: "spawn.answer-order",
        expected: "the answer of worker {number} in place {number}",
        observed: "the answer of worker {seen}",
        cause: "Workers end in any order. The caller expects the answers in the order of their numbers.",
        read: None,
    },
];
