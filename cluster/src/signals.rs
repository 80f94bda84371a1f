//! The handling of signals that both roles share: signals that are ignored, and the distinction
//! between signals from a terminal and signals from an operator. A table in
//! [`primary`](crate::primary) shows what each signal does.

use nix::libc;
use nix::sys::signal::{
    SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, pthread_sigmask, sigaction,
};
use nix::unistd::getpid;

/// Signals without a meaning for a worker. They are meant for its primary (`pkill -HUP app` signals
/// every process of that name), or have a meaning in other programs; by default each of them would
/// kill the worker.
pub(crate) const IGNORED_BY_WORKERS: [Signal; 15] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGPIPE,
    Signal::SIGALRM,
    Signal::SIGSTKFLT,
    Signal::SIGTTIN,
    Signal::SIGTTOU,
    Signal::SIGXFSZ,
    Signal::SIGVTALRM,
    Signal::SIGPROF,
    Signal::SIGIO,
    Signal::SIGPWR,
];

/// The signals that an operator sends to scale the cluster. The kernel also sends them to a
/// background job that reads from its terminal, or writes to it after `stty tostop`.
pub(crate) const JOB_CONTROL: [Signal; 2] = [Signal::SIGTTIN, Signal::SIGTTOU];

/// Makes these signals do nothing. A handler, unlike an ignored signal, is not inherited by the
/// programs that this one starts.
#[allow(unsafe_code)]
pub(crate) fn ignore(signals: &[Signal]) -> nix::Result<()> {
    let handler = SigHandler::Handler(nothing);
    let action = SigAction::new(handler, SaFlags::SA_RESTART, SigSet::empty());
    for signal in signals {
        // SAFETY: the handler does nothing, which is allowed at any time.
        unsafe { sigaction(*signal, &action) }?;
    }
    Ok(())
}

extern "C" fn nothing(_: libc::c_int) {}

/// Separates an operator's TTIN or TTOU from the kernel's. From now on, an operator's signal waits
/// for the main thread, which has it blocked and reads it, whichever thread it arrives on; the
/// kernel's signal makes the process neither stop nor spin.
///
/// When a thread writes to the terminal, the kernel sends a signal, and restarts the write when the
/// handler is done; that sends another signal, and so on forever. The cycle ends if the thread that
/// writes has the signal blocked. So our own threads block both signals, and on a thread of the
/// program the handler blocks the kernel's signal. Such a thread does not block the signal from the
/// start, because any program that it starts would inherit the mask.
#[allow(unsafe_code)]
pub(crate) fn tell_terminal_from_operator() -> nix::Result<()> {
    let flags = SaFlags::SA_RESTART | SaFlags::SA_SIGINFO;
    let action = SigAction::new(SigHandler::SigAction(job_control), flags, SigSet::empty());
    for signal in JOB_CONTROL {
        // SAFETY: the handler makes one system call and changes the context that it was given.
        unsafe { sigaction(signal, &action) }?;
    }
    Ok(())
}

#[allow(unsafe_code)]
extern "C" fn job_control(
    number: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    let errno = nix::errno::Errno::last(); // the thread may be about to read it
    // SAFETY: with SA_SIGINFO the kernel gives valid pointers, to a siginfo_t and a ucontext_t.
    unsafe {
        if was_sent((*info).si_code) {
            let main = getpid().as_raw(); // the main thread has the id of the process
            libc::syscall(libc::SYS_tgkill, main, main, number);
        } else {
            let context = context.cast::<libc::ucontext_t>();
            libc::sigaddset(&raw mut (*context).uc_sigmask, number);
        }
    }
    errno.set();
}

/// Checks whether the signal was sent by a process (`kill`, `sigqueue`, `tgkill`) and not by the
/// kernel itself.
pub(crate) fn was_sent(code: i32) -> bool {
    code <= 0
}

/// Blocks these signals on this thread, and no others.
pub(crate) fn block_only(signals: impl IntoIterator<Item = Signal>) -> nix::Result<()> {
    let set = signals.into_iter().collect::<SigSet>();
    pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&set), None)
}
