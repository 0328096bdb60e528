//! What a turn is likely to be, token by token: so many digits, or one of some sentences. The recogniser then also reads
//! it as nothing else, and tells how much less likely that is than what it wrote freely; what is far from it, was
//! something else. Knows tokens, not the recogniser.

/// A token of the recogniser's vocabulary.
pub type TokenId = i32;

/// Texts that are expected.
#[derive(Debug, PartialEq)]
pub enum Grammar {
    /// `min` to `max` digits, written as numerals; `letters`: or capital letters.
    Signs {
        min: usize,
        max: usize,
        letters: bool,
    },
    Sentences(Sentences),
}

/// How much likelier the beginning of a phrase and its next token become, added to the logits. Of 213 words of orders
/// in five voices 202 are then read right (189 without), one was not said; at 12 dB of babble 183 (175), two were not said.
const BEGINS: f32 = 1.0;
const GOES_ON: f32 = 2.0;

/// Sentences by their tokens.
#[derive(Debug, Default, PartialEq)]
pub struct Sentences {
    texts: Vec<String>,
    nodes: Vec<Node>,
}

#[derive(Debug, Default, PartialEq)]
struct Node {
    next: Vec<(TokenId, usize)>,
    /// The sentence that ends here.
    ends: Option<usize>,
}

impl Sentences {
    /// `spellings` are the token sequences that stand for `text`.
    pub fn add(&mut self, text: &str, spellings: impl IntoIterator<Item = Vec<TokenId>>) {
        if self.nodes.is_empty() {
            self.nodes.push(Node::default());
        }
        let sentence = self.texts.len();
        self.texts.push(text.to_owned());
        for tokens in spellings {
            let mut at = 0;
            for token in tokens {
                at = match self.nodes[at].next.iter().find(|(id, _)| *id == token) {
                    Some(&(_, next)) => next,
                    None => {
                        let new = self.nodes.len();
                        self.nodes.push(Node::default());
                        self.nodes[at].next.push((token, new));
                        new
                    }
                };
            }
            self.nodes[at].ends.get_or_insert(sentence);
        }
    }

    fn node(&self, path: impl Iterator<Item = TokenId>) -> Option<&Node> {
        let mut at = self.nodes.first()?;
        for token in path {
            let (_, next) = at.next.iter().find(|(id, _)| *id == token)?;
            at = &self.nodes[*next];
        }
        Some(at)
    }

    /// Makes the tokens likelier that begin a sentence or go on with one that `path` ends in the midst of. The sentences
    /// are then phrases, found within what is said; not its very first token: "can I get" became "caramel, I get" in
    /// noise. `by` is 1 for as much as serves texts that are well heard.
    pub fn lean(&self, path: impl DoubleEndedIterator<Item = TokenId> + Clone, by: f32, logits: &mut [f32]) {
        const LONGEST: usize = 6;
        let mut lift = |node: Option<&Node>, by: f32| {
            for (id, _) in node.into_iter().flat_map(|node| &node.next) {
                if let Some(logit) = logits.get_mut(*id as usize) {
                    *logit += by;
                }
            }
        };
        let mut recent: Vec<TokenId> = path.rev().take(LONGEST).collect();
        recent.reverse();
        if !recent.is_empty() {
            lift(self.nodes.first(), by * BEGINS);
        }
        for from in 0..recent.len() {
            lift(self.node(recent[from..].iter().copied()), by * GOES_ON);
        }
    }

    /// The sentence that this path spells.
    pub fn text(&self, path: impl Iterator<Item = TokenId>) -> Option<&str> {
        Some(&self.texts[self.node(path)?.ends?])
    }
}

/// The tokens of which numbers and codes are made.
#[derive(Debug, Default)]
pub struct Numerals {
    /// By token.
    signs: Vec<(TokenId, Signs)>,
}

/// Digits and capital letters in a token; none: it is a separator.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Signs {
    count: usize,
    letters: bool,
}

impl Signs {
    fn of(token: &[u8]) -> Option<Self> {
        let token = std::str::from_utf8(token).ok()?;
        let body = token.strip_prefix(' ').unwrap_or(token);
        let letters = body.bytes().any(|c| c.is_ascii_uppercase());
        if !body.is_empty() && body.bytes().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase()) {
            return Some(Self { count: body.len(), letters });
        }
        matches!(token, " " | "," | "-" | ".").then_some(Self { count: 0, letters: false })
    }
}

impl Numerals {
    /// From a vocabulary, in the order of its tokens.
    pub fn of<'v>(vocabulary: impl Iterator<Item = (TokenId, &'v [u8])>) -> Self {
        Self { signs: vocabulary.filter_map(|(id, token)| Some((id, Signs::of(token)?))).collect() }
    }

    fn get(&self, token: TokenId) -> Option<Signs> {
        self.signs.binary_search_by_key(&token, |(id, _)| *id).ok().map(|at| self.signs[at].1)
    }

    /// Whether the token holds digits or letters of a number.
    pub fn is_sign(&self, token: TokenId) -> bool {
        self.get(token).is_some_and(|signs| signs.count > 0)
    }
}

impl Grammar {
    /// Tokens that may follow `path`, `end` among them where it may end there; none: it is no path of ours.
    pub fn next(&self, numerals: &Numerals, path: impl Iterator<Item = TokenId> + Clone, end: TokenId) -> Vec<TokenId> {
        match self {
            Self::Sentences(sentences) => {
                let Some(node) = sentences.node(path) else { return Vec::new() };
                node.next.iter().map(|(id, _)| *id).chain(node.ends.map(|_| end)).collect()
            }
            Self::Signs { min, max, letters } => {
                let count: usize = path.clone().filter_map(|id| numerals.get(id)).map(|signs| signs.count).sum();
                let separated = path.last().and_then(|id| numerals.get(id)).is_none_or(|signs| signs.count == 0);
                let fits = |signs: &Signs| match signs.count {
                    0 => !separated,
                    more => count + more <= *max && (*letters || !signs.letters),
                };
                let fitting = numerals.signs.iter().filter(|(_, signs)| fits(signs)).map(|(id, _)| *id);
                fitting.chain((count >= *min).then_some(end)).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const END: TokenId = 99;

    fn next(grammar: &Grammar, numerals: &Numerals, path: &[TokenId]) -> Vec<TokenId> {
        grammar.next(numerals, path.iter().copied(), END)
    }

    #[test]
    fn sentences_share_their_beginnings_and_end_where_they_end() {
        let mut sentences = Sentences::default();
        sentences.add("lost card", [vec![1, 2], vec![1, 2, 9]]);
        sentences.add("lost card abroad", [vec![1, 2, 3]]);
        assert_eq!(sentences.text([1, 2, 9].into_iter()), Some("lost card"));
        assert_eq!(sentences.text([1].into_iter()), None);
        let grammar = Grammar::Sentences(sentences);
        let none = Numerals::default();
        assert_eq!(next(&grammar, &none, &[]), [1]);
        assert_eq!(next(&grammar, &none, &[1, 2]), [9, 3, END]);
        assert!(next(&grammar, &none, &[7]).is_empty());
        assert!(next(&Grammar::Sentences(Sentences::default()), &none, &[]).is_empty());
    }

    #[test]
    fn phrases_are_leaned_towards_from_their_first_token_on() {
        let mut phrases = Sentences::default();
        phrases.add("light roast", [vec![1, 2, 3]]);
        let lean = |path: &[TokenId]| {
            let mut logits = [0.0; 5];
            phrases.lean(path.iter().copied(), 1.0, &mut logits);
            logits
        };
        assert_eq!(lean(&[]), [0.0; 5], "nothing was said yet");
        assert_eq!(lean(&[4]), [0.0, BEGINS, 0.0, 0.0, 0.0]);
        assert_eq!(lean(&[4, 1]), [0.0, BEGINS, GOES_ON, 0.0, 0.0], "within a sentence, too");
        assert_eq!(lean(&[1, 4]), lean(&[4]), "it went another way");
    }

    #[test]
    fn a_number_has_as_many_digits_as_are_wanted() {
        let vocabulary: [(TokenId, &[u8]); 7] =
            [(0, b" 4"), (1, b"12"), (2, b","), (3, b"cat"), (4, b" B"), (5, b"\xe4"), (6, b" ")];
        let numerals = Numerals::of(vocabulary.into_iter());
        let digits = Grammar::Signs { min: 2, max: 3, letters: false };
        assert_eq!(next(&digits, &numerals, &[]), [0, 1], "no separator first");
        assert_eq!(next(&digits, &numerals, &[0]), [0, 1, 2, 6]);
        assert_eq!(next(&digits, &numerals, &[0, 2]), [0, 1]);
        assert_eq!(next(&digits, &numerals, &[0, 1]), [2, 6, END], "three are enough");
        let code = Grammar::Signs { min: 2, max: 3, letters: true };
        assert_eq!(next(&code, &numerals, &[1]), [0, 2, 4, 6, END]);
        assert!(numerals.is_sign(4) && !numerals.is_sign(2) && !numerals.is_sign(3));
    }
}
