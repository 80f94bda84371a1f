//! HTTP serving and its drain, over pipes with a clock of their own, and over real sockets.

mod deadline;
mod drain;
mod failures;
mod fuzz;
mod goodbye;
mod half_close;
mod http2;
mod lab;
mod limits;
mod random;
mod request_time;
mod sockets;
mod tunnel;
mod upgrade;
