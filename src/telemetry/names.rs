//! Every metric frontdesk has, with its help text: Prometheus names, base units (seconds, ratios).

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// Labels: none.
pub const CALLS_ACTIVE: &str = "frontdesk_calls_active";
/// Labels: `line`.
pub const CALLS_STARTED: &str = "frontdesk_calls_started_total";
/// Labels: `cause` (`call::Cause`), `outcome` (`call::Outcome`).
pub const CALLS_ENDED: &str = "frontdesk_calls_ended_total";
pub const CALL_SECONDS: &str = "frontdesk_call_seconds";
/// Labels: `reason`.
pub const CALLS_REFUSED: &str = "frontdesk_calls_refused_total";

/// Mean of the last seconds. From 150 ms on new calls are refused, until it is below 30 ms.
pub const CLOCK_LATE: &str = "frontdesk_clock_late_seconds";

/// Requests that the desk refused. Labels: `reason`.
pub const DESK_REFUSED: &str = "frontdesk_desk_refused_total";

/// Tasks of the runtime, when the page was asked for.
pub const TASKS: &str = "frontdesk_tasks";

pub const SPEECH_QUEUE: &str = "frontdesk_speech_queue_depth";
/// Labels: `why` (`overload`, `failure`).
pub const SPEECH_REFUSED: &str = "frontdesk_speech_refused_total";
/// From the end of the caller's turn to its text.
pub const HEARING_SECONDS: &str = "frontdesk_hearing_seconds";
pub const HEARING_CPU_SECONDS: &str = "frontdesk_hearing_cpu_seconds";
pub const HEARD_AUDIO_SECONDS: &str = "frontdesk_heard_audio_seconds";
pub const SPEAKING_SECONDS: &str = "frontdesk_speaking_first_audio_seconds";
/// Labels: `result` (`hit`, `miss`).
pub const PROMPT_CACHE: &str = "frontdesk_prompt_cache_total";
/// From the end of the caller's turn to the first sound of the answer.
pub const ANSWER_SECONDS: &str = "frontdesk_answer_seconds";

/// Labels: `kind` (`card`, `code`, `national_id`, `phone`, `number`).
pub const SECRETS_MASKED: &str = "frontdesk_secrets_masked_total";

pub const UNDERSTANDING_SECONDS: &str = "frontdesk_understanding_seconds";
pub const UNDERSTANDING_REFUSED: &str = "frontdesk_understanding_refused_total";
/// Labels: `backend`.
pub const BACKEND_SECONDS: &str = "frontdesk_backend_seconds";
/// Labels: `backend`, `result` (`ok`, `not_found`, `timeout`, `down`, `malformed`).
pub const BACKEND_REPLIES: &str = "frontdesk_backend_replies_total";
/// Labels: `result` (`used`, `late`, `refused`, `failed`).
pub const REWRITES: &str = "frontdesk_summary_rewrites_total";
/// Labels: `result`, likewise.
pub const MODEL_ANSWERS: &str = "frontdesk_model_answers_total";

/// Readings of a caller's voice that found the model's queue full.
pub const EMOTION_REFUSED: &str = "frontdesk_emotion_refused_total";
/// Labels: `reaction` (`emotion::policy::Reaction`).
pub const REACTIONS: &str = "frontdesk_emotion_reactions_total";
/// Labels: `line`.
pub const ALERTS: &str = "frontdesk_alerts_total";

pub const RTP_RECEIVED: &str = "frontdesk_rtp_packets_received_total";
pub const RTP_LOST: &str = "frontdesk_rtp_packets_lost_total";
pub const RTP_LATE: &str = "frontdesk_rtp_packets_late_total";
pub const RTP_BAD: &str = "frontdesk_rtp_packets_bad_total";
pub const RTP_UNAUTHENTIC: &str = "frontdesk_rtp_packets_unauthentic_total";
pub const RTP_FOREIGN: &str = "frontdesk_rtp_packets_foreign_total";
pub const RTP_JITTER_SECONDS: &str = "frontdesk_rtp_jitter_seconds";
pub const RTP_BUFFER_SECONDS: &str = "frontdesk_rtp_buffer_seconds";
pub const RTP_ROUND_TRIP_SECONDS: &str = "frontdesk_rtp_round_trip_seconds";
pub const RTP_MOS: &str = "frontdesk_rtp_mos";

pub const RECORDS_QUEUE: &str = "frontdesk_records_queue_depth";
pub const RECORDS_LOST: &str = "frontdesk_records_lost_total";
pub const RECORDS_FAILED: &str = "frontdesk_records_failed_writes_total";
pub const RECORDS_COMMIT_SECONDS: &str = "frontdesk_records_commit_seconds";

/// Labels: `webhook`, `result` (`taken`, `failed`, `given_up`, `lost`).
pub const WEBHOOKS: &str = "frontdesk_webhook_messages_total";

pub const AGENTS_AVAILABLE: &str = "frontdesk_agents_available";
/// Labels: `trunk`. 1: registered, or its servers answer.
pub const TRUNK_UP: &str = "frontdesk_trunk_up";
pub const SIP_REGISTRATIONS: &str = "frontdesk_sip_registrations";
/// Labels: `reason` (`blocked`, `flood`, `scanner`, `malformed`).
pub const SIP_SILENCED: &str = "frontdesk_sip_silenced_total";
pub const SIP_BLOCKED: &str = "frontdesk_sip_blocked_sources";

/// Labels: `queue`.
pub const QUEUE_WAITING: &str = "frontdesk_queue_waiting";
/// Labels: `queue`.
pub const QUEUE_WAIT_SECONDS: &str = "frontdesk_queue_wait_seconds";

/// Gives every metric its help text; once, after the recorder is in place.
pub fn describe() {
    describe_gauge!(CALLS_ACTIVE, "Calls in progress");
    describe_gauge!(TASKS, "Tasks alive in the asynchronous runtime");
    describe_counter!(CALLS_STARTED, "Calls that arrived, by line");
    describe_counter!(CALLS_ENDED, "Calls that ended, by cause and outcome");
    describe_histogram!(CALL_SECONDS, Unit::Seconds, "Length of a call, arrival to end");
    describe_gauge!(CLOCK_LATE, Unit::Seconds, "How late the media clock comes; new calls are refused when it is high");
    describe_counter!(CALLS_REFUSED, "Calls turned away before they began, by reason");
    describe_counter!(DESK_REFUSED, "Requests that the agents' desk refused, by reason");

    describe_gauge!(SPEECH_QUEUE, "Utterances waiting for the recogniser");
    describe_counter!(SPEECH_REFUSED, "Utterances the recogniser could not take");
    describe_histogram!(HEARING_SECONDS, Unit::Seconds, "End of a caller's turn to its text");
    describe_histogram!(HEARING_CPU_SECONDS, Unit::Seconds, "Processor time spent on speech to text");
    describe_histogram!(HEARD_AUDIO_SECONDS, Unit::Seconds, "Speech that was transcribed");
    describe_histogram!(SPEAKING_SECONDS, Unit::Seconds, "Text to its first sound");
    describe_counter!(PROMPT_CACHE, "Prompts found in the cache, or not");
    describe_histogram!(ANSWER_SECONDS, Unit::Seconds, "End of a caller's turn to the first sound of the answer");

    describe_histogram!(UNDERSTANDING_SECONDS, Unit::Seconds, "A sentence to its intents, waiting included");
    describe_counter!(UNDERSTANDING_REFUSED, "Sentences that found the pool full");
    describe_histogram!(BACKEND_SECONDS, Unit::Seconds, "A backend's answer, retries included");
    describe_counter!(BACKEND_REPLIES, "Backends' answers by result");
    describe_counter!(REWRITES, "Summaries given to the language model, by what came of it");
    describe_counter!(MODEL_ANSWERS, "Callers' questions put to the language model, by what came of it");

    describe_counter!(EMOTION_REFUSED, "Readings of a caller's voice that the model had no time for");
    describe_counter!(REACTIONS, "What was done for callers in distress, by reaction");
    describe_counter!(ALERTS, "Calls that supervisors were told of, by line");

    describe_counter!(RTP_RECEIVED, "RTP packets received");
    describe_counter!(RTP_LOST, "RTP packets that never came");
    describe_counter!(RTP_LATE, "RTP packets that came too late to be played");
    describe_counter!(RTP_BAD, "Packets that were no RTP, or not from the peer");
    describe_counter!(RTP_UNAUTHENTIC, "Packets that no key of their call has made (SRTP)");
    describe_counter!(RTP_FOREIGN, "Packets from an address that is not the peer's");
    describe_histogram!(RTP_JITTER_SECONDS, Unit::Seconds, "Interarrival jitter of a call (RFC 3550)");
    describe_histogram!(RTP_BUFFER_SECONDS, Unit::Seconds, "Mean delay of a call's jitter buffer");
    describe_histogram!(RTP_ROUND_TRIP_SECONDS, Unit::Seconds, "Round trip of a call's RTP by the peer's last report");
    describe_histogram!(RTP_MOS, "Estimated mean opinion score of a call (ITU-T G.107)");

    describe_counter!(SECRETS_MASKED, "Numbers kept out of every record and log, by what they were taken for");
    describe_gauge!(RECORDS_QUEUE, "Records waiting for the disk");
    describe_counter!(RECORDS_LOST, "Records dropped because the disk was too slow, or refused by the database");
    describe_counter!(RECORDS_FAILED, "Transactions that failed and were tried again");
    describe_histogram!(RECORDS_COMMIT_SECONDS, Unit::Seconds, "Writing one batch of records");

    describe_counter!(WEBHOOKS, "Messages to webhooks, by what came of them");

    describe_gauge!(AGENTS_AVAILABLE, "Agents logged in and free");
    describe_gauge!(TRUNK_UP, "Whether a trunk can be used: 1 or 0");
    describe_gauge!(SIP_REGISTRATIONS, "Phones' registrations");
    describe_counter!(SIP_SILENCED, "SIP messages met with silence, by reason");
    describe_gauge!(SIP_BLOCKED, "Sources on the block list");
    describe_gauge!(QUEUE_WAITING, "Callers waiting, by queue");
    describe_histogram!(QUEUE_WAIT_SECONDS, Unit::Seconds, "Wait for an agent, by queue");
}
