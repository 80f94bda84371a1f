//! Explanations of checks in which all processes are waiting, in any exercise.

use super::{Explanation, GUIDE_2, GUIDE_3, GUIDE_5, GUIDE_6};

/// The observation that all of these explanations share.
const STILL: &str = "for a second every process slept, and nothing happened:\n{waits}";

/// By id.
pub const EXPLANATIONS: &[Explanation] = &[
    Explanation {
        id: "stuck",
        expected: "{function} and the check continue",
        observed: STILL,
        cause: "Each process waits for something that only another one can do. Go through the \
                list: which process should wake which? A read of a pipe ends when its last write \
                end is closed, in every process; a write continues when another process reads; \
                waitpid returns when that child ends.",
        read: Some((GUIDE_3, "Descriptors.")),
    },
    Explanation {
        id: "stuck-own-end",
        expected: "{function} and the check continue",
        observed: STILL,
        cause: "A process reads to the end of a pipe whose write end it still holds, so the \
                end never comes. After the fork, the parent has to close its copy of the \
                write end before it reads: `drop` it, or move it into the child's branch so \
                that it is gone by then.",
        read: Some((GUIDE_3, "Descriptors.")),
    },
    Explanation {
        id: "stuck-full-pipe",
        expected: "{function} and the check continue",
        observed: STILL,
        cause: "A pipe holds 64 KiB. The worker has more to write and waits until your function reads; \
                your function waits until the worker has ended, and does not read, or has stopped \
                reading: one read returns only a part. Read until the pipe ends, and only then wait.",
        read: Some((GUIDE_5, "Both sides write and neither reads.")),
    },
    Explanation {
        id: "stuck-sibling-ends",
        expected: "{function} and the check continue",
        observed: STILL,
        cause: "Your function reads to the end of one worker's pipe. Other workers can still \
                write to that pipe: they were forked while its write end was open in the \
                parent, and have inherited it. They, in turn, wait until your function reads \
                from their pipes. Make each pipe just before its fork, and close its write end \
                in the parent just after the fork.",
        read: Some((GUIDE_3, "Descriptors.")),
    },
    Explanation {
        id: "stuck-at-gate",
        expected: "{function} and the check continue",
        observed: STILL,
        cause: "Your function waits for a worker, and this worker waits until the others have \
                arrived too, or until the function has returned. So do not wait for a worker \
                before all are forked, or asked to stop; and a function that returns at once does \
                not wait at all.",
        read: Some((GUIDE_2, "What must a primary not do?")),
    },
    Explanation {
        id: "stuck-any-child",
        expected: "{function} and the check continue",
        observed: STILL,
        cause: "waitpid without WNOHANG waits for children that are still running. A function that \
                must not wait calls it with WNOHANG, and accepts StillAlive as an answer.",
        read: Some((GUIDE_3, "Without waiting.")),
    },
    Explanation {
        id: "stuck-afterwards",
        expected: "everything that {function} started comes to an end",
        observed: "it has returned, and for a second every process slept while the check waited for \
                   something that should have happened:\n{waits}",
        cause: "A worker that should have ended by now, or done something, has not. Was its signal sent? \
                Did it get what it needs? Does it exit when its work is done?",
        read: None,
    },
    Explanation {
        id: "unavailable",
        expected: "{need}, which this check needs",
        observed: "it is missing, although WORKBOOK_NEEDS_… says that it is required",
        cause: "./test.sh finds or fetches a server, and its first line says so.",
        read: None,
    },
    Explanation {
        id: "grader-failed",
        expected: "a check that can be started",
        observed: "it could not be started: {error}",
        cause: "The cause is the machine, not your code: there is no room for processes, descriptors or \
                temporary files.",
        read: None,
    },
    Explanation {
        id: "stuck-accept",
        expected: "{function} and the check continue",
        observed: STILL,
        cause: "The process that called your function is waiting in accept: it is the primary, but \
                it is serving clients. The accept loop belongs in the child's branch.",
        read: Some((GUIDE_2, "What must a primary not do?")),
    },
    Explanation {
        id: "stuck-worker-stays",
        expected: "{function} and the check continue",
        observed: STILL,
        cause: "Your function waits for a worker that does not end. waitpid without WNOHANG \
                waits as long as it takes. Was the worker asked to stop? What if it ignores the \
                request? A function that must not wait calls waitpid with WNOHANG; a function \
                with a deadline kills the worker when the deadline has passed.",
        read: Some((GUIDE_6, "Graceful, with a deadline.")),
    },
    Explanation {
        id: "stuck-asleep",
        expected: "{function} and the check continue",
        observed: STILL,
        cause: "Your function sleeps for a fixed time, although there is nothing left to wait for. Wait \
                for the event itself, and no longer than that: check again and again, with a short \
                pause, until it has happened or the deadline has passed.",
        read: Some((GUIDE_6, "Graceful, with a deadline.")),
    },
    Explanation {
        id: "stuck-stopped",
        expected: "{function} and the check continue",
        observed: STILL,
        cause: "A process was stopped by a signal (SIGSTOP, SIGTSTP), and only SIGCONT would let \
                it continue. Which signal does your code send, and to which process?",
        read: Some((GUIDE_3, "Signals.")),
    },
];
