//! The rules of the supervisor, told as stories: what happens, and what it does about it.

mod health;
mod outage;
mod policy;
mod reload;
mod restart;
mod scale;
mod stop;
mod story;
