//! The report as one HTML page: no script, nothing fetched, light or dark as its reader's screen is. Every chart is a
//! table with bars in it, or has one beside it, so that its values can be read.

use std::fmt::Write as _;

use super::figures::{ALL, Confusion, Day, Durations, Ends, Left, Noted, Report, StepFigures, Wanted, WayFigures};
use crate::graph::escaped;

/// Rows of a table at most; the rest is in `--json`.
const ROWS: usize = 25;
const STYLE: &str = "\
:root{color-scheme:light dark;--paper:#f2f4f7;--card:#fff;--ink:#1d2733;--soft:#55616e;--line:#dde3e9;--bot:#2e7d46;--rest:#9db2c9;--bad:#b8503a;--mid:#d59a2c;--calm:#6f8fb5}\
@media(prefers-color-scheme:dark){:root{--paper:#11161c;--card:#1a2129;--ink:#e8edf3;--soft:#a5b1bd;--line:#2d3743;--bot:#6fce8b;--rest:#51667e;--bad:#f08a72;--mid:#e7b75c;--calm:#8db2de}}\
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,'Noto Sans',sans-serif}\
main{max-width:1080px;margin:0 auto;padding:28px 20px 60px}h1{font-size:26px;margin:0}h2{font-size:18px;margin:0 0 2px}\
p{margin:0 0 12px}.soft{color:var(--soft)}section{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:18px 20px;margin:16px 0;overflow-x:auto}\
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(170px,1fr));gap:12px;margin:18px 0}\
.tile{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:14px 18px}.tile b{display:block;font-size:28px;line-height:1.2;font-variant-numeric:tabular-nums}\
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}th,td{padding:5px 14px 5px 0;text-align:left;vertical-align:middle}\
th{font-weight:600;color:var(--soft);font-size:13px;border-bottom:1px solid var(--line)}td.n,th.n{text-align:right}td.bar{width:38%;min-width:160px;padding-right:0}\
svg{display:block}svg text{fill:var(--soft);font-size:11px}.bot{fill:var(--bot)}.rest{fill:var(--rest)}.bad{fill:var(--bad)}.mid{fill:var(--mid)}.calm{fill:var(--calm)}.ink{fill:var(--ink)}.grid{stroke:var(--line)}\
.key{display:inline-block;width:11px;height:11px;border-radius:3px;margin:0 5px 0 14px}.key:first-child{margin-left:0}summary{cursor:pointer;color:var(--soft)}";

/// `told` says what the figures are of: which configuration, when it was made.
pub fn page(report: &Report, told: &str) -> String {
    let mut body = format!("<h1>What calls teach</h1><p class=soft>{}. {}</p>", escaped(told), left_out(report));
    body += &tiles(report);
    if report.all.calls == 0 {
        body += "<section><p>No call has ended in this time.</p></section>";
    } else {
        body += &days(&report.days);
        body += &ends(report);
        body += &fallbacks(&report.steps);
        body += &leaving(&report.left);
        body += &wanted(&report.wanted);
        body += &confusions(&report.confusions);
        body += &noted(&report.dispositions);
        body += &experiments(&report.experiments);
        body += &durations(&report.durations);
    }
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
         <title>What calls teach</title><style>{STYLE}</style><main>{body}</main></html>\n"
    )
}

fn left_out(report: &Report) -> String {
    let mut text = match report.since {
        Some(since) => format!("Calls since {}.", since.format("%Y-%m-%d %H:%M UTC")),
        None => "All calls on record.".into(),
    };
    for (count, why) in [(report.open, "still up"), (report.unreadable, "not readable: another key, or damaged")] {
        if count > 0 {
            let _ = write!(text, " {count} more {} {why}.", if count == 1 { "is" } else { "are" });
        }
    }
    text
}

fn tiles(report: &Report) -> String {
    let fallbacks: usize = report.steps.iter().map(|step| step.not_heard + step.not_understood + step.silence).sum();
    let each = |count: usize| {
        if report.all.calls == 0 { "-".into() } else { format!("{:.2}", count as f64 / report.all.calls as f64) }
    };
    let median =
        report.durations.iter().find(|durations| durations.calls_that == ALL).map_or("-".into(), |all| clock(all.p50));
    let tiles = [
        (report.all.calls.to_string(), "calls that ended"),
        (share(report.all.containment), "contained: served without a person"),
        (each(fallbacks), "times a call that a question failed"),
        (report.missed.to_string(), "sentences that were not understood"),
        (median, "median duration"),
    ];
    let tiles: String = tiles
        .iter()
        .map(|(value, name)| format!("<div class=tile><b>{value}</b><span class=soft>{name}</span></div>"))
        .collect();
    format!("<div class=tiles>{tiles}</div>")
}

fn section(title: &str, told: &str, body: &str) -> String {
    format!("<section><h2>{title}</h2><p class=soft>{told}</p>{body}</section>")
}

/// `heads` that begin with `#` stand over numbers.
fn table(heads: &[&str], rows: &[String]) -> String {
    let heads: String = heads
        .iter()
        .map(|head| match head.strip_prefix('#') {
            Some(head) => format!("<th class=n scope=col>{head}"),
            None => format!("<th scope=col>{head}"),
        })
        .collect();
    let more = rows.len().saturating_sub(ROWS);
    let rest =
        if more > 0 { format!("<p class=soft>and {more} more: see <code>--json</code></p>") } else { String::new() };
    format!("<table><thead><tr>{heads}</tr></thead><tbody>{}</tbody></table>{rest}", rows[..rows.len() - more].concat())
}

/// A bar of parts, in a row whose longest is `most`. Its values stand in the row's other cells.
fn bar(parts: &[(usize, &str)], most: usize) -> String {
    const WIDTH: f64 = 320.0;
    let mut x = 0.0;
    let mut bars = String::new();
    for (count, class) in parts.iter().filter(|(count, _)| *count > 0) {
        let width = WIDTH * *count as f64 / most.max(1) as f64;
        let _ = write!(bars, "<rect class={class} x=\"{x:.1}\" y=\"2\" width=\"{width:.1}\" height=\"14\"/>");
        x += width;
    }
    format!(
        "<td class=bar><svg viewBox=\"0 0 {WIDTH} 18\" width=\"100%\" height=\"18\" preserveAspectRatio=\"none\" aria-hidden=\"true\">{bars}</svg>"
    )
}

fn keys(keys: &[(&str, &str)]) -> String {
    let key =
        |(class, name): &(&str, &str)| format!("<span class=key style=\"background:var(--{class})\"></span>{name}");
    format!("<p class=soft>{}</p>", keys.iter().map(key).collect::<String>())
}

/// Columns by the day, and the same as a table.
fn days(days: &[Day]) -> String {
    const HIGH: f64 = 160.0;
    const LEFT: f64 = 40.0;
    let most = days.iter().map(|day| day.calls).max().unwrap_or(0).max(1);
    // A round number above the highest column.
    let step =
        [1, 2, 5, 10, 20, 50, 100, 200, 500].into_iter().find(|step| most <= step * 4).unwrap_or(most.div_ceil(4));
    let top = most.div_ceil(step) * step;
    let wide = (960.0 / days.len().max(1) as f64).min(64.0);
    let width = LEFT + wide * days.len() as f64;
    let mut chart = String::new();
    for tick in (0..=top).step_by(step) {
        let y = 10.0 + HIGH * (1.0 - tick as f64 / top as f64);
        let _ = write!(
            chart,
            "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{width:.1}\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{tick}</text>",
            LEFT - 6.0,
            y + 4.0
        );
    }
    let every = days.len().div_ceil(12).max(1);
    for (at, day) in days.iter().enumerate() {
        let (x, scale) = (LEFT + wide * at as f64, HIGH / top as f64);
        let (whole, contained) = (day.calls as f64 * scale, day.contained as f64 * scale);
        let bar = (wide * 0.7).max(1.0);
        let left = x + (wide - bar) / 2.0;
        let bottom = 10.0 + HIGH;
        let _ = write!(
            chart,
            "<g><title>{}: {} calls, {} contained</title><rect class=\"rest\" x=\"{left:.1}\" y=\"{:.1}\" width=\"{bar:.1}\" height=\"{:.1}\"/>\
             <rect class=\"bot\" x=\"{left:.1}\" y=\"{:.1}\" width=\"{bar:.1}\" height=\"{contained:.1}\"/></g>",
            day.day,
            day.calls,
            day.contained,
            bottom - whole,
            whole - contained,
            bottom - contained,
        );
        if at % every == 0 {
            let _ = write!(
                chart,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                x + wide / 2.0,
                bottom + 16.0,
                day.day.format("%b %-d")
            );
        }
    }
    let row = |day: &Day| format!("<tr><td>{}<td class=n>{}<td class=n>{}</tr>", day.day, day.calls, day.contained);
    let chart = format!(
        "<svg viewBox=\"0 0 {width:.0} {:.0}\" width=\"{width:.0}\" style=\"max-width:100%\" role=\"img\" aria-label=\"Calls per day; the table below has the values\">{chart}</svg>",
        HIGH + 34.0
    );
    let rows: String = days.iter().map(row).collect();
    let values = format!(
        "<details><summary>Values</summary><table><thead><tr><th scope=col>day<th class=n scope=col>calls<th class=n scope=col>contained</tr></thead>\
         <tbody>{rows}</tbody></table></details>"
    );
    section(
        "Calls per day",
        "By the day they began, local time.",
        &(keys(&[("bot", "contained"), ("rest", "other ends")]) + &chart + &values),
    )
}

fn ends(report: &Report) -> String {
    let most = report.flows.values().map(|ends| ends.calls).max().unwrap_or(0);
    let row = |name: &str, ends: &Ends| {
        let parts = [
            (ends.contained, "bot"),
            (ends.handed_over, "calm"),
            (ends.promised, "rest"),
            (ends.abandoned, "bad"),
            (ends.unserved, "mid"),
        ];
        format!(
            "<tr><td>{}<td class=n>{}<td class=n>{}<td class=n>{}<td class=n>{}<td class=n>{}<td class=n>{}<td class=n>{}{}</tr>",
            escaped(name),
            ends.calls,
            share(ends.containment),
            ends.contained,
            ends.handed_over,
            ends.promised,
            ends.abandoned,
            ends.unserved,
            bar(&parts, most)
        )
    };
    let rows: Vec<String> = report.flows.iter().map(|(name, ends)| row(name, ends)).collect();
    let told = "Contained: the bot served the caller, no person was needed. Handed over: a person took the call. Promised: a callback \
                or a message. Abandoned: the caller left before any of these. Unserved: we ended it.";
    let keys = keys(&[
        ("bot", "contained"),
        ("calm", "handed over"),
        ("rest", "promised"),
        ("bad", "abandoned"),
        ("mid", "unserved"),
    ]);
    let heads =
        ["flow", "#calls", "#containment", "#contained", "#handed over", "#promised", "#abandoned", "#unserved", ""];
    section("How calls end", told, &(keys + &table(&heads, &rows)))
}

fn fallbacks(steps: &[StepFigures]) -> String {
    let all = |step: &StepFigures| step.not_heard + step.not_understood + step.silence;
    let most = steps.iter().map(all).max().unwrap_or(0);
    let row = |step: &StepFigures| {
        let parts = [(step.not_understood, "bad"), (step.not_heard, "mid"), (step.silence, "rest")];
        format!(
            "<tr><td>{}<td>{}<td class=n>{}<td class=n>{}<td class=n>{}<td class=n>{}<td class=n>{}{}</tr>",
            escaped(&step.flow),
            escaped(&step.step),
            step.visits,
            step.not_understood,
            step.not_heard,
            step.silence,
            share((step.visits > 0).then(|| all(step) as f64 / step.visits as f64)),
            bar(&parts, most)
        )
    };
    let rows: Vec<String> = steps.iter().filter(|step| all(step) > 0).map(row).collect();
    let told = "Questions that had to be asked again. A high share is a question to put in other words, an intent that lacks \
                examples or a list that lacks words: frontdesk learn missed has the sentences.";
    if rows.is_empty() {
        return section("Where questions fail", told, "<p>No question failed.</p>");
    }
    let keys = keys(&[("bad", "not understood"), ("mid", "not heard"), ("rest", "silence")]);
    let heads = ["flow", "step", "#visits", "#not understood", "#not heard", "#silence", "#per visit", ""];
    section("Where questions fail", told, &(keys + &table(&heads, &rows)))
}

/// What is counted, each with one bar.
fn counted(heads: &[&str], rows: &[(Vec<&str>, usize)], class: &str) -> String {
    let most = rows.iter().map(|(_, count)| *count).max().unwrap_or(0);
    let row = |(names, count): &(Vec<&str>, usize)| {
        let names: String = names.iter().map(|name| format!("<td>{}", escaped(name))).collect();
        format!("<tr>{names}<td class=n>{count}{}</tr>", bar(&[(*count, class)], most))
    };
    table(heads, &rows.iter().map(row).collect::<Vec<_>>())
}

fn leaving(left: &[Left]) -> String {
    let rows: Vec<(Vec<&str>, usize)> = left.iter().map(|left| (vec![&*left.flow, &*left.place], left.calls)).collect();
    let told = "The last place of callers who hung up before they were served.";
    if rows.is_empty() {
        return section("Where callers leave", told, "<p>Nobody left early.</p>");
    }
    section("Where callers leave", told, &counted(&["flow", "place", "#calls", ""], &rows, "bad"))
}

fn wanted(wanted: &[Wanted]) -> String {
    let rows: Vec<(Vec<&str>, usize)> = wanted.iter().map(|wanted| (vec![&*wanted.reason], wanted.times)).collect();
    let told = "Why calls left the bot for a person.";
    if rows.is_empty() {
        return section("Why persons were wanted", told, "<p>No person was wanted.</p>");
    }
    section("Why persons were wanted", told, &counted(&["reason", "#times", ""], &rows, "calm"))
}

fn confusions(confusions: &[Confusion]) -> String {
    let most = confusions.iter().map(|pair| pair.close + pair.corrected).max().unwrap_or(0);
    let row = |pair: &Confusion| {
        format!(
            "<tr><td>{}<td>{}<td class=n>{}<td class=n>{}{}</tr>",
            escaped(&pair.chosen),
            escaped(&pair.other),
            pair.close,
            pair.corrected,
            bar(&[(pair.corrected, "bad"), (pair.close, "mid")], most)
        )
    };
    let rows: Vec<String> = confusions.iter().map(row).collect();
    let told = "Pairs of intents between which a sentence stood: the second score was within 0.2 of the first, or the caller went back \
                and chose the other, or the agent said that it was. Give both more examples that tell them apart.";
    if rows.is_empty() {
        return section("Intents that are confused", told, "<p>None.</p>");
    }
    let keys = keys(&[("bad", "put right"), ("mid", "close scores")]);
    section(
        "Intents that are confused",
        told,
        &(keys + &table(&["taken for", "might be", "#close scores", "#put right", ""], &rows)),
    )
}

fn noted(noted: &[Noted]) -> String {
    if noted.is_empty() {
        return String::new();
    }
    let rows: Vec<(Vec<&str>, usize)> =
        noted.iter().map(|noted| (vec![&*noted.intent, &*noted.disposition], noted.calls)).collect();
    let told = "What the bot took calls for, and what agents noted after them.";
    section("Intents and agents' notes", told, &counted(&["intent", "disposition", "#calls", ""], &rows, "calm"))
}

fn experiments(ways: &[WayFigures]) -> String {
    if ways.is_empty() {
        return String::new();
    }
    let of = |count: usize, ends: &Ends| (ends.calls > 0).then(|| count as f64 / ends.calls as f64);
    let row = |way: &WayFigures| {
        let ends = &way.ends;
        let range = way.containment_95.map(|[from, to]| format!("{} to {}", share(Some(from)), share(Some(to))));
        format!(
            "<tr><td>{}<td>{}<td>{}<td class=n>{}<td class=n>{}<td class=n>{}<td class=n>{}<td class=n>{}<td class=n>{}{}</tr>",
            escaped(&way.flow),
            escaped(&way.step),
            escaped(&way.way),
            ends.calls,
            share(ends.containment),
            range.unwrap_or_else(|| "-".into()),
            of(way.fallbacks, ends).map_or("-".into(), |each| format!("{each:.2}")),
            share(of(ends.handed_over, ends)),
            share(of(ends.abandoned, ends)),
            interval(ends.containment, way.containment_95)
        )
    };
    let rows: Vec<String> = ways.iter().map(row).collect();
    let told = "What became of the calls that each way was taken by; fall-backs from there on. With so many calls the containment lies \
                in its range with a probability of 95 %. Where two ranges lie apart, one way is better by more than chance. Where they \
                overlap, these calls may not show a difference yet: wait for more before you choose. A caller goes the same way \
                each time, so a few who call often can mislead.";
    let keys = keys(&[("bot", "containment, 0 to 100 %"), ("ink", "its 95 % range")]);
    let heads = [
        "flow",
        "experiment",
        "way",
        "#calls",
        "#containment",
        "#95 % range",
        "#fall-backs a call",
        "#handed over",
        "#abandoned",
        "",
    ];
    section("Experiments", told, &(keys + &table(&heads, &rows)))
}

/// A share as a bar of 0 to 100 %, and the line of its range across it.
fn interval(share: Option<f64>, range: Option<[f64; 2]>) -> String {
    const WIDTH: f64 = 320.0;
    let mut marks = format!("<path class=\"grid\" d=\"M0 17H{WIDTH}\"/>");
    if let (Some(share), Some([from, to])) = (share, range) {
        let (from, to) = (from * WIDTH, to * WIDTH);
        let _ = write!(
            marks,
            "<rect class=bot x=\"0\" y=\"2\" width=\"{:.1}\" height=\"14\"/>\
             <rect class=ink x=\"{from:.1}\" y=\"8\" width=\"{:.1}\" height=\"2\"/>",
            share * WIDTH,
            to - from
        );
    }
    format!(
        "<td class=bar><svg viewBox=\"0 0 {WIDTH} 18\" width=\"100%\" height=\"18\" preserveAspectRatio=\"none\" aria-hidden=\"true\">{marks}</svg>"
    )
}

fn durations(durations: &[Durations]) -> String {
    let most = durations.iter().map(|durations| durations.p90).fold(1.0, f64::max);
    let row = |durations: &Durations| {
        // Tenths of a second, so that bars are whole numbers.
        let tenths = |seconds: f64| (seconds * 10.0) as usize;
        let parts = [(tenths(durations.p50), "calm"), (tenths(durations.p90) - tenths(durations.p50), "rest")];
        format!(
            "<tr><td>{}<td class=n>{}<td class=n>{}<td class=n>{}<td class=n>{}<td class=n>{}<td class=n>{}{}</tr>",
            escaped(&durations.calls_that),
            durations.calls,
            clock(durations.p10),
            clock(durations.p50),
            clock(durations.p90),
            clock(durations.p95),
            clock(durations.p99),
            bar(&parts, tenths(most))
        )
    };
    let rows: Vec<String> = durations.iter().map(row).collect();
    let keys = keys(&[("calm", "to the median"), ("rest", "to the 90th percentile")]);
    let heads = ["calls", "#number", "#10 %", "#50 %", "#90 %", "#95 %", "#99 %", ""];
    section(
        "How long calls last",
        "From arrival to end, minutes and seconds; so many percent are shorter.",
        &(keys + &table(&heads, &rows)),
    )
}

fn share(share: Option<f64>) -> String {
    share.map_or("-".into(), |share| format!("{:.0} %", 100.0 * share))
}

fn clock(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    format!("{}:{:02}", whole / 60, whole % 60)
}
