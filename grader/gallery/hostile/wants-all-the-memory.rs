//! Memory is allocated without end.
//! exercise: reap
//! fails: reap::1 reap::2 reap::3 reap::4
//! finding: killed

pub fn decode(_status: WaitStatus) -> Option<Ending> {
    let mut all = Vec::new();
    loop {
        all.push(vec![1u8; 1 << 24]);
    }
}
