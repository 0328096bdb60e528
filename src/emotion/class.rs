//! The emotions told apart, and where each lies between calm and aroused, unpleasant and pleasant.

/// An emotion as the labels name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    Angry,
    Happy,
    /// Neutral or calm.
    Neutral,
    Sad,
    Fear,
    Surprise,
    Disgust,
}

impl Class {
    pub const ALL: [Class; 7] =
        [Class::Angry, Class::Happy, Class::Neutral, Class::Sad, Class::Fear, Class::Surprise, Class::Disgust];

    /// As in `call::Reading::probabilities` and in label files.
    pub fn name(self) -> &'static str {
        ["angry", "happy", "neutral", "sad", "fear", "surprise", "disgust"][self as usize]
    }

    /// Reads a label; `calm` is neutral.
    pub fn parse(label: &str) -> Option<Class> {
        match label {
            "calm" => Some(Class::Neutral),
            _ => Class::ALL.into_iter().find(|class| class.name() == label),
        }
    }

    /// Whether this class is distress (anger, fear) or its opposite (neutral, calm, sad); happiness, surprise and
    /// disgust are neither and reported apart.
    pub fn distress(self) -> Option<bool> {
        match self {
            Class::Angry | Class::Fear => Some(true),
            Class::Neutral | Class::Sad => Some(false),
            Class::Happy | Class::Surprise | Class::Disgust => None,
        }
    }

    /// Arousal and valence, 0..=1: the place of the word on Russell's circumplex (Russell 1980), arousal as acted
    /// speech has it (sad is quiet; Scherer 2003). The corpora carry no ratings of their own: a convention, not a
    /// measurement.
    pub fn arousal_valence(self) -> (f32, f32) {
        [(0.90, 0.15), (0.75, 0.90), (0.25, 0.55), (0.20, 0.20), (0.80, 0.20), (0.80, 0.60), (0.50, 0.15)]
            [self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_is_read_by_its_name() {
        for class in Class::ALL {
            assert_eq!(Class::parse(class.name()), Some(class));
            assert_eq!(serde_json::to_value(class).unwrap(), class.name());
        }
        assert_eq!(Class::parse("calm"), Some(Class::Neutral));
        assert_eq!(Class::parse("bored"), None);
    }
}
