//! A conversation of up to four, each at their own rate: everybody hears the sum of whom they are to hear. Who that is may
//! differ from beat to beat and is no business of this room. For two it costs what a [`Bridge`](super::Bridge) does.

use super::{Converter, Frame, MAX_SAMPLES};

/// Places in a conversation.
pub const PARTIES: usize = 4;

/// What it takes to convert a voice is built when its first frame comes; after that nothing is allocated.
#[derive(Default)]
pub struct Mixer {
    /// By listener and speaker.
    ways: [[Way; PARTIES]; PARTIES],
}

#[derive(Default)]
struct Way {
    converter: Converter,
    /// Used on the listener's last beat.
    open: bool,
}

impl Mixer {
    /// Fills `out`, of the listener's rate, with these voices, each with the place it comes from; loud sums are cut at full
    /// scale. False when there is no voice. Places are below [`PARTIES`]: there is nobody elsewhere.
    pub fn hear<'f>(
        &mut self,
        listener: usize,
        voices: impl IntoIterator<Item = (usize, &'f Frame)>,
        out: &mut Frame,
    ) -> bool {
        let (mut heard, mut sum) = ([false; PARTIES], None::<[i32; MAX_SAMPLES]>);
        let ways = self.ways.get_mut(listener).map(|ways| ways.as_mut_slice()).unwrap_or_default();
        for (place, voice) in voices {
            let Some(way) = ways.get_mut(place) else { continue };
            // Of what was said before a pause nothing is left to be heard.
            if !std::mem::replace(&mut way.open, true) {
                way.converter.reset();
            }
            if !heard.contains(&true) {
                way.converter.run(voice, out);
            } else {
                let sum = sum.get_or_insert_with(|| widened(out));
                let mut more = Frame::silence(out.rate());
                way.converter.run(voice, &mut more);
                sum.iter_mut().zip(more.samples()).for_each(|(sum, &sample)| *sum += i32::from(sample));
            }
            heard[place] = true;
        }
        ways.iter_mut().zip(heard).for_each(|(way, heard)| way.open = heard);
        match sum {
            Some(sum) => {
                let cut = |sum: i32| sum.clamp(i16::MIN.into(), i16::MAX.into()) as i16;
                out.samples_mut().iter_mut().zip(sum).for_each(|(sample, sum)| *sample = cut(sum));
            }
            None if !heard.contains(&true) => out.samples_mut().fill(0),
            None => {}
        }
        heard.contains(&true)
    }
}

fn widened(frame: &Frame) -> [i32; MAX_SAMPLES] {
    let mut wide = [0; MAX_SAMPLES];
    wide.iter_mut().zip(frame.samples()).for_each(|(wide, &sample)| *wide = sample.into());
    wide
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Tone;

    const HZ: [f64; PARTIES] = [400.0, 700.0, 1_100.0, 1_700.0];
    const RATES: [u32; PARTIES] = [8_000, 16_000, 48_000, 8_000];

    /// Half a second of everybody's tone; which of the tones each of them hears.
    fn tones_heard(hears: [&[usize]; PARTIES]) -> [Vec<usize>; PARTIES] {
        let mut mixer = Mixer::default();
        let mut tones = HZ.map(|hz| Tone::sine(hz, -20.0));
        let mut sounds: [Vec<i16>; PARTIES] = Default::default();
        for _ in 0..25 {
            let mut voices = RATES.map(Frame::silence);
            voices.iter_mut().zip(&mut tones).for_each(|(voice, tone)| tone.next(voice));
            for (listener, sound) in sounds.iter_mut().enumerate() {
                let mut out = Frame::silence(RATES[listener]);
                mixer.hear(listener, hears[listener].iter().map(|&place| (place, &voices[place])), &mut out);
                sound.extend_from_slice(out.samples());
            }
        }
        let mut heard: [Vec<usize>; PARTIES] = Default::default();
        for (listener, sound) in sounds.iter().enumerate() {
            let there = |place: &usize| level(sound, RATES[listener], HZ[*place]) > 0.05;
            heard[listener] = (0..PARTIES).filter(there).collect();
        }
        heard
    }

    /// Of a tone in the second half of a sound, 0..=1; a sine of -20 dBov has a peak of 0.14.
    fn level(sound: &[i16], rate: u32, hz: f64) -> f64 {
        let sound = &sound[sound.len() / 2..];
        let (mut re, mut im) = (0.0, 0.0);
        for (n, &sample) in sound.iter().enumerate() {
            let phase = std::f64::consts::TAU * hz * n as f64 / f64::from(rate);
            re += f64::from(sample) * phase.cos();
            im += f64::from(sample) * phase.sin();
        }
        2.0 * re.hypot(im) / sound.len() as f64 / 32_768.0
    }

    const CALLER: usize = 0;
    const AGENT: usize = 1;
    const SUPERVISOR: usize = 2;
    const THIRD: usize = 3;

    #[test]
    fn a_supervisor_listens_and_nobody_hears_it() {
        let heard = tones_heard([&[AGENT], &[CALLER], &[CALLER, AGENT], &[]]);
        assert_eq!(heard, [vec![AGENT], vec![CALLER], vec![CALLER, AGENT], vec![]]);
    }

    #[test]
    fn a_whisper_is_heard_by_the_agent_alone() {
        let heard = tones_heard([&[AGENT], &[CALLER, SUPERVISOR], &[CALLER, AGENT], &[]]);
        assert_eq!(heard, [vec![AGENT], vec![CALLER, SUPERVISOR], vec![CALLER, AGENT], vec![]]);
    }

    #[test]
    fn four_hear_each_other_and_never_themselves() {
        let hears: [&[usize]; PARTIES] = [
            &[AGENT, SUPERVISOR, THIRD],
            &[CALLER, SUPERVISOR, THIRD],
            &[CALLER, AGENT, THIRD],
            &[CALLER, AGENT, SUPERVISOR],
        ];
        assert_eq!(tones_heard(hears), hears.map(<[usize]>::to_vec));
    }

    #[test]
    fn loud_voices_are_cut_only_after_all_of_them_are_summed() {
        let loud = [30_000, 30_000, -25_000].map(|sample| Frame::from_samples(8_000, &[sample, -sample]));
        let (mut mixer, mut out) = (Mixer::default(), Frame::silence(8_000));
        mixer.hear(3, loud.iter().enumerate(), &mut out);
        assert_eq!(&out.samples()[..3], &[i16::MAX, -32_768, 0]);
        mixer.hear(3, [(0, &loud[0]), (2, &loud[2])], &mut out);
        assert_eq!(&out.samples()[..3], &[5_000, -5_000, 0]);
    }

    #[test]
    fn who_comes_back_brings_nothing_of_what_was_said_before() {
        let (mut mixer, mut tone) = (Mixer::default(), Tone::sine(400.0, -6.0));
        let (mut voice, mut out) = (Frame::silence(8_000), Frame::silence(16_000));
        tone.next(&mut voice);
        mixer.hear(0, [(1, &voice)], &mut out);
        assert!(out.level() > 0.1);
        assert!(!mixer.hear(0, [], &mut out) && out.level() == 0.0, "nobody is heard");
        mixer.hear(0, [(1, &Frame::silence(8_000))], &mut out);
        assert_eq!(out.level(), 0.0, "nor what they said last");
    }
}
