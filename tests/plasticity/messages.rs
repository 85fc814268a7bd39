//! What is said about rules that cannot be.

use apical::plasticity::PlasticRule;

use crate::support::compiled;

#[test]
fn names_that_are_not_at_the_synapse_are_refused_with_help() {
    for (dw, wanted) in [
        (
            "(1 pA) * pre * post.spike",
            "write pre.spike (or pre.event, pre.burst)",
        ),
        (
            "(1 pA) * post",
            "write post.spike (or post.event, post.burst), or `soma`",
        ),
        (
            "(1 pA) * pre.soma * post.spike",
            "inside the presynaptic neuron (population `a`)",
        ),
        ("(1 pA) * a.soma * post.spike", "the soma of population `a`"),
        (
            "(1 pA) * mean(a.soma) * post.spike",
            "and not a whole population",
        ),
        (
            "(1 pA) * prev(soma) * post.spike",
            "there are no steps here",
        ),
        (
            "(1 pA) * changed(dopamine) * post.spike",
            "there are none here",
        ),
        (
            "(1 pA) * psp(post.spike) * post.spike",
            "write psp(pre.spike)",
        ),
        ("(1 pA) * psp(soma) * post.spike", "write psp(pre.spike)"),
        ("(1 pA) * post.spik", "post.spike"),
        (
            "(1 pA) * trace(post.spike, 10 mV) * post.spike",
            "a time constant is in ms here, this is in mV",
        ),
        (
            "trace(post.spike, 10 ms) * post.spike",
            "a change of weights in 1/ms",
        ),
        (
            "(1 pA) * trace(pre.spike, 10 ms)",
            "a change of weights in pA",
        ),
    ] {
        match compiled("own", dw, &[]) {
            Ok(_) => panic!("{dw} compiles"),
            Err(told) => assert!(told.contains(wanted), "{dw}: {told}"),
        }
    }
}

#[test]
fn trains_can_only_be_added_and_scaled() {
    for (dw, wanted) in [
        (
            "(1 pA) * pre.spike * post.spike * (1 ms)",
            "it multiplies a train of spikes by a train of spikes",
        ),
        (
            "(1 pA) * exp(post.spike * (1 ms)) * pre.spike",
            "a train of spikes goes through a function",
        ),
        (
            "(1 pA) * (post.spike > 0) * pre.spike",
            "a train of spikes goes through a function",
        ),
        (
            "(1 pA) * lowpass(dopamine, 10 ms) * pre.spike",
            "it filters a modulator",
        ),
        (
            "(1 pA) / (1 mV) * psp(pre.spike) * post.spike",
            "`psp` needs a target",
        ),
        (
            "(1 pA) * trace(trace(pre.spike, 10 ms), 10 ms) / (10 ms) * post.spike",
            "with the same time constant again",
        ),
    ] {
        let expr = compiled("own", dw, &[]).unwrap_or_else(|e| panic!("{dw}: {e}"));
        match PlasticRule::new(&expr, None, None) {
            Ok(rule) => panic!("{dw}: {}", rule.explain()),
            Err(told) => assert!(told.contains(wanted), "{dw}: {told}"),
        }
    }
}
