//! Refused settings, and the wording of each refusal.

use cluster::Config;
use cluster::config::{LogFormat, Mistakes, Origin, settings};
use proptest::prelude::*;

use crate::{File, env, good, sent, wrong};

#[test]
fn all_mistakes_are_reported_at_once_with_value_and_place() {
    let file = File::new("\n\n# drains\ndrain_window = \"40s\"\nworker = 3\n");
    let builder = Config::builder().surge(0).file(file.path()).env_from([
        ("CLUSTER_WORKERS", "many"),
        ("CLUSTER_WORKRES", "4"),
        ("CLUSTER_NAME", "x"),
        ("GRACEFUL_SHUTDOWN_TIMOUT", "2s"),
        ("DRAIN_TIME", "9"), // a larger difference, and perhaps another program's
    ]);
    let path = file.path().display().to_string();
    let expected = format!(
        "this configuration cannot be used: 6 settings are wrong
  surge = 0 (in code): expected a whole number from 1 to 1024
  worker ({path}, line 5): there is no such setting; did you mean workers?
  CLUSTER_WORKERS=many (environment): expected auto, or a whole number from 1 to 1024
  CLUSTER_WORKRES (environment): there is no such setting; did you mean CLUSTER_WORKERS?
  GRACEFUL_SHUTDOWN_TIMOUT (environment): there is no such setting; did you mean GRACEFUL_SHUTDOWN_TIMEOUT?
  drain_window = \"40s\" ({path}, line 4): must be shorter than drain_timeout (30s)"
    );
    let error = builder.build().expect_err("six mistakes");
    assert_eq!(error.to_string(), expected);

    let mistakes = Mistakes::of(&error).expect("the list");
    assert_eq!(mistakes.len(), 6);
    assert_eq!(mistakes[2].value.as_deref(), Some("many"));
    assert_eq!(mistakes[2].origin, Origin::Environment);
}

#[test]
fn a_missing_or_broken_file_is_refused() {
    assert!(wrong(Config::builder().file("/nowhere/app.toml")).contains("cannot be read"));
    let file = File::new("workers = 1\nworkers 2\n");
    assert!(
        wrong(Config::builder().file(file.path())).contains("app.toml, line 2): it is not TOML")
    );
}

#[test]
fn combinations_that_cannot_work_are_refused() {
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
        (&[("CLUSTER_LISTEN", ":80,a=127.0.0.1:80")], "0.0.0.0:80 and 127.0.0.1:80 overlap"),
        (&[("CLUSTER_LISTEN", "[::1]:80,a=[::]:80")], "[::1]:80 and [::]:80 overlap"),
        (&[("CLUSTER_LISTEN", ":80,a=[::ffff:127.0.0.1]:80")], "overlap; keep one"),
        (&[("CLUSTER_LISTEN", "a=:80,a=:81")], "two listeners have the name a"),
        (&[("CLUSTER_API_PORT", "0.0.0.0:9000")], "set api_token"),
        (&[("CLUSTER_API_PORT", "8000")], "the cluster itself listens there"),
        (
            &[("CLUSTER_API_PORT", "80"), ("CLUSTER_LISTEN", "a=:80")],
            "there (listen = a=0.0.0.0:80)",
        ),
        (&[("CLUSTER_API_SOCKET", "/a"), ("CLUSTER_LISTEN", "unix:/a")], "cluster itself listens"),
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
fn socket_path_that_is_too_long_is_refused_with_its_length() {
    let path = format!("/{}", "x".repeat(107));
    let reason =
        "the path has 108 bytes, and the limit for a Unix socket is 107; choose a shorter one";
    for (name, value) in [
        ("CLUSTER_LISTEN", path.clone()),
        ("CLUSTER_LISTEN", format!("unix:{path}")),
        ("CLUSTER_LISTEN", format!("a=127.0.0.1:80,ops=unix:{path}")),
        ("CLUSTER_API_SOCKET", path.clone()),
    ] {
        let text = wrong(env([(name, value.as_str())]));
        assert!(text.contains(reason), "{text}");
        assert_eq!(text.contains("listener ops: "), value.contains("ops"), "{text}");
    }
    good(env([("CLUSTER_LISTEN", &path[..107]), ("CLUSTER_API_SOCKET", "off")]));
    let relative = wrong(env([("CLUSTER_API_SOCKET", &path[1..])]));
    let folder = std::env::current_dir().expect("there is one").as_os_str().len();
    let length = format!("the path has {} bytes, the working directory included,", folder + 108);
    assert!(relative.contains(&length), "{relative}");
}

#[test]
fn combinations_that_work_are_accepted() {
    for variables in [
        [("CLUSTER_LISTEN", "unix:/a"), ("CLUSTER_SHARING", "hand-off")],
        [("CLUSTER_LISTEN", "127.0.0.1:0,b=127.0.0.1:0"), ("CLUSTER_SHARING", "reuse-port")],
        [("CLUSTER_API_PORT", "0.0.0.0:9000"), ("CLUSTER_API_TOKEN", "secret")],
        [("CLUSTER_API_PORT", "9000"), ("CLUSTER_API_SOCKET", "off")],
        [("CLUSTER_API_PORT", "0"), ("CLUSTER_LISTEN", "127.0.0.1:0")],
        [("CLUSTER_API_PORT", "80"), ("CLUSTER_LISTEN", "[::]:80")],
        [("CLUSTER_LISTEN", ":80,a=[::]:80"), ("CLUSTER_SHARING", "reuse-port")],
        [("CLUSTER_LISTEN", "[::]:0,a=[::1]:0"), ("CLUSTER_SHARING", "hand-off")],
        [("CLUSTER_LISTEN", "[fe80::1%1]:80,a=[fe80::1%2]:80"), ("CLUSTER_SHARING", "inherited")],
        [("CLUSTER_MIN_WORKERS", "900"), ("CLUSTER_WORKERS", "auto")],
    ] {
        good(env(variables));
    }
    let follows = good(env([("CLUSTER_MIN_WORKERS", "900")]));
    assert_eq!(follows["policy"]["workers"], 900, "auto follows the minimum");
    assert_eq!(follows["policy"]["max_workers"], 900);
}

#[test]
fn value_that_is_not_utf8_is_a_mistake() {
    let lossy = String::from_utf8_lossy(b"/run/caf\xe9.pid").into_owned();
    let text = wrong(env([("CLUSTER_PID_FILE", lossy.as_str())]));
    assert!(text.contains("(environment): the value is not UTF-8"), "{text}");
}

#[test]
fn address_of_a_service_is_ignored_with_a_line() {
    for (name, value) in [
        ("CLUSTER_API_PORT", "tcp://10.96.0.10:443"),
        ("CLUSTER_API_PORT", "tcp://[fd00::1]:443"),
        ("CLUSTER_API_PORT", "udp://10.96.0.10:53"),
        ("CLUSTER_API_PORT", "sctp://10.96.0.10:9"),
    ] {
        let config = env([(name, value)]).build().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(sent(&config), good(Config::builder()));
        let [note] = config.notes() else { panic!("{:?}", config.notes()) };
        assert!(note.starts_with(&format!("{name}={value} is ignored: ")), "{note}");
        assert!(note.contains("Kubernetes") && !note.contains('\n'), "{note}");
    }
    let file = File::new("api_port = 9000\n");
    let config = env([("CLUSTER_API_PORT", "tcp://10.96.0.10:443")]).file(file.path()).build();
    let config = config.expect("the file's value applies");
    assert_eq!(sent(&config)["admin"]["Tcp"], "127.0.0.1:9000");
    assert_eq!(config.reread().expect("nothing has changed").notes().len(), 1);
    for value in ["tcp://", "tcp://:1", "tcp://a", "tcp://a:b", "tcp://a/b:1", "http://a:1"] {
        wrong(env([("CLUSTER_API_PORT", value)]));
    }
    wrong(env([("CLUSTER_LISTEN", "tcp://0.0.0.0:80")])); // Kubernetes sets no such name
    wrong(Config::builder().file(File::new("api_port = \"tcp://10.96.0.10:443\"").path()));
}

#[test]
fn near_miss_with_the_address_of_a_service_is_not_a_mistake() {
    wrong(env([("CLUSTER_AP_PORT", "9000")]));
    let variables = [
        ("CLUSTER_AP_PORT", "tcp://10.96.0.10:443"),
        ("CLUSTER_PI_PORT", "udp://10.96.0.10:443"),
        ("DRAIN_TIMEOUTS", "tcp://10.96.0.10:443"),
    ];
    let config = env(variables).build().expect("they belong to Kubernetes");
    assert!(config.notes().is_empty(), "{:?}", config.notes());
}

#[test]
fn log_format_of_another_program_is_ignored_with_a_line() {
    let variables = [("LOG_FORMAT", "logfmt"), ("LOG_FORMATS", "a"), ("LOG_FORMATTER", "b")];
    let config = env(variables).log_format(LogFormat::Json).build().expect("a good setting");
    assert_eq!(sent(&config)["log"], "Json", "the program's own value applies");
    let [note] = config.notes() else { panic!("{:?}", config.notes()) };
    assert!(note.starts_with("LOG_FORMAT=logfmt is ignored: "), "{note}");
    assert!(note.contains("one of text, json, off"), "{note}");

    let known = env([("LOG_FORMAT", "json")]).build().expect("a good setting");
    assert!(known.notes().is_empty() && sent(&known)["log"] == "Json");
    let file = File::new("log_format = \"logfmt\"");
    assert!(wrong(Config::builder().file(file.path())).contains("one of text, json, off"));
    assert!(wrong(env([("WORKER_THREADS", "logfmt")])).contains("a whole number"));
}

#[test]
fn the_token_is_never_shown() {
    let config = env([("CLUSTER_API_TOKEN", "s3cret")]).build().expect("a good token");
    assert!(!format!("{config:?} {}", sent(&config)).contains("s3cret"));
    let builder = Config::builder().api_token("s3cret with spaces");
    assert!(!format!("{builder:?}").contains("s3cret"));
    assert!(!wrong(builder).contains("s3cret"));
}

proptest! {
    #[test]
    fn arbitrary_value_never_panics(text: String) {
        for setting in settings() {
            let _ = Config::builder().env_from([(setting.env, text.as_str())]).build();
        }
    }

    #[test]
    fn value_that_almost_fits_never_panics(
        text in "[-+]?[0-9]{0,25}([.:,=/][0-9a-z]{0,5}){0,3} ?(s|ms|KiB|GiB|y|unix:|systemd:)?"
    ) {
        for setting in settings() {
            let _ = Config::builder().env_from([(setting.env, text.as_str())]).build();
        }
    }

    #[test]
    fn almost_valid_file_never_panics(text in "(([a-z_.\\[\\]\"]{0,9}|workers|http|listen)[ =\n\\[\\]{}]{1,3}([0-9a-fx_.:-]{0,9}|\"[^\"\n]{0,5}\")[,\n ]?){0,6}") {
        let file = File::new(&text);
        let _ = Config::builder().file(file.path()).build();
    }
}
