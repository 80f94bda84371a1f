//! The effect of each route.

use std::sync::mpsc;
use std::time::Duration;

use cluster::primary::Command;
use cluster::supervisor::Refusal;
use lab::raw::Client;

use crate::client::{ask, connect, get, post, read_answer, request};
use crate::{obey, on_tcp, on_unix, stats};

#[test]
fn stats_and_metrics_can_be_read() {
    let (server, _folder) = on_unix(obey);
    let shown = get(&server, "/stats");
    assert_eq!((shown.status, &shown.json()["primary"]["pid"]), (200, &4711.into()));
    assert_eq!(shown.json()["cluster"]["numWorkers"], 4);

    let shown = get(&server, "/metrics");
    assert_eq!(shown.status, 200);
    assert!(shown.head.contains("content-type: application/openmetrics-text"), "{}", shown.head);
    let line = "http_requests_total{worker_id=\"1\",status=\"200\"} 42";
    assert!(shown.body.contains(line), "{}", shown.body);

    let head = ask(&server, "HEAD /stats", &[], "");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}

#[test]
fn health_is_for_load_balancers() {
    for (healthy, status, word) in [(4, 200, "ok"), (1, 200, "degraded"), (0, 503, "down")] {
        let (server, _folder) = on_unix(move |command| {
            if let Command::Stats(reply) = command {
                drop(reply.send(stats(healthy)));
            }
        });
        let shown = get(&server, "/health");
        assert_eq!((shown.status, &shown.json()["status"]), (status, &word.into()));
    }
}

#[test]
fn changes_are_sent_to_the_primary() {
    let (seen, commands) = mpsc::channel();
    let (server, _folder) = on_unix(move |command| {
        seen.send(format!("{command:?}")).expect("the test is listening");
        obey(command);
    });
    let change = |path: &str, body: &str, command: &str| {
        let answer = post(&server, path, body);
        let asked = commands.try_recv().unwrap_or_default();
        assert!(asked.starts_with(command), "{path}: {asked}");
        (answer.status, answer.json())
    };
    let workers = |n: usize| serde_json::json!({ "ok": true, "workers": n });
    assert_eq!(change("/reload", "", "Reload"), (200, workers(4)));
    assert_eq!(change("/restart", "", "Reload"), (200, workers(4)));
    assert_eq!(change("/scale", r#"{"workers": 7}"#, "Scale(Exactly(7)"), (200, workers(7)));
    assert_eq!(change("/reset", r#"{"slot": 3}"#, "Reset(SlotId(3)"), (200, workers(4)));
    assert_eq!(change("/scale", r#"{"workers": 9}"#, "Scale(Exactly(9)").0, 409);
    assert_eq!(post(&server, "/reset", r#"{"slot": 1}"#).error(), "this slot is not errored");
}

#[test]
fn a_stop_is_accepted_and_not_waited_for() {
    let (seen, commands) = mpsc::channel();
    let (server, _folder) = on_unix(move |command| seen.send(command).expect("the test listens"));
    for (path, at_once) in [("/stop", false), ("/stop?now=true", true), ("/stop?now=no", false)] {
        assert_eq!(post(&server, path, "").status, 202);
        let command = commands.recv_timeout(Duration::from_secs(20));
        assert!(matches!(command, Ok(Command::Stop { now }) if now == at_once), "{path}");
    }
}

#[test]
fn a_reload_is_answered_at_its_end_while_others_are_served() {
    let (begun, reloads) = mpsc::channel();
    let (server, _folder) = on_unix(move |command| match command {
        Command::Reload(reply) => begun.send(reply).expect("the test listens"),
        other => obey(other),
    });
    let mut waiting = connect(&server);
    waiting.write_all(request("POST /reload", &[], "").as_bytes()).expect("it reads");
    let reply = reloads.recv_timeout(Duration::from_secs(20)).expect("the reload has started");
    assert_eq!(get(&server, "/health").status, 200);
    assert_eq!(post(&server, "/reload?wait=false", "").status, 202);
    reply.send(Err(Refusal("the new worker exited with code 1".into()))).expect("it waits");
    let answer = read_answer(&mut *waiting);
    assert_eq!(
        (answer.status, answer.error().as_str()),
        (409, "the new worker exited with code 1")
    );

    // A cluster that stops first sends no answer.
    let mut waiting = connect(&server);
    waiting.write_all(request("POST /reload", &[], "").as_bytes()).expect("it reads");
    let _not_waited_for = reloads.recv_timeout(Duration::from_secs(20));
    drop(reloads.recv_timeout(Duration::from_secs(20)).expect("the reload has started"));
    assert_eq!(read_answer(&mut *waiting).status, 503);
}

/// Like `printf … | nc -N`: the request, FIN, and then the client waits for the answer.
#[test]
fn a_client_that_half_closes_is_answered() {
    let server = on_tcp(None);
    let address = server.address().expect("it listens").trim_start_matches("http://").to_owned();
    for _ in 0..40 {
        let mut client = Client::connect(&address).expect("it listens");
        client.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("it reads");
        client.half_close().expect("it is connected");
        assert_eq!(client.receive().expect("answered").status, 200);
    }
}
