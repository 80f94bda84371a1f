//! `reap`.

use super::{Explanation, GUIDE_3, GUIDE_6};

/// By the name of the trial.
pub const DONE: &[(&str, &str)] = &[
    (
        "reap::1",
        "Children exited with several codes, were killed by signals, and one was stopped. \
         decode(status) was called with what waitpid says about each.",
    ),
    (
        "reap::2",
        "An elder child has ended and was left unreaped. wait_for(worker) was called; the worker \
         interrupts it three times with SIGUSR1, which has a handler, and exits with 7. Then \
         wait_for was called with the pid of a process that is no child.",
    ),
    (
        "reap::3",
        "reap_ended() was called: without any child; then with three that have ended and one that \
         runs; once more; and when that one had ended, too.",
    ),
    (
        "reap::4",
        "stop was called three times. With four workers and 2 s: two that finish a request after \
         SIGTERM and exit with 0 (each waits until the other one has been told, too), one that \
         SIGTERM kills, one that was dead before. With two stubborn ones and 300 ms. With one that \
         SIGTERM kills and an hour.",
    ),
];

/// By id.
pub const EXPLANATIONS: &[Explanation] = &[
    Explanation {
        id: "reap.decoded",
        expected: "for a worker that {what}: {expected}",
        observed: "{seen}",
        cause: "A status is about one of four things: an exit with a code, a death by a signal, a stop, \
                a continuation. Only the first two are ends. (137 is a code like any other: that shells \
                make it out of signal 9 is their affair.)",
        read: Some((GUIDE_3, "Status.")),
    },
    Explanation {
        id: "reap.interrupted",
        expected: "wait_for(worker) waits until the worker has ended",
        observed: "it gave up with EINTR when a signal came, and the worker runs on",
        cause: "EINTR is no error. A handler has run, the wait is off, nothing else has happened: call \
                waitpid again.",
        read: Some((GUIDE_3, "Signals.")),
    },
    Explanation {
        id: "reap.other",
        expected: "how the worker ended: {expected}",
        observed: "{seen}",
        cause: "waitpid without a pid takes any child, and the elder one had ended first. Ask for this \
                one.",
        read: Some((GUIDE_3, "Zombie.")),
    },
    Explanation {
        id: "reap.stole",
        expected: "the elder child {pid} is still a zombie, for its own waitpid to reap",
        observed: "it is gone",
        cause: "Somebody else may be waiting for it, and would get ECHILD. A status can be read once. \
                Ask waitpid for the pid that you want.",
        read: Some((GUIDE_3, "Zombie.")),
    },
    Explanation {
        id: "reap.stranger",
        expected: "an error: that process is no child of this one (ECHILD)",
        observed: "{seen}",
        cause: "Only EINTR is tried again. Every other error goes to the caller.",
        read: Some((GUIDE_3, "Signals.")),
    },
    Explanation {
        id: "reap.ended",
        expected: "{expected}",
        observed: "{seen}",
        cause: "Several deaths may come with one SIGCHLD, so waitpid is called until it says that nobody \
                else has ended (StillAlive), or that there are no children (ECHILD). Neither is an \
                error, and none of the calls waits (WNOHANG).",
        read: Some((GUIDE_3, "Without waiting.")),
    },
    Explanation {
        id: "reap.no-children",
        expected: "nobody: there is nobody left to reap, and that is not an error",
        observed: "the error ECHILD",
        cause: "ECHILD says that there are no children any more. Where one waits for a certain child, \
                that is an error; here it is the end of the loop, like StillAlive.",
        read: Some((GUIDE_3, "Without waiting.")),
    },
    Explanation {
        id: "reap.uninterrupted",
        expected: "wait_for(worker) is interrupted by SIGUSR1",
        observed: "the signal never came through",
        cause: "Your code has blocked the signal, or given it another handler. A wait that is deaf misses \
                what its caller wants to hear.",
        read: Some((GUIDE_3, "Signals.")),
    },
    Explanation {
        id: "reap.stopped",
        expected: "{expected}",
        observed: "{seen}",
        cause: "A polite worker that died of SIGKILL had time left: either SIGKILL came too early, or the \
                workers were told one after the other, so that one waited in vain for the other. The \
                stubborn one dies of SIGKILL and of nothing else. Whoever is missing was not reaped.",
        read: Some((GUIDE_6, "Graceful, with a deadline.")),
    },
    Explanation {
        id: "reap.each-its-own",
        expected: "one grace for all workers together",
        observed: "150 ms after the end of the first stubborn worker, the other one was still there",
        cause: "The deadline was counted anew for each worker. Whoever stops a cluster has promised an \
                end after the grace, not after as many of them as there are workers.",
        read: Some((GUIDE_6, "Graceful, with a deadline.")),
    },
    Explanation {
        id: "reap.asked",
        expected: "each worker is asked once",
        observed: "a stubborn one heard SIGTERM several times",
        cause: "SIGTERM is sent to everybody first, once. Then there is only waiting, and in the end \
                SIGKILL.",
        read: Some((GUIDE_6, "Graceful, with a deadline.")),
    },
];
