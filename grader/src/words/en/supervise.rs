//! `supervise`.

use super::{Explanation, GUIDE_2, GUIDE_3, GUIDE_6};

/// By the name of the trial.
pub const DONE: &[(&str, &str)] = &[
    ("supervise::1", "decide(life, early_deaths, limit) was called for every kind of life."),
    (
        "supervise::2",
        "start() was called. The worker says that it is at work, waits, says that it is ready, waits \
         again, and returns 7.",
    ),
    (
        "supervise::3",
        "Three workers were started. Two were killed at the same time; one was told to stop; one \
         could not start, three times in a row; one said that it was ready and exited with 0 at \
         once. After each of these, tend() was called.",
    ),
    (
        "supervise::4",
        "Two workers were started, and retire() was called with the pid of one of them; then with \
         the pid of a child that is not on the list.",
    ),
    (
        "supervise::5",
        "Three workers were started, one of which is dead already. stop() was called. After SIGTERM, \
         each of the other two waits until both have been told, interrupts the primary once with \
         SIGUSR1, and exits.",
    ),
];

/// By id.
pub const EXPLANATIONS: &[Explanation] = &[
    Explanation {
        id: "supervise.rule",
        expected: "{expected} after the end of a worker with {life}, with early_deaths: {deaths} and \
                   limit: {limit}",
        observed: "{seen}",
        cause: "Ask in this order. Was it told to stop? Then leave it, whatever else is true. Was it \
                ready? Then it is replaced. Otherwise it died early: that is repaired, until `limit` \
                in a row have.",
        read: Some((GUIDE_6, "The limit.")),
    },
    Explanation {
        id: "supervise.in-primary",
        expected: "the work is done in a worker",
        observed: "the process that called start() did it itself",
        cause: "The work was called outside of the child's branch.",
        read: Some((GUIDE_2, "What must a primary not do?")),
    },
    Explanation {
        id: "supervise.listed",
        expected: "worker {pid} on the list, and nobody else, with a life in which nothing has happened \
                   yet",
        observed: "{seen}",
        cause: "Who is not on the list cannot be found again when it ends. `Life::default()` is neither \
                ready nor told to stop.",
        read: None,
    },
    Explanation {
        id: "supervise.unheard",
        expected: "the worker's word that it is ready arrives",
        observed: "it was not heard",
        cause: "The worker needs a write end of the supervisor's pipe: a clone of `words.1`, as `Ready`.",
        read: Some((GUIDE_6, "Ready is a message.")),
    },
    Explanation {
        id: "supervise.tended",
        expected: "{case}:\n{expected}",
        observed: "{seen}",
        cause: "Everybody who has ended is reaped and judged, each by its own life, in one call. What a \
                worker has said before its death counts: hear it before you judge. (Leave: it was told \
                to stop. GiveUp: the third early death in a row.)",
        read: Some((GUIDE_6, "The intentional stop.")),
    },
    Explanation {
        id: "supervise.replaced",
        expected: "one new worker in place of the dead one",
        observed: "new on the list: {new}",
        cause: "Next::Replace means: start one. For each death one, not one for all, and not until it \
                works: that would be the tight loop.",
        read: Some((GUIDE_6, "The limit.")),
    },
    Explanation {
        id: "supervise.counted",
        expected: "{case}: early_deaths: {expected}",
        observed: "{seen}",
        cause: "It counts deaths before ready, in a row: one more with each, back to 0 with a worker that \
                was ready. Those that were told to stop do not count, neither way.",
        read: Some((GUIDE_6, "The limit.")),
    },
    Explanation {
        id: "supervise.kept",
        expected: "{case}: {expected} workers, on the list and running",
        observed: "on the list: {listed}; running: {running}",
        cause: "Who is on the list and does not run was reaped and not taken off it. Who runs and is not \
                on the list was started and not written down. If there are too few, somebody was not \
                replaced; if there are too many, somebody was who should not have been.",
        read: Some((GUIDE_6, "The intentional stop.")),
    },
    Explanation {
        id: "supervise.intent",
        expected: "after retire({pid}) the list says that it was told to stop",
        observed: "it does not",
        cause: "Neither code nor signal tells whether an end was wanted. If the intent is not written \
                down, the next tend() takes this end for a crash and replaces the worker.",
        read: Some((GUIDE_6, "The intentional stop.")),
    },
    Explanation {
        id: "supervise.stranger",
        expected: "the error NotFound for a pid that is not on the list, and no signal",
        observed: "{seen}; the process with that pid {ending}",
        cause: "A pid that is not on the list belongs to somebody else: a worker that was reaped, whose \
                number the kernel has given away again. Look first, then signal.",
        read: Some((GUIDE_3, "Zombie.")),
    },
    Explanation {
        id: "supervise.spared",
        expected: "the other worker, {pid}, goes on",
        observed: "it was told to stop as well, or has ended",
        cause: "retire is about one worker.",
        read: None,
    },
    Explanation {
        id: "supervise.signal",
        expected: "a worker that SIGTERM has ended",
        observed: "it {seen}",
        cause: "SIGTERM asks, and leaves time to finish. SIGKILL does not.",
        read: Some((GUIDE_6, "Graceful, with a deadline.")),
    },
    Explanation {
        id: "supervise.returned-early",
        expected: "stop() returns when all workers are reaped",
        observed: "not reaped, or not even ended: {pids}",
        cause: "The wait was never made, or it was cut short: a signal interrupts waitpid, and EINTR \
                means that it has to be called again.",
        read: Some((GUIDE_3, "Signals.")),
    },
    Explanation {
        id: "supervise.replaced-in-stop",
        expected: "while all are stopped, nobody is started",
        observed: "a new worker said that it was ready",
        cause: "The one that was dead before stop() was replaced by it: tend() knows nothing of the \
                stop, unless every worker on the list was told first.",
        read: Some((GUIDE_6, "The intentional stop.")),
    },
    Explanation {
        id: "supervise.still-listed",
        expected: "an empty list after stop()",
        observed: "still on it: {pids}",
        cause: "Who has been reaped is no worker any more, and its pid may soon be somebody else's.",
        read: Some((GUIDE_3, "Zombie.")),
    },
];
