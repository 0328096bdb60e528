//! An OpenAI-compatible language model may put a summary into smoother words. It never delays a call: the summary is
//! complete without it, `rewrite` gives a task whose result is used only if it comes in time and says nothing that
//! the facts do not say (`faithful`).
//!
//! One POST with two fields read from the answer: plain reqwest is less than a client library's types.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use jieba_rs::Jieba;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::Error;
use crate::call::Summary;
use crate::dialog::numerals::{ONES, TENS};
use crate::telemetry::names;

/// Summaries at the model at once; more are refused, not queued.
const AT_ONCE: usize = 4;
/// Characters that an agent reads in a moment.
const LONGEST: usize = 600;

#[derive(Clone)]
pub struct RewriterSettings {
    /// Up to the version: `http://127.0.0.1:8000/v1`.
    pub url: String,
    pub model: String,
    /// Sent as a bearer token.
    pub key: Option<String>,
    /// Over all.
    pub timeout: Duration,
}

#[derive(Clone)]
pub struct Rewriter {
    client: reqwest::Client,
    settings: Arc<RewriterSettings>,
    places: Arc<Semaphore>,
}

/// Why a summary stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// As many as may be are being rewritten.
    Busy,
    Late,
    /// No connection, an error status, or an answer of another form.
    Failed,
    /// The words say more than the facts, or are none.
    Unfaithful,
}

impl Rewriter {
    pub fn new(settings: RewriterSettings) -> Result<Self, Error> {
        let client = reqwest::Client::builder()
            .timeout(settings.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(Error::Client)?;
        Ok(Self { client, settings: Arc::new(settings), places: Arc::new(Semaphore::new(AT_ONCE)) })
    }

    /// The summary in the model's words, within the time limit: to be spawned beside the call.
    pub fn rewrite(&self, summary: &Summary) -> impl Future<Output = Result<String, Kept>> + Send + 'static {
        let (this, summary) = (self.clone(), summary.clone());
        async move {
            let result = this.ask(&summary).await;
            let label = match &result {
                Ok(_) => "used",
                Err(Kept::Late) => "late",
                Err(Kept::Unfaithful) => "refused",
                Err(Kept::Busy | Kept::Failed) => "failed",
            };
            metrics::counter!(names::REWRITES, "result" => label).increment(1);
            result
        }
    }

    async fn ask(&self, summary: &Summary) -> Result<String, Kept> {
        let _place = self.places.try_acquire().map_err(|_| Kept::Busy)?;
        let settings = &self.settings;
        let url = format!("{}/chat/completions", settings.url.trim_end_matches('/'));
        let mut request = self.client.post(url).json(&question(&settings.model, summary));
        if let Some(key) = &settings.key {
            request = request.bearer_auth(key);
        }
        let failed = |error: reqwest::Error| if error.is_timeout() { Kept::Late } else { Kept::Failed };
        let answer = tokio::time::timeout(settings.timeout, async {
            let response = request.send().await.map_err(failed)?.error_for_status().map_err(failed)?;
            if response.content_length().is_some_and(|length| length > 1024 * 1024) {
                return Err(Kept::Failed);
            }
            response.json::<Value>().await.map_err(failed)
        });
        let answer = answer.await.map_err(|_| Kept::Late)??;
        let words = answer.pointer("/choices/0/message/content").and_then(Value::as_str).ok_or(Kept::Failed)?.trim();
        if faithful(words, summary) { Ok(words.to_owned()) } else { Err(Kept::Unfaithful) }
    }
}

fn question(model: &str, summary: &Summary) -> Value {
    let language = if summary.language.starts_with("zh") { "Mandarin Chinese" } else { "the facts' own language" };
    let facts: Vec<String> = summary.facts.iter().map(|fact| format!("- {:?}: {}", fact.kind, fact.text)).collect();
    json!({
        "model": model,
        "temperature": 0,
        "max_tokens": 200,
        "messages": [
            { "role": "system", "content": format!(
                "You brief a call-centre agent. Put the facts into two or three short sentences in {language}. Add \
                 nothing: no name, number, date or promise that is not in the facts. Answer with the sentences alone.") },
            { "role": "user", "content": facts.join("\n") },
        ],
    })
}

/// Whether `words` hold no number and no name that the facts lack. Strict: what it refuses by mistake costs a plainer
/// sentence, what it let through would cost a caller's trust.
pub fn faithful(words: &str, summary: &Summary) -> bool {
    let length = words.chars().count();
    if length == 0 || length > LONGEST {
        return false;
    }
    let facts = summary.facts.iter().map(|fact| fact.text.as_str()).collect::<Vec<_>>().join("\n");
    let (known_digits, known_words) = (digit_runs(&facts), lower_words(&facts));
    let digits_known = digit_runs(words).iter().all(|run| known_digits.iter().any(|known| known == run));
    let numbers_known = lower_words(words).iter().filter(|word| is_number(word)).all(|word| known_words.contains(word));
    digits_known
        && numbers_known
        && capitalised(words).all(|word| OPENERS.contains(&word.as_str()) || known_words.contains(&word))
        && chinese_names_and_numbers(words).all(|word| facts.contains(&word))
}

/// Digits in a row, with what people put between them (`1,234.50`, `3-1-4`) taken out.
fn digit_runs(text: &str) -> HashSet<String> {
    let mut runs = HashSet::new();
    let mut run = String::new();
    let mut gap = false;
    for c in text.chars().chain(['\n']) {
        match c.to_digit(10) {
            Some(_) => {
                run.push(c);
                gap = false;
            }
            None if matches!(c, ',' | '.' | '-' | ' ' | ':' | '/') && !gap && !run.is_empty() => gap = true,
            None => {
                if !run.is_empty() {
                    runs.insert(std::mem::take(&mut run));
                }
                gap = false;
            }
        }
    }
    runs
}

fn lower_words(text: &str) -> HashSet<String> {
    words_of(text).map(str::to_lowercase).collect()
}

fn words_of(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '\'')
        .map(|word| word.trim_end_matches("'s"))
        .filter(|w| !w.is_empty())
}

/// Words with a capital, in lower case: names, and the first of each sentence.
fn capitalised(text: &str) -> impl Iterator<Item = String> {
    words_of(text).filter(|word| word.chars().next().is_some_and(char::is_uppercase)).map(str::to_lowercase)
}

/// People, places, organisations, and numerals of two characters and more, as jieba's dictionary sees them.
fn chinese_names_and_numbers(text: &str) -> impl Iterator<Item = String> {
    static JIEBA: LazyLock<Jieba> = LazyLock::new(Jieba::new);
    let chinese = text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    let tagged = if chinese { JIEBA.tag(text, true) } else { Vec::new() };
    let wanted: Vec<String> = tagged
        .into_iter()
        .filter(|tag| {
            let name = tag.tag.starts_with("nr") || tag.tag.starts_with("ns") || tag.tag.starts_with("nt");
            let numeral = tag.word.chars().all(|c| "零〇一二三四五六七八九十百千万亿两幺".contains(c));
            let several = tag.word.chars().nth(1).is_some();
            several && (name || numeral)
        })
        .map(|tag| tag.word.to_owned())
        .collect();
    wanted.into_iter()
}

/// An English numeral; "zero" and "one" are also said of nothing and of people.
fn is_number(word: &str) -> bool {
    const ALSO: [&str; 7] = ["hundred", "thousand", "million", "billion", "dozen", "twice", "half"];
    ONES[2..].iter().chain(&TENS[2..]).chain(&ALSO).any(|known| *known == word)
}

/// What English sentences of a briefing begin with, and names that say nothing of the caller.
const OPENERS: &[&str] = &[
    "a",
    "account",
    "after",
    "all",
    "an",
    "and",
    "as",
    "at",
    "before",
    "but",
    "call",
    "caller",
    "calling",
    "customer",
    "during",
    "for",
    "he",
    "her",
    "his",
    "however",
    "i",
    "in",
    "it",
    "its",
    "last",
    "no",
    "not",
    "on",
    "open",
    "currently",
    "previously",
    "please",
    "she",
    "so",
    "that",
    "the",
    "their",
    "then",
    "there",
    "they",
    "this",
    "to",
    "we",
    "when",
    "while",
    "who",
    "with",
    "yet",
    "you",
    "your",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::{Fact, FactKind};

    fn summary(language: &str, facts: &[&str]) -> Summary {
        let facts = facts.iter().map(|text| Fact { kind: FactKind::Tried, text: (*text).into(), entry: 0 }).collect();
        Summary { outcome: None, language: language.into(), facts }
    }

    #[test]
    fn only_what_the_facts_say_is_faithful() {
        let bank = summary(
            "en",
            &["Ada Lovelace, +44 20 7946 0018", "account number 314159, read back", "balance 1,234.50 USD told"],
        );
        for good in [
            "Ada Lovelace asked about account 314159. The balance of 1234.50 USD was told.",
            "The caller, on +442079460018, has account 3-1-4-1-5-9.",
            "She wants to know her balance; it was told to Ada.",
        ] {
            assert!(faithful(good, &bank), "{good}");
        }
        for bad in [
            "",
            "Ada's balance is 1,234.60 USD.",
            "Account 31415 belongs to Ada.",
            "Ada called twice.",
            "Ada owes fifty USD.",
            "Charles Babbage asked for a balance.",
            "Ada called from London.",
            &"very ".repeat(200),
        ] {
            assert!(!faithful(bad, &bank), "{bad}");
        }
    }

    #[test]
    fn chinese_names_places_and_numbers_must_be_in_the_facts_too() {
        let parcel = summary("zh", &["来电号码 13800138000", "包裹号 88001234，已核对", "包裹正在上海派送"]);
        assert!(faithful("客户询问包裹88001234，包裹正在上海派送。", &parcel));
        for bad in
            ["包裹88001234正在北京派送。", "客户王小明询问包裹。", "包裹还有二十五分钟到上海。", "包裹88001235在上海。"]
        {
            assert!(!faithful(bad, &parcel), "{bad}");
        }
    }
}
