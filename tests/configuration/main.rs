//! Operators' files: what is read, what is refused and how it is told. One behaviour a file; all of them one test program, for linking each alone took minutes and gigabytes.

mod a_bad_reload_keeps_the_running_configuration;
mod a_configuration_may_be_spread_over_files;
mod a_door_to_the_outside_needs_a_list;
mod a_flow_that_keeps_callers_from_a_person_is_shown;
mod a_line_is_staffed_in_its_language;
mod a_secret_is_read_but_never_shown;
mod browsers_call_only_what_they_may;
mod check_prints_places_and_fails;
mod check_reports_every_mistake_at_once;
mod commands_are_switched_off_and_taught;
mod mistakes_about_backends_have_places;
mod mistakes_about_decisions_have_places;
mod mistakes_about_people_have_places;
mod mistakes_about_queues_have_places;
mod mistakes_about_trunks_and_tls_have_places;
mod mistakes_about_webhooks_have_places;
mod no_file_makes_check_panic;
mod shipped_examples_load_without_problems;
mod the_acceptance_runner_keeps_going_and_tells_every_missed_limit;
mod the_desk_is_served_where_it_is_said;
mod the_documentation_shows_what_works;
mod the_reference_names_every_key;
mod unreadable_yaml_is_explained;
mod values_are_used_as_what_they_are;
mod what_a_flow_lacks_is_shown_in_its_file;

use frontdesk::config::{self, Config, Problems};

/// This configuration, from a file of its own.
fn loaded(text: &str) -> Result<Config, Problems> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    std::fs::write(&path, text).unwrap();
    config::load(&path)
}
