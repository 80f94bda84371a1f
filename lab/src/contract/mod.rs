//! The promises of all examples, as checks for the tests of each level; and
//! [`every_example_keeps_the_contract!`](crate::every_example_keeps_the_contract), which makes tests of them.

mod demo;
mod end;
mod options;
mod page;
mod port;
mod shown;

pub use demo::*;
pub use end::*;
pub use options::*;
pub use page::*;
pub use port::*;

/// Makes a test of each check of [`contract`](crate::contract), for the examples of one
/// [`Suite`](crate::suite::Suite).
#[macro_export]
macro_rules! every_example_keeps_the_contract {
    ($suite:expr) => {
        $crate::every_example_keeps_the_contract!($suite;
            help_names_the_options_of_the_contract
            bad_arguments_get_a_sentence_and_start_nothing
            the_environment_sets_the_number_of_workers_and_is_checked_too
            variable_that_is_not_text_is_ignored
            empty_variable_counts_as_not_set
            a_taken_port_is_reported_with_a_way_out
            two_at_once_do_not_share_a_port_by_accident
            a_second_run_on_the_same_port_follows_at_once
            an_address_that_is_not_ours_is_reported
            ctrl_c_and_sigterm_end_everything_and_leave_nothing
            a_second_signal_does_not_wait_for_a_worker_that_hangs
            whatever_signals_were_ignored_before_it_can_be_stopped
            without_descriptors_there_is_a_sentence_and_no_backtrace
            sigkill_of_the_primary_ends_the_workers
            a_worker_ignores_the_ctrl_c_that_its_primary_gets
            a_program_that_is_not_ready_yet_can_be_stopped
            every_demo_holds_what_it_claims_and_leaves_nothing
            each_file_of_an_example_is_a_page
            each_example_is_listed
        );
    };
    ($suite:expr; $($check:ident)+) => {
        $(#[test]
        fn $check() {
            $crate::contract::$check(&$suite);
        })+
    };
}
