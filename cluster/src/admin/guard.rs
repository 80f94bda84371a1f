//! The checks that decide whether a request is allowed.
//!
//! There are three dangers, each with its own rule:
//! - another user of this machine connects to the TCP port: a change needs the token;
//! - a web page in an operator's browser posts to `http://127.0.0.1:9000`: browsers add an `Origin`
//!   header to such a request, and operators' tools do not;
//! - the name of a web site is made to point to this machine (DNS rebinding), so that the browser
//!   lets its pages read our answers; then the `Host` header contains that name instead of our
//!   address.

use std::net::IpAddr;

use hyper::header::{AUTHORIZATION, HOST, HeaderMap, ORIGIN};
use hyper::http::uri::Authority;
use hyper::{StatusCode, Uri};

use super::reply::Refused;
use crate::config::Token;

/// The transport over which clients reach us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Via {
    /// The file's mode decides which users may connect.
    Unix,
    /// Any client may connect.
    Tcp,
}

/// The rules, and the data that they need.
#[derive(Debug)]
pub(super) struct Guard {
    pub via: Via,
    pub token: Option<Token>,
}

impl Guard {
    /// Refuses a request that is not allowed.
    pub fn check(&self, change: bool, uri: &Uri, headers: &HeaderMap) -> Result<(), Refused> {
        if self.via == Via::Tcp && !names_an_address(uri, headers) {
            return Err(Refused::new(StatusCode::FORBIDDEN, HOST_REASON));
        }
        if change && headers.contains_key(ORIGIN) {
            return Err(Refused::new(StatusCode::FORBIDDEN, ORIGIN_REASON));
        }
        if change && self.via == Via::Tcp { self.check_token(headers) } else { Ok(()) }
    }

    fn check_token(&self, headers: &HeaderMap) -> Result<(), Refused> {
        let Some(token) = &self.token else {
            return Err(Refused::new(StatusCode::FORBIDDEN, NO_TOKEN_REASON));
        };
        let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        match given.and_then(|value| value.split_once(' ')) {
            Some((scheme, given))
                if scheme.eq_ignore_ascii_case("bearer") && token.matches(given) =>
            {
                Ok(())
            }
            _ => Err(Refused::new(StatusCode::UNAUTHORIZED, TOKEN_REASON)),
        }
    }
}

/// Returns whether the client believes that it is talking to a numeric address or to `localhost`.
fn names_an_address(uri: &Uri, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let host = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok());
    host.is_some_and(|host| is_address(host.host())) && uri.host().is_none_or(is_address)
}

fn is_address(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok()
}

const HOST_REASON: &str =
    "the Host header must be localhost or a numeric address: a name could belong to a web page";
const ORIGIN_REASON: &str = "changes are not accepted from web pages";
const NO_TOKEN_REASON: &str =
    "changes over TCP need a token: set CLUSTER_API_TOKEN, or use the Unix socket";
const TOKEN_REASON: &str =
    "this change needs the header Authorization: Bearer TOKEN, with the value of CLUSTER_API_TOKEN";
