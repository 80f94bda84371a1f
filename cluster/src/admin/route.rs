//! Which request means what.

use hyper::Method;

/// What is asked for.
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

/// Why a request means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRoute {
    /// There is no such path.
    Unknown,
    /// There is, but for these methods.
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

/// What a request means.
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

/// All routes, for whoever asked for something else.
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
    /// Whether it changes anything.
    pub fn is_change(self) -> bool {
        !matches!(self, Self::Stats | Self::Health | Self::Metrics)
    }

    fn methods(self) -> &'static str {
        if self.is_change() { "POST" } else { "GET, HEAD" }
    }
}
