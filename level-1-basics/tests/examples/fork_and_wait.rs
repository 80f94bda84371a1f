//! The lesson of `fork-and-wait`, from outside.

use lab::{Service, proc};
use nix::sys::signal::Signal;

use crate::{SUITE, start};

#[test]
fn its_workers_are_the_same_program_started_again() {
    let mut service = start("fork-and-wait", &["--workers", "2"]);
    let program = proc::program(service.primary()).expect("ours");
    let workers = service.workers().expect("/proc is there");
    service.all_answer(&workers).expect("both serve");
    for worker in workers {
        assert_eq!(proc::program(worker).expect("ours"), program);
        service.prints(&format!("{worker} 4 exec: role from the environment")).expect("it logs it");
        service.prints(&format!("{worker} 4 exec: descriptor 3 listens on")).expect("it logs it");
    }
}

#[test]
fn a_parent_that_is_not_its_primary_does_not_make_it_a_worker() {
    let mut command = SUITE.command("fork-and-wait", &["--workers", "1"]);
    let parent = std::process::id();
    command.env("WORKBOOK_ROLE", format!("worker of {parent}")).env("WORKBOOK_LISTENER", "3");
    let service = Service::launch(command).and_then(Service::until_ready);
    let mut service = service.expect("it is a primary");
    let worker = service.get("/").and_then(|reply| reply.worker()).expect("answered");
    assert_eq!(service.workers().expect("/proc is there"), [worker]);
}

#[test]
fn its_experiments_leave_no_zombie() {
    let service = start("fork-and-wait", &[]);
    service.prints("exited with code 7 and is reaped").expect("the zombie was reaped");
    assert_eq!(proc::zombies(service.primary()).expect("/proc is there"), [0; 0]);
}

#[test]
fn it_ends_when_its_last_worker_has_ended() {
    let mut service = start("fork-and-wait", &["--workers", "2"]);
    for worker in service.workers().expect("/proc is there") {
        service.signal(worker, Signal::SIGKILL).expect("it ran");
    }
    let status = service.ended().expect("nothing is left to do");
    assert_eq!(status.code(), Some(1));
    service.prints("error: all workers have ended").expect("and it says so");
}
