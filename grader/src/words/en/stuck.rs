//! Why nobody goes on, in any exercise.

use super::{Explanation, GUIDE_2, GUIDE_3, GUIDE_5, GUIDE_6};

/// What is observed when nobody goes on.
const STILL: &str = "for a second every process has slept, and nothing happened any more:\n{waits}";

/// By id.
pub const EXPLANATIONS: &[Explanation] = &[
    Explanation {
        id: "stuck",
        expected: "{function} and the check go on",
        observed: STILL,
        cause: "Each waits for something that only another one could do. Go through the list: \
                who should wake whom? A read of a pipe ends when its last write end is closed, \
                in every process; a write goes on when somebody reads; waitpid returns when \
                that child ends.",
        read: Some((GUIDE_3, "Descriptors.")),
    },
    Explanation {
        id: "stuck-own-end",
        expected: "{function} and the check go on",
        observed: STILL,
        cause: "A process reads to the end of a pipe that it could still write to itself, so \
                the end never comes. After the fork, the parent has to close its copy of the \
                write end, before it reads: `drop` it, or move it into the child's branch so \
                that it is gone by then.",
        read: Some((GUIDE_3, "Descriptors.")),
    },
    Explanation {
        id: "stuck-full-pipe",
        expected: "{function} and the check go on",
        observed: STILL,
        cause: "A pipe holds 64 KiB. The worker has more to write and waits until somebody reads; your \
                function waits until the worker has ended, and does not read, or no more: one read \
                returns a part. Read until the pipe ends, and only then wait.",
        read: Some((GUIDE_5, "Both sides write and nobody reads.")),
    },
    Explanation {
        id: "stuck-sibling-ends",
        expected: "{function} and the check go on",
        observed: STILL,
        cause: "Your function reads to the end of one worker's pipe. Other workers can still \
                write to that pipe: they were forked while its write end was open in the \
                parent, and have inherited it. They in turn wait for somebody to read from \
                theirs. Make each pipe just before its fork, and close its write end in the \
                parent just after.",
        read: Some((GUIDE_3, "Descriptors.")),
    },
    Explanation {
        id: "stuck-at-gate",
        expected: "{function} and the check go on",
        observed: STILL,
        cause: "Your function waits for a worker, and this worker waits until others are there \
                too, or until the function has returned. So nobody must be waited for before \
                all are forked, or told; and a function that returns at once waits for nobody.",
        read: Some((GUIDE_2, "What must a primary not do?")),
    },
    Explanation {
        id: "stuck-any-child",
        expected: "{function} and the check go on",
        observed: STILL,
        cause: "waitpid without WNOHANG waits for those that still run. A function that waits for nobody \
                asks with WNOHANG, and takes StillAlive for an answer.",
        read: Some((GUIDE_3, "Without waiting.")),
    },
    Explanation {
        id: "stuck-afterwards",
        expected: "what {function} has begun comes to its end",
        observed: "it is back, and for a second every process has slept, while the check waits for \
                   what should have happened:\n{waits}",
        cause: "A worker that should have ended by now, or done something, has not. Was it sent its \
                signal? Was it given what it needs? Does it exit when its work is done?",
        read: None,
    },
    Explanation {
        id: "unavailable",
        expected: "{need}, which this check needs",
        observed: "it is not there, though WORKBOOK_NEEDS_… says that it must be",
        cause: "./test.sh finds or fetches a server, and says so in its first line.",
        read: None,
    },
    Explanation {
        id: "grader-failed",
        expected: "a check that can be started",
        observed: "it could not: {error}",
        cause: "This is about the machine, not about your code: no room for processes, descriptors or \
                temporary files.",
        read: None,
    },
    Explanation {
        id: "stuck-accept",
        expected: "{function} and the check go on",
        observed: STILL,
        cause: "The process that called your function waits in accept: it is the primary, and \
                it serves. The accept loop belongs into the child's branch.",
        read: Some((GUIDE_2, "What must a primary not do?")),
    },
    Explanation {
        id: "stuck-worker-stays",
        expected: "{function} and the check go on",
        observed: STILL,
        cause: "Your function waits for a worker that does not end. waitpid without WNOHANG \
                waits as long as it takes. Was the worker told to stop? What if it does not \
                listen? Whoever must not wait asks with WNOHANG; whoever has a deadline kills \
                when it is over.",
        read: Some((GUIDE_6, "Graceful, with a deadline.")),
    },
    Explanation {
        id: "stuck-asleep",
        expected: "{function} and the check go on",
        observed: STILL,
        cause: "Your function sleeps, for a fixed time, though there is nothing left to wait for. Wait \
                for what should happen, and only as long as it has not: look again and again, with a \
                short pause, until it has or the deadline is over.",
        read: Some((GUIDE_6, "Graceful, with a deadline.")),
    },
    Explanation {
        id: "stuck-stopped",
        expected: "{function} and the check go on",
        observed: STILL,
        cause: "A process was stopped by a signal (SIGSTOP, SIGTSTP), and only SIGCONT would \
                let it go on. Which signal does your code send, and to whom?",
        read: Some((GUIDE_3, "Signals.")),
    },
];
