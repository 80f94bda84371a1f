//! Messages between the program's code in the primary and in the workers.

use super::Scenario;
use crate::lab::{Client, Service, Start, until};

pub const SCENARIOS: &[Scenario] = &[
    ("messages_arrive_in_order", &[1, 3], in_order),
    ("messages_questions_of_a_worker", &[1, 3], worker_asks),
    ("messages_questions_of_the_primary", &[1, 3], primary_asks),
    ("messages_are_relayed_to_the_others", &[1, 3], relayed),
    ("messages_of_the_primary_reach_all", &[1, 3], broadcast),
    ("messages_too_many_for_a_slow_reader_are_counted", &[1], slow_reader),
];

fn in_order(workers: usize) {
    let mut service = Start::workers(workers).ready();
    let mut client = service.connect();
    for number in 0..50 {
        client.get(&format!("/tell?{number}")).expect("it is served");
    }
    for number in 0..50 {
        assert_eq!(service.event("Message")["body"], format!("\"{number}\""));
    }
    service.stop();
}

fn worker_asks(workers: usize) {
    let service = Start::workers(workers).ready();
    assert_eq!(service.get("/ask?n=4&limit=30000").body, "double=8");
    assert_eq!(service.get("/ask?n=5&limit=30000").body, "odd numbers are not doubled");
    let late = service.get("/ask?n=0&limit=100").body;
    assert_eq!(late, "the primary did not answer within 100ms");
    assert_eq!(service.get("/ask?n=6&limit=30000").body, "double=12", "and it continues");
    service.stop();
}

fn primary_asks(workers: usize) {
    let mut service = Start::workers(workers).ready();
    let reply = service.get("/tell?ask+me");
    assert_eq!(service.event("Answered")["answer"], reply.body);
    let worker = service.get("/tell?ask+me+in+vain").number("worker");
    let unanswered = service.event("Unanswered");
    assert_eq!(unanswered["why"], format!("worker {worker} did not answer within 200ms"));
    service.stop();
}

/// The messages that each worker has received, by its id.
fn received(service: &Service, workers: usize) -> Vec<(u64, String)> {
    let mut connections = std::collections::BTreeMap::new();
    until("each worker has answered on a connection", || {
        let mut client = service.connect();
        let worker = client.get("/").expect("it is served").number("worker");
        connections.insert(worker, client);
        (connections.len() == workers).then_some(())
    });
    let connections = connections.into_iter();
    let ask = |mut client: Client| client.get("/received").expect("it is served").body;
    connections.map(|(worker, client)| (worker, ask(client))).collect()
}

fn relayed(workers: usize) {
    let service = Start::workers(workers).env("CLUSTER_SHARING", "hand-off").ready();
    let sender = service.get("/broadcast").number("worker");
    until("all others have received it, and the sender has not", || {
        let all = received(&service, workers);
        let expected =
            |worker| if worker == sender { String::new() } else { format!("from {sender}") };
        all.iter().all(|(worker, text)| *text == expected(*worker)).then_some(())
    });
    service.stop();
}

fn broadcast(workers: usize) {
    let service = Start::workers(workers).env("CLUSTER_SHARING", "hand-off").ready();
    service.get("/tell?tell+all");
    until("all have received it", || {
        let all = received(&service, workers);
        all.iter().all(|(_, text)| text == "from the primary").then_some(())
    });
    service.stop();
}

fn slow_reader(workers: usize) {
    let service = Start::workers(workers).ready();
    let mut client = service.connect();
    client.get("/tell?sleep").expect("it is served");
    for number in 0..1500 {
        client.get(&format!("/tell?{number}")).expect("the supervision is not delayed");
    }
    // The loss is reported with the first event for which there is room again.
    let lagged = until("the reader learns what it has missed", || {
        client.get("/tell?more").expect("it is served");
        service.events().into_iter().find(|event| event["event"] == "Lagged")
    });
    let lost = lagged["lost"].as_u64().expect("a number");
    assert!((1..1500).contains(&lost), "{lost}");
    assert!(service.stats()["primary"]["eventsLost"].as_u64() >= Some(lost));
    service.stop();
}
