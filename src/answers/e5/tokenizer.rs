//! XLM-RoBERTa's tokenizer: characters normalised by a table, spaces to U+2581, then the likeliest way to cut the
//! text into pieces (unigram model; Kudo 2018, arXiv:1804.10959) by Viterbi's algorithm.

use std::collections::HashMap;

use super::file::Reader;

/// SentencePiece's mark of a space.
const SPACE: char = '\u{2581}';
/// How much less likely than the least likely piece an unknown character is (SentencePiece's constant).
const UNKNOWN_PENALTY: f32 = 10.0;

pub struct Tokenizer {
    /// Ends of the pieces in `text`; piece 0 begins at 0.
    ends: Vec<u32>,
    text: Vec<u8>,
    scores: Vec<f32>,
    /// Open addressing: 0 is empty, else piece + 1.
    table: Vec<u32>,
    longest: usize,
    unknown_score: f32,
    begin: u32,
    end: u32,
    unknown: u32,
    normal: HashMap<char, String>,
}

impl Tokenizer {
    pub fn read(from: &mut Reader<'_>) -> Result<Self, String> {
        let pieces = from.count()?;
        let (begin, end, _padding, unknown) = (from.u32()?, from.u32()?, from.u32()?, from.u32()?);
        let bytes = usize::try_from(from.u64()?).map_err(|_| "its pieces are too long")?;
        let offsets = from.u32s(pieces + 1)?;
        let scores: Vec<f32> = from.u32s(pieces)?.into_iter().map(f32::from_bits).collect();
        let text = from.take(bytes)?.to_vec();
        let ordered = offsets.is_sorted()
            && offsets.first() == Some(&0)
            && offsets.last().is_some_and(|&end| end as usize <= bytes);
        if !ordered || [begin, end, unknown].iter().any(|&token| token as usize >= pieces) {
            return Err("its pieces are out of order".into());
        }
        let lowest = scores.iter().copied().fold(f32::INFINITY, f32::min);
        let longest = offsets.windows(2).map(|pair| (pair[1] - pair[0]) as usize).max().unwrap_or(0);
        let mut tokenizer = Self {
            ends: offsets[1..].to_vec(),
            text,
            scores,
            table: vec![0; (pieces * 2).next_power_of_two()],
            longest,
            unknown_score: lowest - UNKNOWN_PENALTY,
            begin,
            end,
            unknown,
            normal: normalization(from)?,
        };
        for piece in 0..pieces {
            tokenizer.insert(piece);
        }
        Ok(tokenizer)
    }

    pub fn pieces(&self) -> usize {
        self.scores.len()
    }

    /// The text's pieces between begin and end, at most `longest` in all: what is longer loses its tail.
    pub fn encode(&self, text: &str, longest: usize) -> Vec<u32> {
        let text = self.normalize(text);
        let mut tokens = self.likeliest(&text);
        tokens.truncate(longest.saturating_sub(2));
        tokens.insert(0, self.begin);
        tokens.push(self.end);
        tokens
    }

    /// By the table, runs of spaces to one, each a `SPACE`, and one before all.
    fn normalize(&self, text: &str) -> String {
        let mut normal = String::with_capacity(text.len() + 8);
        for c in text.chars() {
            match self.normal.get(&c) {
                Some(other) => normal.push_str(other),
                None => normal.push(c),
            }
        }
        let mut marked = String::with_capacity(normal.len() + 16);
        if !normal.starts_with(' ') {
            marked.push(SPACE);
        }
        let mut before = None;
        for c in normal.chars() {
            match c {
                ' ' if before == Some(' ') => {}
                ' ' => marked.push(SPACE),
                _ => marked.push(c),
            }
            before = Some(c);
        }
        marked
    }

    fn likeliest(&self, text: &str) -> Vec<u32> {
        let bytes = text.as_bytes();
        // Best way to each byte position that a character begins at: its score, last piece, and where that began.
        let mut best = vec![(f32::NEG_INFINITY, self.unknown, 0); bytes.len() + 1];
        best[0].0 = 0.0;
        for (start, c) in text.char_indices() {
            let (score, ..) = best[start];
            let mut hash = FNV;
            for end in start + 1..=bytes.len().min(start + self.longest) {
                hash = fnv(hash, bytes[end - 1]);
                if !text.is_char_boundary(end) {
                    continue;
                }
                let Some(piece) = self.find(hash, &bytes[start..end]) else { continue };
                let through = score + self.scores[piece as usize];
                if piece != self.unknown && through > best[end].0 {
                    best[end] = (through, piece, start);
                }
            }
            let next = start + c.len_utf8();
            if score + self.unknown_score > best[next].0 {
                best[next] = (score + self.unknown_score, self.unknown, start);
            }
        }
        let mut tokens = Vec::new();
        let mut at = bytes.len();
        while at > 0 {
            let (_, piece, start) = best[at];
            tokens.push(piece);
            at = start;
        }
        tokens.reverse();
        tokens
    }

    fn piece(&self, piece: usize) -> &[u8] {
        let start = if piece == 0 { 0 } else { self.ends[piece - 1] as usize };
        &self.text[start..self.ends[piece] as usize]
    }

    fn insert(&mut self, piece: usize) {
        let text = self.piece(piece);
        if text.is_empty() {
            return;
        }
        let mask = self.table.len() - 1;
        let mut at = text.iter().fold(FNV, |hash, &byte| fnv(hash, byte)) as usize & mask;
        while self.table[at] != 0 {
            at = (at + 1) & mask;
        }
        self.table[at] = piece as u32 + 1;
    }

    fn find(&self, hash: u64, text: &[u8]) -> Option<u32> {
        let mask = self.table.len() - 1;
        let mut at = hash as usize & mask;
        // The table is at most half full: an empty place comes.
        while self.table[at] != 0 {
            let piece = self.table[at] - 1;
            if self.piece(piece as usize) == text {
                return Some(piece);
            }
            at = (at + 1) & mask;
        }
        None
    }
}

/// Code points and what each becomes: count, bytes, then for each a u32, a u8 and so many u32.
fn normalization(from: &mut Reader<'_>) -> Result<HashMap<char, String>, String> {
    let (count, _bytes) = (from.count()?, from.u32()?);
    let mut map = HashMap::with_capacity(count);
    for _ in 0..count {
        let (code, n) = (from.u32()?, from.take(1)?[0]);
        let becomes = from.u32s(n.into())?.into_iter().filter_map(char::from_u32).collect();
        if let Some(code) = char::from_u32(code) {
            map.insert(code, becomes);
        }
    }
    Ok(map)
}

/// FNV-1a, 64 bits.
const FNV: u64 = 0xcbf2_9ce4_8422_2325;

fn fnv(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
}
