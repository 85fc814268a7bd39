//! Where the neurons of populations lie, for connections that depend on distance.

use super::super::connect::Connectivity;
use super::super::positions::{Places, by_distance};
use super::Resolver;
use crate::input::data::read_columns;
use crate::netlist::model::{self, Distance, Positions};
use crate::source::Problem;

impl Resolver<'_> {
    /// The connections of a projection between two populations, by the distance of their neurons.
    pub(super) fn near(
        &mut self,
        name: &str,
        table: &model::Projection,
        distance: &Distance,
        (from, to): (&str, &str),
        seed: u64,
    ) -> Option<Connectivity> {
        let places = [from, to].map(|population| self.places(population, table, seed));
        let [Some(sources), Some(targets)] = places else {
            return None;
        };
        let mut stream = crate::random::stream(seed, &format!("connect {name}"), 0);
        let connected = by_distance(distance, (&sources, &targets), &mut stream);
        if connected.is_none() {
            let message = format!(
                "`{from}` and `{to}` have no distance: one lies on a ring, the other does not"
            );
            let problem = Problem::new(message, table.connect.span, "this pattern");
            let help = "give both populations positions = \"ring\", or both places in the plane";
            self.problems.push(problem.help(help));
        }
        connected
    }

    /// Where the neurons of a population lie; a projection needs it.
    fn places(&mut self, name: &str, table: &model::Projection, seed: u64) -> Option<Places> {
        let population = self.netlist.populations.get(name)?;
        let size = population.size.value as usize;
        let Some(positions) = &population.positions else {
            let message = format!("population `{name}` does not say where its neurons lie");
            let problem = Problem::new(message, table.connect.span, "goes by distance")
                .also(population.name.span, "this population");
            let help = "give it positions = \"ring\", \"grid\" or \"random\", a file, or [x, y] of each neuron";
            self.problems.push(problem.help(help));
            return None;
        };
        let wrong = |message: String| Problem::new(message, positions.span, "these positions");
        let places = match &positions.value {
            Positions::Ring => Ok(Places::ring(size)),
            Positions::Random => {
                let mut stream = crate::random::stream(seed, &format!("positions {name}"), 0);
                Ok(Places::random(size, &mut stream))
            }
            Positions::Grid => grid(population, size).map_err(wrong),
            Positions::Listed(pairs) if pairs.len() == size => Ok(Places::Plane(pairs.clone())),
            Positions::Listed(pairs) => {
                let message = format!("there are {size} neurons, and {} positions", pairs.len());
                Err(wrong(message))
            }
            Positions::File(file) => file_places(&self.paths.find(file), size)
                .map_err(|reason| wrong(format!("the file of positions `{file}`: {reason}"))),
        };
        let help = "write one [x, y] for each neuron, or \"random\"";
        places
            .map_err(|problem| self.problems.push(problem.help(help)))
            .ok()
    }
}

/// A square of neurons, or the map of a shape.
fn grid(population: &model::Population, size: usize) -> Result<Places, String> {
    let (rows, columns) = match population.shape.as_deref() {
        Some([1, columns]) => (1, *columns as usize),
        Some([1, rows, columns]) => (*rows as usize, *columns as usize),
        Some(_) => return Err("a grid has one map, this shape has several".to_owned()),
        None => {
            let side = (size as f64).sqrt().round() as usize;
            (side, side)
        }
    };
    match rows * columns == size {
        true => Ok(Places::grid(rows, columns)),
        false => Err(format!(
            "{size} neurons do not make a square; give the population a shape, such as shape = [1, 10, 20]"
        )),
    }
}

/// Reads `x` and `y` of each neuron, a row a neuron.
fn file_places(path: &std::path::Path, size: usize) -> Result<Places, String> {
    let mut columns = read_columns(path, &[("x", true), ("y", true)])?.into_iter();
    let (x, y) = (columns.next().flatten(), columns.next().flatten());
    let pairs: Vec<[f64; 2]> = match (x, y) {
        (Some(x), Some(y)) => x.into_iter().zip(y).map(|(x, y)| [x, y]).collect(),
        _ => vec![],
    };
    if pairs.len() != size {
        return Err(format!(
            "there are {size} neurons, and {} rows",
            pairs.len()
        ));
    }
    if let Some(row) = pairs.iter().flatten().position(|x| !x.is_finite()) {
        let row = crate::input::data::row_name(path, row / 2);
        return Err(format!("{row}: a place is made of finite numbers"));
    }
    Ok(Places::Plane(pairs))
}
