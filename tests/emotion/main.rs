//! How callers sound, and what is done about it. One behaviour a file; all of them one test program, for linking each alone took minutes and gigabytes.

mod a_correction_becomes_a_label_to_train_with;
mod a_model_trained_on_own_recordings_replaces_only_a_worse_one;
mod a_reading_comes_each_second_and_never_of_ourselves;
mod an_upset_callers_call_moves_forward_in_its_queue;
mod emotions_are_scored_and_measured_from_the_command_line;
mod what_is_done_for_callers_in_distress_is_configured;
