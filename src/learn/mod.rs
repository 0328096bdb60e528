//! What calls teach about their flows: figures for a report, and sentences that were not understood, in clusters. Pure:
//! records in, figures out. What personal slots hold must be hidden before (`call::hide_personal`); the rest is masked in the records.

mod cluster;
mod figures;
mod missed;
mod page;
mod question;
mod reading;
mod yaml;

pub use cluster::{Likeness, by_letters, clusters};
pub use figures::{Figures, Report};
pub use missed::{Cluster, Example, Sentence, gathered};
pub use page::page;
pub use question::Question;
pub use reading::{Doubt, Fallback, Missed, Place, Reading, Way};
pub use yaml::yaml;
