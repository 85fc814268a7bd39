//! Spikes into `spikes.parquet`, one row group after another.

use std::fs::File;
use std::sync::Arc;

use parquet::basic::{Compression, Encoding, LogicalType, Type as Physical};
use parquet::data_type::{DoubleType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnPath, Type};
use serde::{Deserialize, Serialize};

use super::coded_column::{Dictionary, write_coded};
use super::directory::RunDirectory;
use super::error::RecordError;
use super::gathered::{Gathered, Group};
use super::parquet_sink::ParquetSink;
use super::row_group::{write_column, write_each, write_values};
use super::spec::SpikeSpec;
use super::spike_block::{SpikeBlock, SpikeKind, milliseconds};
use super::trace_sink::field;

/// The file, relative to the run directory.
pub(super) const FILE: &str = "spikes.parquet";
/// Its columns, in order.
pub(super) const COLUMNS: [&str; 6] = ["time", "time_ps", "population", "neuron", "kind", "stage"];
/// Under which key the file holds its populations, as JSON.
pub(super) const POPULATIONS: &str = "apical.populations";
/// Spikes of a row group (10 MB): so many that the list of all row groups stays small.
const GROUP: usize = 1 << 19;

/// Recorded spikes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SpikeRecord {
    /// Their file, relative to the run directory.
    pub file: String,
    /// Number of rows: spikes and plateaus.
    pub rows: u64,
}

/// The growing file of spikes.
#[derive(Debug)]
pub(super) struct SpikeSink(Gathered<SpikeGroup>);

impl SpikeSink {
    /// Creates the file, under its temporary name.
    pub(super) fn create(
        directory: &RunDirectory,
        spec: &SpikeSpec,
        stages: &[String],
    ) -> Result<Self, RecordError> {
        Ok(Self(Gathered {
            file: ParquetSink::create(directory, FILE, schema(), properties(spec, stages))?,
            group: SpikeGroup::new(spec, stages),
        }))
    }

    /// Appends the spikes of a block.
    pub(super) fn append(&mut self, block: &SpikeBlock) -> Result<(), RecordError> {
        self.0.append(block)
    }

    /// Writes the rest and gives the file its name. After an error the file ends with its last complete row group.
    pub(super) fn close(self) -> Result<(SpikeRecord, u64), RecordError> {
        let (rows, bytes) = self.0.close()?;
        let file = FILE.to_owned();
        Ok((SpikeRecord { file, rows }, bytes))
    }

    /// As if the disk had filled up within the next row group.
    #[cfg(test)]
    pub(super) fn fail_within_a_row_group(&mut self) -> std::io::Result<()> {
        self.0.file.fail_within_a_row_group()
    }
}

/// Spikes gathered until there are enough of them.
#[derive(Debug)]
struct SpikeGroup {
    time_ps: Vec<i64>,
    population: Vec<u16>,
    neuron: Vec<u32>,
    kind: Vec<SpikeKind>,
    stage: Vec<u32>,
    populations: Dictionary,
    kinds: Dictionary,
    stages: Dictionary,
}

impl SpikeGroup {
    fn new(spec: &SpikeSpec, stages: &[String]) -> Self {
        let names = spec.populations.iter().map(|population| &*population.name);
        Self {
            time_ps: Vec::new(),
            population: Vec::new(),
            neuron: Vec::new(),
            kind: Vec::new(),
            stage: Vec::new(),
            populations: Dictionary::of_names(names),
            kinds: Dictionary::of_names(SpikeKind::ALL.iter().map(|kind| kind.name())),
            stages: Dictionary::of_numbers(stages.len()),
        }
    }
}

impl Group for SpikeGroup {
    type Block = SpikeBlock;

    fn rows_of(block: &SpikeBlock) -> usize {
        block.rows()
    }

    fn rows(&self) -> usize {
        self.time_ps.len()
    }

    fn is_full(&self) -> bool {
        self.rows() == GROUP
    }

    fn append(&mut self, block: &SpikeBlock, first: usize) -> usize {
        let taken = (GROUP - self.rows()).min(block.rows() - first);
        let there = first..first + taken;
        self.time_ps
            .extend_from_slice(&block.time_ps[there.clone()]);
        self.population
            .extend_from_slice(&block.population[there.clone()]);
        self.neuron.extend_from_slice(&block.neuron[there.clone()]);
        self.kind.extend_from_slice(&block.kind[there]);
        self.stage.resize(self.stage.len() + taken, block.stage);
        taken
    }

    fn clear(&mut self) {
        self.time_ps.clear();
        self.population.clear();
        self.neuron.clear();
        self.kind.clear();
        self.stage.clear();
    }

    fn write(&self, writer: &mut SerializedFileWriter<File>) -> Result<(), ParquetError> {
        let columns = writer.schema_descr().columns().to_vec();
        let [.., population, _, kind, stage] = &columns[..] else {
            return Err(ParquetError::General(
                "fewer columns than values".to_owned(),
            ));
        };
        let mut row_group = writer.next_row_group()?;
        let group = &mut row_group;
        write_column::<DoubleType>(group, |column| {
            write_each(column, &self.time_ps, milliseconds)
        })?;
        write_column::<Int64Type>(group, |column| write_values(column, &self.time_ps))?;
        let (names, codes) = (&self.populations, &self.population);
        write_coded(group, population.clone(), names, codes, u32::from)?;
        write_column::<Int32Type>(group, |column| {
            write_each(column, &self.neuron, u32::cast_signed)
        })?;
        let number = |kind| kind as u32;
        write_coded(group, kind.clone(), &self.kinds, &self.kind, number)?;
        write_coded(group, stage.clone(), &self.stages, &self.stage, |stage| {
            stage
        })?;
        row_group.close().map(drop)
    }
}

fn schema() -> Result<Arc<Type>, ParquetError> {
    let text = || Some(LogicalType::String);
    let unsigned = || Some(LogicalType::integer(32, false));
    let [time, time_ps, population, neuron, kind, stage] = COLUMNS;
    let fields = vec![
        field(time, Physical::DOUBLE, None)?,
        field(time_ps, Physical::INT64, None)?,
        field(population, Physical::BYTE_ARRAY, text())?,
        field(neuron, Physical::INT32, unsigned())?,
        field(kind, Physical::BYTE_ARRAY, text())?,
        field(stage, Physical::INT32, unsigned())?,
    ];
    Type::group_type_builder("spikes")
        .with_fields(fields)
        .build()
        .map(Arc::new)
}

fn properties(spec: &SpikeSpec, stages: &[String]) -> WriterProperties {
    let version = env!("CARGO_PKG_VERSION");
    // Of names and numbers alone, JSON can be made.
    let populations = serde_json::to_string(&spec.populations).unwrap_or_default();
    let stages = serde_json::to_string(stages).unwrap_or_default();
    let about = [
        ("apical.version", version),
        ("apical.unit.time", "ms since the run began"),
        ("apical.unit.time_ps", "ps since the run began"),
        (POPULATIONS, &populations),
        ("apical.stages", &stages),
    ];
    let about = about.map(|(key, value)| KeyValue::new(key.to_owned(), value.to_owned()));
    let [time, time_ps, _, neuron, _, _] = COLUMNS.map(ColumnPath::from);
    // Times and neurons hardly repeat (numbers of neurons could be anything: compressed they take as much); names and
    // stages have dictionaries of their own.
    WriterProperties::builder()
        .set_created_by(format!("apical {version}"))
        .set_key_value_metadata(Some(about.to_vec()))
        .set_compression(Compression::SNAPPY)
        .set_column_compression(neuron.clone(), Compression::UNCOMPRESSED)
        .set_dictionary_enabled(false)
        .set_column_encoding(time, Encoding::BYTE_STREAM_SPLIT)
        .set_column_encoding(time_ps.clone(), Encoding::DELTA_BINARY_PACKED)
        .set_column_encoding(neuron, Encoding::DELTA_BINARY_PACKED)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_column_statistics_enabled(time_ps, EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .build()
}
