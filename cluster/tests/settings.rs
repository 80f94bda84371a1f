//! Settings: what the layers mean, what is refused and in which words.

use std::path::PathBuf;
use std::time::Duration;

use cluster::Config;
use cluster::config::{Builder, Mistakes, Origin, Setting, settings};
use proptest::prelude::*;
use serde_json::Value;

/// A file that lives as long as the test.
struct File {
    folder: tempfile::TempDir,
}

impl File {
    fn new(text: &str) -> Self {
        let file = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        file.write(text);
        file
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("app.toml")
    }

    fn write(&self, text: &str) {
        std::fs::write(self.path(), text).expect("a writable folder");
    }
}

fn env<const N: usize>(variables: [(&str, &str); N]) -> Builder {
    Config::builder().env_from(variables)
}

/// The settings as a worker gets them.
fn sent(config: &Config) -> Value {
    serde_json::to_value(config).expect("settings can be sent")
}

fn good(builder: Builder) -> Value {
    sent(&builder.build().expect("good settings"))
}

fn wrong(builder: Builder) -> String {
    builder.build().expect_err("wrong settings").to_string()
}

#[test]
fn the_documentation_shows_the_table() {
    let row = |setting: &Setting| {
        let (key, env, default) = (setting.key, setting.env, setting.default());
        format!("| `{key}` | `{env}` | `{default}` | {} |\n", setting.meaning.trim())
    };
    let head = "| in a file, in code | in the environment | default | meaning |\n";
    let rows: String = settings().iter().map(row).collect();
    let expected = format!("{head}| --- | --- | --- | --- |\n{rows}");
    let shown = include_str!("../src/config/settings.md");
    let shown = &shown[shown.find("| in a file").unwrap_or(shown.len())..];
    assert!(shown == expected, "src/config/settings.md should end with:\n{expected}");
}

#[test]
fn every_name_is_used_once_and_every_default_can_be_written() {
    for (at, one) in settings().iter().enumerate() {
        let earlier = &settings()[..at];
        assert!(earlier.iter().all(|other| other.env != one.env && other.key != one.key));
        let default = one.default();
        if !["api_token", "api_port"].contains(&one.key) {
            let written = env([(one.env, default.as_str())]).build();
            assert_eq!(written.as_ref().err().map(ToString::to_string), None, "{}", one.env);
            assert_eq!(written.ok(), Config::builder().build().ok(), "{}", one.env);
        }
    }
}

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
fn the_file_overrides_the_code_and_the_environment_overrides_both() {
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
    let long = format!("unix:/{}", "x".repeat(107));
    wrong(env([("CLUSTER_LISTEN", &long)]));
}

#[test]
fn all_mistakes_are_told_at_once_with_value_place_and_what_is_allowed() {
    let file = File::new("\n\n# drains\ndrain_window = \"40s\"\nworker = 3\n");
    let builder = Config::builder().surge(0).file(file.path()).env_from([
        ("CLUSTER_WORKERS", "many"),
        ("CLUSTER_WORKRES", "4"),
        ("CLUSTER_NAME", "x"),
    ]);
    let path = file.path().display().to_string();
    let expected = format!(
        "this configuration cannot be used: 5 settings are wrong
  surge = 0 (in code): expected a whole number from 1 to 1024
  worker ({path}, line 5): there is no such setting; did you mean workers?
  CLUSTER_WORKERS=many (environment): expected auto, or a whole number from 1 to 1024
  CLUSTER_WORKRES (environment): there is no such setting; did you mean CLUSTER_WORKERS?
  drain_window = \"40s\" ({path}, line 4): must be shorter than drain_timeout (30s)"
    );
    let error = builder.build().expect_err("five mistakes");
    assert_eq!(error.to_string(), expected);

    let mistakes = Mistakes::of(&error).expect("the list");
    assert_eq!(mistakes.len(), 5);
    assert_eq!(mistakes[2].value.as_deref(), Some("many"));
    assert_eq!(mistakes[2].origin, Origin::Environment);
}

#[test]
fn a_file_that_is_missing_or_broken() {
    assert!(wrong(Config::builder().file("/nowhere/app.toml")).contains("cannot be read"));
    let file = File::new("workers = 1\nworkers 2\n");
    assert!(
        wrong(Config::builder().file(file.path())).contains("app.toml, line 2): it is not TOML")
    );
}

#[test]
fn what_does_not_go_together() {
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[("CLUSTER_WORKERS", "5"), ("CLUSTER_MAX_WORKERS", "4")], "more than max_workers (4)"),
        (&[("CLUSTER_WORKERS", "1"), ("CLUSTER_MIN_WORKERS", "2")], "less than min_workers (2)"),
        (&[("CLUSTER_MIN_WORKERS", "9"), ("CLUSTER_MAX_WORKERS", "4")], "more than max_workers"),
        (&[("DRAIN_TIMEOUT", "1s")], "drain_window = 2s (the default): must be shorter"),
        (&[("WORKER_RESTART_DELAY", "31s")], "not be longer than restart_delay_max (30s)"),
        (&[("GRACEFUL_SHUTDOWN_TIMEOUT", "1ms")], "not be longer than shutdown_timeout (1ms)"),
        (&[("CLUSTER_LISTEN", "unix:/a"), ("CLUSTER_SHARING", "reuse-port")], "no port to reuse"),
        (&[("CLUSTER_LISTEN", "systemd:a"), ("CLUSTER_SHARING", "reuse-port")], "one socket"),
        (&[("CLUSTER_LISTEN", ":80,a=:80")], "two listeners have the address"),
        (&[("CLUSTER_LISTEN", "a=:80,a=:81")], "two listeners have the name a"),
        (&[("CLUSTER_API_PORT", "0.0.0.0:9000")], "set api_token"),
        (&[("CLUSTER_API_PORT", "8000")], "the cluster itself listens there"),
        (&[("CLUSTER_API_PORT", "9000"), ("CLUSTER_API_SOCKET", "/a")], "choose one"),
        (&[("HTTP_HEADER_SIZE", "4KiB")], "a size from 8KiB to 16MiB"),
        (&[("HTTP_CONNECTIONS", "0")], "a whole number from 1"),
    ];
    for (variables, part) in cases {
        let text = wrong(Config::builder().env_from(variables.iter().copied()));
        assert!(
            text.contains(part) && text.contains("1 setting is wrong"),
            "{variables:?}: {text}"
        );
    }
}

#[test]
fn what_does_go_together() {
    for variables in [
        [("CLUSTER_LISTEN", "unix:/a"), ("CLUSTER_SHARING", "hand-off")],
        [("CLUSTER_LISTEN", "127.0.0.1:0,b=127.0.0.1:0"), ("CLUSTER_SHARING", "reuse-port")],
        [("CLUSTER_API_PORT", "0.0.0.0:9000"), ("CLUSTER_API_TOKEN", "secret")],
        [("CLUSTER_API_PORT", "9000"), ("CLUSTER_API_SOCKET", "off")],
        [("CLUSTER_MIN_WORKERS", "900"), ("CLUSTER_WORKERS", "auto")],
    ] {
        good(env(variables));
    }
    let follows = good(env([("CLUSTER_MIN_WORKERS", "900")]));
    assert_eq!(follows["policy"]["workers"], 900, "auto follows what was said");
    assert_eq!(follows["policy"]["max_workers"], 900);
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
fn the_token_is_shown_to_nobody() {
    let config = env([("CLUSTER_API_TOKEN", "s3cret")]).build().expect("a good token");
    assert!(!format!("{config:?} {}", sent(&config)).contains("s3cret"));
    let builder = Config::builder().api_token("s3cret with spaces");
    assert!(!format!("{builder:?}").contains("s3cret"));
    assert!(!wrong(builder).contains("s3cret"));
}

#[test]
fn a_worker_gets_what_the_primary_has() {
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

proptest! {
    #[test]
    fn no_value_is_too_strange(text: String) {
        for setting in settings() {
            let _ = Config::builder().env_from([(setting.env, text.as_str())]).build();
        }
    }

    #[test]
    fn no_value_that_almost_fits_is_too_strange(
        text in "[-+]?[0-9]{0,25}([.:,=/][0-9a-z]{0,5}){0,3} ?(s|ms|KiB|GiB|y|unix:|systemd:)?"
    ) {
        for setting in settings() {
            let _ = Config::builder().env_from([(setting.env, text.as_str())]).build();
        }
    }

    #[test]
    fn no_file_is_too_strange(text in "(([a-z_.\\[\\]\"]{0,9}|workers|http|listen)[ =\n\\[\\]{}]{1,3}([0-9a-fx_.:-]{0,9}|\"[^\"\n]{0,5}\")[,\n ]?){0,6}") {
        let file = File::new(&text);
        let _ = Config::builder().file(file.path()).build();
    }
}
