//! Clients that are hostile or broken, while others need an answer.

use proptest::prelude::*;

use crate::client::{connect, get, post, read_answer, request, wait_for_close};
use crate::{TOKEN, obey, on_tcp, on_unix};

#[test]
fn silent_clients_do_not_shut_others_out() {
    let server = on_tcp(Some(TOKEN));
    let mut silent: Vec<_> = (0..200).map(|_| connect(&server)).collect();
    assert_eq!(get(&server, "/health").status, 200);
    // The oldest lost their places to later clients.
    silent.iter_mut().take(100).for_each(|stream| wait_for_close(&mut **stream));
    assert_eq!(get(&server, "/health").status, 200);
}

#[test]
fn a_slow_head_is_cut_off_while_others_are_served() {
    let (server, _folder) = on_unix(obey);
    let mut slow = connect(&server);
    slow.write_all(b"GET /stats HTTP/1.1\r\nHost: local").expect("it reads");
    let mut slow_body = connect(&server);
    let request = request("POST /scale", &[], r#"{"workers": 7}"#);
    slow_body.write_all(&request.as_bytes()[..request.len() - 3]).expect("it reads");
    for _ in 0..100 {
        assert_eq!(get(&server, "/stats").status, 200);
    }
    wait_for_close(&mut *slow);
    assert_eq!(read_answer(&mut *slow_body).status, 408);
}

#[test]
fn garbage_harms_no_client() {
    let (server, _folder) = on_unix(obey);
    let long = [b"GET /stats HTTP/1.1\r\nX: ", vec![b'x'; 100 << 10].as_slice()].concat();
    for garbage in [&b"\0\xff\x16\x03\x01"[..], b"\r\n\r\n\r\n", b"GET\r\n\r\n", &long] {
        let mut stream = connect(&server);
        // The server may close before everything is written.
        let _ = stream.write_all(garbage);
        let _ = stream.write_all(b"\r\n\r\n");
        drop(stream);
        assert_eq!(get(&server, "/stats").status, 200);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn every_body_gets_an_answer(body in prop_oneof![
        "\\PC{0,40}",
        r#"\{"(workers|slot)": ?(-?[0-9]{1,25}|[0-9]e[0-9]{1,4}|null|"x"|\[\]|\{\})\}"#,
    ]) {
        let (server, _folder) = on_unix(obey);
        for path in ["/scale", "/reset", "/reload"] {
            let answer = post(&server, path, &body);
            prop_assert!([200, 400, 409].contains(&answer.status), "{:?}", answer);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]
    #[test]
    fn every_request_gets_an_answer_or_a_close(
        line in "(GET|POST|HEAD|PUT|\\PC{1,3}) (/(stats|metrics|scale|stop|\\PC{0,9})|\\*|a:1)(\\?[a-z=&]{0,9})?",
        header in "(host|origin|authorization|expect|upgrade): ?\\PC{0,12}",
    ) {
        let (server, _folder) = on_unix(obey);
        let mut stream = connect(&server);
        // Sent in one piece: the server may close as soon as the first words are wrong.
        let request = format!("{line} HTTP/1.1\r\n{header}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("it reads");
        wait_for_close(&mut *stream);
        prop_assert_eq!(get(&server, "/stats").status, 200);
    }
}
