//! The largest inputs, in the shapes that cost the most.

use super::{MIB, properties, within};

/// A length that a frame can hold.
const FULL: usize = MIB - 64;

fn repeated(head: &str, piece: &str, tail: &str) -> Vec<u8> {
    let body = piece.repeat((FULL - head.len() - tail.len()) / piece.len());
    [head, body.as_str(), tail].concat().into_bytes()
}

/// No nesting exhausts the stack, and nothing is copied more than a few times.
#[test]
fn messages_as_large_as_a_frame() {
    for bytes in [
        repeated("{\"Tell\":", "[", ""),
        repeated("{\"Heartbeat\":", "[", ""),
        repeated("{\"Heartbeat\":[{},{\"a\":", "{\"a\":", ""),
        [repeated("{\"Relay\":", "[", ""), b"]".repeat(FULL)].concat()[..FULL].to_vec(),
        repeated("{\"Relay\":\"", "x", "\"}"),
        repeated("{\"", "x", "\":1}"),
        repeated("{\"Ask\":[", "9", ",1]}"),
        repeated("", "\0", ""),
    ] {
        within(10 * MIB, properties::frames, &bytes);
    }
}

#[test]
fn snapshots_as_large_as_a_frame() {
    for bytes in [
        repeated("{\"a\":{\"counter\":[", "[[],1],", "[[],1]]}}"),
        repeated("{\"a\":{\"gauge\":[[[", "[\"\",\"\"],", "[\"\",\"\"]],1]]}}"),
        repeated(
            "{\"a\":{\"histogram\":{\"bounds\":[",
            "0,",
            "0],\"series\":[[[],{\"counts\":[],\"sum\":0}]]}}}",
        ),
        distinct(|n| format!("\"f{n}\":{{\"gauge\":[[[[\"overflow\",\"true\"]],1]]}}"), "{", "}"),
        distinct(|n| format!("[[[\"l\",\"{n}\"]],1]"), "{\"a\":{\"counter\":[", "]}}"),
    ] {
        within(64 * MIB, properties::snapshot, &bytes);
    }
}

#[test]
fn heads_that_never_end() {
    for bytes in [
        repeated("GET / HTTP/1.1\r\n", "a: b\r\n", ""),
        repeated("GET / HTTP/1.1\r\nx: ", "x", ""),
        repeated("GET /", "x", ""),
        repeated("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n", "1\r\na\r\n", ""),
        repeated("GET / HTTP/1.1\r\nhost: a\r\n\r\n", "GET / HTTP/1.1\r\nhost: a\r\n\r\n", ""),
        repeated(
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0",
            "\0\0\u{0}\u{4}\0\0\0\0\0",
            "",
        ),
    ] {
        within(MIB / 4, properties::http_head, &bytes[..bytes.len() / 4]);
    }
}

#[test]
fn deeply_nested_files() {
    for bytes in [
        repeated("a", ".a", " = 1"),
        repeated("a = ", "[", ""),
        repeated("a = ", "{a=", ""),
        repeated("[a", ".a", "]"),
    ] {
        within(8 * MIB, properties::settings, &bytes[..bytes.len() / 16]);
    }
}

/// As many different elements as a frame can hold, with commas between them.
fn distinct(element: impl Fn(usize) -> String, head: &str, tail: &str) -> Vec<u8> {
    let mut bytes = head.to_owned();
    for n in 0.. {
        let next = element(n);
        if bytes.len() + next.len() + tail.len() > FULL {
            break;
        }
        bytes += &next;
        bytes.push(',');
    }
    bytes.pop();
    (bytes + tail).into_bytes()
}
