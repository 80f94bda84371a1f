//! Checks that involve several settings.

use std::net::SocketAddr;
use std::time::Duration;

use super::draft::Draft;
use super::form::{Form, Span};
use crate::spawn::manifest::MAX_LISTENERS;

use super::{Address, Admin, Origin, Sharing};

/// Records every conflict.
pub(super) fn all(draft: &mut Draft) {
    numbers_of_workers(draft);
    durations(draft);
    listeners(draft);
    sharing(draft);
    admin(draft);
}

fn numbers_of_workers(draft: &mut Draft) {
    let policy = &draft.config.policy;
    let (min, workers, max) = (policy.min_workers, policy.workers, policy.max_workers);
    if min > max {
        let reason = format!("must not be more than max_workers ({max})");
        return draft.conflict(&["min_workers", "max_workers"], reason);
    }
    if workers < min {
        let reason = format!("must not be less than min_workers ({min})");
        draft.conflict(&["workers", "min_workers"], reason);
    }
    if workers > max {
        let reason = format!("must not be more than max_workers ({max})");
        draft.conflict(&["workers", "max_workers"], reason);
    }
}

fn durations(draft: &mut Draft) {
    let policy = &draft.config.policy;
    let (window, drain) = (policy.drain_window, policy.drain_timeout);
    let (delay, longest) = (policy.restart_delay, policy.restart_delay_max);
    let (accept, stop) = (policy.accept_timeout, policy.shutdown_timeout);
    if window >= drain {
        let reason = format!("must be shorter than drain_timeout ({})", shown(drain));
        draft.conflict(&["drain_window", "drain_timeout"], reason);
    }
    if delay > longest {
        let reason = format!("must not be longer than restart_delay_max ({})", shown(longest));
        draft.conflict(&["restart_delay", "restart_delay_max"], reason);
    }
    if accept > stop {
        let reason = format!("must not be longer than shutdown_timeout ({})", shown(stop));
        draft.conflict(&["accept_timeout", "shutdown_timeout"], reason);
    }
}

fn shown(duration: Duration) -> String {
    Span(duration, duration).show(&duration)
}

fn listeners(draft: &mut Draft) {
    let listen = draft.config.listen.clone();
    if listen.len() > MAX_LISTENERS {
        draft.conflict(&["listen"], format!("must not be more than {MAX_LISTENERS} addresses"));
    }
    for (at, one) in listen.iter().enumerate() {
        let earlier = &listen[..at];
        if earlier.iter().any(|other| other.name == one.name) {
            let reason = format!("two listeners have the name {}", one.name);
            draft.conflict(&["listen"], reason);
        }
        if let Some(other) = earlier.iter().find(|other| other.address.overlaps(&one.address)) {
            let reason = if other.address == one.address {
                format!("two listeners have the address {}", one.address)
            } else {
                format!("{} and {} overlap; keep one of them", other.address, one.address)
            };
            draft.conflict(&["listen"], reason);
        }
    }
}

fn sharing(draft: &mut Draft) {
    if draft.config.sharing != Sharing::ReusePort {
        return;
    }
    for one in draft.config.listen.clone() {
        let why = match one.address {
            Address::Tcp(_) => continue,
            Address::Unix(_) => "a Unix socket has no port to reuse",
            Address::Systemd(_) => "systemd passes one socket, and reuse-port needs one per worker",
        };
        let reason =
            format!("cannot be combined with {}: {why}; use inherited or hand-off", one.address);
        draft.conflict(&["sharing", "listen"], reason);
    }
}

fn admin(draft: &mut Draft) {
    match draft.config.admin.clone() {
        Admin::Off | Admin::Unix(None) => {}
        Admin::Unix(Some(path)) => admin_apart(draft, "api_socket", &Address::Unix(path)),
        Admin::Tcp(address) => {
            admin_on_tcp(draft, address);
            admin_apart(draft, "api_port", &Address::Tcp(address));
        }
    }
}

fn admin_on_tcp(draft: &mut Draft, address: SocketAddr) {
    let same_layer = layer(draft.origin("api_socket")) == layer(draft.origin("api_port"));
    if same_layer && draft.shown("api_socket").trim_matches('"') != "off" {
        let reason = "choose one: the admin API listens on a socket or on a port".into();
        draft.conflict(&["api_port", "api_socket"], reason);
    }
    if !address.ip().is_loopback() && draft.config.admin_token.is_none() {
        let reason =
            "other machines can reach this address: set api_token, or use the loopback address";
        draft.conflict(&["api_port", "api_token"], reason.into());
    }
}

fn admin_apart(draft: &mut Draft, key: &str, address: &Address) {
    let listen = &draft.config.listen;
    if let Some(one) = listen.iter().find(|one| one.address.overlaps(address)) {
        let reason =
            format!("the cluster itself listens there (listen = {one}); use another address");
        draft.conflict(&[key, "listen"], reason);
    }
}

fn layer(origin: &Origin) -> u8 {
    match origin {
        Origin::Default => 0,
        Origin::Code => 1,
        Origin::File { .. } => 2,
        Origin::Environment => 3,
    }
}
