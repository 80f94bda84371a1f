//! The supervisor: every decision about workers, and nothing else.
//!
//! It is a state machine without I/O, clock or randomness of its own. The driver
//! ([`primary`](crate::primary)) tells it what happened and what time it is; it answers with what
//! is to be done. So a simulator can run it through thousands of random worlds in seconds.

mod action;
mod event;
mod ids;
mod input;
mod policy;

pub use action::{Action, Signal};
pub use event::{Event, Exit, Retirement};
pub use ids::{Generation, RequestId, SlotId, Time, WorkerId};
pub use input::{Input, Refusal, ScaleTo, Vitals};
pub use policy::Policy;
