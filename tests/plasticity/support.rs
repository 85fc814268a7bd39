//! Scenes for rules: one synapse, its events, voltages and modulators, run by the lazy and the general path.

use apical::circuit::Circuit;
use apical::compile::expressions::read;
use apical::compile::reading::Expr;
use apical::compile::scope::{Place, PlaceScope};
use apical::input::DataPaths;
use apical::netlist::{self, LoadOptions};
use apical::plasticity::{
    Arrival, Channel, GeneralRule, LazyRule, Moment, PlasticRule, Presynaptic, SINGLE_LEN, Signal,
    Signals,
};
use apical::units::{Dimension, Quantity};
use indexmap::IndexMap;

const CIRCUIT: &str = r#"
use = ["stdp", "dendritic-prediction", "burst", "homeostasis"]
[circuit]
name = "test"
step = "1 ms"
[modulator.dopamine]
schedule = { alternate = [1, 0], every = 2 }
[neuron.n]
soma = { derivative = "-(soma + 70 mV) / (10 ms)", start = "-70 mV" }
dend = { derivative = "-(dend + 70 mV) / (10 ms)", start = "-70 mV" }
tuft = { derivative = "-(tuft + 70 mV) / (10 ms)", start = "-70 mV" }
[population.a]
neuron = "n"
size = 1
[population.b]
neuron = "n"
size = 1
"#;

/// What is said of a rule's text.
pub fn compiled(rule: &str, dw: &str, given: &[(&str, &str)]) -> Result<Expr, String> {
    let own = match dw {
        "" => String::new(),
        dw => format!("[rule.{rule}]\nsource = \"this test\"\ndw = \"\"\"{dw}\"\"\"\n"),
    };
    let text = CIRCUIT.to_owned() + &own;
    let netlist = netlist::parse("test.toml", &text, &LoadOptions::default()).unwrap();
    let (circuit, _) = Circuit::build(&netlist, &DataPaths::default());
    let rule = &netlist.rules[rule];
    let defaults = rule
        .parameters
        .iter()
        .map(|(name, (_, value))| (name.clone(), *value));
    let mut parameters: IndexMap<String, Option<Quantity>> = defaults.collect();
    for (name, value) in given {
        parameters.insert((*name).to_owned(), Some(Quantity::parse(value).unwrap()));
    }
    let (a, b) = (
        circuit.population_named("a").unwrap(),
        circuit.population_named("b").unwrap(),
    );
    let place = Place::SpikingRule {
        target: circuit.compartment_named(b, "dend").unwrap(),
        source: a,
        weight: Dimension::CURRENT,
        parameters: &parameters,
    };
    let (expr, _) = read(&rule.dw, PlaceScope::new(&circuit, place, None)).map_err(|problems| {
        let texts = problems
            .into_iter()
            .map(|p| format!("{} ({:?})", p.message, p.help));
        texts.collect::<Vec<_>>().join("; ")
    })?;
    let expected = Dimension::CURRENT * Dimension::RATE;
    match expr.formula.dimension {
        Some(found) if found != expected => Err(format!("a change of weights in {found}")),
        _ => Ok(expr),
    }
}

/// A rule of the library.
pub fn library(rule: &str, given: &[(&str, &str)]) -> Expr {
    compiled(rule, "", given).unwrap()
}

pub fn lazy(expr: &Expr, kernel: Option<&[(f64, f64)]>) -> LazyRule {
    match PlasticRule::new(expr, kernel, None).unwrap() {
        PlasticRule::Lazy(rule) => *rule,
        PlasticRule::General(rule) => panic!("{}", rule.explain()),
    }
}

/// Numbers that look random; the same in every run.
pub struct Random(pub u64);

impl Random {
    pub fn unit(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Poisson times (ms).
    pub fn times(&mut self, rate_hz: f64, end: f64) -> Vec<f64> {
        let mut times = Vec::new();
        let mut t = 0.0;
        loop {
            t -= (1.0 - self.unit()).ln() * 1000.0 / rate_hz;
            if t >= end {
                return times;
            }
            times.push(t);
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum What {
    Change(Channel),
    Pre(Signals),
    Post(Signals),
    /// The neuron's voltages take another course.
    Update,
}

/// What happens at one synapse and its two neurons.
pub struct Scene {
    /// In the order of the contract.
    pub events: Vec<(f64, What)>,
    pub end: f64,
    pub voltages: fn(f64) -> [f64; 1],
}

pub fn still(_: f64) -> [f64; 1] {
    [-65.0]
}

/// A voltage that never rests.
pub fn waves(t: f64) -> [f64; 1] {
    [-58.0 + 6.0 * (0.05 * t).sin() + 3.0 * (0.31 * t + 1.0).sin()]
}

impl Scene {
    /// Poisson spikes on both sides, some of them at the same time; times are multiples of `grid` (ms) if it is not 0.
    pub fn random(seed: u64, end: f64, grid: f64) -> Scene {
        let mut random = Random(seed);
        let (mut pre, mut post) = (random.times(20.0, end), random.times(15.0, end));
        if grid > 0.0 {
            for times in [&mut pre, &mut post] {
                times
                    .iter_mut()
                    .for_each(|t| *t = (*t / grid).round() * grid);
                times.dedup();
                times.retain(|t| *t > 0.0 && *t < end);
            }
        }
        let shared: Vec<f64> = pre.iter().step_by(9).copied().collect();
        post.extend(shared);
        post.sort_by(f64::total_cmp);
        post.dedup();
        let mut events = Vec::new();
        for (t, signals) in kinds(&pre) {
            events.push((t, What::Pre(signals)));
        }
        for (t, signals) in kinds(&post) {
            events.push((t, What::Post(signals)));
        }
        Scene {
            events,
            end,
            voltages: still,
        }
        .sorted()
    }

    /// Dopamine that jumps and decays, or holds.
    pub fn with_dopamine(mut self, seed: u64, grid: f64) -> Scene {
        let mut random = Random(seed);
        self.events
            .push((0.0, What::Change(Channel::constant(0.0))));
        for t in random.times(3.0, self.end) {
            let since = if grid > 0.0 {
                (t / grid).round() * grid
            } else {
                t
            };
            let value = random.unit();
            let rate = if random.unit() < 0.3 {
                0.0
            } else {
                1.0 / 200.0
            };
            self.events
                .push((since, What::Change(Channel { value, since, rate })));
        }
        self.sorted()
    }

    fn sorted(mut self) -> Scene {
        let rank = |what: &What| match what {
            What::Change(_) => 0,
            What::Pre(_) => 1,
            What::Post(_) => 2,
            What::Update => 3,
        };
        self.events
            .sort_by(|a, b| a.0.total_cmp(&b.0).then(rank(&a.1).cmp(&rank(&b.1))));
        self
    }
}

/// Spikes nearer than 16 ms to the one before make a burst, which is told at its second spike.
pub fn kinds(times: &[f64]) -> Vec<(f64, Signals)> {
    let mut told = Vec::new();
    let (mut last, mut inside) = (f64::NEG_INFINITY, false);
    for t in times {
        let near = t - last < 16.0;
        let signals = match (near, inside) {
            (false, _) => Signals::of(&[Signal::Spike, Signal::Event]),
            (true, false) => Signals::of(&[Signal::Spike, Signal::Burst]),
            (true, true) => Signals::of(&[Signal::Spike]),
        };
        inside = near;
        last = *t;
        told.push((*t, signals));
    }
    told
}

/// A lazy rule at one synapse, with everything an engine would keep.
pub struct LazyRun<'r> {
    rule: &'r LazyRule,
    pub shared: Vec<f64>,
    pub channels: Vec<Channel>,
    pre: Vec<f64>,
    last: f64,
    pub post: Vec<f64>,
    post_at: f64,
    pub synapse: Vec<f64>,
    pub w: f64,
    voltages: fn(f64) -> [f64; 1],
    arrival: Arrival,
    pub flushes: usize,
    /// Arrivals at which the rule's simplest form was compared with the rule.
    pub simple: usize,
}

impl<'r> LazyRun<'r> {
    pub fn new(rule: &'r LazyRule, voltages: fn(f64) -> [f64; 1], w: f64) -> Self {
        let mut run = LazyRun {
            rule,
            shared: vec![0.0; rule.shared_len()],
            channels: vec![Channel::constant(0.0)],
            pre: vec![0.0; rule.pre_len()],
            last: f64::NEG_INFINITY,
            post: vec![0.0; rule.post_len()],
            post_at: 0.0,
            synapse: vec![0.0; rule.synapse_len()],
            w,
            voltages,
            arrival: Arrival::default(),
            flushes: 0,
            simple: 0,
        };
        rule.start_shared(&mut run.shared, 0.0);
        rule.start_post(&mut run.post);
        rule.start_synapse(&mut run.synapse);
        run
    }

    fn advance(&mut self, at: f64) {
        let (from, voltages) = (self.post_at, self.voltages);
        let now = Moment {
            shared: &self.shared,
            channels: &self.channels,
            at,
        };
        let mut course = |offset: f64, into: &mut [f64]| {
            into.copy_from_slice(&voltages(from + offset)[..into.len()]);
        };
        self.rule
            .advance_post(&mut self.post, from, now, &mut course);
        self.post_at = at;
    }

    fn arrive(&mut self, at: f64, signals: Signals) {
        let now = Moment {
            shared: &self.shared,
            channels: &self.channels,
            at,
        };
        self.rule
            .arrive(&mut self.arrival, &self.pre, at - self.last, signals, now);
    }

    /// What the arrival makes of the synapse and its weight by the rule's simplest form, if it has that.
    fn deliver_single(&self) -> Option<([f64; SINGLE_LEN], f64)> {
        let single = self.rule.single()?;
        let (mut synapse, mut w) = (self.synapse[..].try_into().unwrap(), self.w);
        let arrival = single.arrival(&self.arrival);
        single.deliver(&arrival, &self.post, &mut synapse, &mut w);
        Some((synapse, w))
    }

    pub fn rebase(&mut self, class: usize, at: f64) {
        self.advance(at);
        if self.rule.needs_flush(class, at - self.last) {
            self.flushes += 1;
            self.arrive(at, Signals::NONE);
            self.rule.flush(
                class,
                &self.arrival,
                &self.post,
                &mut self.synapse,
                &mut self.w,
            );
        }
        let now = Moment {
            shared: &self.shared,
            channels: &self.channels,
            at,
        };
        self.rule.rebase_post(class, &mut self.post, now);
        self.rule
            .rebase_shared(class, &mut self.shared, &self.channels, at);
    }

    /// Takes one event; the weight, if a presynaptic event used it.
    pub fn take(&mut self, at: f64, what: What) -> Option<f64> {
        loop {
            let (due, class) = self.rule.next_rebase(&self.shared);
            if due > at {
                break;
            }
            self.rebase(class, due);
        }
        self.advance(at);
        let voltages = (self.voltages)(at);
        let reads = self.rule.post_reads().count();
        match what {
            What::Change(channel) => {
                self.rule
                    .before_change(&mut self.shared, &self.channels, at);
                self.channels[0] = channel;
                None
            }
            What::Pre(signals) => {
                self.arrive(at, signals);
                let simple = self.deliver_single();
                self.rule.deliver(
                    &self.arrival,
                    &self.post,
                    &voltages[..reads],
                    &mut self.synapse,
                    &mut self.w,
                );
                if let Some((synapse, w)) = simple {
                    assert_eq!((&synapse[..], w), (&self.synapse[..], self.w));
                    self.simple += 1;
                }
                self.rule.pre_event(&mut self.pre, signals, at - self.last);
                self.last = at;
                Some(self.w)
            }
            What::Post(signals) => {
                let now = Moment {
                    shared: &self.shared,
                    channels: &self.channels,
                    at,
                };
                self.rule
                    .post_event(&mut self.post, signals, &voltages[..reads], now);
                None
            }
            What::Update => None,
        }
    }

    pub fn weight(&mut self, at: f64) -> f64 {
        self.advance(at);
        self.arrive(at, Signals::NONE);
        self.rule
            .weight_at(&self.arrival, &self.post, &self.synapse, self.w)
    }
}

/// Weights at presynaptic events, then at the end; references are also moved `extra` times at odd moments.
pub fn run_lazy(rule: &LazyRule, scene: &Scene, w: f64, extra: usize) -> Vec<f64> {
    let mut run = LazyRun::new(rule, scene.voltages, w);
    let mut random = Random(99);
    let mut moves: Vec<f64> = (0..extra).map(|_| random.unit() * scene.end).collect();
    moves.sort_by(f64::total_cmp);
    let mut moves = moves.into_iter().peekable();
    let mut weights = Vec::new();
    for (at, what) in &scene.events {
        while let Some(early) = moves.next_if(|t| t < at) {
            let (due, _) = rule.next_rebase(&run.shared);
            let others = rule.classes() - 1;
            if early < due && early >= run.post_at && others > 0 {
                let class = 1 + (random.unit() * others as f64) as usize;
                run.rebase(class, early);
            }
        }
        weights.extend(run.take(*at, *what));
    }
    weights.push(run.weight(scene.end));
    weights
}

/// The same on the general path.
pub fn run_general(rule: &GeneralRule, scene: &Scene, w: f64) -> Vec<f64> {
    let traces = rule.traces();
    let mut shared = vec![0.0; traces.shared_len()];
    traces.start_shared(&mut shared, 0.0);
    let mut channels = vec![Channel::constant(0.0)];
    let mut post = vec![0.0; traces.post_len()];
    let (mut pre, mut last) = (vec![0.0; traces.pre_len()], f64::NEG_INFINITY);
    let (mut synapse, mut w) = (vec![0.0; rule.synapse_len()], w);
    let (mut here, mut weights) = (0.0, Vec::new());
    let reads = traces.post_reads().count();
    let end = (scene.end, What::Update);
    for (at, what) in scene.events.iter().chain([&end]) {
        let (at, what) = (*at, *what);
        loop {
            let (due, class) = traces.next_rebase(&shared);
            let goal = at.min(due);
            let from = here;
            let mut course = |offset: f64, into: &mut [f64]| {
                into.copy_from_slice(&(scene.voltages)(from + offset)[..into.len()]);
            };
            let side = Presynaptic {
                traces: &pre,
                since: last,
            };
            let now = Moment {
                shared: &shared,
                channels: &channels,
                at: goal,
            };
            rule.advance_synapse(
                (side, &post),
                (&mut synapse, &mut w),
                from,
                now,
                &mut course,
            );
            traces.advance_post(&mut post, from, now, &mut course);
            here = goal;
            if due > at {
                break;
            }
            traces.rebase_post(class, &mut post, now);
            traces.rebase_shared(class, &mut shared, &channels, goal);
        }
        let voltages = (scene.voltages)(at);
        let now = Moment {
            shared: &shared,
            channels: &channels,
            at,
        };
        let side = Presynaptic {
            traces: &pre,
            since: last,
        };
        match what {
            What::Change(channel) => {
                traces.before_change(&mut shared, &channels, at);
                channels[0] = channel;
            }
            What::Pre(signals) => {
                rule.deliver(
                    (side, &post),
                    (&mut synapse, &mut w),
                    signals,
                    &voltages[..reads],
                    now,
                );
                weights.push(w);
                traces.pre_event(&mut pre, signals, at - last);
                last = at;
            }
            What::Post(signals) => {
                rule.post_event(
                    (side, &post),
                    (&mut synapse, &mut w),
                    signals,
                    &voltages[..reads],
                    now,
                );
                traces.post_event(&mut post, signals, &voltages[..reads], now);
            }
            What::Update => {}
        }
    }
    weights.push(w);
    weights
}

/// Largest difference of two courses of a weight, relative to the largest weight.
pub fn difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let scale = a.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    let worst = a
        .iter()
        .zip(b)
        .fold(0.0_f64, |m, (x, y)| m.max((x - y).abs()));
    assert!(worst.is_finite(), "not a number");
    worst / scale
}

/// A time-stepped twin: every `dt`, `step(dt)` moves everything on by Euler's method, then events happen, in order.
pub fn dense(scene: &Scene, dt: f64, twin: &mut dyn Twin) -> Vec<f64> {
    let mut events = scene.events.iter().peekable();
    let mut weights = Vec::new();
    let steps = (scene.end / dt).round() as usize;
    for k in 0..=steps {
        let t = k as f64 * dt;
        if k > 0 {
            twin.step(t - dt, dt);
        }
        while let Some((_, what)) = events.next_if(|(at, _)| *at < t + 0.5 * dt) {
            match what {
                What::Pre(signals) => {
                    twin.pre(*signals);
                    weights.push(twin.weight());
                }
                What::Post(signals) => twin.post(*signals, t),
                What::Change(channel) => twin.change(*channel),
                What::Update => {}
            }
        }
    }
    weights.push(twin.weight());
    weights
}

pub trait Twin {
    fn step(&mut self, t: f64, dt: f64);
    fn pre(&mut self, signals: Signals);
    fn post(&mut self, signals: Signals, t: f64);
    fn change(&mut self, _: Channel) {}
    fn weight(&self) -> f64;
}

pub fn is(signals: Signals, kind: Signal) -> bool {
    signals.any(Signals::of(&[kind]))
}

/// Errors of a twin against the lazy path halve with its step: it converges at first order.
pub fn converges(name: &str, lazy: &[f64], errors_at: impl Fn(f64) -> Vec<f64>) {
    let error = |dt: f64| difference(lazy, &errors_at(dt));
    let errors = [error(0.1), error(0.05), error(0.025)];
    println!("{name}: {errors:?}");
    for pair in errors.windows(2) {
        let order = (pair[0] / pair[1]).log2();
        assert!(
            (0.85..1.15).contains(&order),
            "{name}: order {order} of {errors:?}"
        );
    }
}
