//! The lines of a timeline, and the parts of other sentences.

/// By id.
pub const EVENTS: &[(&str, &str)] = &[
    // Seen by the warden.
    ("appeared", "appears as a child of {parent}"),
    ("orphaned", "has lost its parent {parent}"),
    ("zombie", "is a zombie"),
    ("stopped", "is stopped"),
    ("gone", "is gone"),
    ("ended-orphan", "has ended as an orphan"),
    ("gap", "[{count} more lines]"),
    // Reported by a check.
    ("calls", "calls {function}"),
    ("is-back", "returns from {function}"),
    ("panics", "panics: {message}"),
    ("is-over", "has finished the check"),
    ("forked", "forked {pid}"),
    ("reaped", "reaped {pid}, which {ending}"),
    ("left-unreaped", "saw that {pid} had ended, but did not reap it"),
    ("received", "received from {pid}: {word}"),
    ("opened-gate", "opened the gate for {count}"),
    ("interrupted", "was interrupted {count} times"),
    ("connected", "connected {count} times"),
    ("connected-early", "connected before there was a worker"),
    ("answered", "got the answer: {text}"),
    ("sent", "sent {signal} to {pid}"),
    ("when-none", "when no worker has ended"),
    ("when-two", "after two of three workers were killed at the same time"),
    ("when-asked", "after the end of a worker that was asked to stop, with early_deaths at 2"),
    ("when-early", "after the end of a worker that could not start"),
    ("when-ready-and-gone", "after the end of a worker that was ready and exited with 0 at once"),
    ("worker-is", "{pid} {what}"),
    // The end of a process, as in "it was killed by SIGTERM".
    ("exited-with", "exited with code {code}"),
    ("killed-by", "was killed by {signal}"),
    ("dumped-core", "was killed by {signal}, core dumped"),
    ("was-stopped", "was stopped, but is still alive"),
    ("was-continued", "was continued, and is still alive"),
    ("runs-on", "is still running"),
    // The place where a process waits.
    ("waits-child", "{pid} is waiting in waitpid for any child"),
    ("waits-for", "{pid} is waiting in waitpid for {child}"),
    (
        "waits-read",
        "{pid} is waiting in read on descriptor {number}, a pipe; its write end is open in: \
         {holders}",
    ),
    (
        "waits-write",
        "{pid} is waiting in write on descriptor {number}, a full pipe; its read end is open in: \
         {holders}",
    ),
    ("waits-gate", "{pid} is waiting at the grader's gate"),
    ("waits-accept", "{pid} is waiting in accept on descriptor {number}"),
    ("waits-descriptor", "{pid} is waiting in {call} on descriptor {number} ({kind})"),
    ("waits-call", "{pid} is waiting in {call}"),
    ("waits-somewhere", "{pid} is sleeping"),
    ("waits-not", "{pid} keeps running, and never waits"),
    ("is-stopped", "{pid} is stopped"),
    ("is-zombie", "{pid} has ended, but has not been reaped"),
];
