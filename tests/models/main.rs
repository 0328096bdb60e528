//! Model files: where they come from and what may go wrong on the way. One behaviour a file; all of them one test program, for linking each alone took minutes and gigabytes.

#[path = "../model_site/mod.rs"]
mod model_site;

mod a_dead_model_source_gives_way_to_the_next;
mod a_full_disk_ends_a_model_fetch_with_a_clear_message;
mod a_mirror_comes_before_every_other_model_source;
mod a_model_comes_out_of_a_package_by_name;
mod a_model_with_a_wrong_sha256_is_never_put_in_place;
mod a_truncated_model_gives_way_to_the_next_source;
mod an_interrupted_model_download_goes_on_where_it_broke_off;
mod two_model_fetches_at_once_do_not_disturb_each_other;
