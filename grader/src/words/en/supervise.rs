//! `supervise`.

use super::{Explanation, GUIDE_2, GUIDE_3, GUIDE_6};

/// By the name of the trial.
pub const DONE: &[(&str, &str)] = &[
    ("supervise::1", "decide(life, early_deaths, limit) was called for every kind of life."),
    (
        "supervise::2",
        "start() was called. The worker reports that it is at work, waits, reports that it is ready, \
         waits again, and returns 7.",
    ),
    (
        "supervise::3",
        "Three workers were started. Two were killed at the same time; one was asked to stop; one \
         could not start, three times in a row; one reported that it was ready and exited with 0 \
         at once. After each of these, tend() was called.",
    ),
    (
        "supervise::4",
        "Two workers were started, and retire() was called with the pid of one of them; then with \
         the pid of a child that is not on the list.",
    ),
    (
        "supervise::5",
        "Three workers were started, one of which is already dead. stop() was called. After \
         SIGTERM, each of the other two waits until both have received it, interrupts the primary \
         once with SIGUSR1, and exits.",
    ),
];

/// By id.
pub const EXPLANATIONS: &[Explanation] = &[
    Explanation {
        id: "supervise.rule",
        expected: "{expected} after the end of a worker with {life}, with early_deaths: {deaths} and \
                   limit: {limit}",
        observed: "{seen}",
        cause: "Decide in this order. Was the worker asked to stop? Then leave it, whatever else is true. \
                Was it ready? Then replace it. Otherwise it died early: replace it, until `limit` \
                workers in a row have died early.",
        read: Some((GUIDE_6, "The limit.")),
    },
    Explanation {
        id: "supervise.in-primary",
        expected: "the work is done in a worker",
        observed: "the process that called start() did it itself",
        cause: "The work was called outside the child's branch.",
        read: Some((GUIDE_2, "What must a primary not do?")),
    },
    Explanation {
        id: "supervise.listed",
        expected: "worker {pid} on the list, and no other, with a life in which nothing has happened \
                   yet",
        observed: "{seen}",
        cause: "A worker that is not on the list cannot be found again when it ends. `Life::default()` is \
                neither ready nor asked to stop.",
        read: None,
    },
    Explanation {
        id: "supervise.unheard",
        expected: "the worker's report that it is ready arrives",
        observed: "it did not arrive",
        cause: "The worker needs a write end of the supervisor's pipe: a clone of `words.1`, as `Ready`.",
        read: Some((GUIDE_6, "Ready is a message.")),
    },
    Explanation {
        id: "supervise.tended",
        expected: "{case}:\n{expected}",
        observed: "{seen}",
        cause: "One call reaps all workers that have ended, and judges each by its own life. A report \
                counts, even if the worker has died since: read the reports before you judge. (Leave: \
                the worker was asked to stop. GiveUp: the third early death in a row.)",
        read: Some((GUIDE_6, "The intentional stop.")),
    },
    Explanation {
        id: "supervise.replaced",
        expected: "one new worker in place of the dead one",
        observed: "new on the list: {new}",
        cause: "Next::Replace means: start one worker. Start one for each death, not one for all, and \
                do not retry until it works: that would be the tight loop.",
        read: Some((GUIDE_6, "The limit.")),
    },
    Explanation {
        id: "supervise.counted",
        expected: "{case}: early_deaths: {expected}",
        observed: "{seen}",
        cause: "early_deaths counts deaths before ready, in a row: it goes up by one with each, and \
                back to 0 with a worker that was ready. A worker that was asked to stop does not \
                change it.",
        read: Some((GUIDE_6, "The limit.")),
    },
    Explanation {
        id: "supervise.kept",
        expected: "{case}: {expected} workers, on the list and running",
        observed: "on the list: {listed}; running: {running}",
        cause: "A worker that is on the list but not running was reaped but not taken off the \
                list. A worker that is running but not on the list was started but not put on it. \
                If there are too few, one was not replaced; if there are too many, one was \
                replaced that should not have been.",
        read: Some((GUIDE_6, "The intentional stop.")),
    },
    Explanation {
        id: "supervise.intent",
        expected: "after retire({pid}) the list says that it was asked to stop",
        observed: "it does not",
        cause: "Neither the code nor the signal shows whether the end was intended. If the intent \
                is not written down, the next tend() takes this end for a crash and replaces the \
                worker.",
        read: Some((GUIDE_6, "The intentional stop.")),
    },
    Explanation {
        id: "supervise.stranger",
        expected: "the error NotFound for a pid that is not on the list, and no signal",
        observed: "{seen}; the process with that pid {ending}",
        cause: "A pid that is not on the list belongs to another process: perhaps the worker was reaped, \
                and the kernel has given its pid away again. Look first, then signal.",
        read: Some((GUIDE_3, "Zombie.")),
    },
    Explanation {
        id: "supervise.spared",
        expected: "the other worker, {pid}, keeps running",
        observed: "it was asked to stop as well, or has ended",
        cause: "retire stops one worker only.",
        read: None,
    },
    Explanation {
        id: "supervise.signal",
        expected: "a worker that was terminated by SIGTERM",
        observed: "it {seen}",
        cause: "SIGTERM asks, and leaves time to finish. SIGKILL does not.",
        read: Some((GUIDE_6, "Graceful, with a deadline.")),
    },
    Explanation {
        id: "supervise.returned-early",
        expected: "stop() returns when all workers are reaped",
        observed: "not reaped, or not even ended: {pids}",
        cause: "Your code did not wait, or the wait was cut short: a signal interrupts waitpid, and EINTR \
                means that it has to be called again.",
        read: Some((GUIDE_3, "Signals.")),
    },
    Explanation {
        id: "supervise.replaced-in-stop",
        expected: "no worker is started while all of them are being stopped",
        observed: "a new worker reported that it was ready",
        cause: "The worker that was dead before stop() was replaced during the stop: tend() does \
                not know about the stop, unless every worker on the list was asked to stop first.",
        read: Some((GUIDE_6, "The intentional stop.")),
    },
    Explanation {
        id: "supervise.still-listed",
        expected: "an empty list after stop()",
        observed: "still on it: {pids}",
        cause: "A worker that has been reaped is no longer a worker, and its pid may soon belong to \
                another process.",
        read: Some((GUIDE_3, "Zombie.")),
    },
];
