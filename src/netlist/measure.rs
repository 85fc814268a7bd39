//! The `[measure.*]` tables.

mod kinds;

use super::model::{Measure, MeasureKind, Name, SpikeStatistic};
use super::reader::{Context, Field, Key, TableReader, key};

const KIND: Key = key("kind", "\"mean\"");
const DURING: Key = key("during", "[\"test\"]");
const EXPECT: Key = key("expect", "\"What one should see.\"");
const ABOUT: Key = key("about", "\"What this is.\"");
const OF: Key = key("of", "\"latent.soma\"");
const OF_TWO: Key = key("of", "[\"first-measure\", \"second-measure\"]");
const ELEMENTS: Key = key("elements", "[0, 1]");
const OF_PLASTIC: Key = key("of", "\"W\"");
const OF_TUNING: Key = key("of", "\"a-tuning-measure\"");

const KINDS: [&str; 23] = [
    "mean",
    "correlation",
    "rate",
    "spike-count",
    "isi-cv",
    "burst-fraction",
    "mean-weight",
    "r-squared",
    "autocorrelation",
    "correlation-matrix",
    "stage-correlation",
    "tuning",
    "peaks",
    "sensitivity",
    "accuracy",
    "images",
    "ellipses",
    "volume-fraction",
    "linear-readout",
    "update",
    "cosine",
    "matrix-agreement",
    "curve-difference",
];

/// Reads one measure.
pub(super) fn read(context: &mut Context, name: Name, field: &Field<'_>) -> Option<Measure> {
    let mut reader = TableReader::open(context, field)?;
    let span = reader.span;
    let during = reader.accept(DURING, Field::names).unwrap_or_default();
    let expect = reader.accept(EXPECT, Field::prose);
    let about = reader.accept(ABOUT, Field::prose);
    let kind = reader.required(KIND)?;
    let word = kind.name(reader.context)?;
    let kind = match word.value.as_str() {
        "mean" => kinds::mean(&mut reader),
        "r-squared" => kinds::r_squared(&mut reader),
        "correlation" => kinds::correlation(&mut reader),
        "rate" | "spike-count" => kinds::counted(&mut reader, word.value == "rate"),
        "isi-cv" => kinds::spikes(&mut reader, SpikeStatistic::IsiCv),
        "burst-fraction" => kinds::spikes(&mut reader, SpikeStatistic::BurstFraction),
        "mean-weight" => {
            let of = reader.require(OF_PLASTIC, Field::name);
            let elements = reader.accept(ELEMENTS, |field, context| field.wholes(context, 0));
            of.map(|of| MeasureKind::MeanWeight { of, elements })
        }
        "autocorrelation" => kinds::autocorrelation(&mut reader),
        "correlation-matrix" => {
            let of = reader.require(OF, Field::expression);
            of.map(|of| MeasureKind::CorrelationMatrix { of })
        }
        "stage-correlation" => kinds::stage_correlation(&mut reader),
        "tuning" => kinds::tuning(&mut reader),
        "peaks" => {
            let of = reader.require(OF_TUNING, Field::name);
            of.map(|of| MeasureKind::Peaks { of })
        }
        "sensitivity" => kinds::sensitivity(&mut reader),
        "accuracy" => kinds::accuracy(&mut reader),
        "images" => kinds::images(&mut reader),
        "ellipses" => kinds::ellipses(&mut reader),
        "volume-fraction" => kinds::volume_fraction(&mut reader),
        "linear-readout" => kinds::linear_readout(&mut reader),
        "update" => kinds::update(&mut reader),
        "cosine" => {
            let of = reader.require(OF_TWO, kinds::two_measures);
            of.map(|of| MeasureKind::Cosine { of })
        }
        "matrix-agreement" => {
            let of = reader.require(OF_TWO, kinds::two_measures);
            of.map(|of| MeasureKind::MatrixAgreement { of })
        }
        "curve-difference" => kinds::curve_difference(&mut reader),
        _ => {
            kind.unknown_choice(reader.context, "kind of measure", &KINDS);
            return None;
        }
    };
    reader.finish();
    Some(Measure {
        name,
        kind: kind?,
        during,
        expect,
        about,
        span,
    })
}
