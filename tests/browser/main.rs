//! Calls from a web page, and the agents' desk, in Debian's Chromium. One behaviour a file.

#[path = "../common/mod.rs"]
mod common;
mod desk;
mod door;
#[path = "../script/mod.rs"]
mod script;

mod a_browser_caller_is_heard_answered_and_put_through;
mod a_browser_that_changes_networks_keeps_its_call;
mod a_page_that_closes_ends_its_call;
mod a_supervisor_listens_whispers_joins_in_and_takes_over;
mod an_agent_brings_a_third_into_the_conversation;
mod an_agent_hears_their_own_calls_and_no_others;
mod an_agent_lends_a_caller_to_the_bot;
mod an_agent_takes_a_call_at_the_desk;
mod an_agent_whose_browser_is_gone_costs_the_caller_no_place;
mod an_agent_with_a_phone_steers_it_from_the_desk;
mod another_sites_page_calls_only_when_it_may;
mod no_secret_of_a_thousand_is_shown_or_told;
mod nobody_gets_at_the_desk_without_an_account;
mod strangers_calls_are_refused_and_harm_nobody;
mod the_wall_shows_the_day_and_what_is_to_come;
