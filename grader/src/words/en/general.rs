//! What can go wrong in any exercise.

use super::{Explanation, GUIDE_2, GUIDE_3, GUIDE_6};

/// By id.
pub const EXPLANATIONS: &[Explanation] = &[
    Explanation {
        id: "not-started",
        expected: "a step that is solved: here, not started counts as failed",
        observed: "the hole of {step} was reached",
        cause: "the step is not started, or your code calls one that is not",
        read: None,
    },
    Explanation {
        id: "came-back",
        expected: "{function} returns once, in the process that called it",
        observed: "it returned in process {pid}, too, which is a child",
        cause: "After a fork there are two processes in your function, and the child has walked out of \
                its branch. It goes on with whatever the caller does next: here with the check, in \
                production as a second primary. Let the child end in its branch, with `exit`, \
                whatever happens to it.",
        read: Some((GUIDE_2, "Who am I?")),
    },
    Explanation {
        id: "exited",
        expected: "{function} returns, and the check goes on",
        observed: "the process that called it exited with code {code}, without a verdict",
        cause: "`exit` ends the process that calls it. Look where it stands: in the child's branch it \
                ends the worker, in the parent's branch, or after the `match`, it ends the primary. \
                The code does not matter: nobody takes an exit for success here.",
        read: Some((GUIDE_2, "Who am I?")),
    },
    Explanation {
        id: "killed",
        expected: "{function} returns, and the check goes on",
        observed: "{signal} killed the process that called it",
        cause: "The grader did not send it, so your code did, or the kernel. SIGKILL and SIGTERM: a \
                `kill` with pid 0 reaches the whole process group, yourself included, and one with a \
                wrong pid somebody else. SIGABRT: memory ran out (1 GiB), a function calls itself \
                without end, or a descriptor was closed twice. SIGSEGV: `unsafe` code.",
        read: None,
    },
    Explanation {
        id: "late",
        expected: "{function} and the check are over long before the deadline",
        observed: "at the deadline they were not:\n{waits}",
        cause: "Something goes on without end: a loop whose condition never changes, or one that tries \
                again what can never succeed. A process that runs is in the loop; one that sleeps in \
                `sleep` or `poll` wakes up, looks, and sleeps again.",
        read: None,
    },
    Explanation {
        id: "storm",
        expected: "a bounded number of forks",
        observed: "until the deadline, more than {most} processes, one after the other",
        cause: "This is the tight loop: a worker that cannot start is started again at once, dies, is \
                started again. Whoever replaces workers counts the early deaths, and stops at a limit.",
        read: Some((GUIDE_6, "The limit.")),
    },
    Explanation {
        id: "crowd",
        expected: "no more processes than the task asks for",
        observed: "more than {most} descendants at the same time; the grader has ended all of them",
        cause: "This is a fork bomb: a loop that forks and never stops, or children that go on in the \
                loop of their parent and fork as well. Each child must end in its own branch.",
        read: Some((GUIDE_2, "Who am I?")),
    },
    Explanation {
        id: "two-verdicts",
        expected: "one verdict",
        observed: "the check ended twice",
        cause: "The check runs in one process and ends once. Something has made it run twice.",
        read: None,
    },
    Explanation {
        id: "warden-gone",
        expected: "your code ends nobody but its own workers",
        observed: "the process that watches the check was killed",
        cause: "It is the parent of the process in which your code runs. So your code has sent a signal \
                to its parent's pid (`getppid`), or to every process (pid -1). A worker is ended by \
                the pid that its fork has returned.",
        read: None,
    },
    Explanation {
        id: "panic",
        expected: "{function} returns, with an error if there is one",
        observed: "it panicked: {message}",
        cause: "An `unwrap`, an index or an `assert` did not hold. A primary that panics takes its whole \
                cluster with it: give the error to the caller.",
        read: None,
    },
    Explanation {
        id: "panic-in-worker",
        expected: "a worker that ends as the task says",
        observed: "process {pid}, a child, panicked: {message}",
        cause: "An `unwrap`, an index or an `assert` in the child's branch did not hold.",
        read: None,
    },
    Explanation {
        id: "error",
        expected: "{function} succeeds",
        observed: "it returned the error {error}",
        cause: "Not everything that looks like an error is one. EINTR means: a signal came, try again. \
                ECHILD means: there is no such child, perhaps because it has been reaped before.",
        read: Some((GUIDE_3, "Signals.")),
    },
    Explanation {
        id: "error-other",
        expected: "{function} succeeds",
        observed: "it returned the error {error}",
        cause: "Either a call has failed that need not, or your code makes an error of what is none. The \
                comment of the function lists all errors that it may return, and when.",
        read: None,
    },
    Explanation {
        id: "stolen",
        expected: "{pid} is a child of the process that called your function, and is reaped by whoever \
                   the task names",
        observed: "waitpid does not know it: it is no child, or has been reaped already",
        cause: "Either your function returned a pid that is not that of its child, or it reaped somebody \
                whom it was not asked to reap.",
        read: Some((GUIDE_3, "Zombie.")),
    },
    Explanation {
        id: "silent",
        expected: "{expected} words from the workers, each when it begins its work",
        observed: "{heard}, and then nothing more",
        cause: "A worker has not begun its work, or has ended before. Are all of them forked before \
                anybody is waited for? Does the child call `work`?",
        read: Some((GUIDE_2, "Who am I?")),
    },
    Explanation {
        id: "zombies",
        expected: "no zombie is left after {function}",
        observed: "ended, and not reaped: {pids}",
        cause: "A process that has ended stays in the process table until its parent has read how it \
                ended. Nobody has called waitpid for these. In a primary that runs for months, each \
                costs a pid, until there are none left.",
        read: Some((GUIDE_3, "Zombie.")),
    },
    Explanation {
        id: "left-running",
        expected: "no process is left when the check is over",
        observed: "still running after {function}: {pids}",
        cause: "These were forked and never ended: nobody told them to stop, or they do not listen. A \
                worker that nobody knows keeps its memory and its copy of the port.",
        read: Some((GUIDE_2, "Why do workers die with it?")),
    },
    Explanation {
        id: "left-open",
        expected: "the same descriptors are open after {function} as before",
        observed: "open, and not before: {descriptors}",
        cause: "Something was opened and never closed: the value that owns it was forgotten (`mem::forget`, \
                `into_raw_fd`), or is kept somewhere. A primary that leaks one for each worker ends with \
                \"too many open files\".",
        read: Some((GUIDE_3, "Descriptors.")),
    },
    Explanation {
        id: "left-thread",
        expected: "one thread, as before {function}",
        observed: "several",
        cause: "A thread was started and not joined. A process with threads must not fork: in the child, \
                whatever lock another thread held would stay locked.",
        read: Some((GUIDE_2, "What must a primary not do?")),
    },
    Explanation {
        id: "left-deaf",
        expected: "the same signals blocked and ignored after {function} as before",
        observed: "others",
        cause: "Your code has blocked or ignored a signal, and left it so. Both are inherited by every \
                worker and every program that is started from now on.",
        read: Some((GUIDE_3, "Signals.")),
    },
    Explanation {
        id: "closed",
        expected: "the same descriptors are open after {function} as before",
        observed: "closed, or replaced by something else: {descriptors}",
        cause: "Your code closed a descriptor that is not its own. 0, 1 and 2 are stdin, stdout and \
                stderr: the next file that is opened gets the free number, and what is printed ends up \
                in it.",
        read: Some((GUIDE_3, "Descriptors.")),
    },
];
