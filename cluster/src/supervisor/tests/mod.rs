//! The rules of the supervisor as stories: an input, and the actions that follow.

mod health;
mod outage;
mod policy;
mod reload;
mod restart;
mod scale;
mod stop;
mod story;
