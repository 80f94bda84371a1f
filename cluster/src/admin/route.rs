//! The operation that each request asks for.

use hyper::Method;

/// An operation that a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Stats,
    Health,
    Metrics,
    Reload,
    Scale,
    Reset,
    Stop,
}

/// The reason why no operation matches a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRoute {
    /// There is no such path.
    Unknown,
    /// The path exists, but only for these methods.
    Allow(&'static str),
}

const ROUTES: [(&str, Route); 8] = [
    ("/stats", Route::Stats),
    ("/health", Route::Health),
    ("/metrics", Route::Metrics),
    ("/reload", Route::Reload),
    ("/restart", Route::Reload),
    ("/scale", Route::Scale),
    ("/reset", Route::Reset),
    ("/stop", Route::Stop),
];

/// Finds the operation for a request.
pub(super) fn route(method: &Method, path: &str) -> Result<Route, NoRoute> {
    let found = ROUTES.iter().find(|(known, _)| *known == path);
    let (_, route) = found.ok_or(NoRoute::Unknown)?;
    let allowed = if route.is_change() {
        method == Method::POST
    } else {
        method == Method::GET || method == Method::HEAD
    };
    if allowed { Ok(*route) } else { Err(NoRoute::Allow(route.methods())) }
}

/// All routes, for the answer to a request with an unknown path.
pub(super) fn all() -> Vec<String> {
    ROUTES
        .iter()
        .map(|(path, route)| {
            let method = if route.is_change() { "POST" } else { "GET" };
            format!("{method} {path}")
        })
        .collect()
}

impl Route {
    /// Returns whether the request changes anything.
    pub fn is_change(self) -> bool {
        !matches!(self, Self::Stats | Self::Health | Self::Metrics)
    }

    fn methods(self) -> &'static str {
        if self.is_change() { "POST" } else { "GET, HEAD" }
    }
}
