//! `listen`.

use super::{Explanation, GUIDE_2, GUIDE_3, GUIDE_4};

/// By the name of the trial.
pub const DONE: &[(&str, &str)] = &[
    (
        "listen::1",
        "open(127.0.0.1:0) was called; then open with the address that it got, which is taken; then \
         open(192.0.2.1:80), an address that this machine does not have.",
    ),
    (
        "listen::2",
        "start_worker(listener, answer) was called, two clients connected, and the worker was \
         terminated. Another client connected; then start_worker was called once more, and three \
         clients connected, one after another. Each answer is the pid of the process that answers.",
    ),
    (
        "listen::3",
        "start_workers(listener, 3, answer) was called, and three clients connected. Each answer \
         waits until all three workers are busy. Then three more clients connected.",
    ),
    (
        "listen::4",
        "exec_worker(listener, program) was called; the program answers with its pid and with its \
         open descriptors. Then it was called with a program that does not exist.",
    ),
];

/// By id.
pub const EXPLANATIONS: &[Explanation] = &[
    Explanation {
        id: "listen.no-socket",
        expected: "one socket that listens on the port",
        observed: "there is none, or there are several",
        cause: "`bind` alone reserves an address; `TcpListener::bind` also listens.",
        read: None,
    },
    Explanation {
        id: "listen.address",
        expected: "a socket on 127.0.0.1, as requested",
        observed: "a socket on {seen}",
        cause: "The caller chooses the address. 0.0.0.0 would open the port to the whole network.",
        read: None,
    },
    Explanation {
        id: "listen.twice",
        expected: "an error",
        observed: "a second socket for the same address",
        cause: "With SO_REUSEPORT a second bind succeeds: a second copy of your program takes half of \
                your clients, without any error. An ordinary bind fails.",
        read: Some((GUIDE_4, "A second bind fails.")),
    },
    Explanation {
        id: "listen.elsewhere",
        expected: "an error for 192.0.2.1:80, an address that this machine does not have",
        observed: "a socket",
        cause: "The socket listens somewhere else. Bind exactly the address that the caller gave.",
        read: None,
    },
    Explanation {
        id: "listen.nonblocking",
        expected: "a listener that blocks, as it did before",
        observed: "O_NONBLOCK is set",
        cause: "That flag belongs to the open socket, not to the descriptor: a process that sets it sets \
                it for all workers and for the primary, and an accept that returns at once makes a \
                busy loop.",
        read: Some((GUIDE_4, "`O_NONBLOCK` is shared")),
    },
    Explanation {
        id: "listen.unnamed",
        expected: "a line that names the address {address}",
        observed: "{seen}",
        cause: "The kernel's error does not say which address was meant, and the user may have given \
                several. Put the address into the line.",
        read: None,
    },
    Explanation {
        id: "listen.reason",
        expected: "the words \"in use\", if and only if the address is taken",
        observed: "{seen}",
        cause: "Look at the error's kind: only `ErrorKind::AddrInUse` means that the port is taken.",
        read: Some((GUIDE_2, "Port in use.")),
    },
    Explanation {
        id: "listen.advice",
        expected: "if and only if the address is taken, a command that shows its owner: ss -ltnp",
        observed: "{seen}",
        cause: "An error that says what to do next is worth two that do not.",
        read: Some((GUIDE_2, "Port in use.")),
    },
    Explanation {
        id: "listen.lines",
        expected: "one line",
        observed: "{seen}",
        cause: "The error goes to a user's terminal, or to a log: keep it to one line.",
        read: None,
    },
    Explanation {
        id: "listen.in-primary",
        expected: "workers accept and answer",
        observed: "the process that called your function answered a client",
        cause: "The accept loop is in the parent's branch, or after the `match`. A primary that serves \
                cannot look after its workers.",
        read: Some((GUIDE_2, "What must a primary not do?")),
    },
    Explanation {
        id: "listen.no-answer",
        expected: "an answer for each client, however many came before it",
        observed: "a client that got no answer",
        cause: "Did the worker accept once, and then exit? Did it fail, for example because it \
                tried to bind an address that is already bound (its error is below)? A worker \
                inherits the socket: it only has to accept from it, in a loop.",
        read: Some((GUIDE_4, "A second bind fails.")),
    },
    Explanation {
        id: "listen.count",
        expected: "the pids of {expected} workers",
        observed: "{seen}",
        cause: "Fork once for each worker.",
        read: None,
    },
    Explanation {
        id: "listen.alone",
        expected: "three workers busy at the same time, each with a client of its own",
        observed: "busy with a client: {busy}; the other clients are waiting",
        cause: "The clients are waiting in the queue of the one socket, and no worker takes them \
                from it. Are all workers forked before your code waits for anything? Do all of \
                them accept?",
        read: Some((GUIDE_4, "Shared listener.")),
    },
    Explanation {
        id: "listen.others",
        expected: "answers from the workers whose pids were returned: {workers}",
        observed: "{busy} answered",
        cause: "Another process was forked: perhaps a child for each connection, or a child that forked \
                again. The primary cannot look after processes that it does not know.",
        read: Some((GUIDE_2, "Which role is mine?")),
    },
    Explanation {
        id: "listen.sockets",
        expected: "one listening socket on this port",
        observed: "several",
        cause: "A worker has made a socket of its own (SO_REUSEPORT). The clients that are waiting \
                in its queue are lost when the worker ends.",
        read: Some((GUIDE_4, "SO_REUSEPORT")),
    },
    Explanation {
        id: "listen.ended",
        expected: "worker {pid} keeps serving until SIGTERM terminates it",
        observed: "it {seen}",
        cause: "A worker must be available for the next client, too. Its loop never ends on its \
                own.",
        read: None,
    },
    Explanation {
        id: "listen.not-got",
        expected: "an answer from the program, which listens on the descriptor that LISTEN_FD names",
        observed: "a client that got no answer",
        cause: "The program did not get the socket, or did not get its number (its error is below). Rust \
                marks everything that it opens as close-on-exec; the mark has to be removed from this \
                one descriptor, in the child, before the exec.",
        read: Some((GUIDE_3, "Descriptors.")),
    },
    Explanation {
        id: "listen.other-program",
        expected: "the program runs in the worker whose pid was returned",
        observed: "it runs in {seen}",
        cause: "`exec` replaces the program of the child and keeps its pid. `spawn` and `status` fork \
                once more: then there are two processes instead of one.",
        read: Some((GUIDE_3, "Exec.")),
    },
    Explanation {
        id: "listen.descriptors",
        expected: "a program with stdin, stdout, stderr and the socket",
        observed: "it has the descriptors {seen}",
        cause: "Another descriptor stayed open through the exec: a copy of the socket, for example. Keep \
                the close-on-exec mark on everything but the one descriptor.",
        read: Some((GUIDE_3, "Descriptors.")),
    },
    Explanation {
        id: "listen.mark",
        expected: "in the primary, the listener is still close-on-exec",
        observed: "the mark is gone",
        cause: "The mark was removed in the parent, before the fork. Now every program that the primary \
                ever starts gets the socket, and keeps the port open. Remove the mark in the child, \
                between fork and exec.",
        read: Some((GUIDE_3, "Descriptors.")),
    },
    Explanation {
        id: "listen.missing",
        expected: "a worker that exited with code 127, as shells do",
        observed: "it {seen}",
        cause: "`exec` returns only if it has failed. The code after it is for that case: report the \
                error, and exit.",
        read: Some((GUIDE_3, "Exec.")),
    },
];
