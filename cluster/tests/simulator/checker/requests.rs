//! Every request gets exactly one reply; all but reloads get it at once.

use std::collections::BTreeMap;

use cluster::supervisor::{Action, Input, RequestId};

use super::{Checked, Rule};

#[derive(Default)]
pub struct Requests {
    /// Open requests; true if the reply may come later.
    open: BTreeMap<RequestId, bool>,
}

impl Requests {
    pub fn note(&mut self, input: &Input) {
        match input {
            Input::Reload { request, .. } => self.open.insert(*request, true),
            Input::Scale { request, .. } | Input::Reset { request, .. } => {
                self.open.insert(*request, false)
            }
            _ => None,
        };
    }

    pub fn observe(&mut self, action: &Action) -> Checked {
        let Action::Reply { request, result } = action else { return Ok(()) };
        let open = self.open.remove(request).is_some();
        Rule::OneReply.check(open, || format!("{request:?} was answered before"))?;
        let explained = result.as_ref().err().is_none_or(|why| why.0.len() > 10);
        Rule::OneReply.check(explained, || format!("{request:?} is refused without a reason"))
    }

    pub fn end_of_step(&self) -> Checked {
        let late = self.open.iter().find(|(_, may_wait)| !**may_wait);
        Rule::OneReply.check(late.is_none(), || format!("{late:?} got no reply"))
    }

    pub fn all_answered(&self) -> bool {
        self.open.is_empty()
    }
}
