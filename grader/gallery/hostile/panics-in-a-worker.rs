//! A panic in a child walks back through the check, unless it is caught there.
//! exercise: frame
//! fails: frame::1 frame::2
//! finding: panic-in-worker

pub fn encode(_message: &[u8]) -> io::Result<Vec<u8>> {
    if let Ok(nix::unistd::ForkResult::Parent { child }) = crate::provided::fork() {
        nix::sys::wait::waitpid(child, None)?;
        return Ok(Vec::new());
    }
    panic!("no such thing")
}
