//! How well the emotion model's way of learning does on people, sentences and languages it never heard (issue 4, point
//! 1), beside the support vector machine that it has to beat: five speaker folds over RAVDESS for three seeds, CASIA's
//! speakers left out in turn, ASED's sentences and speakers left out together, each corpus left out. Needs the recordings
//! ($FRONTDESK_EMOTION_DATA, else ../shared/data/emotion). What was heard and each finished fit are kept in
//! <target>/emotion-folds/<digest of features and settings>: an interrupted run goes on.
//!
//! `cargo bench --bench emotion_folds`: 25 fits, half a minute each on one core.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use frontdesk::emotion::clips::{Clip, Crowd, Hearing};
use frontdesk::emotion::eval::{self, Judged};
use frontdesk::emotion::labels::{self, Label};
use frontdesk::emotion::{Class, FEATURES, FIGURES, Features, Settings, fit, names, train};
use sha2::{Digest, Sha256};

const COPIES: usize = 4;
const BASELINE_OF: usize = 3;
const SEEDS: [u64; 3] = [1, 2, 3];
const CORPORA: [&str; 4] = ["ravdess", "ased", "nemo", "casia"];

/// Judged without and with the caller's baseline.
type Both = (Judged, Judged);

struct Bench {
    labels: Vec<Label>,
    clips: Vec<Clip>,
    settings: Settings,
    kept: PathBuf,
}

fn main() {
    let data = std::env::var("FRONTDESK_EMOTION_DATA").unwrap_or_else(|_| "../shared/data/emotion".into());
    let labels = labels::read(Path::new(&data).join("labels.tsv")).expect("the table of recordings");
    let settings = Settings::default();
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".into());
    let what = format!("{settings:?} {COPIES} {} {:?} {}", data, names(), labels.len());
    let digest: String = Sha256::digest(what).iter().take(5).map(|byte| format!("{byte:02x}")).collect();
    let kept = Path::new(&target).join("emotion-folds").join(digest);
    std::fs::create_dir_all(&kept).expect("a folder for what is finished");
    let clips = heard(&labels, &kept.join("heard"));
    let bench = Bench { labels, clips, settings, kept };
    bench.ravdess();
    bench.casia();
    bench.ased();
    bench.languages();
}

impl Bench {
    /// Five speaker folds over all twenty actors, three seeds, and the machine to beat.
    fn ravdess(&self) {
        let fold = |label: &Label| label.speaker[1..].parse::<usize>().expect("rNN") % 5;
        let of = |label: &Label| label.corpus == "ravdess";
        let mut by_seed: Vec<Vec<Both>> = Vec::new();
        for seed in SEEDS {
            let mut judged = Vec::new();
            for left in 0..5 {
                let name = format!("ravdess-{left}-{seed}");
                judged.extend(self.fitted(
                    &name,
                    seed,
                    |l| (of(l) || l.split == "train") && !(of(l) && fold(l) == left),
                    |l| of(l) && fold(l) == left,
                ));
            }
            self.told(&format!("ravdess-folds-seed-{seed}"), "five speaker folds over twenty actors", &judged);
            by_seed.push(judged);
        }
        let machine = |columns| -> Vec<Both> {
            let left_out = |left| self.machine(columns, |l| of(l) && fold(l) != left, |l| of(l) && fold(l) == left);
            (0..5).flat_map(left_out).collect()
        };
        let (svm, all) = (machine(FIGURES), machine(FEATURES));
        self.told("ravdess-svm", "RBF-SVM on figures of pitch, level, spectrum, voicing, same folds", &svm);
        self.told("ravdess-svm-timbre", "RBF-SVM on all our features, learned of RAVDESS alone, same folds", &all);
        for (way, own) in [("plain", false), ("own-voice", true)] {
            let pick = |both: &Both| if own { both.1.clone() } else { both.0.clone() };
            let uars: Vec<f64> = by_seed.iter().filter_map(|judged| self.uar(judged, own)).collect();
            let mean = uars.iter().sum::<f64>() / uars.len() as f64;
            let spread = (uars.iter().map(|uar| (uar - mean).powi(2)).sum::<f64>() / uars.len() as f64).sqrt();
            println!(
                "FIGURE 4.1-ravdess-folds-{way} {mean:.3} UAR -- distress, twenty actors in five folds, mean of three seeds"
            );
            println!("FIGURE 4.1-ravdess-folds-{way}-spread {spread:.4} UAR -- standard deviation over the seeds");
            for (than, machine, name) in [("", &svm, "the RBF-SVM"), ("-timbre", &all, "the RBF-SVM on all features")] {
                // Each seed's judgements are a pair with the machine's: all are in the bootstrap, drawn by speaker.
                let mut pairs = Vec::new();
                for judged in &by_seed {
                    let machine: BTreeMap<usize, &Both> = machine.iter().map(|both| (both.0.label, both)).collect();
                    pairs
                        .extend(judged.iter().filter_map(|both| Some((pick(machine.get(&both.0.label)?), pick(both)))));
                }
                if let Some(gain) = eval::gain(&self.labels, &pairs) {
                    let limit = if own && than.is_empty() { " limit > 0" } else { "" };
                    println!(
                        "FIGURE 4.1-ravdess-gain{than}-{way} {:.3} UAR -- over {name}, paired, mean of three seeds",
                        gain.value
                    );
                    println!(
                        "FIGURE 4.1-ravdess-gain{than}-{way}-low {:.3} UAR{limit} -- lower end of its 95 % interval by bootstrap over \
                     speakers (upper {:.3})",
                        gain.low, gain.high
                    );
                }
            }
        }
    }

    fn casia(&self) {
        let mut speakers: Vec<&str> =
            self.labels.iter().filter(|l| l.corpus == "casia").map(|l| l.speaker.as_str()).collect();
        speakers.sort_unstable();
        speakers.dedup();
        let mut judged = Vec::new();
        for who in speakers {
            let is = |l: &Label| l.corpus == "casia" && l.speaker == who;
            judged.extend(self.fitted(&format!("casia-{who}"), 1, |l| l.split == "train" && !is(l), is));
        }
        self.told("casia", "each speaker left out in turn", &judged);
        let four = self.scores(&judged, true).four.map_or(0.0, |four| four.uar);
        println!(
            "FIGURE 4.1-casia-four {four:.3} UAR limit >= 0.65 -- CASIA, each speaker left out in turn, with baseline"
        );
    }

    /// Dev speakers with sentences that nobody in training says.
    fn ased(&self) {
        let mut texts: Vec<&str> = self.labels.iter().filter(|l| l.corpus == "ased").map(|l| l.text.as_str()).collect();
        texts.sort_unstable();
        texts.dedup();
        let mut judged = Vec::new();
        for part in 0..3 {
            let said =
                |l: &Label| l.corpus == "ased" && texts.iter().position(|t| *t == l.text).unwrap_or(0) % 3 == part;
            judged.extend(self.fitted(
                &format!("ased-{part}"),
                1,
                |l| l.split == "train" && !said(l),
                |l| said(l) && l.split == "dev",
            ));
        }
        self.told("ased", "dev speakers, sentences also unseen", &judged);
        let uar = self.uar(&judged, false).unwrap_or(0.0);
        println!("FIGURE 4.1-ased-distress {uar:.3} UAR limit >= 0.84 -- ASED dev, sentences also unseen");
    }

    fn languages(&self) {
        for corpus in CORPORA {
            let is = |l: &Label| l.corpus == corpus;
            let judged = self.fitted(&format!("without-{corpus}"), 1, |l| l.split == "train" && !is(l), is);
            self.told(&format!("without-{corpus}"), "a language never heard", &judged);
        }
    }

    /// What a model learned of `learn` makes of `test`: kept, or fitted now.
    fn fitted(
        &self,
        name: &str,
        seed: u64,
        learn: impl Fn(&Label) -> bool,
        test: impl Fn(&Label) -> bool,
    ) -> Vec<Both> {
        let path = self.kept.join(name);
        if let Some(judged) = self.read(&path) {
            return judged;
        }
        let (learn, test) = (self.part(learn, true), self.part(test, false));
        let settings = Settings { seed, ..self.settings.clone() };
        let began = std::time::Instant::now();
        let model = fit(&train::examples(&self.labels, &learn), &settings, &mut |_| ()).expect("enough recordings");
        println!("{name}: fitted in {:.0} s", began.elapsed().as_secs_f32());
        let judged = eval::judge_both(&model, &self.labels, &test, BASELINE_OF);
        self.write(&path, &judged);
        judged
    }

    fn part(&self, wanted: impl Fn(&Label) -> bool, damaged: bool) -> Vec<Clip> {
        let clips = self.clips.iter().filter(|clip| (damaged || clip.line == 0) && wanted(&self.labels[clip.label]));
        clips.cloned().collect()
    }

    fn scores(&self, judged: &[Both], own: bool) -> eval::Scores {
        let judged: Vec<&Judged> = judged.iter().map(|both| if own { &both.1 } else { &both.0 }).collect();
        eval::scores(&self.labels, &judged)
    }

    fn uar(&self, judged: &[Both], own: bool) -> Option<f64> {
        Some(self.scores(judged, own).distress?.uar.value)
    }

    fn told(&self, name: &str, what: &str, judged: &[Both]) {
        for (way, own) in [("plain", false), ("own-voice", true)] {
            let scores = self.scores(judged, own);
            let distress = scores.distress.expect("distressed and calm ones");
            let four = scores.four.map_or(0.0, |four| four.uar);
            println!("FIGURE 4.1-{name}-{way}-uar {:.3} UAR -- distress, {what}", distress.uar.value);
            println!("FIGURE 4.1-{name}-{way}-auc {:.3} AUC -- distress, {what}", distress.auc.unwrap_or(0.5));
            println!("FIGURE 4.1-{name}-{way}-four {four:.3} UAR -- angry, happy, neutral, sad, {what}");
        }
    }

    fn read(&self, path: &Path) -> Option<Vec<Both>> {
        let text = std::fs::read_to_string(path).ok()?;
        let one = |label: usize, numbers: &[f64]| Judged {
            label,
            class: self.labels[label].class,
            distress: numbers[0],
            probabilities: numbers[1..].try_into().expect("a probability a class"),
        };
        let line = |line: &str| {
            let numbers: Vec<f64> = line.split('\t').map(|n| n.parse().expect("a number")).collect();
            let (label, half) = (numbers[0] as usize, 1 + Class::ALL.len());
            (one(label, &numbers[1..=half]), one(label, &numbers[1 + half..]))
        };
        Some(text.lines().map(line).collect())
    }

    fn write(&self, path: &Path, judged: &[Both]) {
        let numbers = |j: &Judged| -> String {
            std::iter::once(j.distress).chain(j.probabilities).map(|n| format!("\t{n}")).collect()
        };
        let lines: String = judged.iter().map(|(a, b)| format!("{}{}{}\n", a.label, numbers(a), numbers(b))).collect();
        let part = path.with_extension("part");
        std::fs::write(&part, lines).and_then(|()| std::fs::rename(&part, path)).expect("room for the judgements");
    }

    /// The machine to beat, on the plain line: an RBF-SVM (C 3, gamma 0.3 / inputs) on figures of spread 1, for itself
    /// and with their differences to the baseline, one against the rest for the classes.
    fn machine(&self, columns: usize, learn: impl Fn(&Label) -> bool, test: impl Fn(&Label) -> bool) -> Vec<Both> {
        let (learn, test) = (self.part(learn, false), self.part(test, false));
        let judge = |own: bool| -> BTreeMap<usize, Judged> {
            let rows = |clips: &[Clip]| -> Vec<(usize, Vec<f32>)> {
                let baselines = eval::baselines(&self.labels, clips, BASELINE_OF);
                let row = |clip: &Clip| {
                    let mut row = clip.features.values[..columns].to_vec();
                    if own {
                        let mean = baselines.get(&self.labels[clip.label].person())?.mean();
                        row.extend(clip.features.values.iter().zip(mean).take(columns).map(|(a, b)| a - b));
                    }
                    row[Features::LEVEL] = 0.0;
                    Some((clip.label, row))
                };
                clips.iter().filter_map(row).collect()
            };
            let (mut known, mut asked) = (rows(&learn), rows(&test));
            scale(&mut known, &mut asked);
            let class = |row: &(usize, Vec<f32>)| self.labels[row.0].class;
            let sides: Vec<_> = known.iter().filter_map(|row| Some((&row.1[..], class(row).distress()?))).collect();
            let distress = decide(&sides, &asked);
            let classes: Vec<Vec<f64>> = eval::FOUR
                .iter()
                .map(|one| {
                    let four = known.iter().filter(|row| eval::FOUR.contains(&class(row)));
                    decide(&four.map(|row| (&row.1[..], class(row) == *one)).collect::<Vec<_>>(), &asked)
                })
                .collect();
            let judged = asked.iter().enumerate().map(|(n, row)| {
                let mut probabilities = [f64::MIN; Class::ALL.len()];
                eval::FOUR.iter().zip(&classes).for_each(|(class, told)| probabilities[*class as usize] = told[n]);
                // The margin's sign decides; the logistic only brings it into 0..1.
                let distress = 1.0 / (1.0 + (-2.0 * distress[n]).exp());
                (row.0, Judged { label: row.0, class: class(row), distress, probabilities })
            });
            judged.collect()
        };
        let (plain, mut own) = (judge(false), judge(true));
        plain.into_iter().filter_map(|(label, plain)| Some((plain, own.remove(&label)?))).collect()
    }
}

/// Mean 0 and spread 1 over the known, at most 4 away.
fn scale(known: &mut [(usize, Vec<f32>)], asked: &mut [(usize, Vec<f32>)]) {
    let count = known.len() as f32;
    for n in 0..known[0].1.len() {
        let mean = known.iter().map(|row| row.1[n]).sum::<f32>() / count;
        let spread = (known.iter().map(|row| (row.1[n] - mean).powi(2)).sum::<f32>() / count).sqrt().max(1e-6);
        for row in known.iter_mut().chain(asked.iter_mut()) {
            row.1[n] = ((row.1[n] - mean) / spread).clamp(-4.0, 4.0);
        }
    }
}

/// Margins of `asked` by an RBF-SVM with balanced classes, by coordinate ascent on the dual (Hsieh et al. 2008, with a
/// kernel; the bias is a constant in the kernel).
fn decide(known: &[(&[f32], bool)], asked: &[(usize, Vec<f32>)]) -> Vec<f64> {
    const C: f64 = 3.0;
    let gamma = 0.3 / known[0].0.len() as f32;
    let kernel = |a: &[f32], b: &[f32]| -> f64 {
        let distance: f32 = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum();
        f64::from((-gamma * distance).exp()) + 1.0
    };
    let n = known.len();
    let table: Vec<f64> = known.iter().flat_map(|a| known.iter().map(|b| kernel(a.0, b.0))).collect();
    let side = |is: bool| if is { 1.0 } else { -1.0 };
    let count = |is: bool| known.iter().filter(|row| row.1 == is).count().max(1) as f64;
    let most = |is: bool| C * n as f64 / (2.0 * count(is));
    let (mut alpha, mut margins) = (vec![0.0f64; n], vec![0.0f64; n]);
    for _ in 0..300 {
        let mut moved = 0.0f64;
        for i in 0..n {
            let y = side(known[i].1);
            let wanted = (alpha[i] + (1.0 - y * margins[i]) / table[i * n + i]).clamp(0.0, most(known[i].1));
            let step = wanted - alpha[i];
            if step.abs() > 1e-6 {
                margins.iter_mut().zip(&table[i * n..][..n]).for_each(|(margin, k)| *margin += step * y * k);
                alpha[i] = wanted;
                moved = moved.max(step.abs());
            }
        }
        if moved < 1e-3 {
            break;
        }
    }
    let margin = |row: &(usize, Vec<f32>)| -> f64 {
        let held = known.iter().zip(&alpha).filter(|(_, alpha)| **alpha > 0.0);
        held.map(|(known, alpha)| alpha * side(known.1) * kernel(known.0, &row.1)).sum()
    };
    asked.iter().map(margin).collect()
}

/// All recordings over the plain line and the damaged ones of `emotion train`: kept, or heard now.
fn heard(labels: &[Label], path: &Path) -> Vec<Clip> {
    const NUMBERS: usize = 3 + FEATURES;
    if let Ok(bytes) = std::fs::read(path) {
        let numbers: Vec<f32> =
            bytes.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().expect("four"))).collect();
        let clip = |row: &[f32]| {
            let features = Features { values: row[3..].try_into().expect("a row"), speech_ms: row[2] as u32 };
            Clip { label: row[0] as usize, line: row[1] as usize, features }
        };
        return numbers.chunks_exact(NUMBERS).map(clip).collect();
    }
    println!("hearing {} recordings over {} lines", labels.len(), COPIES + 1);
    let crowd = Crowd::of(labels, 1);
    let lines = |label: &Label| train::lines_of(label, COPIES, 1);
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
    let clips = Hearing { lines: &lines, crowd: &crowd, seed: 1, threads }.hear(labels, &|| ()).clips;
    let part = path.with_extension("part");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&part).expect("a file"));
    for clip in &clips {
        let head = [clip.label as f32, clip.line as f32, clip.features.speech_ms as f32];
        for number in head.iter().chain(&clip.features.values) {
            file.write_all(&number.to_le_bytes()).expect("room for what was heard");
        }
    }
    file.into_inner().map_err(|_| ()).expect("room for what was heard");
    std::fs::rename(&part, path).expect("the same folder");
    clips
}
