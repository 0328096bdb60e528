//! Sound files, voices, the ear, turns and keys in the sound. One behaviour a file; all of them one test program, for linking each alone took minutes and gigabytes.

#[path = "../babble/mod.rs"]
mod babble;

mod a_full_voice_queue_refuses_at_once;
mod a_language_without_a_voice_speaks_by_recordings;
mod a_lost_packet_of_a_real_voice_is_hardly_missed;
mod a_prepared_prompt_is_at_hand_and_made_anew_when_damaged;
mod a_recorded_prompt_may_be_any_usual_sound_file;
mod a_sound_file_of_any_usual_kind_is_read;
mod both_voices_speak_steadily_and_equally_loud;
mod keys_in_the_sound_are_found_within_q24;
mod the_ear_reads_what_a_telephone_caller_said;
mod the_turn_model_tells_whole_sentences_from_cut_ones;
mod turns_are_cut_where_the_caller_stops;
