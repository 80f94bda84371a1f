use std::fs::File;
use std::sync::atomic::Ordering::Relaxed;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

use super::*;

fn block(words: usize) -> Block {
    Block::new(NonZeroUsize::new(words).expect("at least one")).expect("there is memory")
}

#[test]
fn a_block_begins_with_zeros_and_two_mappings_share_its_words() {
    let block = block(513);
    let other = Shared::map(&block.memory).expect("it can be mapped again");
    assert_eq!((block.shared().len(), other.len()), (513, 513));
    assert!(other.iter().all(|word| word.load(Relaxed) == 0));
    block.shared()[512].fetch_add(7, Relaxed);
    assert_eq!(other[512].load(Relaxed), 7);
    assert_ne!(block.shared().as_ptr(), other.as_ptr(), "at another address");
}

#[test]
#[allow(unsafe_code)]
fn no_addition_of_another_process_is_lost() {
    const TIMES: u64 = 200_000;
    let block = block(1);
    let count = || (0..TIMES).for_each(|_| _ = block.shared()[0].fetch_add(1, Relaxed));
    // SAFETY: the child does nothing but atomic additions, and a system call that ends it.
    match unsafe { fork() }.expect("there may be one more process") {
        ForkResult::Child => {
            count();
            // SAFETY: it ends this process, and runs nothing else.
            unsafe { nix::libc::_exit(0) }
        }
        ForkResult::Parent { child } => {
            count();
            assert_eq!(waitpid(child, None), Ok(WaitStatus::Exited(child, 0)));
        }
    }
    assert_eq!(block.shared()[0].load(Relaxed), 2 * TIMES);
}

#[test]
fn the_words_stay_when_descriptor_and_block_are_dropped() {
    let shared = block(2).shared().clone();
    shared[1].store(5, Relaxed);
    assert_eq!(shared[1].load(Relaxed), 5);
}

#[test]
fn the_size_is_sealed_and_the_descriptor_closes_at_exec() {
    let block = block(1);
    let flags = fcntl(&block, FcntlArg::F_GETFD).expect("it is open");
    assert!(FdFlag::from_bits_retain(flags).contains(FdFlag::FD_CLOEXEC));
    let file = File::from(block.memory);
    file.set_len(0).expect_err("it would be a SIGBUS in processes that have it mapped");
    file.set_len(4096).expect_err("sealed");
    assert_eq!(file.metadata().expect("it is open").len(), 8);
}

#[test]
fn a_size_above_the_limit_is_refused_with_the_limit() {
    for words in [MAX_WORDS + 1, usize::MAX] {
        let words = NonZeroUsize::new(words).expect("it is large");
        let error = Block::new(words).expect_err("too much").to_string();
        assert!(
            error.ends_with("words of shared memory are too many: at most 134217728"),
            "{error}"
        );
    }
}

#[test]
fn a_descriptor_that_is_not_a_block_is_not_mapped() {
    let (reader, _writer) = std::io::pipe().expect("there are descriptors");
    let error = Shared::map(&reader.into()).expect_err("a pipe").to_string();
    assert_eq!(error, "the shared memory cannot be used: not a memory file");
    let open = memfd_create("open", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING);
    let error = Shared::map(&open.expect("it can be made")).expect_err("not sealed").to_string();
    assert_eq!(error, "the shared memory cannot be used: its size may change");
}
