//! Sweeps: a netlist run at every combination of some values, several times each, with a table of what was found.
//!
//! [`Sweep::plan`] reads what was asked for and checks every combination before anything runs; [`Sweep::run`] runs the
//! points that are not finished yet, several at a time; [`Found::open`] reads back what is there, whether all points are
//! finished or not, and [`tables`] makes the tables of it.
//!
//! # Order and seeds
//!
//! Points are numbered by combination, the last parameter changing fastest, and within a combination by realization.
//! Realization k has the seed `seed + k`, the same for every combination. A random stream hashes the seed with a name, so that
//! neighbouring seeds have nothing in common.
//!
//! # The directory
//!
//! | file | holds |
//! |---|---|
//! | `sweep.json` | what was asked for: parameters, values, seeds, and the folder of each point |
//! | `netlist.toml` | the netlist, with its models and without overrides |
//! | `points/<key>/` | one finished point: `run.json`, its resolved `netlist.toml`, its `measures/` |
//! | `sweep.csv`, `sweep.parquet` | a row a point, a column a measure |
//! | `sweep-curves.csv`, `sweep-curves.parquet` | a row a value of a series or curve |
//! | `report.html`, `plots/` | means and standard errors as pictures |
//!
//! The key of a point is a hash of the version of Apical, its resolved netlist and its seed. So a point is found again by what
//! it is, whatever its number in the sweep. It appears under its name when it is whole; what was cut short is run again.

mod error;
mod found;
mod plan;
mod points;
mod run;
mod statistics;
mod store;
mod table;

pub use error::SweepError;
pub use found::{CurveMeasure, Found, FoundPoint, ScalarMeasure};
pub use plan::{Sweep, SweepOptions};
pub use points::{Mistake, Parameter};
pub use run::{Outcome, Unwatched, Watch};
pub use statistics::{Summary, curve_summary};
pub use store::{CombinationReport, SweepReport, is_sweep};
pub use table::{Tables, tables};
pub(crate) use table::{number, plain};
