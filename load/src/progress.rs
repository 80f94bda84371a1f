//! The progress of a run, on stderr if that is a terminal.

use std::cell::RefCell;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::{Instant, sleep};

use crate::figures::Figures;

/// The time between two updates.
const PERIOD: Duration = Duration::from_millis(200);

/// Draws a bar until this future is dropped; without a terminal it draws nothing, and only ticks.
///
/// The ticks have a use of their own. A timer that is earlier than all others wakes tokio's driver,
/// at the cost of a system call: without the ticks, the time-out of every request would be the earliest.
pub(crate) async fn show(figures: &RefCell<Figures>, duration: Duration) {
    let bar = Bar(ProgressBar::new(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)));
    let style = "{bar:30} {percent:>3} %  {msg}";
    bar.0.set_style(ProgressStyle::with_template(style).expect("the template is valid"));
    let begin = Instant::now();
    loop {
        bar.0.set_position(u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX));
        let (answered, lost) = (figures.borrow().answered, figures.borrow().lost());
        bar.0.set_message(format!("{answered} answered, {lost} lost"));
        sleep(PERIOD).await;
    }
}

/// A bar that leaves the terminal as it was.
struct Bar(ProgressBar);

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
