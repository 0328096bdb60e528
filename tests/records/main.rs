//! What stays of calls, and what machines may ask. One behaviour a file; all of them one test program, for linking each alone took minutes and gigabytes.

#[path = "../script/mod.rs"]
mod script;

mod learning;

mod a_call_is_found_as_it_was_written;
mod a_killed_engine_loses_at_most_a_second_of_its_records;
mod a_killed_process_leaves_a_playable_recording;
mod a_secret_found_too_late_leaves_the_disk;
mod an_agents_corrections_stay_with_the_call;
mod calls_teach_their_flows;
mod earlier_conversations_tell_how_long_one_takes;
mod experiments_show_what_became_of_each_way;
mod health_and_metrics_are_there_for_machines;
mod one_callers_calls_are_exported_and_erased;
mod sealed_records_open_with_their_key_alone;
mod sealing_anew_goes_on_where_it_was_interrupted;
mod webhooks_are_told_what_happens;
mod what_cannot_be_read_stops_nothing;
mod what_was_not_understood_at_a_question_is_kept_for_its_trainer;
