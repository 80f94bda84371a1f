//! HTTP serving and its drain, over pipes with a clock of their own, and over real sockets.

mod drain;
mod lab;
