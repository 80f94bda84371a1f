//! Explanations of mistakes that any exercise may have.

use super::{Explanation, GUIDE_2, GUIDE_3, GUIDE_6};

/// By id.
pub const EXPLANATIONS: &[Explanation] = &[
    Explanation {
        id: "not-started",
        expected: "a solved step: in this run, a step that is not started counts as failed",
        observed: "the hole of {step} was reached",
        cause: "The step is not started, or your code calls one that is not.",
        read: None,
    },
    Explanation {
        id: "came-back",
        expected: "{function} returns once, in the process that called it",
        observed: "it also returned in process {pid}, which is a child",
        cause: "After a fork two processes run your function, and the child has left its branch. \
                It continues with whatever the caller does next: here it runs the check, in \
                production it becomes a second primary. Make the child exit in its branch, with \
                `exit`, whatever happens to it.",
        read: Some((GUIDE_2, "Which role is mine?")),
    },
    Explanation {
        id: "exited",
        expected: "{function} returns, and the check continues",
        observed: "the process that called it exited with code {code}, without a verdict",
        cause: "`exit` ends the process that calls it. Check where the call is: in the child's branch it \
                ends the worker; in the parent's branch, or after the `match`, it ends the primary. \
                The code does not matter: the grader never counts an exit as a success.",
        read: Some((GUIDE_2, "Which role is mine?")),
    },
    Explanation {
        id: "killed",
        expected: "{function} returns, and the check continues",
        observed: "{signal} killed the process that called it",
        cause: "The grader did not send this signal, so your code or the kernel did. SIGKILL and \
                SIGTERM: a `kill` with pid 0 reaches the whole process group, including the \
                caller, and one with a wrong pid reaches another process. SIGABRT: memory ran out \
                (1 GiB), a function calls itself endlessly, or a descriptor was closed twice. \
                SIGSEGV: `unsafe` code.",
        read: None,
    },
    Explanation {
        id: "late",
        expected: "{function} and the check finish long before the deadline",
        observed: "at the deadline they had not finished:\n{waits}",
        cause: "Something never ends: a loop whose condition never changes, or a loop that retries \
                a call that can never succeed. A process that is running is in the loop; a process \
                that is sleeping in `sleep` or `poll` wakes up, checks, and sleeps again.",
        read: None,
    },
    Explanation {
        id: "storm",
        expected: "a bounded number of forks",
        observed: "more than {most} processes before the deadline, one after another",
        cause: "This is the tight loop: a worker that cannot start is started again at once, dies, and is \
                started again. A primary that replaces workers counts the early deaths, and stops at a \
                limit.",
        read: Some((GUIDE_6, "The limit.")),
    },
    Explanation {
        id: "crowd",
        expected: "no more processes than the task asks for",
        observed: "more than {most} descendants at the same time; the grader has killed all of \
                   them",
        cause: "This is a fork bomb: a loop that forks and never stops, or children that continue \
                in their parent's loop and fork as well. Each child must exit in its own branch.",
        read: Some((GUIDE_2, "Which role is mine?")),
    },
    Explanation {
        id: "two-verdicts",
        expected: "one verdict",
        observed: "the check finished twice",
        cause: "The check runs in one process and finishes once. Something has made it run twice.",
        read: None,
    },
    Explanation {
        id: "warden-gone",
        expected: "your code sends signals only to its own workers",
        observed: "the process that watches the check was killed",
        cause: "That process is the parent of the process in which your code runs. So your code \
                has sent a signal to its parent's pid (`getppid`), or to every process (pid -1). \
                To stop a worker, use the pid that its fork returned.",
        read: None,
    },
    Explanation {
        id: "panic",
        expected: "{function} returns, with an error if there is one",
        observed: "it panicked: {message}",
        cause: "An `unwrap`, an index or an `assert` failed. A primary that panics takes its whole \
                cluster with it: return the error to the caller.",
        read: None,
    },
    Explanation {
        id: "panic-in-worker",
        expected: "a worker that ends as the task specifies",
        observed: "process {pid}, a child, panicked: {message}",
        cause: "An `unwrap`, an index or an `assert` in the child's branch failed.",
        read: None,
    },
    Explanation {
        id: "error",
        expected: "{function} succeeds",
        observed: "it returned the error {error}",
        cause: "Not everything that looks like an error is one. EINTR means that a signal arrived: try \
                again. ECHILD means that there is no such child, perhaps because it has already been \
                reaped.",
        read: Some((GUIDE_3, "Signals.")),
    },
    Explanation {
        id: "error-other",
        expected: "{function} succeeds",
        observed: "it returned the error {error}",
        cause: "Either a call failed that should have succeeded, or your code returns an error \
                where there is none. The function's comment lists all errors that it may return, \
                and when.",
        read: None,
    },
    Explanation {
        id: "stolen",
        expected: "{pid} is a child of the process that called your function, and is reaped only where \
                   the task says so",
        observed: "waitpid does not know it: it is not a child, or has already been reaped",
        cause: "Either your function returned a pid that does not belong to its child, or it reaped a \
                process that it should have left alone.",
        read: Some((GUIDE_3, "Zombie.")),
    },
    Explanation {
        id: "silent",
        expected: "messages from the workers, one from each when it starts its work: {expected}",
        observed: "{received}, and then nothing more",
        cause: "A worker did not start its work, or ended before it could. Are all workers forked \
                before your code waits for one of them? Does the child call `work`?",
        read: Some((GUIDE_2, "Which role is mine?")),
    },
    Explanation {
        id: "zombies",
        expected: "no zombie is left after {function}",
        observed: "ended but not reaped: {pids}",
        cause: "A process that has ended stays in the process table until its parent has read how it \
                ended. Your code has not called waitpid for these. In a primary that runs for months, \
                each costs a pid, until there are none left.",
        read: Some((GUIDE_3, "Zombie.")),
    },
    Explanation {
        id: "left-running",
        expected: "no process is left when the check is over",
        observed: "still running after {function}: {pids}",
        cause: "These were forked and never ended: they were not asked to stop, or they ignored the \
                request. A worker that the primary has forgotten keeps its memory and its copy of the \
                port.",
        read: Some((GUIDE_2, "Why do workers die with the primary?")),
    },
    Explanation {
        id: "left-open",
        expected: "the same descriptors are open after {function} as before",
        observed: "open now, but not before: {descriptors}",
        cause: "Something was opened and never closed: the value that owns it was forgotten \
                (`mem::forget`, `into_raw_fd`), or is kept somewhere. A primary that leaks one for \
                each worker eventually fails with \"too many open files\".",
        read: Some((GUIDE_3, "Descriptors.")),
    },
    Explanation {
        id: "left-thread",
        expected: "one thread, as before {function}",
        observed: "several threads",
        cause: "A thread was started and not joined. A process with threads must not fork: in the child, \
                any lock that another thread held would stay locked.",
        read: Some((GUIDE_2, "What must a primary not do?")),
    },
    Explanation {
        id: "left-deaf",
        expected: "the same signals blocked and ignored after {function} as before",
        observed: "different ones",
        cause: "Your code has blocked or ignored a signal, and left it that way. Every worker and every \
                program that is started from now on inherits this.",
        read: Some((GUIDE_3, "Signals.")),
    },
    Explanation {
        id: "closed",
        expected: "the same descriptors are open after {function} as before",
        observed: "closed, or replaced by something else: {descriptors}",
        cause: "Your code closed a descriptor that is not its own. 0, 1 and 2 are stdin, stdout and \
                stderr: the next file that is opened gets the free number, and printed text ends up in \
                it.",
        read: Some((GUIDE_3, "Descriptors.")),
    },
];
