//! What calls teach about their flows: figures for a report, and sentences that no intent knew, in clusters. Pure: records
//! in, figures out. What personal slots hold must be hidden before (`call::hide_personal`); the rest is masked in the records.

mod cluster;
mod figures;
mod missed;
mod page;
mod reading;

pub use cluster::{Likeness, by_letters, clusters};
pub use figures::{Figures, Report};
pub use missed::{Cluster, Example, Sentence, gathered, intents_yaml};
pub use page::page;
pub use reading::{Doubt, Fallback, Missed, Place, Reading};
