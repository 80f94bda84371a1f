//! The lesson of `zero-downtime-reload`, from outside.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::{Duration, Instant};

use lab::load::{Habit, Report};
use lab::{Load, Service};
use level_2::site::{By, Site, WHICH, version};
use nix::sys::signal::Signal;

use crate::SUITE;

const KEPT: Habit = Habit::KeepAlive(Duration::from_millis(100));

pub fn site(workers: &str) -> Site {
    site_with(workers, |_| {})
}

fn site_with(workers: &str, change: impl FnOnce(&mut Command)) -> Site {
    let site = Site::start(&SUITE.program("zero-downtime-reload"), |command| {
        command.args(["--listen", "127.0.0.1:0", "--workers", workers]);
        change(command);
    });
    site.expect("it becomes ready")
}

pub fn load(site: &Site) -> Load {
    Load::start(&site.service.address().to_string(), WHICH, &[(Habit::Fresh, 2), (KEPT, 6)])
}

pub fn nothing_lost(report: &Report) {
    let losses: Vec<_> = report.losses.iter().map(ToString::to_string).collect();
    assert!(losses.is_empty(), "of {}: {losses:#?}", report.answers.len());
}

pub fn serves(site: &Site) -> String {
    version(&site.service.get("/version").expect("answered").body).to_owned()
}

#[test]
fn twenty_reloads_of_a_replaced_program_lose_nothing() {
    for (workers, last) in [("1", 6), ("3", 21)] {
        let mut site = site(workers);
        let load = load(&site);
        for (number, by) in (2..=last).zip(By::ALL.into_iter().cycle()) {
            load.each_has(1).expect("all are served");
            site.deploy(&number.to_string()).expect("there is room");
            let (end, _) = site.reload(by).expect("it ends");
            assert!(end.contains("is finished"), "{end}");
        }
        let end = Instant::now();
        load.each_has(3).expect("all are served");
        let report = load.finish();
        nothing_lost(&report);
        let versions: BTreeSet<&str> = report.answers.iter().map(|it| version(&it.body)).collect();
        assert_eq!(versions.len(), last, "{versions:?}");
        let after = report.answers.iter().filter(|it| it.opened > end);
        let after: BTreeSet<&str> = after.map(|it| version(&it.body)).collect();
        let last = last.to_string();
        assert_eq!(Vec::from_iter(after), [&last], "on new connections after the last reload");
        for late in report.answers.iter().filter(|it| it.sent > end) {
            assert!(late.closes || version(&late.body) == last, "{late:?}");
        }
    }
}

#[test]
fn a_broken_version_is_refused_and_costs_nothing() {
    for (name, why) in [
        ("2-broken", "exited with code 1 before it was ready"),
        ("2-stuck", "not ready within 1s 500ms"),
    ] {
        for by in By::ALL {
            let mut site = site_with("2", |command| {
                command.env("WORKER_READY_TIMEOUT", "1500ms");
            });
            let workers = site.service.workers().expect("/proc is there");
            let load = load(&site);
            load.each_has(1).expect("all are served");
            site.deploy(name).expect("there is room");
            let (end, reply) = site.reload(by).expect("it ends");
            assert!(end.contains("failed: ") && end.contains(why), "{end}");
            if let Some(reply) = reply {
                assert_eq!(reply.status, 409);
                assert!(reply.body.contains(why), "{}", reply.body);
            }
            load.each_has(2).expect("all are served");
            let report = load.finish();
            nothing_lost(&report);
            assert!(report.answers.iter().all(|it| version(&it.body) == "1"));
            let left = || Some(site.service.workers().ok()? == workers).filter(|same| *same);
            lab::wait_for("only the old workers to run", left).expect("they keep serving");
        }
    }
}

#[test]
fn crash_between_deploy_and_reload_restarts_the_old_version() {
    let mut site = site("1");
    site.deploy("2").expect("there is room");
    let old = site.service.workers().expect("/proc is there")[0];
    site.service.signal(old, Signal::SIGKILL).expect("it runs");
    site.service.replaced(old, 1).expect("it is replaced");
    assert_eq!(serves(&site), "1");
    site.reload(By::Hup).expect("it ends");
    assert_eq!(serves(&site), "2");
}

/// `current -> 1`: a deploy moves the link, and the reload follows it.
#[test]
fn a_link_to_a_release_is_followed_at_each_reload() {
    let site = site("1");
    let (next, current) = (site.folder().join("next"), site.folder().join("current"));
    for release in ["2", "1"] {
        fs::create_dir(site.folder().join(release)).expect("there is room");
        site.build(&site.folder().join(release).join("app"), release).expect("there is room");
    }
    symlink("1", &current).expect("it is free");
    let mut command = Command::new(current.join("app"));
    command.args(["--listen", "127.0.0.1:0"]).env("CLUSTER_API_SOCKET", "off");
    let service = Service::launch(command).and_then(Service::until_ready).expect("it starts");
    let serves = || service.get("/version").expect("answered").body;
    assert_eq!(version(&serves()), "1");
    symlink("2", &next).and_then(|()| fs::rename(&next, &current)).expect("it is ours");
    service.signal(service.primary(), Signal::SIGHUP).expect("it runs");
    service.prints("reload to generation 2 is finished").expect("it is");
    assert_eq!(version(&serves()), "2");
}

#[test]
fn next_demo_removes_the_files_of_a_killed_one() {
    let folder = |pid: u32| {
        let path = std::env::temp_dir().join(format!("level-2-site-{pid}-test"));
        fs::create_dir_all(&path).expect("there is room");
        path
    };
    let (dead, mine) = (folder(4_194_305), folder(std::process::id())); // no pid is that large
    let site = site("1");
    let (left, kept) = (dead.exists(), mine.exists());
    fs::remove_dir(mine).expect("it is ours");
    assert!(!left && kept, "left {left}, kept {kept}");
    let folder = site.folder().to_owned();
    drop(site);
    assert!(!folder.exists(), "a site that ends takes its folder with it");
}

#[test]
fn primary_prints_how_to_reload_it() {
    let site = site("1");
    let primary = site.service.primary();
    let line = site.service.prints(&format!("kill -HUP {primary}")).expect("it says so");
    let api = site.api();
    assert!(line.contains(&format!("curl --unix-socket {}", api.display())), "{line}");
    let line = site.service.prints("primary: I run version 1").expect("it says so");
    assert!(line.contains(&site.file().display().to_string()), "{line}");
    assert_eq!(site.service.get("/nothing").expect("answered").status, 404);
}

#[test]
fn a_stamp_that_cannot_be_written_is_reported() {
    for (args, why) in [
        (["--stamp", "/nowhere/server", "2"], "cannot write /nowhere/server: No such file"),
        (["--stamp", "/nowhere/server", &"2".repeat(65)], "at most 64 bytes"),
    ] {
        let output = SUITE.run("zero-downtime-reload", &args);
        let said = lab::suite::stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.starts_with("error: ") && said.contains(why), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}
