//! One client: a connection, and one request at a time.

use std::cell::RefCell;
use std::io::ErrorKind;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::Plan;
use crate::answer::{Answer, Reader};
use crate::figures::Figures;
use crate::loss::Loss;
use crate::schedule::Schedule;
use crate::target::Stream;

/// The pause of a client that could not connect: without it a closed loop would lose millions of
/// requests in a second in which the server is away.
const AFTER_REFUSAL: Duration = Duration::from_millis(5);

/// The room for the bytes of an answer, as far as they arrive together.
const BUFFER: usize = 16 * 1024;

/// The parts of a run that its clients share.
pub(crate) struct Run {
    pub plan: Plan,
    pub schedule: Schedule,
    pub figures: RefCell<Figures>,
}

/// A connection, and the bytes that have arrived on it.
pub(crate) struct Connection {
    stream: Stream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(plan: &Plan) -> Result<Self, Loss> {
        let connected = timeout(plan.timeout, plan.target.connect()).await;
        let stream = connected.map_err(|_| Loss::Late(plan.timeout))?.map_err(Loss::Connect)?;
        Ok(Self { stream, buffer: Vec::with_capacity(BUFFER) })
    }

    /// Returns the connection, unless the server has closed it or sent what was not requested.
    fn unless_stale(mut self) -> Option<Self> {
        match self.stream.try_read(&mut self.buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Some(self),
            _ => None,
        }
    }

    async fn exchange(&mut self, plan: &Plan) -> Result<Answer, Loss> {
        let Self { stream, buffer } = self;
        let written = stream.write_all(plan.request.bytes()).await;
        let answer = Reader { stream, buffer }.answer(plan.request.is_head()).await;
        // A server may answer and close before it has read all of a large body.
        answer.map_err(|loss| written.map_or_else(Loss::from, |()| loss))
    }
}

/// Sends requests until the schedule ends.
///
/// # Errors
/// The run is hopeless: it begins with a loss that the load has not caused.
pub(crate) async fn client(run: Rc<Run>, mut idle: Option<Connection>) -> Result<(), Loss> {
    while let Some(start) = run.schedule.next().await {
        run.figures.borrow_mut().sent += 1;
        let exchange = timeout(run.plan.timeout, one(&run.plan, &mut idle)).await;
        match exchange.unwrap_or(Err(Loss::Late(run.plan.timeout))) {
            Ok(answer) if answer.status < 400 => {
                run.figures.borrow_mut().answer(answer.status, start);
            }
            Ok(answer) => run.figures.borrow_mut().lose(&Loss::Status(answer.status)),
            Err(loss) => {
                run.figures.borrow_mut().lose(&loss);
                if loss.is_hopeless() && run.figures.borrow().statuses.is_empty() {
                    return Err(loss);
                }
                if matches!(loss, Loss::Connect(_)) {
                    sleep(AFTER_REFUSAL).await;
                }
            }
        }
    }
    Ok(())
}

/// One request and its answer, on the connection that is idle or on a new one. After an error, or a
/// time-out that drops this future, the connection is gone too.
async fn one(plan: &Plan, idle: &mut Option<Connection>) -> Result<Answer, Loss> {
    let mut connection = match idle.take().and_then(Connection::unless_stale) {
        Some(kept) => kept,
        None => Connection::open(plan).await?,
    };
    let answer = connection.exchange(plan).await?;
    if !plan.fresh && !answer.closes {
        *idle = Some(connection);
    }
    Ok(answer)
}
