//! Runs that go wrong: one line on stderr, an exit code, and the figures as far as there are any.

mod common;

use std::net::TcpListener;

use common::tiny::{Answer, OK, on_tcp};
use common::{Running, load, run, wait};
use nix::sys::signal::Signal;

#[test]
fn wrong_url_is_explained() {
    for (url, advice) in [
        ("localhost", "expected http://HOST:PORT/PATH"),
        ("ftp://127.0.0.1/", "expected http://HOST:PORT/PATH"),
        ("https://127.0.0.1/", "https is not supported"),
        ("http://:80/", "see --help"),
        ("http://127.0.0.1:99999/", "has a wrong port"),
        ("http://me:secret@127.0.0.1/", "has a name for a log-in"),
        ("unix::/hello", "a Unix socket needs its path"),
        ("", "see --help"),
    ] {
        let ended = run(url, "");
        assert_eq!(ended.code, Some(2), "{url}: {ended:?}");
        assert!(ended.complaint().contains(advice), "{url}: {ended:?}");
    }
}

#[test]
fn wrong_option_is_explained() {
    for option in [
        "--rate 0",
        "--rate nan",
        "--connections 0",
        "--duration 0s",
        "--header x",
        "--pairs 10",
        "--compare a b --pairs 9",
        "--body x --body-file y",
    ] {
        let ended = run("http://127.0.0.1:1/", option);
        assert_eq!(ended.code, Some(2), "{option}: {ended:?}");
        assert!(ended.complaint().contains("see --help"), "{option}: {ended:?}");
    }
}

#[test]
fn refused_connection_is_reported_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    for option in ["", "--fresh", "--rate 100", "--fresh --rate 100"] {
        let ended = run(&url, &format!("{option} --duration 1h"));
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert_eq!(ended.complaint(), format!("{url}: connection refused"));
    }
    let ended = run("unix:/nowhere/app.sock:/", "");
    assert!(ended.complaint().contains("No such file"), "{ended:?}");
}

#[test]
fn answer_that_is_not_http_is_reported_at_once() {
    for bytes in ["SSH-2.0-OpenSSH_9.2\r\n", "220 mail ESMTP\r\n", "\u{15}\u{3}\u{1}\0\u{2}"] {
        let (address, _) = on_tcp(Answer::Keeps(bytes));
        let ended = run(&format!("http://{address}/"), "--duration 1h");
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.complaint().contains("not HTTP"), "{ended:?}");
    }
}

#[test]
fn rate_that_cannot_be_kept_is_reported_with_the_figures() {
    let (address, _) = on_tcp(Answer::Keeps(OK));
    let ended = run(&format!("http://{address}/"), "-c 1 -d 300ms --rate 1000000");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.complaint().contains("could not be kept"), "{ended:?}");
    assert_eq!(ended.count("planned"), 300_000);
    assert_eq!(ended.count("planned"), ended.count("sent") + ended.count("dropped"));
    assert!(ended.stdout.contains("throughput"), "{ended:?}");
}

#[test]
fn server_without_an_answer_loses_every_request() {
    let (address, _) = on_tcp(Answer::Silent);
    let ended = run(&format!("http://{address}/"), "-c 2 -d 1s --timeout 1500ms");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.complaint().contains("no answer within 1s 500ms"), "{ended:?}");
    assert_eq!((ended.count("sent"), ended.count("lost")), (2, 2));
    assert!(ended.json["latency"].is_null());
}

#[test]
fn losses_are_reported_by_cause_and_time() {
    let (address, _) = on_tcp(Answer::Mortal(50));
    let ended = run(&format!("http://{address}/"), "-c 1 -d 200ms --rate 500");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!((ended.count("answered"), ended.count("lost")), (50, ended.count("sent") - 50));
    let losses = &ended.json["losses"][0];
    assert_eq!(losses["cause"], "connection closed before the answer's end");
    assert_eq!(losses["count"], ended.count("lost"));
    assert!(losses["first"].as_f64().unwrap() < losses["last"].as_f64().unwrap());
}

#[test]
fn status_of_an_error_is_a_loss() {
    let busy = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";
    let (address, seen) = on_tcp(Answer::Keeps(busy));
    let ended = run(&format!("http://{address}/"), "-c 1 -d 300ms");
    assert_eq!(ended.count("lost"), seen.requests());
    assert_eq!(ended.json["statuses"]["503"], ended.count("lost"));
    assert!(ended.complaint().contains("status 503"), "{ended:?}");
}

#[test]
fn interrupted_run_reports_its_figures_so_far() {
    for options in ["-d 1h", "-d 1h --rate 1000"] {
        let (address, seen) = on_tcp(Answer::Keeps(OK));
        let running = Running::start(load(&format!("http://{address}/"), options));
        wait("100 requests", || seen.requests() > 100).unwrap();
        running.signal(Signal::SIGINT);
        let ended = running.ended();
        assert_eq!(ended.code, Some(130), "{ended:?}");
        assert!(ended.complaint().starts_with("interrupted after"), "{ended:?}");
        assert!(ended.count("answered") >= 36, "all but those of 64 clients: {ended:?}");
        let ended_requests = ended.count("answered") + ended.count("unfinished");
        assert_eq!(ended.count("sent"), ended_requests, "{ended:?}");
        if options.contains("rate") {
            assert_eq!(ended.count("planned"), ended.count("sent") + ended.count("dropped"));
        }
        assert!(ended.stdout.contains("throughput"), "{ended:?}");
    }
}

#[test]
fn interrupt_during_a_slow_answer_does_not_wait_for_it() {
    let (address, seen) = on_tcp(Answer::Silent);
    let running = Running::start(load(&format!("http://{address}/"), "-c 3 -d 1h --timeout 1h"));
    wait("three requests", || seen.requests() == 3).unwrap();
    running.signal(Signal::SIGTERM);
    let ended = running.ended();
    assert_eq!((ended.count("sent"), ended.count("unfinished")), (3, 3));
}

#[test]
fn report_that_cannot_be_written_is_an_error() {
    let (address, _) = on_tcp(Answer::Keeps(OK));
    let options = "-c 1 -d 50ms --json /nowhere/report.json";
    let output = load(&format!("http://{address}/"), options).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.starts_with("error: --json /nowhere/report.json:"), "{stderr}");
}

#[test]
fn help_describes_every_option() {
    let output = load("--help", "").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    for word in ["URL", "--connections", "--rate", "--fresh", "--compare", "--json", "unix:"] {
        assert!(help.contains(word), "{word}: {help}");
    }
}
