//! `reap`.

use super::{Explanation, GUIDE_3, GUIDE_6};

/// By the name of the trial.
pub const DONE: &[(&str, &str)] = &[
    (
        "reap::1",
        "Children exited with several codes, were killed by signals, and one was stopped. \
         decode(status) was called with the status that waitpid returns for each.",
    ),
    (
        "reap::2",
        "An older child had ended and had not been reaped. wait_for(worker) was called; the worker \
         interrupted it three times with SIGUSR1, which has a handler, and exited with 7. Then \
         wait_for was called with the pid of a process that is not a child.",
    ),
    (
        "reap::3",
        "reap_ended() was called without any child; then with three children that had ended and \
         one that was running; then once more; and again after the last one had ended, too.",
    ),
    (
        "reap::4",
        "stop was called three times. First with four workers and 2 s: two that finish a request \
         after SIGTERM and exit with 0 (each waits until the other one has received SIGTERM, too), \
         one that SIGTERM kills, and one that was already dead. Then with two stubborn workers and \
         300 ms. Then with one that SIGTERM kills, and one hour.",
    ),
];

/// By id.
pub const EXPLANATIONS: &[Explanation] = &[
    Explanation {
        id: "reap.decoded",
        expected: "for a worker that {what}: {expected}",
        observed: "{seen}",
        cause: "A status is about one of four things: an exit with a code, a death by a signal, a \
                stop, or a continuation. Only the first two mean that the worker has ended. (137 \
                is a code like any other: only shells turn signal 9 into it.)",
        read: Some((GUIDE_3, "Status.")),
    },
    Explanation {
        id: "reap.interrupted",
        expected: "wait_for(worker) waits until the worker has ended",
        observed: "it gave up with EINTR when a signal arrived, and the worker is still running",
        cause: "EINTR is not an error. A handler has run and the wait was cut short; nothing else has \
                happened: call waitpid again.",
        read: Some((GUIDE_3, "Signals.")),
    },
    Explanation {
        id: "reap.other",
        expected: "how the worker ended: {expected}",
        observed: "{seen}",
        cause: "waitpid without a pid reaps any child, and the older one had ended first. Pass the \
                pid of the worker.",
        read: Some((GUIDE_3, "Zombie.")),
    },
    Explanation {
        id: "reap.stole",
        expected: "the older child {pid} is still a zombie, for its own waitpid to reap",
        observed: "it is gone",
        cause: "Other code may be waiting for it, and would get ECHILD. A status can be read only once. \
                Ask waitpid for the pid that you want.",
        read: Some((GUIDE_3, "Zombie.")),
    },
    Explanation {
        id: "reap.stranger",
        expected: "an error: that process is not a child of this one (ECHILD)",
        observed: "{seen}",
        cause: "Try again only after EINTR. Return every other error to the caller.",
        read: Some((GUIDE_3, "Signals.")),
    },
    Explanation {
        id: "reap.ended",
        expected: "{expected}",
        observed: "{seen}",
        cause: "Several deaths may come with one SIGCHLD, so call waitpid until it reports that no other \
                child has ended (StillAlive), or that there are no children (ECHILD). Neither is an \
                error, and none of the calls waits (WNOHANG).",
        read: Some((GUIDE_3, "Without waiting.")),
    },
    Explanation {
        id: "reap.no-children",
        expected: "an empty list: there is no child left to reap, and that is not an error",
        observed: "the error ECHILD",
        cause: "ECHILD means that there are no children any more. For code that waits for a certain \
                child, that is an error; here it is the end of the loop, like StillAlive.",
        read: Some((GUIDE_3, "Without waiting.")),
    },
    Explanation {
        id: "reap.uninterrupted",
        expected: "wait_for(worker) is interrupted by SIGUSR1",
        observed: "the signal did not interrupt it",
        cause: "Your code has blocked the signal, or given it another handler. A wait that blocks signals \
                keeps them from its caller.",
        read: Some((GUIDE_3, "Signals.")),
    },
    Explanation {
        id: "reap.stopped",
        expected: "{expected}",
        observed: "{seen}",
        cause: "A polite worker that died of SIGKILL had time left: either SIGKILL came too early, or the \
                workers were asked to stop one after the other, so that one waited in vain for the \
                other. A stubborn worker dies of SIGKILL and of nothing else. A worker that is missing \
                was not reaped.",
        read: Some((GUIDE_6, "Graceful, with a deadline.")),
    },
    Explanation {
        id: "reap.each-its-own",
        expected: "one grace for all workers together",
        observed: "150 ms after the end of the first stubborn worker, the other one was still \
                   running",
        cause: "The deadline was restarted for each worker. The caller expects the whole cluster \
                to end after one grace, not after one grace for each worker.",
        read: Some((GUIDE_6, "Graceful, with a deadline.")),
    },
    Explanation {
        id: "reap.asked",
        expected: "each worker gets SIGTERM once",
        observed: "a stubborn worker got SIGTERM several times",
        cause: "First send SIGTERM to all workers, once. After that, just wait, and at the end \
                send SIGKILL.",
        read: Some((GUIDE_6, "Graceful, with a deadline.")),
    },
];
