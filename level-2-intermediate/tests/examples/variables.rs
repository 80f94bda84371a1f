//! Environment variables that are meant for other programs.

use crate::SUITE;

#[test]
fn variables_of_others_get_a_line_in_the_narration() {
    let others = [("LOG_FORMAT", "logfmt"), ("CLUSTER_API_PORT", "tcp://10.96.0.10:443")];
    for example in SUITE.examples {
        let service = SUITE.start_with(&others, example, &["--workers", "2"]);
        for (name, value) in others {
            let line = format!("primary: {name}={value} is ignored: ");
            service.prints_times(&line, 1).unwrap_or_else(|error| panic!("{example}: {error}"));
        }
    }
}
