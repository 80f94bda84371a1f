//! The script `deploy` of `zero-downtime-reload`, from outside.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use level_2::site::{Site, version};
use nix::sys::signal::Signal;

use crate::SUITE;
use crate::zero_downtime_reload::{load, nothing_lost, serves, site};

/// The script `deploy`, next to the example.
fn script() -> Command {
    Command::new(Path::new(SUITE.folder).join("examples/zero-downtime-reload/deploy"))
}

fn deploy(args: &[&str]) -> Output {
    script().args(args).output().expect("bash runs it")
}

/// Deploys a program that is `built` as one version and deployed as another.
fn deploy_to(site: &Site, built: &str, version: &str, how: &[&str]) -> Output {
    let from = site.folder().join(format!("build-{built}"));
    site.build(&from, built).expect("there is room");
    let (to, from) = (site.file().display().to_string(), from.display().to_string());
    let url = format!("http://{}", site.service.address());
    let args = ["--version", version, "--to", &to, "--from", &from, "--url", &url];
    deploy(&[&args[..], how].concat())
}

fn has_curl() -> bool {
    Command::new("curl").arg("--version").output().is_ok()
}

fn code(output: &Output, code: i32) -> String {
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &lab::suite::stderr(output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    said
}

#[test]
fn the_script_deploys_or_rolls_back() {
    if !has_curl() {
        let said = code(&deploy(&["--version", "2", "--to", "/dev/null", "--pid", "1"]), 1);
        return assert!(said.contains("curl is missing"), "{said}");
    }
    let site = site("2");
    let (api, primary) = (site.api().display().to_string(), site.service.primary().to_string());
    let by_api = ["--api", api.as_str()];
    let load = load(&site);
    load.each_has(1).expect("all are served");

    let said = code(&deploy_to(&site, "2", "2", &by_api), 0);
    assert!(said.contains("version 2 serves, seen on 20 fresh connections"), "{said}");
    assert_eq!(serves(&site), "2");
    let good = fs::read(site.file()).expect("it exists");

    let said = code(&deploy_to(&site, "3-broken", "3-broken", &by_api), 3);
    assert!(said.contains("exited with code 1 before it was ready"), "{said}");
    assert!(said.ends_with("; version 2 serves\n"), "{said}");
    assert!(fs::read(site.file()).expect("it exists") == good, "the file is the old one again");
    assert_eq!(serves(&site), "2");

    let said = code(&deploy_to(&site, "4", "5", &by_api), 4);
    assert!(said.contains("not all workers answer with version 5: 20 version 4"), "{said}");
    assert!(fs::read(site.file()).expect("it exists") == good, "the file is the old one again");
    assert_eq!(serves(&site), "2");

    code(&deploy_to(&site, "6-slow", "6-slow", &["--pid", &primary]), 0);
    assert_eq!(serves(&site), "6-slow");
    code(&deploy_to(&site, "7-broken", "7-broken", &["--pid", &primary, "--within", "1"]), 4);
    assert_eq!(serves(&site), "6-slow");

    load.each_has(1).expect("all are served");
    nothing_lost(&load.finish());
}

/// Ten workers of a slow version take 3 s to become ready, one after another: longer than the timeout.
#[test]
fn version_that_is_ready_too_late_is_rolled_back() {
    if !has_curl() {
        return;
    }
    for by_api in [true, false] {
        let site = site("10");
        let (api, primary) = (site.api().display().to_string(), site.service.primary().to_string());
        let (how, expected) = if by_api { (["--api", &api], 3) } else { (["--pid", &primary], 4) };
        let how = [&how[..], &["--within", "1"]].concat();
        let load = load(&site);
        load.each_has(1).expect("all are served");
        let said = code(&deploy_to(&site, "2-slow", "2-slow", &how), expected);
        assert!(said.ends_with("; version 1 serves\n"), "{said}");
        let lines = site.service.narration();
        let came = lines.iter().filter(|line| line.contains("is finished")).count();
        assert!(came >= 2, "the slow version has come, and gone: {lines:#?}");
        for answer in site.service.get_at_once(20, "/version").expect("all are served") {
            assert_eq!(version(&answer.body), "1");
        }
        nothing_lost(&load.finish());
    }
}

#[test]
fn the_script_says_what_is_wrong_before_it_changes_anything() {
    let said = code(&deploy(&["--help"]), 0);
    let me = std::process::id().to_string();
    assert!(said.contains("Exit codes:") && said.contains("--api SOCKET"), "{said}");
    for (args, expected, why) in [
        (&["--version", "2"][..], 2, "--to are needed"),
        (&["--version", "2", "--to", "x"], 2, "--api or --pid is needed"),
        (&["--version"], 2, "--version needs a value"),
        (&["--now"], 2, "unexpected argument '--now'"),
        (&["--version", "2", "--to", "/nowhere/app", "--pid", "1"], 1, "there is no file"),
        (&["--version", "2", "--to", "/bin/sh", "--pid", "0x"], 2, "--pid takes the pid"),
        (&["--version", "2", "--to", "/bin/sh", "--pid", "0"], 2, "--pid takes the pid"),
        (&["--version", "2", "--to", "/bin/sh", "--pid", "-1"], 2, "--pid takes the pid"),
        (&["--version", "2", "--to", "/bin/sh", "--pid", "4194305"], 1, "no process 4194305 of"),
        (&["--version", "2", "--to", "/bin/sh", "--pid", &me, "--api", "x"], 2, "choose one"),
        (&["--version", "2", "--to", "/bin/sh", "--pid", &me, "--within", "0"], 2, "at least 1"),
        (&["--version", "2", "--to", "/bin/sh", "--from", "/bin/sh", "--pid", &me], 1, "a copy"),
    ] {
        let said = code(&deploy(args), expected);
        assert!(said.starts_with("error: ") && said.contains(why), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[test]
fn interrupted_deploy_rolls_back_and_two_do_not_mix() {
    if !has_curl() {
        return;
    }
    let site = site("1");
    let good = fs::read(site.file()).expect("it exists");
    let from = site.folder().join("build");
    site.build(&from, "2-stuck").expect("there is room");
    let url = format!("http://{}", site.service.address());
    let mut one = script();
    one.args(["--version", "2-stuck", "--url", &url]).arg("--to").arg(site.file());
    one.arg("--from").arg(&from).arg("--api").arg(site.api()).stderr(Stdio::piped());
    let one = one.spawn().expect("bash runs it");
    site.service.prints("generation 2").expect("the reload has begun");

    let said = code(&deploy_to(&site, "3", "3", &["--api", &site.api().display().to_string()]), 1);
    assert!(said.contains("another deploy to"), "{said}");
    site.service.signal(one.id().cast_signed(), Signal::SIGTERM).expect("it runs");
    let said = code(&one.wait_with_output().expect("it is our child"), 4);
    assert!(said.ends_with("interrupted; version 1 serves\n"), "{said}");
    assert!(fs::read(site.file()).expect("it exists") == good, "the file is the old one again");
    assert_eq!(serves(&site), "1");
}
