//! Smart Turn on real prompts over an 8 kHz mu-law line: all of them, and their first halves.

use frontdesk::media;
use frontdesk::models;
use frontdesk::speech::{Samples, TURN_MODEL, TurnJudge, TurnModel};

fn over_the_telephone(file: &str) -> Vec<f32> {
    let sound = media::file::read(format!("audio_fixtures/asterisk/{file}")).unwrap();
    let narrow = media::telephone_channel(&sound.samples, sound.rate);
    media::resample(&narrow, 8_000, 16_000).iter().map(|&s| f32::from(s) / 32_768.0).collect()
}

#[test]
fn whole_sentences_sound_finished() {
    let model = TurnModel::load(&models::file(TURN_MODEL).unwrap()).unwrap();
    let silence = vec![0f32; 3_200];
    let mut margins = Vec::new();
    for file in ["en-auth-incorrect.wav", "en-conf-onlyperson.wav", "en-pbx-invalidpark.wav", "en-privacy-prompt.wav"] {
        let speech = over_the_telephone(file);
        let whole = model.probability(&[&speech[..], &silence].concat()).unwrap();
        let cut = model.probability(&[&speech[..speech.len() * 55 / 100], &silence].concat()).unwrap();
        assert!(whole > 0.85, "{file}: {whole}");
        assert!(cut < whole, "{file}: {cut} cut, {whole} whole");
        margins.push(whole - cut);
    }
    let mean = margins.iter().sum::<f32>() / margins.len() as f32;
    assert!(mean > 0.2, "{margins:?}");
}

#[test]
fn a_full_judge_says_so_and_any_length_is_judged() {
    let judge = TurnJudge::installed(1).unwrap();
    let short = judge.judge(vec![0.0; 100].into()).unwrap().wait().unwrap();
    assert!((0.0..=1.0).contains(&short));
    let long: Samples = vec![0.01; 28 * 16_000].into();
    let pending: Vec<_> = (0..8).map(|_| judge.judge(long.clone())).collect();
    assert!(pending.iter().any(Result::is_err), "eight at once are more than one at work and one waiting");
    for judged in pending.into_iter().flatten() {
        assert!((0.0..=1.0).contains(&judged.wait().unwrap()));
    }
}
