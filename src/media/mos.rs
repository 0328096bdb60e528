//! How good a call sounded, estimated from delay, loss and codec: the E-model (ITU-T G.107), with everything that a
//! packet network cannot measure (noise, loudness, echo) at its default.
//!
//! Codecs' impairments are G.113 Appendix I's, random loss concealed. G.113 has none for Opus, and G.722's are on the
//! wideband scale: both take those of G.711, so a wideband call is never rated better for its band.

use super::Codec;

/// R of a call without delay and loss (G.107, all defaults).
const BEST: f32 = 93.2;

/// R factor, 0..=93.2: one-way delay from mouth to ear, ms, and the share of the sound that was lost, 0..=1.
pub fn r_factor(codec: Codec, delay_ms: f32, lost: f32) -> f32 {
    let (impairment, robustness) = match codec {
        // G.113, table I.3: G.711 with concealment.
        Codec::Pcmu | Codec::Pcma | Codec::G722 | Codec::Opus => (0.0, 25.1),
    };
    let percent = lost.clamp(0.0, 1.0) * 100.0;
    // G.107, (7-29), loss at random (BurstR = 1).
    let loss = impairment + (95.0 - impairment) * percent / (percent + robustness);
    (BEST - delay(delay_ms) - loss).max(0.0)
}

/// Mean opinion score of an R factor, 1..=4.5 (G.107, Annex B).
pub fn mos(r: f32) -> f32 {
    match r {
        r if r <= 0.0 => 1.0,
        r if r >= 100.0 => 4.5,
        // The cubic dips below 1 for the smallest R.
        r => (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).max(1.0),
    }
}

/// Impairment by delay alone, without echo: Idd (G.107, 7-27 and 7-28).
fn delay(ms: f32) -> f32 {
    if ms <= 100.0 {
        return 0.0;
    }
    let x = (ms / 100.0).log2();
    25.0 * ((1.0 + x.powi(6)).powf(1.0 / 6.0) - 3.0 * (1.0 + (x / 3.0).powi(6)).powf(1.0 / 6.0) + 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// G.107, table B.1: R and the MOS that it stands for.
    #[test]
    fn scores_are_the_tables() {
        for (r, score) in [(90.0, 4.34), (80.0, 4.03), (70.0, 3.60), (60.0, 3.10), (50.0, 2.58)] {
            assert!((mos(r) - score).abs() < 0.01, "R {r}: {}", mos(r));
        }
        assert_eq!((mos(-5.0), mos(0.0), mos(120.0)), (1.0, 1.0, 4.5));
        assert!((mos(BEST) - 4.41).abs() < 0.01);
    }

    /// G.107's own course of Idd, and G.114's advice: 150 ms hardly matter, 400 ms are the limit.
    #[test]
    fn delay_hurts_from_150_ms_on() {
        assert_eq!(delay(100.0), 0.0);
        assert!(delay(150.0) < 1.0, "{}", delay(150.0));
        assert!((10.0..20.0).contains(&delay(300.0)), "{}", delay(300.0));
        assert!((20.0..30.0).contains(&delay(400.0)), "{}", delay(400.0));
        let rising: Vec<f32> = (10..100).map(|n| delay(n as f32 * 10.0)).collect();
        assert!(rising.windows(2).all(|pair| pair[0] <= pair[1]));
    }

    #[test]
    fn loss_hurts_by_the_robustness_of_the_codec() {
        // 95 * 5 / (5 + 25.1) = 15.8
        assert!((r_factor(Codec::Pcmu, 20.0, 0.05) - (BEST - 15.78)).abs() < 0.01);
        assert!((mos(r_factor(Codec::Pcma, 20.0, 0.01)) - 4.32).abs() < 0.02);
        assert_eq!(r_factor(Codec::Opus, 5_000.0, 1.0), 0.0);
        assert_eq!(r_factor(Codec::G722, 0.0, -1.0), BEST);
    }
}
