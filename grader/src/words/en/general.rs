//! What can go wrong in any exercise.

use super::{Explanation, GUIDE_2, GUIDE_3, GUIDE_5, GUIDE_6};

/// What is observed when nobody goes on.
const STILL: &str = "for a second every process has slept, and nothing happened any more:\n{waits}";

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
