//! Runs that go well: the real `load` against a small server.

mod common;

use common::run;
use common::tiny::{Answer, OK, on_tcp, on_unix};

#[test]
fn closed_loop_counts_what_the_server_counts() {
    let (address, seen) = on_tcp(Answer::Keeps(OK));
    let ended = run(&format!("http://{address}/"), "-c 4 -d 300ms");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.count("answered") > 0);
    assert_eq!(ended.count("sent"), seen.requests());
    assert_eq!(ended.count("sent"), ended.count("answered"));
    assert_eq!(seen.connections(), 4);
    assert_eq!(ended.json["loop"], "closed");
    assert_eq!(ended.stderr, "", "progress belongs on a terminal only");
}

#[test]
fn open_loop_sends_or_drops_what_it_planned() {
    let (address, seen) = on_tcp(Answer::Keeps(OK));
    let ended = run(&format!("http://{address}/"), "-c 8 -d 1s --rate 500");
    assert_eq!(ended.count("planned"), 500);
    assert_eq!(ended.count("planned"), ended.count("sent") + ended.count("dropped"));
    assert_eq!(ended.count("sent"), seen.requests());
    assert_eq!(ended.json["loop"], "open");
}

#[test]
fn fresh_connections_are_as_many_as_requests() {
    let (address, seen) = on_tcp(Answer::Keeps(OK));
    let ended = run(&format!("http://{address}/"), "-c 2 -d 300ms --fresh");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.count("sent"), seen.requests());
    assert_eq!(seen.connections(), seen.requests());
    assert!(seen.last.lock().unwrap().contains("connection: close"));
}

#[test]
fn unix_socket_is_loaded_like_a_port() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("app.sock");
    let seen = on_unix(&socket, Answer::Keeps(OK));
    let ended = run(&format!("unix:{}:/hello?to=http://x", socket.display()), "-c 2 -d 300ms");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.count("sent"), seen.requests());
    let request = seen.last.lock().unwrap().clone();
    assert!(request.starts_with("GET /hello?to=http://x HTTP/1.1\r\n"), "{request}");
}

#[test]
fn post_carries_its_body_and_headers() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "from a file").unwrap();
    let from_file = format!("--body-file {}", file.path().display());
    for (option, method, body) in [
        ("--body hello", "POST", "hello"),
        ("--body hello --method PUT", "PUT", "hello"),
        (from_file.as_str(), "POST", "from a file"),
    ] {
        let (address, seen) = on_tcp(Answer::Keeps(OK));
        let ended =
            run(&format!("http://{address}/"), &format!("-c 1 -d 300ms -H x-probe:1 {option}"));
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let request = seen.last.lock().unwrap().clone();
        assert!(request.starts_with(&format!("{method} / HTTP/1.1\r\n")), "{request}");
        assert!(request.ends_with(&format!("\r\n\r\n{body}")), "{request}");
        assert!(request.contains("\r\nx-probe: 1\r\n"), "{request}");
        assert!(request.contains(&format!("\r\nhost: {address}\r\n")), "{request}");
    }
}

#[test]
fn every_form_of_answer_is_read_to_its_end() {
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\
                   3\r\nok\n\r\n4;x=y\r\nmore\r\n0\r\ntrailer: t\r\n\r\n";
    let early = "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
    for (answer, kept) in [
        (Answer::Keeps(chunked), true),
        (Answer::Keeps(early), true),
        (Answer::Closes("HTTP/1.1 200 OK\r\n\r\nuntil the end"), false),
        (
            Answer::Closes("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 1\r\n\r\nx"),
            false,
        ),
    ] {
        let (address, seen) = on_tcp(answer);
        let ended = run(&format!("http://{address}/"), "-c 1 -d 300ms");
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_eq!(ended.count("answered"), seen.requests());
        assert_eq!(seen.connections(), if kept { 1 } else { seen.requests() });
    }
}

#[test]
fn json_report_has_its_shape() {
    let (address, _) = on_tcp(Answer::Keeps(OK));
    let ended = run(&format!("http://{address}/"), "-c 2 -d 250ms --rate 200 --interval 100ms");
    let report = &ended.json;
    for key in ["sent", "answered", "lost", "unfinished", "connections", "planned", "dropped"] {
        assert!(report[key].is_u64(), "{key}: {report:#}");
    }
    for key in ["seconds", "requests_per_second", "rate"] {
        assert!(report[key].is_f64(), "{key}: {report:#}");
    }
    for key in ["p50", "p90", "p99", "p99.9"] {
        assert!(report["latency"]["percentiles"][key].is_f64(), "{key}: {report:#}");
    }
    assert_eq!(report["latency"]["thin"], serde_json::json!(["p90", "p99", "p99.9"]));
    assert!(report["cpu"]["share_of_machine"].as_f64().unwrap() <= 1.0, "{report:#}");
    assert_eq!(report["interrupted"], false);
    let intervals = report["intervals"].as_array().unwrap();
    assert!(intervals.len() >= 3, "{report:#}");
    let ended_in_all: u64 = intervals.iter().map(|it| it["answered"].as_u64().unwrap()).sum();
    assert_eq!(ended_in_all, ended.count("answered"));
}

#[test]
fn text_report_names_what_is_too_little() {
    let (address, _) = on_tcp(Answer::Keeps(OK));
    let ended = run(&format!("http://{address}/"), "-c 1 -d 100ms --rate 100");
    assert!(ended.stdout.contains("planned      10 = "), "{}", ended.stdout);
    assert!(ended.stdout.contains("too few answers for p50, p90, p99, p99.9"), "{}", ended.stdout);
}
