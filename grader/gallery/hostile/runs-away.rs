//! Four lines of descent, each of which keeps making a new process, in a new session and without a parent.
//! exercise: frame
//! fails: frame::5
//! finding: error-other

pub fn push(&mut self, _piece: &[u8]) -> io::Result<Vec<Vec<u8>>> {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
    for _ in 0..4 {
        if matches!(crate::provided::fork()?, nix::unistd::ForkResult::Child) {
            while std::time::Instant::now() < end {
                let _ = nix::unistd::setsid();
                if matches!(crate::provided::fork()?, nix::unistd::ForkResult::Parent { .. }) {
                    std::process::exit(0);
                }
            }
            std::process::exit(0);
        }
    }
    Err(ErrorKind::InvalidData.into())
}
