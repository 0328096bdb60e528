//! `frontdesk dialog`: operators' dialogue tests.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::chat::{caller, line_of, told};
use crate::answers::Meaning;
use crate::call::talk::{End, Listening, Talk, World};
use crate::call::{BackendFailure, Entry, Note, Reply, Understanding, Utterance};
use crate::config::{self, Config, Does, Expected, Feeling, PeopleFrom, Place, Scenario, Scenarios, Secrets};
use crate::dialog::flow::Flow;
use crate::dialog::{Language, Piece, Prompt};
use crate::engine;
use crate::media;
use crate::speech::voice::Voice;
use crate::speech::{Ear, HearRequest, Hearing, Samples};

/// Test a flow by conversations written in files, without a call
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Test(Test),
}

/// Hold conversations with a flow and tell where it does not do what it should.
///
/// Reads the scenarios of every .yaml file in a folder (docs/dialogue-tests.md): what callers say, press and sound like,
/// and what the bot must say, ask, look up and whom it must call. The flow, its intents and its knowledge base are the
/// real ones; there is no sound and no waiting, and backends reply from the scenario. Exits 1 when one fails.
///
/// With --spoken what callers say is spoken by the engine's voice, goes over a telephone line, and is whatever the recogniser
/// makes of it. That takes about a second a sentence; values that are easily misheard are better spelled out ("three one four").
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    frontdesk dialog test config/scenarios\n  \
    frontdesk dialog test config/scenarios/bank.yaml --only balance --verbose\n  \
    frontdesk dialog test config/scenarios/bank.yaml --spoken")]
struct Test {
    /// A folder of scenarios, or one file
    #[arg(value_name = "DIR")]
    path: PathBuf,
    /// Only scenarios whose name holds this
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Speak what callers say, over a telephone line, to the recogniser
    #[arg(long)]
    spoken: bool,
    /// Show every conversation, not only those that fail
    #[arg(long, short)]
    verbose: bool,
    /// One JSON object a scenario
    #[arg(long)]
    json: bool,
}

pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Command::Test(test) = args.command;
    tokio::task::spawn_blocking(move || hold(&test)).await?
}

fn hold(args: &Test) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    let (mut passed, mut all, mut took) = (0, 0, Duration::ZERO);
    let mut houses: BTreeMap<(PathBuf, String), House> = BTreeMap::new();
    for path in files(&args.path)? {
        let file = match config::scenarios(&path) {
            Ok(file) => file,
            Err(problems) => {
                eprintln!("{problems}");
                return Ok(ExitCode::FAILURE);
            }
        };
        let house = match House::of(&file, &mut houses, args.spoken)? {
            Ok(house) => house,
            Err(code) => return Ok(code),
        };
        let wanted = |scenario: &&Scenario| args.only.as_ref().is_none_or(|only| scenario.name.contains(only));
        for scenario in file.scenarios.iter().filter(wanted) {
            let began = Instant::now();
            let held = converse(house, scenario);
            let ms = began.elapsed();
            took += ms;
            all += 1;
            passed += usize::from(held.failures.is_empty());
            tell(&mut out, scenario, &held, ms, args)?;
        }
    }
    if all == 0 {
        bail!("no scenario in {}", args.path.display());
    }
    if !args.json {
        writeln!(out, "{passed} of {all} scenarios pass, in {:.2} s", took.as_secs_f64())?;
    }
    Ok(if passed == all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn files(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = std::fs::read_dir(path).with_context(|| path.display().to_string())?;
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    files.retain(|file| file.extension().is_some_and(|kind| kind == "yaml" || kind == "yml"));
    files.sort();
    Ok(files)
}

/// A line's flow, ready to be called.
struct House {
    config: Config,
    line: String,
    flow: Arc<Flow>,
    meaning: Meaning,
    telephone: Option<Telephone>,
}

impl House {
    /// The line that a file calls; loaded once. A configuration with mistakes is the inner error.
    fn of<'h>(
        file: &Scenarios,
        known: &'h mut BTreeMap<(PathBuf, String), Self>,
        spoken: bool,
    ) -> anyhow::Result<Result<&'h Self, ExitCode>> {
        let key = (file.config.clone(), file.line.clone().unwrap_or_default());
        if !known.contains_key(&key) {
            let config = match super::configuration(&file.config, Secrets::Optional) {
                Ok(config) => config,
                Err(code) => return Ok(Err(code)),
            };
            let line = line_of(&config, file.line.as_deref())?;
            let flow = Arc::new(config.flow_on(line));
            let progress = |what: &str| eprintln!("  {what} ...");
            let meaning = engine::meaning(&config, &flow, &progress)?;
            let telephone = spoken.then(|| Telephone::to(&config, &flow, &progress)).transpose()?;
            let house = Self { line: line.name.clone(), flow, meaning, telephone, config };
            known.insert(key.clone(), house);
        }
        Ok(Ok(&known[&key]))
    }
}

/// Says what callers say, by the engine's own voice, and hears it over a telephone line.
struct Telephone {
    ear: Arc<Ear>,
    voice: Voice,
    likely: Arc<[String]>,
    /// Between which the recogniser may choose.
    languages: Vec<Language>,
}

impl Telephone {
    /// Quiet around a sentence, as a turn has it.
    const QUIET_MS: u32 = 300;

    fn to(config: &Config, flow: &Flow, progress: &(dyn Fn(&str) + Sync)) -> anyhow::Result<Self> {
        let (ear, voice) = engine::speech(config, progress)?;
        let languages = if flow.detect_language { flow.languages() } else { Vec::new() };
        Ok(Self { ear, voice, likely: engine::likely(flow), languages })
    }

    /// What the recogniser makes of a sentence, if it is words; and how long it took to say, ms.
    fn hears(&self, text: &str, language: Language, listening: &Listening) -> anyhow::Result<(Option<Utterance>, u64)> {
        let (mut said, mut rate) = (Vec::new(), 0);
        for chunk in self.voice.speak(&Prompt { language, pieces: vec![Piece::Text(text.into())] })? {
            let chunk = chunk?;
            rate = chunk.rate;
            said.extend_from_slice(&chunk.samples);
        }
        let quiet = vec![0; (rate * Self::QUIET_MS / 1_000) as usize];
        let line = media::telephone_channel(&[&quiet[..], &said, &quiet].concat(), rate);
        let audio: Samples = media::resample(&line, 8_000, 16_000).iter().map(|&s| f32::from(s) / 32_768.0).collect();
        let length_ms = audio.len() as u64 / 16;
        let Listening { expect, language, hints } = listening.clone();
        let (likely, languages) = (self.likely.clone(), self.languages.clone());
        let request = HearRequest { audio, language: Some(language), hints, expect, likely, languages };
        let Hearing { text, alternatives, confidence, language, .. } = self.ear.hear(request)?.wait()?;
        let heard = Utterance {
            text,
            alternatives,
            confidence,
            language: language.to_string(),
            start_ms: 0,
            end_ms: length_ms,
        };
        Ok((Some(heard).filter(|heard| !heard.text.is_empty()), length_ms))
    }
}

/// The real meaning of sentences, and backends that reply as the scenario says.
struct Scripted<'s> {
    meaning: &'s Meaning,
    config: &'s Config,
    scenario: &'s Scenario,
    asked: Vec<(String, BTreeMap<String, String>)>,
}

impl World for Scripted<'_> {
    fn understand(&mut self, text: &str, intents: &[String]) -> Understanding {
        self.meaning.now(text, intents)
    }

    fn fetch(&mut self, backend: &str, with: &BTreeMap<String, String>) -> (u64, Reply) {
        self.asked.push((backend.to_owned(), with.clone()));
        match self.scenario.backends.get(backend) {
            Some((after, reply)) => (after.as_millis() as u64, reply.clone()),
            None => (0, Reply::Failed(BackendFailure::Down)),
        }
    }

    fn taken_by(&self, queue: &str) -> Option<String> {
        self.config.taken_by(queue, self.scenario.at, &self.scenario.nobody).map(str::to_owned)
    }
}

/// What came of a conversation.
struct Held {
    failures: Vec<(Place, String)>,
    /// As one would read it.
    lines: Vec<String>,
}

fn converse(house: &House, scenario: &Scenario) -> Held {
    let mut caller = caller(&house.config.lines[&house.line], &scenario.caller); // the house was made of this line
    caller.on_file = known(&house.config, scenario);
    let world = Scripted { meaning: &house.meaning, config: &house.config, scenario, asked: Vec::new() };
    let mut talk = Talk::new(house.flow.clone(), caller, scenario.at, world);
    let mut held = Held { failures: Vec::new(), lines: Vec::new() };
    if let Some(unknown) = scenario.nobody.iter().find(|name| !house.config.queues.contains_key(*name)) {
        held.failures.push((scenario.place.clone(), format!("`nobody` names `{unknown}`, which is no queue")));
        return held;
    }
    let mut feeling = Feeling(0.0);
    let mut news = talk.news();
    held.lines.extend(news.iter().filter_map(told));
    for turn in &scenario.turns {
        if let Some(sounds) = turn.sounds {
            feeling = sounds;
        }
        if let Some(does) = &turn.does {
            if talk.ended().is_some() {
                held.failures.push((turn.place.clone(), "the bot's part of the call was over by then".into()));
                break;
            }
            talk.world.asked.clear();
            if feeling.0 > 0.0 && matches!(does, Does::Says(_) | Does::Noise) {
                talk.sounds(feeling.0);
            }
            held.lines.push(match does {
                Does::Says(text) => match (&house.telephone, talk.listening()) {
                    (None, _) => {
                        talk.says(text);
                        format!("caller: {text}")
                    }
                    (Some(_), None) => {
                        talk.mumbles();
                        format!("caller: {text}  (nobody listens)")
                    }
                    (Some(telephone), Some(listening)) => {
                        let spoken = telephone.hears(text, talk.language_of(text), listening);
                        let (heard, length_ms) = match spoken {
                            Ok(spoken) => spoken,
                            Err(error) => {
                                held.failures.push((turn.place.clone(), format!("\"{text}\": {error:#}")));
                                break;
                            }
                        };
                        let shown = match &heard {
                            Some(heard) => format!("heard, {:.2}: {}", heard.confidence, heard.text),
                            None => "no words heard".into(),
                        };
                        talk.speaks(heard, length_ms);
                        format!("caller: {text}  ({shown})")
                    }
                },
                Does::Presses(keys) => {
                    talk.presses(keys);
                    format!("caller presses {keys}")
                }
                Does::Silence => {
                    talk.is_silent();
                    "caller is silent".into()
                }
                Does::Noise => {
                    talk.mumbles();
                    "a noise".into()
                }
            });
            news = talk.news();
            held.lines.extend(news.iter().filter_map(told));
        }
        for (place, expected) in &turn.expected {
            if let Err(found) = judge(expected, &news, &talk) {
                held.failures.push((place.clone(), found));
            }
        }
        if !held.failures.is_empty() {
            break; // what follows a failure is another conversation
        }
    }
    held
}

fn place_of(place: &Place) -> String {
    format!("{}:{}:{}", place.file.display(), place.line, place.column)
}

/// What is known of the caller, by the table or by the scenario's own backend where that is in time.
fn known(config: &Config, scenario: &Scenario) -> BTreeMap<String, String> {
    let Some(people) = &config.people else { return BTreeMap::new() };
    match &people.source {
        PeopleFrom::Table(_) => people.in_table(&scenario.caller),
        PeopleFrom::Backend { backend, timeout, .. } => match scenario.backends.get(backend) {
            Some((after, Reply::Found(said))) if after <= timeout => people.in_reply(said),
            _ => BTreeMap::new(),
        },
    }
}

/// What is wrong, in a sentence.
fn judge(expected: &Expected, news: &[Entry], talk: &Talk<Scripted>) -> Result<(), String> {
    let said = || {
        let said = news.iter().filter_map(|entry| match &entry.note {
            Note::Say { text } => Some(text.as_str()),
            _ => None,
        });
        said.collect::<Vec<_>>().join(" / ")
    };
    let holds = |text: &str| said().to_lowercase().contains(&text.to_lowercase());
    match expected {
        Expected::Says(text) if !holds(text) => Err(format!("the bot should say \"{text}\"; it said \"{}\"", said())),
        Expected::Never(text) if holds(text) => {
            Err(format!("the bot should not say \"{text}\"; it said \"{}\"", said()))
        }
        Expected::AtStep(step) => {
            let at = talk.timeline().iter().rev().find_map(|entry| match &entry.note {
                Note::Step { step } => Some(step.as_str()),
                _ => None,
            });
            match at {
                Some(at) if at == step => Ok(()),
                at => Err(format!("the call should be at the step `{step}`; it is at `{}`", at.unwrap_or("none"))),
            }
        }
        Expected::Intent(wanted) => {
            let found = news.iter().rev().find_map(|entry| match &entry.note {
                Note::Intent { chosen, scores } => Some((chosen, scores)),
                _ => None,
            });
            match found {
                Some((chosen, _)) if chosen == wanted => Ok(()),
                Some((chosen, scores)) => {
                    let scores: Vec<String> =
                        scores.iter().take(3).map(|score| format!("{} {:.2}", score.intent, score.score)).collect();
                    let name = |intent: &Option<String>| intent.clone().unwrap_or_else(|| "none".into());
                    Err(format!(
                        "the intent should be {}; it is {} ({})",
                        name(wanted),
                        name(chosen),
                        scores.join(", ")
                    ))
                }
                None => Err("no intent was looked for".into()),
            }
        }
        Expected::Slot(slot, wanted) => {
            let found = talk.timeline().iter().rev().find_map(|entry| match &entry.note {
                Note::Slot { slot: name, value, .. } if name == slot => Some(value.as_str()),
                _ => None,
            });
            match found {
                Some(value) if value == wanted => Ok(()),
                found => Err(format!("`{slot}` should be \"{wanted}\"; it is \"{}\"", found.unwrap_or("not there"))),
            }
        }
        Expected::Calls(backend, with) => {
            let asked = &talk.world.asked;
            let fits = |(name, values): &(String, BTreeMap<String, String>)| {
                name == backend && with.iter().all(|(key, value)| values.get(key) == Some(value))
            };
            match asked.iter().any(fits) {
                true => Ok(()),
                false => Err(format!("the backend `{backend}` should be asked {with:?}; asked were {asked:?}")),
            }
        }
        Expected::AnswersFrom(place) => {
            let found = news.iter().find_map(|entry| match &entry.note {
                Note::AnsweredFrom { source, .. } => Some(source.as_str()),
                _ => None,
            });
            match found {
                Some(source) if source.contains(place.as_str()) => Ok(()),
                found => {
                    Err(format!("the answer should come from {place}; it came from {}", found.unwrap_or("nowhere")))
                }
            }
        }
        Expected::Transfers(wanted) => match talk.ended() {
            Some(End::Person { queue }) if queue == wanted => Ok(()),
            Some(End::Person { queue }) => Err(format!("the caller should go to the queue `{wanted}`, not `{queue}`")),
            Some(End::HungUp(cause)) => {
                Err(format!("the caller should go to the queue `{wanted}`; the call ended: {cause:?}"))
            }
            None => Err(format!("the caller should go to the queue `{wanted}`; the bot said \"{}\"", said())),
        },
        Expected::CallsBack(number) => match &talk.promised {
            Some(promised) if promised == number => Ok(()),
            found => Err(format!("the caller should be called back on {number}; promised was {found:?}")),
        },
        Expected::Message(text) => match &talk.left {
            Some(left) if left.to_lowercase().contains(&text.to_lowercase()) => Ok(()),
            found => Err(format!("a message with \"{text}\" should be left; left was {found:?}")),
        },
        Expected::Ends(wanted) => match (wanted, talk.ended()) {
            (true, Some(End::HungUp(_))) | (false, None) => Ok(()),
            (true, found) => Err(format!("the bot should end the call; {found:?}")),
            (false, found) => Err(format!("the bot's part should go on; {found:?}")),
        },
        Expected::Says(_) | Expected::Never(_) => Ok(()),
    }
}

fn tell(out: &mut impl Write, scenario: &Scenario, held: &Held, took: Duration, args: &Test) -> std::io::Result<()> {
    let ms = took.as_secs_f64() * 1e3;
    if args.json {
        let failures: Vec<_> =
            held.failures.iter().map(|(at, what)| serde_json::json!({ "place": place_of(at), "what": what })).collect();
        let line = serde_json::json!({ "scenario": scenario.name, "place": place_of(&scenario.place), "ok": failures.is_empty(),
            "failures": failures, "ms": ms, "conversation": held.lines });
        return writeln!(out, "{line}");
    }
    let word = if held.failures.is_empty() { "ok  " } else { "FAIL" };
    writeln!(out, "{word}  {}  ({ms:.0} ms)  {}", scenario.name, place_of(&scenario.place))?;
    if args.verbose || !held.failures.is_empty() {
        held.lines.iter().try_for_each(|line| writeln!(out, "      {line}"))?;
    }
    held.failures.iter().try_for_each(|(at, what)| writeln!(out, "  {}: {what}", place_of(at)))
}
