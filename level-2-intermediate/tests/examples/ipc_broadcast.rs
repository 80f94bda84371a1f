//! The lesson of `ipc-broadcast`, from outside.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use lab::{Answer, Client, Service, wait_for};
use nix::sys::signal::Signal;

use crate::start;

/// More than a worker and the primary keep for a worker that is not listening: 1,024 messages each, and
/// those in the socket between them.
const TOO_MANY: usize = 4000;

fn room(workers: &str) -> (Service, BTreeMap<i32, Client>) {
    let mut service = start("ipc-broadcast", &["--workers", workers]);
    let pids = service.workers().expect("/proc is there");
    let clients = service.connect_each(&pids).expect("all answer");
    (service, clients)
}

fn say(client: &mut Client, text: &str) -> Answer {
    client.post("/say", text).expect("answered")
}

/// The board of a worker: its first line has the number of the last notice, the others have the notices.
fn board(client: &mut Client) -> (u64, String) {
    let body = client.get("/board").expect("answered").body;
    let (first, notices) = body.split_once('\n').expect("a line");
    let count = first.rsplit(' ').next().and_then(|n| n.parse().ok());
    (count.expect("it ends in a number"), notices.to_owned())
}

fn all_know(count: u64, clients: &mut BTreeMap<i32, Client>) {
    for (pid, client) in clients.iter_mut() {
        let all = wait_for("all notices", || (board(client).0 == count).then_some(()));
        all.unwrap_or_else(|error| panic!("worker {pid}: {error}; it has {:?}", board(client)));
    }
    let mut boards = clients.values_mut().map(board);
    let first = boards.next().expect("there are workers");
    boards.for_each(|other| assert_eq!(other, first));
}

#[test]
fn boards_stay_the_same_while_workers_come_and_go() {
    let (mut service, mut clients) = room("3");
    let (speaker, mut client) = clients.pop_first().expect("three");
    let (mut others, done): (Vec<i32>, _) = (clients.into_keys().collect(), AtomicBool::new(false));
    let sent = thread::scope(|scope| {
        let speaking = scope.spawn(|| {
            let mut sent = 0;
            while !done.load(Ordering::Relaxed) {
                sent += 1;
                assert_eq!(say(&mut client, &format!("notice {sent}")).status, 200);
            }
            sent
        });
        for n in 0..4 {
            let victim = others.remove(0);
            service.signal(victim, Signal::SIGKILL).expect("it runs");
            let newcomer = service.replaced(victim, 3).expect("it is replaced");
            service.prints(&format!("worker {newcomer} is ready")).expect("it says so");
            others.push(newcomer);
            assert!(service.prints_times("has caught up", 4 + n).is_ok(), "each newcomer asks");
        }
        done.store(true, Ordering::Relaxed);
        speaking.join().expect("it was answered")
    });
    others.push(speaker);
    all_know(sent, &mut service.connect_each(&others).expect("all answer"));
}

#[test]
fn workers_of_a_reload_know_the_board() {
    let (mut service, mut clients) = room("2");
    let speaker = clients.values_mut().next().expect("two");
    for n in 0..5 {
        assert_eq!(say(speaker, &n.to_string()).body, format!("said, as number {}\n", n + 1));
    }
    service.signal(service.primary(), Signal::SIGHUP).expect("it runs");
    service.prints("reload to generation 2 is finished").expect("it finishes");
    let old: Vec<i32> = clients.into_keys().collect();
    let both_gone = || old.iter().all(|pid| lab::proc::gone(*pid)).then_some(());
    wait_for("the old ones to leave", both_gone).expect("they leave");
    let new = service.workers().expect("/proc is there");
    all_know(5, &mut service.connect_each(&new).expect("all answer"));
}

#[test]
fn worker_that_was_deaf_too_long_notices_the_gap_and_asks() {
    let (service, mut clients) = room("2");
    let (pid, mut deaf) = clients.pop_first().expect("two");
    deaf.get("/deaf").expect("answered");
    let client = clients.values_mut().next().expect("the other one");
    for _ in 0..TOO_MANY {
        assert_eq!(say(client, "again").status, 200);
    }
    deaf.get("/listen").expect("answered");
    wait_for("the kept notices", || (board(&mut deaf).0 >= 1024).then_some(()))
        .expect("it reads the kept notices");
    say(client, "the last");
    service.prints(&format!("{pid} worker: has missed")).expect("it notices");
    clients.insert(pid, deaf);
    all_know(u64::try_from(TOO_MANY).expect("small") + 1, &mut clients);
}

#[test]
fn a_deaf_worker_leaves_like_any_other() {
    let (mut service, mut clients) = room("2");
    for client in clients.values_mut() {
        client.get("/deaf").expect("answered");
    }
    let asked = service.get("/ask").expect("answered").body;
    assert_eq!(asked.matches("did not answer within 1s").count(), 2, "{asked}");
    assert!(service.end(Signal::SIGTERM).expect("it ends").success());
    service.prints_times("exited with code 0", 2).expect("both get the order to leave");
}

#[test]
fn stopped_worker_is_named_as_silent() {
    let (service, mut clients) = room("3");
    let (stopped, _) = clients.pop_first().expect("three");
    service.signal(stopped, Signal::SIGSTOP).expect("it runs");
    let answer = clients.values_mut().next().expect("two").get("/ask").expect("answered").body;
    assert!(answer.contains(&format!("worker {stopped} gives no answer")), "{answer}");
    assert_eq!(answer.matches("is well").count(), 2, "{answer}");
}

#[test]
fn too_many_questions_are_refused_and_cost_no_threads() {
    let (service, mut clients) = room("2");
    clients.values_mut().next().expect("two").get("/deaf").expect("answered");
    let questions: Vec<_> = (0..30).map(|_| service.get_later("/ask")).collect();
    let mut refused = 0;
    for question in questions {
        let answer = question.join().expect("a client does not panic").expect("answered");
        if answer.status == 502 {
            assert!(answer.body.contains("too many ask"), "{answer:?}");
            refused += 1;
        } else {
            assert!(answer.body.contains("is well"), "{answer:?}");
            assert!(answer.body.contains("gives no answer"), "{answer:?}");
        }
    }
    assert!((1..30).contains(&refused), "{refused} of 30 were refused");
    assert_eq!(say(clients.values_mut().next().expect("two"), "still here").status, 200);
}

#[test]
fn invalid_message_is_refused_with_the_reason() {
    let (mut service, mut clients) = room("2");
    let workers = service.workers().expect("/proc is there");
    let client = clients.values_mut().next().expect("two");
    for (text, why) in [
        ("x".repeat(257), "a notice has at most 256 bytes"),
        ("x".repeat(2 << 20), "is too large: a frame has at most 1048576"),
        ("x".repeat(5 << 20), "your text did not arrive: length limit exceeded"),
    ] {
        let answer = service.connect().and_then(|mut client| client.post("/say", &text));
        let answer = answer.expect("answered");
        assert!(answer.status == 502 && answer.body.contains(why), "{answer:?}");
    }
    let answer = client.get("/garbage").expect("answered");
    assert!(answer.status == 502 && answer.body.contains("unknown variant `Sing`"), "{answer:?}");
    service.prints("primary: refuses worker").expect("the primary says so");
    service.prints("ignores an unknown message").expect("so does the other worker");
    assert_eq!(client.get("/say").expect("answered").status, 405);
    assert_eq!(client.get("/nothing").expect("answered").status, 404);
    let longest = format!("{}\n{}", "\u{7}".repeat(127), "x".repeat(128));
    assert_eq!(say(client, &longest).status, 200);
    all_know(1, &mut clients);
    assert_eq!(service.workers().expect("/proc is there"), workers, "no worker died of it");
}

#[test]
fn the_largest_board_still_fits_into_the_answer_for_a_newcomer() {
    let (mut service, mut clients) = room("2");
    let (victim, _) = clients.pop_last().expect("two");
    let client = clients.values_mut().next().expect("the other one");
    let longest = "\u{7}".repeat(256); // six bytes each in JSON
    for _ in 0..510 {
        assert_eq!(say(client, &longest).status, 200);
    }
    service.signal(victim, Signal::SIGKILL).expect("it runs");
    let newcomer = service.replaced(victim, 2).expect("it is replaced");
    clients.extend(service.connect_each(&[newcomer]).expect("it answers"));
    all_know(510, &mut clients);
}
