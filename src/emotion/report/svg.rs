//! Pictures as SVG text: curves, a confusion matrix, values by name.

use std::fmt::Write;

use crate::emotion::metrics::Confusion;

/// A line through points, or dots where `sizes` (0..=1, one a point) are given.
pub(super) struct Curve {
    pub name: String,
    pub points: Vec<(f64, f64)>,
    pub sizes: Vec<f64>,
}

const COLOURS: [&str; 4] = ["#1f5fa8", "#2f9e6e", "#8a93a0", "#c98a1b"];
const LEFT: f64 = 46.0;
const TOP: f64 = 8.0;
const SIDE: f64 = 330.0;

/// Curves over 0..=1 on both axes, with the diagonal.
pub(super) fn unit_square(curves: &[Curve], x: &str, y: &str) -> String {
    let place = |(x, y): (f64, f64)| (LEFT + x * SIDE, TOP + (1.0 - y) * SIDE);
    let mut body = String::new();
    for tick in 0..=5 {
        let at = f64::from(tick) / 5.0;
        let ((across, _), (_, down)) = (place((at, 0.0)), place((0.0, at)));
        let _ = write!(
            body,
            "<path d='M{LEFT} {down:.1}h{SIDE}M{across:.1} {TOP}v{SIDE}' stroke='#e3e7ec' fill='none'/>\
             <text x='{:.1}' y='{:.1}' text-anchor='end'>{at:.1}</text>\
             <text x='{across:.1}' y='{:.1}' text-anchor='middle'>{at:.1}</text>",
            LEFT - 6.0,
            down + 4.0,
            TOP + SIDE + 16.0,
        );
    }
    let _ = write!(
        body,
        "<path d='M{LEFT} {:.1}l{SIDE} -{SIDE}' stroke='#b8c0ca' stroke-dasharray='4 4' fill='none'/>",
        TOP + SIDE
    );
    for (curve, colour) in curves.iter().zip(COLOURS.iter().cycle()) {
        body += &line(curve, colour, place);
    }
    body += &axes(x, y, SIDE);
    body += &legend(curves, TOP + SIDE + 56.0);
    whole(LEFT + SIDE + 14.0, TOP + SIDE + 60.0 + 18.0 * curves.len() as f64, &body)
}

/// Curves over whatever range they have; the y axis begins at 0.
pub(super) fn free(curves: &[Curve], x: &str, y: &str) -> String {
    const WIDTH: f64 = 640.0;
    let all = || curves.iter().flat_map(|curve| &curve.points);
    let (low, high) = all().fold((f64::MAX, f64::MIN), |(low, high), p| (low.min(p.0), high.max(p.0)));
    let top = all().fold(1e-6f64, |top, p| top.max(p.1)) * 1.05;
    let wide = (high - low).max(1e-6);
    let place = |(x, y): (f64, f64)| (LEFT + (x - low) / wide * WIDTH, TOP + (1.0 - y / top) * SIDE / 1.5);
    let mut body = String::new();
    for tick in 0..=4 {
        let share = f64::from(tick) / 4.0;
        let ((across, _), (_, down)) = (place((low + share * wide, 0.0)), place((low, share * top)));
        let _ = write!(
            body,
            "<path d='M{LEFT} {down:.1}h{WIDTH}' stroke='#e3e7ec'/>\
             <text x='{:.1}' y='{:.1}' text-anchor='end'>{:.2}</text>\
             <text x='{across:.1}' y='{:.1}' text-anchor='middle'>{:.0}</text>",
            LEFT - 6.0,
            down + 4.0,
            share * top,
            TOP + SIDE / 1.5 + 16.0,
            low + share * wide,
        );
    }
    for (curve, colour) in curves.iter().zip(COLOURS.iter().cycle()) {
        body += &line(curve, colour, place);
    }
    let _ = write!(
        body,
        "<text x='{:.1}' y='{:.1}' text-anchor='middle'>{x}</text>",
        LEFT + WIDTH / 2.0,
        TOP + SIDE / 1.5 + 34.0
    );
    let _ = write!(
        body,
        "<text transform='translate(12 {:.1}) rotate(-90)' text-anchor='middle'>{y}</text>",
        TOP + SIDE / 3.0
    );
    body += &legend(curves, TOP + SIDE / 1.5 + 54.0);
    whole(LEFT + WIDTH + 20.0, TOP + SIDE / 1.5 + 58.0 + 18.0 * curves.len() as f64, &body)
}

fn line(curve: &Curve, colour: &str, place: impl Fn((f64, f64)) -> (f64, f64)) -> String {
    let points: Vec<(f64, f64)> = curve.points.iter().map(|&point| place(point)).collect();
    let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let dashes = if curve.name.contains("baseline") { " stroke-dasharray='7 3'" } else { "" };
    // Between dots the line only leads the eye.
    let width = if curve.sizes.is_empty() { 2.0 } else { 0.8 };
    let mut body =
        format!("<polyline points='{}' fill='none' stroke='{colour}' stroke-width='{width}'{dashes}/>", path.join(" "));
    for ((x, y), size) in points.iter().zip(&curve.sizes) {
        let radius = 2.5 + 14.0 * size.sqrt();
        let _ = write!(body, "<circle cx='{x:.1}' cy='{y:.1}' r='{radius:.1}' fill='{colour}' fill-opacity='.45'/>");
    }
    body
}

fn axes(x: &str, y: &str, side: f64) -> String {
    let (middle, low) = (LEFT + side / 2.0, TOP + side + 32.0);
    format!(
        "<text x='{middle:.1}' y='{low:.1}' text-anchor='middle'>{x}</text>\
         <text transform='translate(12 {:.1}) rotate(-90)' text-anchor='middle'>{y}</text>",
        TOP + side / 2.0
    )
}

fn legend(curves: &[Curve], top: f64) -> String {
    let mut body = String::new();
    for (n, (curve, colour)) in curves.iter().zip(COLOURS.iter().cycle()).enumerate() {
        let y = top + 18.0 * n as f64;
        let dashes = if curve.name.contains("baseline") { " stroke-dasharray='7 3'" } else { "" };
        let _ = write!(
            body,
            "<path d='M{LEFT} {:.1}h26' stroke='{colour}' stroke-width='3'{dashes}/><text x='{:.1}' y='{y:.1}'>{}</text>",
            y - 4.0,
            LEFT + 34.0,
            escaped(&curve.name)
        );
    }
    body
}

/// Rows are what was meant, columns what was heard; the darker, the larger the share of its row.
pub(super) fn confusion(confusion: &Confusion) -> String {
    const CELL: f64 = 58.0;
    const NAMES: f64 = 66.0;
    let n = confusion.classes.len() as f64;
    let mut body = String::new();
    for (row, meant) in confusion.classes.iter().enumerate() {
        let y = 40.0 + CELL * row as f64;
        let all: u32 = confusion.counts[row].iter().sum();
        let _ = write!(
            body,
            "<text x='{:.1}' y='{:.1}' text-anchor='end'>{meant}</text><text x='{:.1}' y='32' text-anchor='middle'>{meant}</text>",
            NAMES - 6.0,
            y + CELL / 2.0 + 4.0,
            NAMES + CELL * (row as f64 + 0.5)
        );
        for (column, &count) in confusion.counts[row].iter().enumerate() {
            let share = f64::from(count) / f64::from(all.max(1));
            let x = NAMES + CELL * column as f64;
            let ink = if share > 0.55 { "#fff" } else { "#1d2530" };
            let _ = write!(
                body,
                "<rect x='{x:.1}' y='{y:.1}' width='{CELL}' height='{CELL}' fill='#1f5fa8' fill-opacity='{share:.3}' stroke='#dfe3e8'/>\
                 <text x='{:.1}' y='{:.1}' text-anchor='middle' style='fill:{ink};font-weight:600'>{:.0} %</text>\
                 <text x='{:.1}' y='{:.1}' text-anchor='middle' style='fill:{ink};font-size:11px'>{count}</text>",
                x + CELL / 2.0,
                y + CELL / 2.0,
                100.0 * share,
                x + CELL / 2.0,
                y + CELL / 2.0 + 16.0,
            );
        }
    }
    let _ = write!(
        body,
        "<text x='{:.1}' y='12' text-anchor='middle' style='fill:#5b6675'>heard as</text>\
         <text x='0' y='32' style='fill:#5b6675'>meant</text>",
        NAMES + CELL * n / 2.0
    );
    whole(NAMES + CELL * n + 4.0, 44.0 + CELL * n, &body)
}

/// One line a name, values of 0..=1 as a ring (first) and a dot (second), the worst on top.
pub(super) fn by_name(values: &[(String, Option<f64>, Option<f64>)], first: &str, second: &str) -> String {
    const NAMES: f64 = 190.0;
    const WIDTH: f64 = 520.0;
    const STEP: f64 = 22.0;
    let mut sorted: Vec<_> = values.iter().collect();
    let key = |(_, a, b): &(String, Option<f64>, Option<f64>)| b.or(*a).unwrap_or(1.0);
    sorted.sort_by(|a, b| key(a).total_cmp(&key(b)));
    let bottom = 30.0 + STEP * sorted.len() as f64;
    let mut body = String::new();
    for tick in 0..=10 {
        let at = f64::from(tick) / 10.0;
        let x = NAMES + WIDTH * at;
        // Guessing between two is 0.5.
        let colour = if tick == 5 { "#d09a93" } else { "#e3e7ec" };
        let _ = write!(
            body,
            "<path d='M{x:.1} 20V{bottom:.1}' stroke='{colour}'/><text x='{x:.1}' y='14' text-anchor='middle'>{at:.1}</text>"
        );
    }
    for (n, (name, one, two)) in sorted.into_iter().enumerate() {
        let y = 36.0 + STEP * n as f64;
        let _ =
            write!(body, "<text x='{:.1}' y='{:.1}' text-anchor='end'>{}</text>", NAMES - 10.0, y + 4.0, escaped(name));
        let x = |value: f64| NAMES + WIDTH * value;
        if let (Some(one), Some(two)) = (one, two) {
            let _ = write!(body, "<path d='M{:.1} {y:.1}H{:.1}' stroke='#b8c0ca'/>", x(*one), x(*two));
        }
        if let Some(one) = one {
            let _ = write!(
                body,
                "<circle cx='{:.1}' cy='{y:.1}' r='5' fill='#fff' stroke='{}' stroke-width='2'/>",
                x(*one),
                COLOURS[0]
            );
        }
        if let Some(two) = two {
            let _ = write!(body, "<circle cx='{:.1}' cy='{y:.1}' r='5' fill='{}'/>", x(*two), COLOURS[1]);
        }
    }
    let y = bottom + 24.0;
    let _ = write!(
        body,
        "<circle cx='{NAMES}' cy='{:.1}' r='5' fill='#fff' stroke='{}' stroke-width='2'/><text x='{:.1}' y='{y:.1}'>{first}</text>\
         <circle cx='{:.1}' cy='{:.1}' r='5' fill='{}'/><text x='{:.1}' y='{y:.1}'>{second}</text>",
        y - 4.0,
        COLOURS[0],
        NAMES + 12.0,
        NAMES + 140.0,
        y - 4.0,
        COLOURS[1],
        NAMES + 152.0,
    );
    whole(NAMES + WIDTH + 20.0, bottom + 34.0, &body)
}

fn whole(width: f64, height: f64, body: &str) -> String {
    format!("<svg viewBox='0 0 {width:.0} {height:.0}' width='{width:.0}' height='{height:.0}' role='img'>{body}</svg>")
}

/// For HTML and SVG text.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
