//! The forms that only one setting uses.

use std::time::Duration;

use super::form::{Form, Off, Span};
use super::{Admin, Token, address};

/// An interval, or `false`. `true` means with every health report, and is kept as zero until the
/// interval of the reports is known.
pub(super) struct Regularly(pub Span);

impl Form for Regularly {
    type Value = Option<Duration>;

    fn allowed(&self) -> String {
        format!("true, false, or {}", self.0.allowed())
    }

    fn read(&self, text: &str) -> Option<Option<Duration>> {
        match text {
            "true" | "on" => Some(Some(Duration::ZERO)),
            text => Off(Span(self.0.0, self.0.1)).read(text),
        }
    }

    fn show(&self, value: &Option<Duration>) -> String {
        match value {
            None => "false".into(),
            Some(Duration::ZERO) => "true".into(),
            Some(interval) => self.0.show(interval),
        }
    }
}

/// The admin API's Unix socket.
pub(super) struct ApiSocket;

impl Form for ApiSocket {
    type Value = Admin;

    fn allowed(&self) -> String {
        format!("auto, off, or a path of at most {} bytes", address::LONGEST_PATH)
    }

    fn wrong(&self, text: &str) -> Option<String> {
        address::too_long(text)
    }

    fn read(&self, text: &str) -> Option<Admin> {
        match text {
            "off" => Some(Admin::Off),
            "auto" => Some(Admin::Unix(None)),
            path => address::socket_path(path).map(|path| Admin::Unix(Some(path))),
        }
    }

    fn show(&self, value: &Admin) -> String {
        match value {
            Admin::Unix(None) => "auto".into(),
            Admin::Unix(Some(path)) => path.display().to_string(),
            Admin::Off | Admin::Tcp(_) => "off".into(),
        }
    }
}

/// The admin API's port.
pub(super) struct ApiPort;

impl Form for ApiPort {
    type Value = Admin;

    fn allowed(&self) -> String {
        "a port on the loopback address, such as 9000, or an address with a port".into()
    }

    fn read(&self, text: &str) -> Option<Admin> {
        address::admin(text).map(Admin::Tcp)
    }

    fn show(&self, value: &Admin) -> String {
        if let Admin::Tcp(address) = value { address.to_string() } else { "off".into() }
    }
}

/// The admin API's secret.
pub(super) struct Secret;

impl Form for Secret {
    type Value = Option<Token>;

    fn allowed(&self) -> String {
        "visible ASCII characters without spaces".into()
    }

    fn read(&self, text: &str) -> Option<Option<Token>> {
        Token::new(text).map(Some)
    }

    fn show(&self, value: &Option<Token>) -> String {
        if value.is_some() { "…".into() } else { "none".into() }
    }
}
