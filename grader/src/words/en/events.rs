//! What a timeline tells, and what other sentences are made of.

/// By id.
pub const EVENTS: &[(&str, &str)] = &[
    // What the warden sees.
    ("appeared", "is there, a child of {parent}"),
    ("orphaned", "has lost its parent {parent}"),
    ("zombie", "is a zombie"),
    ("stopped", "is stopped"),
    ("gone", "is gone"),
    ("ended-orphan", "has ended, as an orphan"),
    ("gap", "[{count} more lines]"),
    // What a check reports.
    ("calls", "calls {function}"),
    ("is-back", "is back from {function}"),
    ("panics", "panics: {message}"),
    ("is-over", "is done with the check"),
    ("forked", "forked {pid}"),
    ("reaped", "reaped {pid}, which {ending}"),
    ("left-unreaped", "saw that {pid} has ended, and left it to be reaped"),
    ("heard", "heard from {pid}: {word}"),
    ("opened-gate", "opened the gate for {count}"),
    ("interrupted", "was interrupted {count} times"),
    ("connected", "connected {count} times"),
    ("connected-early", "connected, before there is any worker"),
    ("answered", "was answered: {text}"),
    ("killed", "killed {pids}"),
    ("worker-is", "{pid} {what}"),
    // How a process has ended, as in "it was killed by SIGTERM".
    ("exited-with", "exited with code {code}"),
    ("killed-by", "was killed by {signal}"),
    ("dumped-core", "was killed by {signal}, core dumped"),
    ("was-stopped", "was stopped, and lives"),
    ("was-continued", "was continued, and lives"),
    ("runs-on", "runs on"),
    // Where a process waits.
    ("waits-child", "{pid} waits in waitpid for any child"),
    ("waits-for", "{pid} waits in waitpid for {child}"),
    (
        "waits-read",
        "{pid} waits in read on descriptor {number}, a pipe; open to write in: {holders}",
    ),
    (
        "waits-write",
        "{pid} waits in write on descriptor {number}, a full pipe; open to read in: {holders}",
    ),
    ("waits-gate", "{pid} waits at the grader's gate"),
    ("waits-accept", "{pid} waits in accept on descriptor {number}"),
    ("waits-descriptor", "{pid} waits in {call} on descriptor {number} ({kind})"),
    ("waits-call", "{pid} waits in {call}"),
    ("waits-somewhere", "{pid} sleeps"),
    ("waits-not", "{pid} runs, and does not stop"),
    ("is-stopped", "{pid} is stopped"),
    ("is-zombie", "{pid} has ended, and nobody has reaped it"),
];
