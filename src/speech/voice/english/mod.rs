//! The English voice: hibari-tts's American voice ("heart", 24 kHz), phonemes to spectra by rten, spectra to
//! sound by `vocoder`.

mod g2p;
mod lexicon;
mod tagger;
mod vocoder;

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use rten::Model;
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;

use super::{LoadError, Synthesis, VoiceError, one_thread};
use g2p::G2p;
use vocoder::{Spectra, Vocoder};

const RATE: u32 = 24_000;
/// Change it when the same words come to sound otherwise.
const VERSION: &str = "hibari-0.2.1-heart/1";
/// More phonemes than this in one go and the voice drifts.
const LONGEST: usize = 400;

pub struct English {
    g2p: G2p,
    model: Model,
    ids: HashMap<char, i32>,
    vocoder: Vocoder,
}

impl English {
    /// From a folder with the files of hibari-tts 0.2.1's `hibari/assets`.
    pub fn load(folder: &Path) -> Result<Self, LoadError> {
        let ids = serde_json::from_slice(&std::fs::read(folder.join("vocab.json"))?)?;
        let model = Model::load_file(folder.join("hibari.onnx"))?;
        Ok(Self { g2p: G2p::load(folder)?, model, ids, vocoder: Vocoder::new() })
    }

    fn sound_of(&self, phonemes: &str, stretch: f32) -> Result<Vec<f32>, VoiceError> {
        let mut ids = vec![0];
        ids.extend(phonemes.chars().filter_map(|c| self.ids.get(&c).copied()));
        ids.push(0);
        if ids.len() < 3 {
            return Ok(Vec::new());
        }
        let ids = NdTensor::from_data([1, ids.len()], ids);
        let speed = NdTensor::from_data([1], vec![1.0 / stretch]);
        let node = |name| self.model.node_id(name);
        let inputs = vec![(node("ids")?, ids.view().into()), (node("speed")?, speed.view().into())];
        let names = ["lh", "theta", "ln", "lr", "phi", "f0"];
        let outputs =
            [node(names[0])?, node(names[1])?, node(names[2])?, node(names[3])?, node(names[4])?, node(names[5])?];
        let found = self.model.run_n(inputs, outputs, Some(one_thread()))?;
        let found: Vec<Vec<f32>> = found
            .into_iter()
            .map(|value| value.into_tensor::<f32>().map(|tensor| tensor.to_vec()).ok_or(VoiceError::Output))
            .collect::<Result<_, _>>()?;
        let [harmonic, turn, noise, rest, phase, pitch] = &found[..] else { return Err(VoiceError::Output) };
        Ok(self.vocoder.sound(&Spectra { harmonic, turn, noise, rest, phase, pitch }))
    }
}

impl Synthesis for English {
    fn sound(&self, sentence: &str, stretch: f32) -> Result<Vec<f32>, VoiceError> {
        let phonemes = self.g2p.phonemes(sentence);
        let mut out = Vec::new();
        for part in parts(&phonemes) {
            out.extend(self.sound_of(part, stretch)?);
        }
        Ok(out)
    }

    fn phonemes(&self, sentence: &str) -> String {
        self.g2p.phonemes(sentence)
    }

    fn rate(&self) -> u32 {
        RATE
    }

    fn version(&self) -> &'static str {
        VERSION
    }

    fn terms(&self) -> Option<&'static str> {
        None
    }
}

/// Phonemes in pieces of at most `LONGEST`, cut at commas, else at blanks.
fn parts(phonemes: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = phonemes;
    while let Some((limit, _)) = rest.char_indices().nth(LONGEST) {
        let head = &rest[..limit];
        let cut = head.rfind([',', ';', ':', '—']).map(|at| at + 1).or_else(|| head.rfind(' ')).filter(|&at| at > 0);
        // '—' is longer than one byte: go on to the next border.
        let mut cut = cut.unwrap_or(limit);
        while !rest.is_char_boundary(cut) {
            cut += 1;
        }
        out.push(rest[..cut].trim());
        rest = rest[cut..].trim_start();
    }
    out.push(rest);
    out
}

fn gunzip(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path)?).read_to_end(&mut out)?;
    Ok(out)
}
