//! Real speech over an 8 kHz mu-law line, read by the installed default model.

use std::sync::Arc;

use frontdesk::dialog::{Expect, Language};
use frontdesk::media;
use frontdesk::speech::{Ear, EarSettings, HearRequest, Hearing, Samples, wer};

fn over_the_telephone(file: &str) -> Samples {
    let sound = media::file::read(format!("audio_fixtures/{file}")).unwrap();
    let narrow = media::telephone_channel(&sound.samples, sound.rate);
    media::resample(&narrow, 8_000, 16_000).iter().map(|&s| f32::from(s) / 32_768.0).collect()
}

fn ear() -> Ear {
    Ear::open(&EarSettings { workers: 1, ..EarSettings::installed().unwrap() }).unwrap()
}

fn hear(ear: &Ear, audio: Samples, language: Option<&str>) -> Hearing {
    let language = language.map(Language::new);
    ear.hear(HearRequest {
        audio,
        language,
        hints: Vec::new(),
        expect: Expect::Free,
        likely: Arc::default(),
        languages: Vec::new(),
    })
    .unwrap()
    .wait()
    .unwrap()
}

#[test]
fn english_word_for_word() {
    let ear = ear();
    for (file, said) in [
        ("asterisk/en-conf-onlyperson.wav", "You are currently the only person in this conference."),
        ("asterisk/en-privacy-prompt.wav", "Please enter your phone number, starting with the area code."),
        ("asterisk/en-vm-reachoper.wav", "press 0 to reach an operator"),
    ] {
        let hearing = hear(&ear, over_the_telephone(file), Some("en"));
        let errors = wer::errors(said, &hearing.text, "en");
        assert_eq!(errors.total(), 0, "{file}: {:?}", hearing.text);
        assert!(hearing.confidence > 0.4 && hearing.no_speech < 0.5, "{file}: {hearing:?}");
        assert!(hearing.cpu_s > 0.0);
    }
}

#[test]
fn spanish_told_or_found_out() {
    let ear = ear();
    let audio = over_the_telephone("asterisk/es-conf-getpin.wav");
    for language in [Some("es"), None] {
        let hearing = hear(&ear, audio.clone(), language);
        assert_eq!(hearing.language.as_str(), "es");
        let errors = wer::errors("Por favor ingrese la clave de entrada para la conferencia.", &hearing.text, "es");
        assert!(errors.rate() <= 0.2, "{:?}", hearing.text);
    }
}

#[test]
fn one_word_alone_is_read_where_it_is_one_of_a_few() {
    let ear = ear();
    let digits = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"].map(str::to_owned);
    let said = |digit: usize, expect: &Expect| {
        let word = over_the_telephone(&format!("digits/{digit}_jackson_3.wav"));
        let quiet = [0.0; 4_800];
        let audio: Samples = [&quiet[..], &word, &quiet].concat().into();
        let request = HearRequest {
            audio,
            language: Some(Language::new("en")),
            hints: vec!["agent".into(), "operator".into()],
            expect: expect.clone(),
            likely: Arc::default(),
            languages: Vec::new(),
        };
        ear.hear(request).unwrap().wait().unwrap().text.to_lowercase().replace('.', "")
    };
    for expect in [Expect::Choice { phrases: digits.to_vec() }, Expect::Digits { min: 1, max: 1 }] {
        let heard: Vec<String> = (0..10).map(|digit| said(digit, &expect)).collect();
        let right = (0..10).filter(|&digit| [digits[digit].clone(), digit.to_string()].contains(&heard[digit])).count();
        assert!(right >= 8, "{expect:?}: {heard:?}");
    }
}

#[test]
fn silence_noise_and_tones_are_no_words() {
    let ear = ear();
    let mut seed = 1u32;
    let mut random = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        seed as f32 / u32::MAX as f32 - 0.5
    };
    let noise = (0..48_000).map(|_| 0.05 * random()).collect();
    let tone = (0..32_000).map(|i| 0.3 * (std::f32::consts::TAU * 440.0 * i as f32 / 16_000.0).sin()).collect();
    let sounds: [(&str, Samples); 5] = [
        ("silence", vec![0.0; 48_000].into()),
        ("a hundredth of a second", vec![0.0; 160].into()),
        ("nothing", Vec::new().into()),
        ("noise", noise),
        ("a tone", tone),
    ];
    for (name, audio) in sounds {
        let hearing = hear(&ear, audio, Some("en"));
        assert_eq!((hearing.text.as_str(), hearing.confidence), ("", 0.0), "{name}");
    }
}

#[test]
fn what_was_heard_before_does_not_matter() {
    let ear = ear();
    let audio = over_the_telephone("pocketsphinx/librivox-0880.wav");
    let alone = hear(&ear, audio.clone(), Some("en"));
    hear(&ear, over_the_telephone("asterisk/en-auth-incorrect.wav"), Some("en"));
    hear(&ear, vec![0.01; 30_000].into(), Some("en"));
    let again = hear(&ear, audio, Some("en"));
    assert_eq!((again.text, again.confidence), (alone.text, alone.confidence));
}

#[test]
fn an_unknown_language_is_an_error() {
    let request = HearRequest {
        audio: vec![0.0; 16_000].into(),
        language: Some(Language::new("tlh")),
        hints: Vec::new(),
        expect: Expect::Free,
        likely: Arc::default(),
        languages: Vec::new(),
    };
    let error = ear().hear(request).unwrap().wait().unwrap_err();
    assert!(error.to_string().contains("tlh"), "{error}");
}
