//! Sentences that mean the same, put together: average-link clustering, exact, by chains of nearest neighbours
//! (Murtagh 1983), so that the order of the sentences makes no difference.

use crate::dialog::words::Words;

/// How sentences were compared, for whoever reads the clusters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Likeness {
    /// By the embedding model.
    Meaning,
    /// By what they are spelled with, where the model's files are not there.
    Letters,
}

impl Likeness {
    /// The mean cosine between two clusters from which they are one; of meanings, about the mean of everyday sentences.
    /// Of most requests sentences have 0.46 to 0.80 there in the mean (loose ones, as "can you hear me", 0.30: they stay apart),
    /// of two requests 0.35 at most; of two that are near (travel
    /// and bike insurance) 0.49.
    pub fn threshold(self) -> f32 {
        match self {
            Self::Meaning => 0.5,
            Self::Letters => 0.4,
        }
    }
}

/// Puts rows (of length 1) together while the mean of the cosines between two clusters is `threshold` at least. The largest
/// cluster first; in each its members in their order.
pub fn clusters(rows: &[Vec<f32>], threshold: f32) -> Vec<Vec<usize>> {
    // The sum of a cluster's rows: its product with another's is the sum of all cosines between them.
    let mut open: Vec<Option<(Vec<f32>, Vec<usize>)>> =
        rows.iter().enumerate().map(|(at, row)| Some((row.clone(), vec![at]))).collect();
    let mut done: Vec<Vec<usize>> = Vec::new();
    let mut chain: Vec<usize> = Vec::new();
    while let Some(last) = chain.last().copied().or_else(|| open.iter().position(Option::is_some)) {
        if chain.is_empty() {
            chain.push(last);
        }
        let before = chain.len().checked_sub(2).map(|at| chain[at]);
        match nearest(&open, last, before) {
            // Nothing that others become together can be nearer than what they are made of.
            found if found.is_none_or(|(_, likeness)| likeness < threshold) => {
                chain.pop();
                done.extend(open[last].take().map(|(_, members)| members));
            }
            Some((near, _)) if Some(near) == before => {
                chain.truncate(chain.len() - 2);
                if let (Some((sum, members)), Some((other, others))) = (open[last].take(), open[near].as_mut()) {
                    other.iter_mut().zip(sum).for_each(|(to, x)| *to += x);
                    others.extend(members);
                }
            }
            Some((near, _)) => chain.push(near),
            None => {}
        }
    }
    done.iter_mut().for_each(|members| members.sort_unstable());
    done.sort_by_key(|members| (std::cmp::Reverse(members.len()), members[0]));
    done
}

/// The cluster most like this one, and how like; of equal ones the one before it in the chain, else the first.
fn nearest(open: &[Option<(Vec<f32>, Vec<usize>)>], at: usize, before: Option<usize>) -> Option<(usize, f32)> {
    let (sum, members) = open[at].as_ref()?;
    let likeness = |other: usize| {
        let (others, count) = open[other].as_ref()?;
        let cosines: f32 = sum.iter().zip(others).map(|(a, b)| a * b).sum();
        Some((other, cosines / (members.len() * count.len()) as f32))
    };
    let all = before.into_iter().chain(0..open.len()).filter(|&other| other != at).filter_map(likeness);
    all.reduce(|best, other| if other.1 > best.1 { other } else { best })
}

/// A sentence as a row of length 1: its words, and each three letters in a row, counted into 1,024 places.
pub fn by_letters(text: &str) -> Vec<f32> {
    const PLACES: usize = 1_024;
    let mut row = vec![0.0; PLACES];
    let mut count = |piece: &str, weight: f32| {
        // FNV-1a: the same everywhere and always.
        let hash = piece
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
        row[(hash % PLACES as u64) as usize] += weight;
    };
    for word in Words::of(text).texts() {
        count(word, 1.0);
        let letters: Vec<char> = format!(" {word} ").chars().collect();
        letters.windows(3).for_each(|three| count(&three.iter().collect::<String>(), 0.5));
    }
    let length = row.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-6);
    row.iter_mut().for_each(|x| *x /= length);
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn like_sentences_come_together_whatever_their_order() {
        let sentences = [
            "can I pay by credit card",
            "pay with my credit card",
            "do you take credit card",
            "my dog is ill",
            "the dog is ill",
        ];
        let found = |order: &[usize]| {
            let rows: Vec<Vec<f32>> = order.iter().map(|&at| by_letters(sentences[at])).collect();
            let mut found: Vec<Vec<usize>> = clusters(&rows, 0.3)
                .into_iter()
                .map(|members| {
                    let mut members: Vec<usize> = members.into_iter().map(|member| order[member]).collect();
                    members.sort_unstable();
                    members
                })
                .collect();
            found.sort();
            found
        };
        assert_eq!(found(&[0, 1, 2, 3, 4]), [vec![0, 1, 2], vec![3, 4]]);
        assert_eq!(found(&[4, 2, 0, 3, 1]), [vec![0, 1, 2], vec![3, 4]]);
    }

    proptest! {
        #[test]
        fn each_row_is_in_one_cluster_and_no_two_clusters_are_near(
            angles in proptest::collection::vec(0.0_f32..6.3, 0..40), threshold in 0.1_f32..0.99,
        ) {
            let rows: Vec<Vec<f32>> = angles.iter().map(|angle| vec![angle.cos(), angle.sin()]).collect();
            let found = clusters(&rows, threshold);
            let mut all: Vec<usize> = found.iter().flatten().copied().collect();
            all.sort_unstable();
            prop_assert_eq!(all, (0..rows.len()).collect::<Vec<_>>());
            let between = |a: &[usize], b: &[usize]| {
                let cosines = a.iter().flat_map(|&a| b.iter().map(move |&b| (a, b)));
                let sum: f32 = cosines.map(|(a, b)| rows[a][0] * rows[b][0] + rows[a][1] * rows[b][1]).sum();
                sum / (a.len() * b.len()) as f32
            };
            for (at, one) in found.iter().enumerate() {
                for other in &found[at + 1..] {
                    prop_assert!(between(one, other) < threshold + 1e-4);
                }
            }
        }
    }
}
