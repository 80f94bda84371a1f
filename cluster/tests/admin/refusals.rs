//! Refused requests, and the wording of each refusal.

use cluster::admin;
use cluster::config::Admin;
use cluster::primary::Command;

use crate::client::{ask, connect, get, post, read_answer, request};
use crate::{TOKEN, obey, on_tcp, on_unix};

#[test]
fn unknown_paths_and_methods_are_refused() {
    let (server, _folder) = on_unix(obey);
    let answer = get(&server, "/");
    assert_eq!(answer.status, 404);
    assert!(answer.json()["routes"].to_string().contains("POST /scale"), "{answer:?}");

    let answer = get(&server, "/reload");
    assert_eq!(answer.status, 405);
    assert!(answer.head.contains("allow: POST"), "{}", answer.head);
    let answer = post(&server, "/stats", "");
    assert_eq!(answer.status, 405);
    assert!(answer.head.contains("allow: GET, HEAD"), "{}", answer.head);
}

#[test]
fn malformed_bodies_are_refused_with_the_reason() {
    let (server, _folder) = on_unix(obey);
    for (body, part) in [
        ("", "not JSON"),
        ("[7]", "not an object"),
        ("{}", "\"workers\" is missing"),
        (r#"{"worker": 7}"#, "no field \"worker\""),
        (r#"{"workers": "7"}"#, "\"workers\" must be a whole number"),
        (r#"{"workers": -7}"#, "\"workers\" must be a whole number"),
    ] {
        let answer = post(&server, "/scale", body);
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.error().contains(part), "{body}: {answer:?}");
    }
    assert_eq!(post(&server, "/reset", r#"{"slot": 4294967296}"#).status, 400);
    assert_eq!(post(&server, "/scale", &" ".repeat(64 << 10)).status, 400, "just small enough");
    assert_eq!(post(&server, "/scale", &" ".repeat((64 << 10) + 1)).status, 413);
    assert_eq!(post(&server, "/scale", &" ".repeat(5 << 20)).status, 413);
    let polite = [("Expect", "100-continue")];
    let text = request("POST /scale", &polite, &" ".repeat(1 << 20));
    let mut stream = connect(&server);
    let head = text.trim_end_matches(' ');
    stream.write_all(head.as_bytes()).expect("it reads");
    assert_eq!(read_answer(&mut *stream).status, 413, "before a byte of the body was sent");
}

#[test]
fn changes_over_tcp_need_the_token() {
    let server = on_tcp(Some(TOKEN));
    let reload = |value: &str| ask(&server, "POST /reload", &[("Authorization", value)], "");
    assert_eq!(reload("Bearer s3cret").status, 200);
    for value in ["", "Bearer", "Bearer s3cre", "Bearer s3cret!", "Basic s3cret", "s3cret"] {
        let answer = reload(value);
        assert_eq!(answer.status, 401, "{value}");
        assert!(answer.head.contains("www-authenticate: Bearer"), "{}", answer.head);
    }
    assert_eq!(post(&server, "/stop", "").status, 401);
    assert_eq!(get(&server, "/stats").status, 200);

    let server = on_tcp(None);
    let answer = ask(&server, "POST /reload", &[("Authorization", "Bearer s3cret")], "");
    assert_eq!(answer.status, 403);
    assert!(answer.error().contains("set CLUSTER_API_TOKEN"), "{answer:?}");
}

#[test]
fn web_pages_are_kept_out() {
    let server = on_tcp(Some(TOKEN));
    let token = ("Authorization", "Bearer s3cret");
    let origin = ("Origin", "http://evil.example");
    assert_eq!(ask(&server, "POST /reload", &[token, origin], "").status, 403);
    for (host, status) in [
        ("localhost:9000", 200),
        ("LOCALHOST", 200),
        ("127.0.0.1:9000", 200),
        ("[::1]:9000", 200),
        ("evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost.evil.example:9000", 403),
        ("", 403),
    ] {
        let host_header = ("Host", host);
        assert_eq!(ask(&server, "GET /stats", &[host_header], "").status, status, "{host}");
        assert_eq!(
            ask(&server, "POST /reload", &[token, host_header], "").status,
            status,
            "{host}"
        );
    }
    let two = [("Host", "localhost"), ("Host", "evil.example")];
    assert_eq!(ask(&server, "GET /stats", &two, "").status, 403);
    assert_eq!(ask(&server, "GET http://evil.example/stats", &[], "").status, 403);

    let (server, _folder) = on_unix(obey);
    assert_eq!(ask(&server, "POST /reload", &[origin], "").status, 403);
    assert_eq!(ask(&server, "GET /stats", &[("Host", "anything.example")], "").status, 200);
}

#[test]
fn an_unreachable_primary_is_answered_503() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = Admin::Unix(Some(folder.path().join("admin.sock")));
    let (sender, commands) = tokio::sync::mpsc::channel(1);
    sender.try_send(Command::Stop { now: false }).expect("there is room for one");
    let server = admin::start(&at, None, sender).expect("a free path").expect("not off");
    let answer = post(&server, "/reload", "");
    assert_eq!((answer.status, answer.error().contains("busy")), (503, true));
    drop(commands);
    let answer = get(&server, "/health");
    assert_eq!((answer.status, answer.error().contains("has stopped")), (503, true));
}
