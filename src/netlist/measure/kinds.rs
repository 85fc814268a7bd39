//! What each kind of measure asks for.

use super::{DURING, OF, OF_PLASTIC, OF_TWO};
use crate::lang::scope::Counted;
use crate::netlist::model::{Binning, MeasureKind, Name, Sampling, SpikeStatistic, Statistic};
use crate::netlist::reader::{Context, Field, Key, TableReader, key};
use crate::netlist::scalars::Range;
use crate::source::{Problem, Spanned};

const WHEN: Key = key("when", "\"lambda\"");
const EVERY: Key = key("every", "1000");
const EVERY_TIME: Key = key("every", "\"1 ms\"");
const WITH: Key = key("with", "\"target\"");
const LAG: Key = key("lag", "\"40 ms\"");
const OF_POPULATION: Key = key("of", "\"cells\"");
const SIGNAL: Key = key("signal", "\"event\"");
const TRUTH: Key = key("truth", "\"world\"");
const PREDICTION: Key = key("prediction", "\"stimulus.apical\"");
const POOLED: Key = key("pooled", "pooled = true");
const LAGS: Key = key("lags", "80");
const BETWEEN: Key = key("between", "[\"first-stage\", \"second-stage\"]");
const RULE: Key = key("rule", "{ rule = \"my-rule\", eta = 1.0 }");
const SAMPLE: Key = key("sample", "100");
const AT: Key = key("at", "[1, 10]");
const BY: Key = key("by", "\"mean(angle.latent)\"");
const BINS: Key = key("bins", "24");
const RANGE: Key = key("range", "[-3.14159265, 3.14159265]");
const STATISTIC: Key = key("statistic", "\"mean\"");
const OF_PAIR: Key = key("of", "\"output.soma\"");
const TARGET: Key = key("target", "\"output.target\"");
const READOUT: Key = key("readout", "\"D\"");
const OF_SCORES: Key = key("of", "\"output.soma\"");
const CLASS_VECTOR: Key = key("class", "\"digits.label\"");
const OF_IMAGES: Key = key("of", "[\"digits\", \"visible.apical\"]");
const SHAPE: Key = key("shape", "[28, 28]");
const COUNT: Key = key("count", "40");
const CLASS: Key = key("class", "\"sum(output.target)\"");
const LABEL: Key = key("label", "\"digits.label\"");
const WHEN_LAST: Key = key("when", "\"digits.last\"");
const SINCE: Key = key("since", "\"digits.changed\"");
const TRAIN: Key = key("train", "\"collect\"");
const TEST: Key = key("test", "\"test\"");
const PENALTY: Key = key("penalty", "1e-3");
const MOST: Key = key("samples", "50_000");
const STATISTICS: [&str; 3] = ["mean", "squared-mean", "variance"];

/// How many images are shown if no number is given.
const DEFAULT_IMAGES: u64 = 40;

/// Bins of a tuning measure if none are given.
const DEFAULT_BINS: u64 = 24;

/// Longest lag of an autocorrelation if none is given (steps).
const DEFAULT_LAGS: u64 = 80;

pub(super) fn mean(reader: &mut TableReader<'_, '_>) -> Option<MeasureKind> {
    let of = reader.require(OF, Field::expression);
    let when = reader.accept(WHEN, Field::expression);
    let every = reader.accept(EVERY, |field, context| field.duration(context, 1));
    Some(MeasureKind::Mean {
        of: of?,
        when,
        every,
    })
}

pub(super) fn r_squared(reader: &mut TableReader<'_, '_>) -> Option<MeasureKind> {
    let truth = reader.require(TRUTH, Field::expression);
    let prediction = reader.require(PREDICTION, Field::expression);
    let pooled = reader.accept(POOLED, Field::flag);
    let every = reader.accept(EVERY_TIME, |field, context| field.duration(context, 1));
    Some(MeasureKind::RSquared {
        truth: truth?,
        prediction: prediction?,
        pooled: pooled.unwrap_or(false),
        every,
    })
}

pub(super) fn correlation(reader: &mut TableReader<'_, '_>) -> Option<MeasureKind> {
    let of = reader.require(OF, Field::expression);
    let with = reader.require(WITH, Field::expression);
    let when = reader.accept(WHEN, Field::expression);
    let every = reader.require(EVERY_TIME, |field, context| field.duration(context, 1));
    let lag = reader.accept(LAG, |field, context| field.duration(context, 0));
    Some(MeasureKind::Correlation {
        of: of?,
        with: with?,
        when,
        every: every?,
        lag,
    })
}

/// A rate, or a number of events.
pub(super) fn counted(reader: &mut TableReader<'_, '_>, rate: bool) -> Option<MeasureKind> {
    let signal = match reader.optional(SIGNAL) {
        None => Some(Counted::Spikes),
        Some(field) => match field.name(reader.context)?.value.as_str() {
            "spike" => Some(Counted::Spikes),
            "event" => Some(Counted::Events),
            "burst" => Some(Counted::Bursts),
            _ => {
                field.unknown_choice(reader.context, "signal", &["spike", "event", "burst"]);
                None
            }
        },
    };
    let signal = signal.unwrap_or(Counted::Spikes);
    let statistic = match rate {
        true => SpikeStatistic::Rate(signal),
        false => SpikeStatistic::Count(signal),
    };
    spikes(reader, statistic)
}

pub(super) fn spikes(
    reader: &mut TableReader<'_, '_>,
    statistic: SpikeStatistic,
) -> Option<MeasureKind> {
    let of = reader.require(OF_POPULATION, Field::name);
    let every = reader.accept(EVERY_TIME, |field, context| field.duration(context, 1));
    Some(MeasureKind::Spikes {
        of: of?,
        statistic,
        every,
    })
}

pub(super) fn autocorrelation(reader: &mut TableReader<'_, '_>) -> Option<MeasureKind> {
    let of = reader.require(OF, Field::expression);
    let lags = reader.accept(LAGS, |field, context| field.whole(context, 1));
    let lags = lags.unwrap_or_else(|| Spanned::new(DEFAULT_LAGS, reader.span));
    Some(MeasureKind::Autocorrelation { of: of?, lags })
}

/// Looks in the two stages that it names, and in no others.
pub(super) fn stage_correlation(reader: &mut TableReader<'_, '_>) -> Option<MeasureKind> {
    let of = reader.require(OF, Field::expression);
    let between = reader.require(BETWEEN, |field, context| two(field, context, "stages"));
    if let Some(during) = reader.optional(DURING) {
        let message = "a stage-correlation looks in the two stages of `between`";
        let problem = Problem::new(message, during.span(), "not needed");
        reader.context.report(problem.help("leave out `during`"));
    }
    Some(MeasureKind::StageCorrelation {
        of: of?,
        between: between?,
    })
}

pub(super) fn tuning(reader: &mut TableReader<'_, '_>) -> Option<MeasureKind> {
    let of = reader.require(OF, Field::expression);
    let bins = binning(reader);
    let statistic = match reader.optional(STATISTIC) {
        Some(field) => statistic(&field, reader.context),
        None => Some(Statistic::Mean),
    };
    Some(MeasureKind::Tuning {
        of: of?,
        bins: bins?,
        statistic: statistic?,
    })
}

pub(super) fn ellipses(reader: &mut TableReader<'_, '_>) -> Option<MeasureKind> {
    let of = reader.require(OF_PAIR, Field::expression);
    let target = reader.accept(TARGET, Field::expression);
    let bins = binning(reader);
    Some(MeasureKind::Ellipses {
        of: of?,
        target,
        bins: bins?,
    })
}

pub(super) fn volume_fraction(reader: &mut TableReader<'_, '_>) -> Option<MeasureKind> {
    let of = reader.require(OF, Field::expression);
    let readout = reader.require(READOUT, Field::name);
    let bins = binning(reader);
    Some(MeasureKind::VolumeFraction {
        of: of?,
        readout: readout?,
        bins: bins?,
    })
}

/// `of`, `label`, `when` and `since`.
fn sampling(reader: &mut TableReader<'_, '_>) -> Option<Sampling> {
    let of = reader.require(OF, Field::expression);
    let label = reader.require(LABEL, Field::expression);
    let when = reader.accept(WHEN_LAST, Field::expression);
    let since = reader.accept(SINCE, Field::expression);
    Some(Sampling {
        of: of?,
        label: label?,
        when,
        since,
    })
}

/// Looks in the two stages that it names, and in no others.
pub(super) fn linear_readout(reader: &mut TableReader<'_, '_>) -> Option<MeasureKind> {
    let samples = sampling(reader);
    let train = reader.require(TRAIN, Field::name);
    let test = reader.require(TEST, Field::name);
    let penalty = reader.accept(PENALTY, |field, context| {
        field.number(context, Range::POSITIVE)
    });
    let most = reader.accept(MOST, |field, context| field.whole(context, 1));
    if let Some(during) = reader.optional(DURING) {
        let message = "a linear-readout looks in the stages `train` and `test`";
        let problem = Problem::new(message, during.span(), "not needed");
        reader.context.report(problem.help("leave out `during`"));
    }
    Some(MeasureKind::LinearReadout {
        samples: samples?,
        train: train?,
        test: test?,
        penalty: penalty.map_or(1e-3, |penalty| penalty.value),
        most: most.map_or(50_000, |most| most.value),
    })
}

/// `by`, `bins`, `range` and `when`.
fn binning(reader: &mut TableReader<'_, '_>) -> Option<Binning> {
    let by = reader.require(BY, Field::expression);
    let count = reader.accept(BINS, |field, context| field.whole(context, 1));
    let range = match reader.optional(RANGE) {
        Some(field) => bounds(&field, reader.context),
        None => Some([-std::f64::consts::PI, std::f64::consts::PI]),
    };
    let when = reader.accept(WHEN, Field::expression);
    Some(Binning {
        by: by?,
        count: count.unwrap_or_else(|| Spanned::new(DEFAULT_BINS, reader.span)),
        range: range?,
        when,
    })
}

/// Two numbers, the lower first.
fn bounds(field: &Field<'_>, context: &mut Context) -> Option<[f64; 2]> {
    let numbers = field.numbers(context, Range::ANY)?;
    match numbers.as_slice() {
        [low, high] if low < high => Some([*low, *high]),
        _ => field.refuse(context, "something else", "two numbers, the lower first"),
    }
}

fn statistic(field: &Field<'_>, context: &mut Context) -> Option<Statistic> {
    Some(match field.name(context)?.value.as_str() {
        "mean" => Statistic::Mean,
        "squared-mean" => Statistic::SquaredMean,
        "variance" => Statistic::Variance,
        _ => {
            field.unknown_choice(context, "statistic", &STATISTICS);
            return None;
        }
    })
}

pub(super) fn sensitivity(reader: &mut TableReader<'_, '_>) -> Option<MeasureKind> {
    let of = reader.require(OF, Field::expression);
    let class = reader.require(CLASS, Field::expression);
    let when = reader.accept(WHEN, Field::expression);
    let every = reader.accept(EVERY, |field, context| field.duration(context, 1));
    Some(MeasureKind::Sensitivity {
        of: of?,
        class: class?,
        when,
        every,
    })
}

pub(super) fn accuracy(reader: &mut TableReader<'_, '_>) -> Option<MeasureKind> {
    let of = reader.require(OF_SCORES, Field::expression);
    let class = reader.require(CLASS_VECTOR, Field::expression);
    let when = reader.accept(WHEN, Field::expression);
    let every = reader.accept(EVERY, |field, context| field.duration(context, 1));
    Some(MeasureKind::Accuracy {
        of: of?,
        class: class?,
        when,
        every,
    })
}

pub(super) fn images(reader: &mut TableReader<'_, '_>) -> Option<MeasureKind> {
    let of = reader.require(OF_IMAGES, |field, context| match field.node.text() {
        Some(_) => field.expression(context).map(|one| vec![one]),
        None => field.each(
            context,
            "an expression, or a list of them",
            Field::expression,
        ),
    });
    let shape = reader.require(SHAPE, shape);
    let when = reader.accept(WHEN, Field::expression);
    let count = reader.accept(COUNT, |field, context| field.whole(context, 1));
    let count = count.unwrap_or_else(|| Spanned::new(DEFAULT_IMAGES, reader.span));
    Some(MeasureKind::Images {
        of: of?,
        shape: shape?,
        count,
        when,
    })
}

/// Channels (1 if not given), rows and columns.
fn shape(field: &Field<'_>, context: &mut Context) -> Option<Spanned<[u64; 3]>> {
    let sizes = field.wholes(context, 1)?;
    let shape = match sizes.as_slice() {
        [rows, columns] => [1, *rows, *columns],
        [channels, rows, columns] => [*channels, *rows, *columns],
        many => {
            let found = format!("a list of {}", many.len());
            let expected = "rows and columns, [28, 28], or channels, rows and columns, [3, 32, 32]";
            return field.refuse(context, &found, expected);
        }
    };
    Some(Spanned::new(shape, field.span()))
}

pub(super) fn update(reader: &mut TableReader<'_, '_>) -> Option<MeasureKind> {
    let of = reader.require(OF_PLASTIC, Field::name);
    let rule = reader.require(RULE, Field::learn);
    let sample = reader.accept(SAMPLE, |field, context| field.duration(context, 1));
    Some(MeasureKind::Update {
        of: of?,
        rule: rule?,
        sample,
    })
}

pub(super) fn curve_difference(reader: &mut TableReader<'_, '_>) -> Option<MeasureKind> {
    let of = reader.require(OF_TWO, two_measures);
    let at = reader.require(AT, |field, context| field.wholes(context, 0));
    Some(MeasureKind::CurveDifference { of: of?, at: at? })
}

pub(super) fn two_measures(field: &Field<'_>, context: &mut Context) -> Option<[Name; 2]> {
    two(field, context, "measures")
}

/// Two names of things called `what`.
fn two(field: &Field<'_>, context: &mut Context, what: &str) -> Option<[Name; 2]> {
    let expected = format!("a list of two {what}");
    let fields = field.elements(context, &expected)?;
    let [first, second] = fields.as_slice() else {
        return field.refuse(context, &format!("a list of {}", fields.len()), &expected);
    };
    let (first, second) = (first.name(context), second.name(context));
    Some([first?, second?])
}
