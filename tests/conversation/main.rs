//! Flows, values, queues and summaries, without sound. One behaviour a file; all of them one test program, for linking each alone took minutes and gigabytes.

#[path = "../babble/mod.rs"]
mod babble;
mod queue_world;
#[path = "../script/mod.rs"]
mod script;
mod stand_in;

mod a_backend_that_fails_is_told_apart;
mod a_backends_refusal_leads_its_own_way;
mod a_caller_is_handed_to_an_agent_with_a_briefing;
mod a_caller_is_known_by_their_number;
mod a_caller_is_understood_helped_and_answered;
mod a_caller_may_ask_again_go_back_or_start_over;
mod a_flow_calls_another_and_comes_back;
mod a_flow_decides_by_all_that_it_knows;
mod a_flow_is_proven_before_it_speaks;
mod a_flow_is_tried_from_the_command_line;
mod a_form_joins_no_answers_and_asks_for_what_it_lost;
mod a_menu_asks_whether_it_heard_right;
mod a_message_said_over_its_invitation_is_kept;
mod a_model_answers_only_from_the_pages;
mod a_person_can_be_reached_from_every_step;
mod a_pin_is_tried_so_often_and_no_more;
mod a_proven_flow_keeps_its_promise;
mod a_reply_that_is_not_what_it_should_be_counts_as_none;
mod a_rewritten_summary_is_used_only_when_good_and_in_time;
mod a_secret_said_aloud_is_kept_nowhere;
mod a_shutdown_is_told_to_callers_honestly;
mod a_transfer_that_fails_loses_nobody;
mod a_word_cut_by_a_pause_is_read_whole;
mod an_agent_sends_a_caller_through_steps_and_has_them_back;
mod an_order_is_taken_however_it_is_said;
mod an_upset_caller_is_comforted_once_and_put_through;
mod callbacks_keep_their_place_over_hours_and_restarts;
mod callers_reach_the_agent_that_their_queue_promises;
mod calls_and_floor_agree_after_any_race;
mod english_values_are_read_as_people_say_them;
mod every_flow_can_be_drawn;
mod examples_that_mean_the_same_are_found;
mod intents_are_understood_from_a_few_examples;
mod mandarin_values_are_read_as_people_say_them;
mod no_order_of_events_breaks_a_call;
mod no_order_of_two_agents_and_three_calls_breaks_a_queue;
mod no_race_of_callers_and_agents_breaks_a_queue;
mod no_secret_of_a_thousand_reaches_a_sink;
mod nobody_there_is_told_with_a_choice;
mod nothing_clicks_where_sounds_meet;
mod personal_slots_are_shown_to_who_may_see_them;
mod queues_keep_their_promises_in_any_order_of_events;
mod replaying_a_log_decides_the_same_to_the_byte;
mod silent_callers_are_asked_twice_and_let_go;
mod talk_in_the_background_holds_nothing_up;
mod the_shipped_conversations_serve_their_callers;
mod the_shipped_scenarios_pass;
mod the_summary_of_fifty_calls_names_every_fact_and_invents_none;
mod values_said_to_a_caller_are_kept_nowhere;
mod what_is_offered_is_recognised_by_its_sound;
mod what_is_read_back_can_be_put_right_but_not_for_ever;
mod what_the_network_says_of_a_caller_is_at_hand;
mod who_does_not_want_to_be_recorded_is_not;

use frontdesk::dialog::{Language, Piece};
use frontdesk::speech::voice::spoken::words;

/// Each case is what is written, and what is said for it.
fn read_as(language: &str, make: fn(String) -> Piece, cases: &[(&str, &str)]) {
    let language = Language::new(language);
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(written, said)| {
            let found = words(&make((*written).into()), &language).unwrap();
            (found != *said).then(|| format!("{written:?}\n   is read {found:?}\n   but is   {said:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
