//! The lesson of `single-thread-problem`, from outside.

use std::thread;

use nix::sys::signal::Signal;

use crate::start;

#[test]
fn compute_is_bounded_and_checks_its_input() {
    for how in ["one-thread", "tokio-threads", "spawn-blocking", "processes"] {
        let service = start("single-thread-problem", &["--arrangement", how]);
        let ten = service.get("/compute?n=10").expect("answered");
        assert!(ten.body.starts_with("fibonacci(10) = 55,"), "{how}: {}", ten.body);
        assert!(
            service.get("/compute?n=0").expect("answered").body.starts_with("fibonacci(0) = 0,")
        );
        for path in ["/compute?n=43", "/compute?n=-1", "/compute?n=ten", "/compute?n="] {
            let refused = service.get(path).expect("answered");
            assert_eq!(refused.status, 400, "{how} {path}");
            assert_eq!(refused.body, "n must be a whole number from 0 to 42\n");
        }
        assert_eq!(service.get("/nothing").expect("answered").status, 404);
    }
}

#[test]
fn a_request_in_flight_is_finished_when_the_service_is_stopped() {
    for how in ["one-thread", "tokio-threads", "spawn-blocking", "processes"] {
        let mut service = start("single-thread-problem", &["--arrangement", how, "--work", "30"]);
        let mut client = service.connect().expect("it listens");
        let in_flight = thread::spawn(move || client.get("/intensive"));
        service.prints("computing").expect("it has begun");
        let status = service.end(Signal::SIGTERM).expect("it ends");
        let reply = in_flight.join().expect("no panic").expect("answered, not cut");
        assert!(reply.body.starts_with("fibonacci(30) = 832040,"), "{how}: {}", reply.body);
        assert!(status.success(), "{how}: {status}");
    }
}
