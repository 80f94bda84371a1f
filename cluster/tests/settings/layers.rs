//! The meaning of values, and the layers that override one another.

use std::time::Duration;

use cluster::Config;
use serde_json::Value;

use crate::{File, env, good, sent, wrong};

#[test]
fn defaults() {
    let cores = std::thread::available_parallelism().expect("a number of cores").get();
    let config = good(Config::builder());
    assert_eq!(config["policy"]["workers"], cores);
    assert_eq!(config["policy"]["max_workers"], cores.max(256));
    assert_eq!(config["listen"][0]["address"]["Tcp"], "127.0.0.1:8000");
    assert_eq!(config["health_check_interval"]["secs"], 30);
    assert_eq!(config["admin"]["Unix"], Value::Null);
}

#[test]
fn file_overrides_code_and_environment_overrides_both() {
    let file = File::new("workers = 3\nmax_workers = 30\n[http]\nheader_size = \"64KiB\"\n");
    let config = good(
        Config::builder()
            .env_from([("CLUSTER_WORKERS", "4")])
            .file(file.path())
            .workers(2)
            .max_workers(20)
            .min_workers(2)
            .http_header_size(9000),
    );
    assert_eq!(config["policy"]["workers"], 4);
    assert_eq!(config["policy"]["max_workers"], 30);
    assert_eq!(config["policy"]["min_workers"], 2);
    assert_eq!(config["http"]["header_size"], 64 << 10);
}

#[test]
fn the_environment_may_name_the_file() {
    let file = File::new("workers = 7");
    let path = file.path();
    let builder = Config::builder()
        .file("/nowhere")
        .env_from([("CLUSTER_CONFIG", path.to_str().expect("UTF-8"))]);
    assert_eq!(good(builder)["policy"]["workers"], 7);
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    assert_eq!(good(env([("CLUSTER_WORKERS", "")])), good(Config::builder()));
}

#[test]
fn units() {
    let config = good(env([
        ("HEALTH_REPORT_INTERVAL", "off"),
        ("WORKER_RESTART_DELAY", "250"),
        ("GRACEFUL_SHUTDOWN_TIMEOUT", "1h 30m"),
        ("WORKER_MEMORY_LIMIT", "1.5GiB"),
        ("LOG_CLUSTER_STATS", "true"),
        ("HEALTH_CHECK_INTERVAL", "5s"),
    ]));
    assert_eq!(config["policy"]["heartbeat"], Value::Null);
    assert_eq!(config["policy"]["restart_delay"]["nanos"], 250_000_000);
    assert_eq!(config["policy"]["shutdown_timeout"]["secs"], 5400);
    assert_eq!(config["policy"]["memory_limit"], 3_u64 << 29);
    assert_eq!(config["log_stats"]["secs"], 5);
}

#[test]
fn plain_values_in_code_come_out_as_they_went_in() {
    let config = good(
        Config::builder()
            .drain_window(Duration::new(1, 234_567_891))
            .memory_limit(Some(123_456_789))
            .max_lifetime(None)
            .health_report_interval(Some(Duration::from_millis(1500)))
            .sharing(cluster::config::Sharing::HandOff)
            .log_format(cluster::config::LogFormat::Json)
            .api_port(9000),
    );
    assert_eq!(config["policy"]["drain_window"]["nanos"], 234_567_891);
    assert_eq!(config["policy"]["memory_limit"], 123_456_789);
    assert_eq!(config["policy"]["heartbeat"]["nanos"], 500_000_000);
    assert_eq!(config["sharing"], "HandOff");
    assert_eq!(config["log"], "Json");
    assert_eq!(config["admin"]["Tcp"], "127.0.0.1:9000");
}

#[test]
fn addresses() {
    let listen = |text| good(env([("CLUSTER_LISTEN", text)]))["listen"].clone();
    for (text, shown) in [
        ("127.0.0.1:0", "127.0.0.1:0"),
        ("8000", "0.0.0.0:8000"),
        (":8000", "0.0.0.0:8000"),
        ("*:8000", "0.0.0.0:8000"),
        ("localhost:8000", "127.0.0.1:8000"),
        ("[::1]:8000", "[::1]:8000"),
    ] {
        assert_eq!(listen(text)[0]["address"]["Tcp"], shown, "{text}");
    }
    assert_eq!(listen("unix:/run/a=b.sock")[0]["address"]["Unix"], "/run/a=b.sock");
    assert_eq!(listen("/run/app.sock")[0]["address"]["Unix"], "/run/app.sock");
    assert_eq!(listen("systemd:http")[0]["address"]["Systemd"], "http");
    let several = listen("127.0.0.1:80, ops=unix:/run/ops.sock");
    assert_eq!((&several[0]["name"], &several[1]["name"]), (&"default".into(), &"ops".into()));
    for text in
        ["a.example:80", "127.0.0.1", "70000", "80,81", "unix:", "systemd:", "=:80", "http://x:1"]
    {
        assert!(wrong(env([("CLUSTER_LISTEN", text)])).contains("expected an address"), "{text}");
    }
}

#[test]
fn a_later_layer_may_move_the_admin_api() {
    let file = File::new("api_port = 9000\n");
    let socket = good(Config::builder().file(file.path()).env_from([("CLUSTER_API_SOCKET", "/a")]));
    assert_eq!(socket["admin"]["Unix"], "/a");
    let off = File::new("api_port = 9000\napi_socket = \"off\"\n");
    assert_eq!(good(Config::builder().file(off.path()))["admin"]["Tcp"], "127.0.0.1:9000");
}

#[test]
fn a_worker_gets_the_settings_of_the_primary() {
    let config = env([("CLUSTER_LISTEN", "unix:/a"), ("WORKER_MEMORY_LIMIT", "1GiB")]);
    let config = config.build().expect("good settings");
    let got: Config = serde_json::from_value(sent(&config)).expect("what was sent");
    assert_eq!(got, config);
}

#[test]
fn a_reload_reads_the_file_again() {
    let file = File::new("workers = 2\nlisten = \"127.0.0.1:8000\"\n");
    let builder = Config::builder().file(file.path()).env_from([("DRAIN_WINDOW", "1s")]);
    let config = builder.build().expect("good settings");

    file.write("workers = 3\nlisten = \"127.0.0.1:8000\"\n");
    let again = config.reread().expect("good settings");
    assert_eq!(sent(&again)["policy"]["workers"], 3);
    assert_eq!(sent(&again)["policy"]["drain_window"]["secs"], 1);

    file.write("workers = 0\nlisten = \"127.0.0.1:9000\"\napi_token = \"new\"\n");
    let text = again.reread().expect_err("three mistakes").to_string();
    assert!(text.contains("3 settings are wrong"), "{text}");
    assert!(text.contains("workers = 0"), "{text}");
    assert!(
        text.contains("line 2): a change needs a restart, not a reload (it was 127.0.0.1:8000)"),
        "{text}"
    );
    assert!(text.contains("api_token (") && !text.contains("new"), "{text}");

    file.write("workers = 2\n");
    again.reread().expect("the same address, now by default");
}
