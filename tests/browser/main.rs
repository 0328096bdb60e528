//! Calls from a web page, in Debian's Chromium. One behaviour a file.

#[path = "../common/mod.rs"]
mod common;
mod door;

mod a_browser_caller_is_heard_answered_and_put_through;
mod a_browser_that_changes_networks_keeps_its_call;
mod a_page_that_closes_ends_its_call;
mod another_sites_page_calls_only_when_it_may;
mod strangers_calls_are_refused_and_harm_nobody;
