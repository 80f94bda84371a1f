//! The table of settings and its documentation.

use cluster::Config;
use cluster::config::{Setting, settings};

use crate::env;

#[test]
fn the_documentation_shows_the_table() {
    let row = |setting: &Setting| {
        let (key, env, default) = (setting.key, setting.env, setting.default());
        format!("| `{key}` | `{env}` | `{default}` | {} |\n", setting.meaning.trim())
    };
    let head = "| in a file, in code | in the environment | default | meaning |\n";
    let rows: String = settings().iter().map(row).collect();
    let expected = format!("{head}| --- | --- | --- | --- |\n{rows}");
    let shown = include_str!("../../src/config/settings.md");
    let shown = &shown[shown.find("| in a file").unwrap_or(shown.len())..];
    assert!(shown == expected, "src/config/settings.md should end with:\n{expected}");
}

#[test]
fn every_name_is_used_once_and_every_default_can_be_written() {
    for (at, one) in settings().iter().enumerate() {
        let earlier = &settings()[..at];
        assert!(earlier.iter().all(|other| other.env != one.env && other.key != one.key));
        let default = one.default();
        if !["api_token", "api_port"].contains(&one.key) {
            let written = env([(one.env, default.as_str())]).build();
            assert_eq!(written.as_ref().err().map(ToString::to_string), None, "{}", one.env);
            assert_eq!(written.ok(), Config::builder().build().ok(), "{}", one.env);
        }
    }
}
