//! One timer for all the reasons to look at a connection again.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::time::{Instant, Sleep, sleep_until};

use super::stage::earliest;

/// A timer that rings once for each instant that it watches.
///
/// A connection's due time moves with each request, nearly always to a later time. In that case the
/// timer is left alone: at worst it fires too early and is set again.
#[derive(Default)]
pub(super) struct Alarm {
    sleep: Option<Pin<Box<Sleep>>>,
    rang_for: Option<Instant>,
}

impl Alarm {
    /// Ready when `due` or the `deadline` has been reached. It rings only once for the same `due`:
    /// after that, either the work is done, or bytes are on their way and will wake the connection.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        due: Option<Instant>,
        deadline: Option<Instant>,
    ) -> Poll<()> {
        let due = due.filter(|due| self.rang_for != Some(*due));
        let Some(due) = earliest(due, deadline) else {
            return Poll::Pending;
        };
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(due)));
        if sleep.deadline() > due {
            sleep.as_mut().reset(due);
        }
        ready!(sleep.as_mut().poll(cx));
        if sleep.deadline() < due {
            sleep.as_mut().reset(due);
            ready!(sleep.as_mut().poll(cx));
        }
        self.rang_for = Some(due);
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn alarm_rings_once_for_an_instant_and_again_for_a_later_one() {
        let (mut alarm, start) = (Alarm::default(), Instant::now());
        let (due, later) = (Some(start + SECOND), Some(start + SECOND * 2));
        poll_fn(|cx| alarm.poll(cx, due, None)).await;
        assert_eq!(start.elapsed(), SECOND);
        assert!(poll_fn(|cx| Poll::Ready(alarm.poll(cx, due, None))).await.is_pending());
        poll_fn(|cx| alarm.poll(cx, later, None)).await;
        assert_eq!(start.elapsed(), SECOND * 2);
    }

    #[tokio::test(start_paused = true)]
    async fn deadline_rings_after_the_due_time_has_rung() {
        let (mut alarm, start) = (Alarm::default(), Instant::now());
        let (due, deadline) = (Some(start + SECOND), Some(start + SECOND * 2));
        for _ in 0..2 {
            poll_fn(|cx| alarm.poll(cx, due, deadline)).await;
        }
        assert_eq!(start.elapsed(), SECOND * 2);
    }

    #[tokio::test(start_paused = true)]
    async fn alarm_follows_a_due_time_that_moves() {
        let (mut alarm, start) = (Alarm::default(), Instant::now());
        for seconds in [100, 3] {
            let due = Some(start + SECOND * seconds);
            assert!(poll_fn(|cx| Poll::Ready(alarm.poll(cx, due, None))).await.is_pending());
        }
        poll_fn(|cx| alarm.poll(cx, Some(start + SECOND * 5), None)).await;
        assert_eq!(start.elapsed(), SECOND * 5);
    }
}
