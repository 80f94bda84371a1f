//! The numbers that `redis-counter` answers with.

use lab::{Answer, Service};

/// A number in an answer such as `worker 17\nmemory      42\n`.
pub fn number(answer: &Answer, way: &str) -> u64 {
    let line = answer.body.lines().find_map(|line| line.strip_prefix(&format!("{way} ")));
    let number = line.and_then(|rest| rest.trim().parse().ok());
    number.unwrap_or_else(|| panic!("no {way} in {:?}", answer.body))
}

pub fn counter(service: &Service) -> Answer {
    service.get("/counter").expect("it is answered")
}
