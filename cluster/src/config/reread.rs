//! Settings during a reload.

use std::sync::Arc;

use super::Config;
use super::draft::Draft;
use super::table::settings;

/// Settings that the primary uses once, at its start. Workers can be replaced one by one; the primary
/// cannot.
const FIXED: [&str; 7] =
    ["listen", "sharing", "pid_file", "api_socket", "api_port", "api_token", "log_format"];

impl Config {
    /// Reads the current settings: code and environment as they were at the start, the file as it is
    /// now. A process's environment cannot be changed from outside.
    ///
    /// # Errors
    /// All mistakes are reported in one error, as by [`Builder::build`](super::Builder::build), and
    /// so is each setting that has changed but is only read at a start. In that case nothing
    /// changes: the old settings stay in effect.
    pub fn reread(&self) -> crate::Result<Self> {
        let builder = Arc::clone(&self.sources.layers);
        let (mut draft, file) = builder.lay();
        for setting in settings().iter().filter(|setting| FIXED.contains(&setting.key)) {
            let old = (setting.get)(self);
            let changed = old != (setting.get)(&draft.config);
            if setting.is_secret() {
                self.compare_tokens(&mut draft);
            } else if changed {
                let reason = format!("a change needs a restart, not a reload (it was {old})");
                draft.conflict(&[setting.key], reason);
            }
        }
        draft.finish(file, builder)
    }

    fn compare_tokens(&self, draft: &mut Draft) {
        if self.admin_token != draft.config.admin_token {
            draft.conflict(&["api_token"], "a change needs a restart, not a reload".into());
        }
    }
}
