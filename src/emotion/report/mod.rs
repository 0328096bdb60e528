//! The page that shows how good a model is: one HTML file with its pictures inside (SVG), nothing fetched, no script.
//! Numbers come from `eval`; this room only draws.

mod svg;

use std::fmt::Write;

use super::eval::{Classes, Distress, Evaluation, Group, Scores};
use super::metrics::Interval;
use super::train::{Outcome, Side};
use svg::{Curve, escaped};

const STYLE: &str = "\
body{font:15px/1.5 system-ui,sans-serif;color:#1d2530;background:#f4f5f7;margin:0}\
main{max-width:1080px;margin:0 auto;padding:24px}\
h1{font-size:26px;margin:0 0 4px}h2{font-size:19px;margin:32px 0 8px}h3{font-size:15px;margin:0 0 6px}\
section,.card{background:#fff;border:1px solid #dfe3e8;border-radius:8px;padding:16px;margin:12px 0}\
.row{display:flex;flex-wrap:wrap;gap:16px}.row .card{margin:0}\
.verdict{border-left:6px solid #2f7d4f;font-size:17px}.verdict.no{border-color:#b3382c}\
table{border-collapse:collapse;font-variant-numeric:tabular-nums}th,td{padding:3px 12px 3px 0;text-align:right}\
th{font-weight:600;color:#5b6675;border-bottom:1px solid #dfe3e8}th:first-child,td:first-child{text-align:left}\
.small{color:#5b6675;font-size:13px}svg text{font:12px system-ui,sans-serif;fill:#1d2530}";

/// Of one model on some recordings; `line` says what they were sent over.
pub fn evaluation_page(model: &str, line: &str, evaluation: &Evaluation) -> String {
    let mut body = format!(
        "<h1>How the emotion model hears</h1><p class=small>model: {}; line: {}; {} recordings</p>",
        escaped(model),
        escaped(line),
        evaluation.plain.files
    );
    body += &figures(&[("", evaluation)]);
    body += &pictures(&[("", evaluation)]);
    body += &groups(evaluation);
    page("How the emotion model hears", &body)
}

/// Of a training: the new model beside the one in use. `notes` are told under the verdict (files passed over).
pub fn training_page(outcome: &Outcome, verdict: &str, notes: &[String]) -> String {
    let mut body = format!(
        "<h1>Training of {}</h1><p class=small>{}; judged over a telephone line (300-3400 Hz, G.711 mu-law) by speakers \
         that it never heard</p><p class='card verdict{}'>{}</p>",
        escaped(&outcome.model.card.name),
        escaped(&outcome.model.card.date),
        if outcome.better { "" } else { " no" },
        escaped(verdict),
    );
    if !notes.is_empty() {
        let notes: String = notes.iter().map(|note| format!("<li>{}</li>", escaped(note))).collect();
        let _ = write!(body, "<section><h3>Passed over</h3><ul>{notes}</ul></section>");
    }
    let both = [("new", &outcome.new_scores), ("in use", &outcome.in_use_scores)];
    body += &figures(&both);
    if let Some(Interval { value, low, high }) = outcome.difference {
        let _ = write!(
            body,
            "<p>New less in use, distress UAR of each recording for itself: <b>{value:+.3}</b> (95 % interval over speakers: \
             {low:+.3} to {high:+.3}). {}</p>",
            if low > 0.0 {
                "The gain is beyond chance."
            } else if high < 0.0 {
                "The loss is beyond chance."
            } else {
                "With so few speakers this may be chance."
            }
        );
    }
    body += &pictures(&both);
    body += "<h2>The new model by group</h2>";
    body += &groups(&outcome.new_scores);
    body += &data(&outcome.trained, &outcome.judged);
    body += &learning(outcome);
    page("Training of an emotion model", &body)
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>\
         <title>{title}</title><style>{STYLE}</style><main>{body}\
         <h2>How to read this</h2><section class=small>\
         <p><b>Distress</b> is anger or fear against neutral, calm and sad; other emotions do not count in it. \
         <b>UAR</b>, unweighted average recall, is the mean of the classes' shares recognised: 0.5 is guessing between \
         two, 0.25 between four. <b>AUC</b> is the chance that a distressed recording scores above one that is not. \
         <b>ECE</b>, expected calibration error, is how far told probabilities are from what came true: at 0.05 a told \
         70 % was on average between 65 and 75 %.</p>\
         <p><b>With baseline</b>: the voice is also compared to the same speaker's first neutral recordings, as a call does \
         once it has heard calm turns; those recordings are not scored, so the counts differ.</p>\
         <p>Intervals are for other speakers of the same kind, not for other kinds: recordings of actors say little about \
         callers, one language little about another.</p></section></main></html>"
    )
}

/// Both ways of each evaluation.
fn ways<'a>(all: &[(&str, &'a Evaluation)]) -> Vec<(String, &'a Scores)> {
    let mut ways = Vec::new();
    for (name, evaluation) in all {
        let named = |way: &str| if name.is_empty() { way.to_owned() } else { format!("{name}, {way}") };
        ways.push((named("each by itself"), &evaluation.plain));
        if let Some(baseline) = &evaluation.baseline {
            ways.push((named("with baseline"), baseline));
        }
    }
    ways
}

fn figures(all: &[(&str, &Evaluation)]) -> String {
    let rows: String = ways(all).iter().map(|(name, scores)| row(name, scores)).collect();
    format!("<h2>Figures</h2><section>{}{rows}</table></section>", head("recordings"))
}

fn head(first: &str) -> String {
    format!(
        "<table><tr><th>{first}<th>files<th>distress UAR<th>95 % interval<th>AUC<th>ECE<th>heard<th>false alarms\
         <th>four-class UAR<th>all-class UAR</tr>"
    )
}

fn row(name: &str, scores: &Scores) -> String {
    let d = scores.distress.as_ref();
    let number = |value: Option<f64>| value.map_or("-".into(), |value| format!("{value:.3}"));
    let interval = d.map_or("-".into(), |d| format!("{:.3}-{:.3}", d.uar.low, d.uar.high));
    let uar = |classes: &Option<Classes>| number(classes.as_ref().map(|classes| classes.uar));
    format!(
        "<tr><td>{}<td>{}<td>{}<td>{interval}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}</tr>",
        escaped(name),
        scores.files,
        number(d.map(|d| d.uar.value)),
        number(d.and_then(|d| d.auc)),
        number(d.and_then(|d| d.ece)),
        number(d.and_then(|d| d.recall)),
        number(d.and_then(|d| d.false_alarms)),
        uar(&scores.four),
        uar(&scores.all),
    )
}

fn pictures(all: &[(&str, &Evaluation)]) -> String {
    let ways = ways(all);
    let of_distress: Vec<(&str, &Distress)> =
        ways.iter().filter_map(|(name, scores)| Some((name.as_str(), scores.distress.as_ref()?))).collect();
    let roc: Vec<Curve> = of_distress
        .iter()
        .map(|(name, d)| Curve {
            name: format!("{name} (AUC {})", d.auc.map_or("-".into(), |auc| format!("{auc:.3}"))),
            points: d.roc.clone(),
            sizes: Vec::new(),
        })
        .collect();
    let told: Vec<Curve> = of_distress
        .iter()
        .map(|(name, d)| Curve {
            name: format!("{name} (ECE {})", d.ece.map_or("-".into(), |ece| format!("{ece:.3}"))),
            points: d.reliability.iter().map(|bin| (bin.told, bin.was)).collect(),
            sizes: d.reliability.iter().map(|bin| bin.count as f64 / d.files as f64).collect(),
        })
        .collect();
    let mut body = format!(
        "<h2>Distress</h2><div class=row><div class=card><h3>ROC: hits against false alarms</h3>{}</div>\
         <div class=card><h3>Reliability: told against true (dots as large as their share)</h3>{}</div></div>",
        svg::unit_square(&roc, "false alarms", "hits"),
        svg::unit_square(&told, "distress told", "share that was distressed"),
    );
    let confusions = |title: &str, of: &dyn Fn(&Scores) -> Option<Classes>| -> String {
        let cards: String = ways
            .iter()
            .filter_map(|(name, scores)| {
                let classes = of(scores)?;
                Some(format!(
                    "<div class=card><h3>{} (UAR {:.3})</h3>{}</div>",
                    escaped(name),
                    classes.uar,
                    svg::confusion(&classes.confusion)
                ))
            })
            .collect();
        format!("<h2>{title}</h2><div class=row>{cards}</div>")
    };
    body += &confusions("Confusions, four classes", &|scores| scores.four.clone());
    body += &confusions("Confusions, all classes", &|scores| scores.all.clone());
    // The first evaluation's: the new model's.
    if let Some((_, first)) = all.first() {
        let speakers: Vec<&Group> = first.groups.iter().filter(|group| group.by == "speaker").collect();
        let points: Vec<(String, Option<f64>, Option<f64>)> = speakers
            .iter()
            .filter(|group| group.plain.distress.is_some())
            .map(|group| {
                let uar = |scores: &Scores| scores.distress.as_ref().map(|d| d.uar.value);
                (group.name.clone(), uar(&group.plain), group.baseline.as_ref().and_then(uar))
            })
            .collect();
        if !points.is_empty() {
            let _ = write!(
                body,
                "<h2>Distress UAR by speaker</h2><section>{}</section>",
                svg::by_name(&points, "each by itself", "with baseline")
            );
        }
    }
    body
}

fn groups(evaluation: &Evaluation) -> String {
    let mut body = String::new();
    for by in ["corpus", "language", "gender"] {
        let groups: Vec<&Group> = evaluation.groups.iter().filter(|group| group.by == by).collect();
        if groups.is_empty() {
            continue;
        }
        body += "<section>";
        body += &head(by);
        for group in groups {
            body += &row(&group.name, &group.plain);
            if let Some(baseline) = &group.baseline {
                body += &row(&format!("{}, with baseline", group.name), baseline);
            }
        }
        body += "</table></section>";
    }
    body
}

fn data(trained: &Side, judged: &Side) -> String {
    let side = |name: &str, side: &Side| {
        let classes: Vec<String> = side.classes.iter().map(|(class, count)| format!("{class} {count}")).collect();
        let people: Vec<String> = side.people.iter().map(|person| escaped(person)).collect();
        format!(
            "<tr><td>{name}<td>{}<td>{}<td style='text-align:left'>{}</tr>\
             <tr><td colspan=4 class=small style='text-align:left'>{}</tr>",
            side.recordings,
            side.people.len(),
            classes.join(", "),
            people.join(", ")
        )
    };
    format!(
        "<h2>Recordings</h2><section><table><tr><th>for<th>recordings<th>speakers<th style='text-align:left'>of</tr>{}{}\
         </table></section>",
        side("learning", trained),
        side("judging", judged)
    )
}

fn learning(outcome: &Outcome) -> String {
    let folds = outcome.curve.iter().map(|step| step.fold).max().map_or(0, |last| last + 1);
    let curves: Vec<Curve> = [("learned from", false), ("left out", true)]
        .into_iter()
        .map(|(name, left_out)| {
            // Mean over the folds left out.
            let points = (1..folds.max(1)).filter_map(|learned| {
                let losses: Vec<f64> = outcome
                    .curve
                    .iter()
                    .filter(|step| step.learned == learned)
                    .map(|step| f64::from(if left_out { step.left_out } else { step.loss }))
                    .filter(|loss| loss.is_finite())
                    .collect();
                let share = 100.0 * learned as f64 / folds as f64;
                (!losses.is_empty()).then(|| (share, losses.iter().sum::<f64>() / losses.len() as f64))
            });
            Curve { name: name.into(), points: points.collect(), sizes: Vec::new() }
        })
        .filter(|curve| curve.points.len() > 1)
        .collect();
    if curves.is_empty() {
        return String::new();
    }
    format!(
        "<h2>Learning</h2><section><h3>Error by share of the speakers learned from, mean of {folds} folds left out</h3>{}\
         <p class=small>Where the left-out curve still falls at its end, more speakers would make a better model; where \
         the two curves have met, more of the same would not.</p></section>",
        svg::free(&curves, "percent of the speakers learned from", "mean squared error")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emotion::Class;
    use crate::emotion::eval::{Judged, scores};
    use crate::emotion::labels::Label;

    fn evaluation() -> Evaluation {
        let label = |n: usize| Label {
            line: n,
            file: "x".into(),
            corpus: "<b>calls</b>".into(),
            speaker: format!("s{}", n % 3),
            class: [Class::Angry, Class::Neutral, Class::Happy][n % 3],
            language: "en".into(),
            gender: "f".into(),
            text: String::new(),
            split: String::new(),
        };
        let labels: Vec<Label> = (0..30).map(label).collect();
        let judged: Vec<Judged> = (0..30)
            .map(|n| Judged {
                label: n,
                class: labels[n].class,
                distress: [0.8, 0.3, 0.5][n % 3] + 0.01 * (n % 7) as f64,
                probabilities: [0.3, 0.2, 0.4, 0.1, 0.0, 0.0, 0.0],
            })
            .collect();
        let plain = scores(&labels, &judged.iter().collect::<Vec<_>>());
        let group =
            Group { by: "corpus", name: "<b>calls</b>".into(), plain: plain.clone(), baseline: Some(plain.clone()) };
        Evaluation { baseline: Some(plain.clone()), plain, baseline_gain: None, groups: vec![group] }
    }

    /// Browsers forgive much in HTML, but a picture that is no well-formed XML is not drawn right.
    #[test]
    fn a_page_stands_alone_and_its_pictures_are_whole() {
        let page = evaluation_page("mine & yours", "8 kHz", &evaluation());
        assert!(
            page.contains("mine &amp; yours") && page.contains("&lt;b&gt;calls"),
            "what operators wrote is escaped"
        );
        assert!(!page.contains("http") && !page.contains("<script") && !page.contains("src="));
        assert_eq!(page.matches("<svg").count(), 6, "ROC, reliability, two confusions each way");
        for picture in page.split("<svg").skip(1) {
            let picture = picture.split("</svg>").next().unwrap();
            assert_eq!(picture.matches("<text").count(), picture.matches("</text>").count());
            assert!(!picture.contains("NaN") && !picture.contains("inf"), "{picture}");
        }
    }
}
