//! Rules between spiking neurons: lazy integration against scripts that go from event to event, against time-stepped
//! twins, and against the general path.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod dendritic;
mod events;
mod messages;
mod paths;
mod support;
mod timing;
mod twins;
