//! The format of the answers.

use std::borrow::Cow;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use super::route::{self, NoRoute};
use crate::primary::Stats;

/// A complete answer.
pub(super) type Answer = Response<Full<Bytes>>;

/// The reason why a request is refused: a status, and a sentence for people.
#[derive(Debug)]
pub(super) struct Refused {
    status: StatusCode,
    reason: Cow<'static, str>,
}

impl Refused {
    pub fn new(status: StatusCode, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { status, reason: reason.into() }
    }

    pub fn bad_request(reason: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, reason)
    }

    pub fn unavailable(reason: &'static str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, reason)
    }
}

impl From<Refused> for Answer {
    fn from(refused: Refused) -> Self {
        let mut answer = json(refused.status, &json!({ "error": refused.reason }));
        if refused.status == StatusCode::UNAUTHORIZED {
            answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        answer
    }
}

/// The answer for load balancers and init systems: they read the status code, and people read the
/// body.
pub(super) fn health(stats: &Stats) -> Answer {
    let (wanted, healthy) = (stats.cluster.num_workers, stats.cluster.healthy_workers);
    let (code, word) = match healthy {
        0 => (StatusCode::SERVICE_UNAVAILABLE, "down"),
        some if some < wanted => (StatusCode::OK, "degraded"),
        _ => (StatusCode::OK, "ok"),
    };
    json(code, &json!({ "status": word, "healthyWorkers": healthy, "numWorkers": wanted }))
}

/// The answer for an unknown path or method.
pub(super) fn no_route(why: NoRoute) -> Answer {
    match why {
        NoRoute::Unknown => {
            let body = json!({ "error": "there is nothing here", "routes": route::all() });
            json(StatusCode::NOT_FOUND, &body)
        }
        NoRoute::Allow(methods) => {
            let reason = format!("this path accepts only {methods}");
            let mut answer = Answer::from(Refused::new(StatusCode::METHOD_NOT_ALLOWED, reason));
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
            answer
        }
    }
}

pub(super) fn json(status: StatusCode, body: &Value) -> Answer {
    with_type(status, "application/json", format!("{body}\n"))
}

pub(super) fn with_type(status: StatusCode, content_type: &'static str, body: String) -> Answer {
    let mut answer = Response::new(Full::from(body));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
