//! Measures of whole circuits against closed forms.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod rate_support;

use apical::record::MeasureReport;
use rate_support::{plain, run_with};

/// A recurrent pair driven by three neurons with a bias, without noise.
fn pair(measures: &str) -> String {
    plain(&format!(
        r#"
        [neuron.held]
        soma = {{ derivative = "drive - soma", start = {{ uniform = [-1, 1] }} }}
        [population.from]
        neuron = "held"
        size = 3
        soma.bias = {{ uniform = [-1, 1] }}
        [population.pair]
        neuron = "held"
        size = 2
        soma.bias = 0.25
        [projection.C]
        from = "from"
        to = "pair.soma"
        weight = [1, -1, 2, 0.5, -0.5, 3]
        [projection.W]
        from = "pair"
        to = "pair.soma"
        weight = [0.1, 0.2, 0.2, -0.3]
        [[stage]]
        name = "run"
        steps = 50
        {measures}"#
    ))
}

fn number(report: &apical::record::RunReport, name: &str) -> f64 {
    match &report.measures[name] {
        MeasureReport::Number { value, .. } => *value,
        other => panic!("{name} is not a number: {other:?}"),
    }
}

/// Currents add up to the drive less its bias, and give the energy of Bredenberg et al. 2020, Eq. 3, with f the
/// identity: −r·Wr/2 + r²/2 − r·Cs − b·r.
#[test]
fn currents_are_what_single_projections_deliver() {
    let text = pair(
        r#"
        [measure.rest]
        kind = "mean"
        of = "sum(abs(pair.soma.drive - W.current - C.current - 0.25))"
        [measure.recurrent]
        kind = "mean"
        of = "sum(abs(W.current))"
        [measure.energy]
        kind = "mean"
        of = "sum(pair.soma * (0.5 * pair.soma + 0.5 * W.current - pair.soma.drive))"
        [measure.terms]
        kind = "mean"
        of = "sum(0.5 * pair.soma^2 - pair.soma * (0.5 * W.current + C.current + 0.25))"
        "#,
    );
    let (_folder, report) = run_with(&text, 1);
    assert!(number(&report, "rest") < 1e-14, "{report:?}");
    assert!(number(&report, "recurrent") > 0.01);
    let (energy, terms) = (number(&report, "energy"), number(&report, "terms"));
    assert!((energy - terms).abs() < 1e-13 && energy.abs() > 1e-3);
}

/// Independent normal deviates of sd 2 and 1 around a pair that depends on the place: bias, ellipse and the share that
/// a readout sees are known.
#[test]
fn ellipses_and_volume_fractions_of_white_noise() {
    let text = plain(
        r#"
        [neuron.noisy]
        parameter = { size = 1 }
        soma = { value = "drive + size * noise" }
        [neuron.still]
        soma = { value = "drive" }
        [input.place]
        process = "von-mises"
        concentration = 0
        among = 4
        hold = 10
        [population.true]
        neuron = "still"
        size = 2
        soma.input = "place"
        [population.seen]
        neuron = "noisy"
        size = 3
        [population.out]
        neuron = "noisy"
        size = 2
        parameter = { size = 2 }
        [projection.to]
        from = "true"
        to = "out.soma"
        connect = "one-to-one"
        weight = 0.5
        [projection.D]
        from = "seen"
        to = "true.soma"
        weight = [0, 0, 0, 0, 0, 0]
        [projection.E]
        from = "seen"
        to = "true.soma"
        weight = [1e-30, 0, 0, 2e-30, 0, 0]
        [modulator.later]
        schedule = { list = [0, 1], every = 1000 }
        [[stage]]
        name = "run"
        steps = 41_000
        [measure.ellipses]
        kind = "ellipses"
        of = "out.soma"
        target = "true.soma"
        by = "sum(place.latent)"
        bins = 4
        range = [-3.9269908169872414, 2.356194490192345]
        when = "later"
        [measure.seen]
        kind = "volume-fraction"
        of = "seen.soma"
        readout = "E"
        by = "sum(place.latent)"
        bins = 4
        range = [-3.9269908169872414, 2.356194490192345]
        "#,
    );
    let (_folder, report) = run_with(&text, 1);
    let MeasureReport::Ellipses {
        by,
        centre,
        axes,
        target,
        ..
    } = &report.measures["ellipses"]
    else {
        panic!("{report:?}");
    };
    for bin in 0..4 {
        let (sin, cos) = by[bin].sin_cos();
        let [x, y] = target[bin];
        assert!((x - cos).abs() < 1e-12 && (y - sin).abs() < 1e-12);
        // 10,000 deviates of sd 2: a mean has a standard error of 0.02, a standard deviation of 0.014.
        let [x, y] = centre[bin];
        assert!((x - 0.5 * cos).abs() < 0.1 && (y - 0.5 * sin).abs() < 0.1);
        let radius = 2.0 * 5.991_464_547_107_98_f64.sqrt();
        for axis in axes[bin] {
            assert!((axis - radius).abs() < 0.06 * radius, "{axis}");
        }
    }
    let MeasureReport::Curve { y, .. } = &report.measures["seen"] else {
        panic!("{report:?}");
    };
    // Equal variances: every plane holds as much, but for what the largest of three sample variances exceed it.
    assert!(y.iter().all(|f| *f > 0.9 && *f <= 1.0 + 1e-12), "{y:?}");
}
