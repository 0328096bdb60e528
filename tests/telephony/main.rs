//! Calls over real sockets, with telephones, trunks and proxies that are not ours. One behaviour a file; all of them one test program, for linking each alone took minutes and gigabytes.

#[path = "../common/mod.rs"]
mod common;

#[path = "../script/mod.rs"]
mod script;

mod a_call_from_this_computer_is_like_any_telephones;
mod a_call_is_kept_alive_or_ended;
mod a_call_on_hold_is_silent_and_comes_back;
mod a_caller_hears_us_before_the_answer;
mod a_caller_to_the_bank_is_heard_answered_and_put_through;
mod a_caller_to_the_parcel_carrier_is_served_in_mandarin;
mod a_caller_who_speaks_another_language_is_answered_in_it;
mod a_hundred_sip_calls_leave_nothing_behind;
mod a_killed_engine_leaves_the_call_on_disk;
mod a_peer_is_sent_elsewhere;
mod a_phone_that_is_gone_is_not_rung;
mod a_prompt_stops_for_words_and_for_nothing_else;
mod a_sip_caller_and_the_engine_hear_each_other;
mod a_sip_caller_who_gives_up_is_let_go;
mod a_softphone_speaks_every_codec_and_encrypts;
mod a_trunk_registers_and_carries_calls_both_ways;
mod agents_pass_callers_on_and_keep_them;
mod an_agent_who_does_not_take_a_call_gives_way_to_the_next;
mod an_agents_phone_is_rung;
mod an_agents_softphone_registers_and_takes_a_call;
mod an_answer_that_can_mean_only_one_thing_is_taken_at_once;
mod an_engine_and_its_caller_fit_in_one_command;
mod an_engine_told_to_stop_finishes_its_calls;
mod bad_sip_messages_harm_nobody;
mod callers_are_passed_on_by_agents_who_consult;
mod keys_come_and_go_by_info;
mod malformed_input_is_refused_and_harms_nobody;
mod phones_and_calls_are_reached_by_tls;
mod several_addresses_are_listened_on;
mod softphones_of_two_makers_speak_with_us;
mod strangers_cannot_call_in;
mod the_first_syllable_is_whole;
mod the_sound_card_hears_what_it_plays;
