//! Reading recorded spikes back, a batch at a time.

use std::collections::HashMap;
use std::fs::File;
use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use parquet::column::reader::ColumnReaderImpl;
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use parquet::file::statistics::Statistics;

use super::error::RecordError;
use super::spike_block::{Spike, SpikeKind, SpikePopulation};
use super::spike_sink::{COLUMNS, POPULATIONS};

/// Spikes read together.
const BATCH: usize = 8192;
const EXPECTED: &str = "spikes";

/// Recorded spikes on the disk; they are read in batches, so that any number of them needs little memory.
pub struct SpikeFile {
    path: PathBuf,
    reader: SerializedFileReader<File>,
    populations: Vec<SpikePopulation>,
}

impl SpikeFile {
    /// Opens `spikes.parquet`.
    ///
    /// # Errors
    ///
    /// [`RecordError::Io`], [`RecordError::Parquet`] or [`RecordError::Malformed`], naming the file.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, RecordError> {
        let path = path.as_ref();
        guarded(path, || {
            let file = File::open(path).map_err(RecordError::io("read", path))?;
            let reader =
                SerializedFileReader::new(file).map_err(RecordError::parquet("read", path))?;
            let about = reader.metadata().file_metadata();
            let columns = about.schema_descr().columns().iter();
            let names: Vec<&str> = columns.map(|column| column.name()).collect();
            if names != COLUMNS {
                let found = format!("its columns are {}", names.join(", "));
                return Err(RecordError::malformed(path, EXPECTED, found));
            }
            let pairs = about.key_value_metadata().into_iter().flatten();
            let json = pairs
                .filter(|pair| pair.key == POPULATIONS)
                .find_map(|pair| pair.value.as_deref());
            let populations = json.and_then(|json| serde_json::from_str(json).ok());
            let populations = populations.ok_or_else(|| {
                let found = "it does not say of which populations they are";
                RecordError::malformed(path, EXPECTED, found)
            })?;
            Ok(Self {
                path: path.to_owned(),
                populations,
                reader,
            })
        })
    }

    /// The populations; spikes name them by index.
    pub fn populations(&self) -> &[SpikePopulation] {
        &self.populations
    }

    /// Number of rows: spikes and plateaus.
    pub fn rows(&self) -> u64 {
        let rows = self.reader.metadata().file_metadata().num_rows();
        u64::try_from(rows).unwrap_or(0)
    }

    /// The latest time in the file (ps), if it has spikes and says so.
    pub fn last_ps(&self) -> Option<i64> {
        let groups = 0..self.reader.num_row_groups();
        groups
            .filter_map(|group| self.times_of(group))
            .map(|times| *times.end())
            .max()
    }

    /// Shows `visit` the spikes and their stages, in the order in which they were recorded.
    ///
    /// # Errors
    ///
    /// [`RecordError::Parquet`] or [`RecordError::Malformed`], naming the file: `visit` may have seen spikes before.
    pub fn visit(&self, visit: impl FnMut(Spike, u32)) -> Result<(), RecordError> {
        self.visit_within(i64::MIN..=i64::MAX, visit)
    }

    /// As [`Self::visit`], but only the spikes with these times (ps). Parts of the file without any are not read.
    ///
    /// # Errors
    ///
    /// As [`Self::visit`].
    pub fn visit_within(
        &self,
        within: RangeInclusive<i64>,
        mut visit: impl FnMut(Spike, u32),
    ) -> Result<(), RecordError> {
        guarded(&self.path, || {
            for index in 0..self.reader.num_row_groups() {
                let times = self.times_of(index);
                let misses = |times: &RangeInclusive<i64>| {
                    times.end() < within.start() || within.end() < times.start()
                };
                if times.as_ref().is_some_and(misses) {
                    continue;
                }
                let mut filtered = |spike: Spike, stage| {
                    if within.contains(&spike.time_ps) {
                        visit(spike, stage);
                    }
                };
                self.reader
                    .get_row_group(index)
                    .and_then(|group| self.visit_group(&*group, &mut filtered))
                    .map_err(RecordError::parquet("read", &self.path))?;
            }
            Ok(())
        })
    }

    /// The earliest and the latest time of a row group, where the file says so.
    fn times_of(&self, group: usize) -> Option<RangeInclusive<i64>> {
        let columns = self.reader.metadata().row_groups().get(group)?.columns();
        let Some(Statistics::Int64(times)) = columns.get(1)?.statistics() else {
            return None;
        };
        Some(*times.min_opt()?..=*times.max_opt()?)
    }

    fn visit_group(
        &self,
        group: &dyn RowGroupReader,
        visit: &mut dyn FnMut(Spike, u32),
    ) -> Result<(), ParquetError> {
        let mut times = column::<Int64Type>(group, 1)?;
        let mut populations = Names::new(group, 2, self.populations.iter().map(|p| &*p.name))?;
        let mut neurons = column::<Int32Type>(group, 3)?;
        let mut kinds = Names::new(group, 4, SpikeKind::ALL.map(SpikeKind::name).into_iter())?;
        let mut stages = column::<Int32Type>(group, 5)?;
        let (mut time, mut neuron, mut stage) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            read_batch(&mut times, &mut time)?;
            read_batch(&mut neurons, &mut neuron)?;
            read_batch(&mut stages, &mut stage)?;
            let (population, kind) = (populations.read_batch()?, kinds.read_batch()?);
            let lengths = [neuron.len(), stage.len(), population.len(), kind.len()];
            if lengths.iter().any(|&length| length != time.len()) {
                return Err(damaged("its columns differ in length"));
            }
            if time.is_empty() {
                return Ok(());
            }
            for (row, &time_ps) in time.iter().enumerate() {
                let spike = Spike {
                    time_ps,
                    population: population[row],
                    neuron: neuron[row].cast_unsigned(),
                    kind: SpikeKind::ALL[usize::from(kind[row])],
                };
                let of = self.populations.get(usize::from(spike.population));
                if of.is_none_or(|of| spike.neuron >= of.neurons) {
                    return Err(damaged("it has a neuron that its population does not have"));
                }
                visit(spike, stage[row].cast_unsigned());
            }
        }
    }
}

impl std::fmt::Debug for SpikeFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SpikeFile")
            .field("path", &self.path)
            .field("populations", &self.populations)
            .finish_non_exhaustive()
    }
}

/// A column of names, read as their indices.
struct Names {
    column: ColumnReaderImpl<ByteArrayType>,
    known: HashMap<Vec<u8>, u16>,
    texts: Vec<ByteArray>,
    indices: Vec<u16>,
}

impl Names {
    fn new<'n>(
        group: &dyn RowGroupReader,
        index: usize,
        names: impl Iterator<Item = &'n str>,
    ) -> Result<Self, ParquetError> {
        let known = (0..=u16::MAX).zip(names);
        Ok(Self {
            column: column(group, index)?,
            known: known
                .map(|(i, name)| (name.as_bytes().to_vec(), i))
                .collect(),
            texts: Vec::new(),
            indices: Vec::new(),
        })
    }

    fn read_batch(&mut self) -> Result<&[u16], ParquetError> {
        read_batch(&mut self.column, &mut self.texts)?;
        self.indices.clear();
        // Texts out of one dictionary lie at the same place: comparing places is mostly enough.
        let mut before: Option<(*const u8, usize, u16)> = None;
        for text in &self.texts {
            let bytes = text.data();
            let place = (bytes.as_ptr(), bytes.len());
            let index = match before {
                Some((start, length, index)) if (start, length) == place => index,
                _ => *self
                    .known
                    .get(bytes)
                    .ok_or_else(|| damaged("it has a name that it does not declare"))?,
            };
            before = Some((place.0, place.1, index));
            self.indices.push(index);
        }
        Ok(&self.indices)
    }
}

fn column<T: DataType>(
    group: &dyn RowGroupReader,
    index: usize,
) -> Result<ColumnReaderImpl<T>, ParquetError> {
    let reader = group.get_column_reader(index)?;
    T::get_column_reader(reader).ok_or_else(|| damaged("a column is of another type"))
}

/// Replaces `values` by the next batch, a shorter one at the end.
fn read_batch<T: DataType>(
    column: &mut ColumnReaderImpl<T>,
    values: &mut Vec<T::T>,
) -> Result<(), ParquetError> {
    values.clear();
    while values.len() < BATCH {
        if column
            .read_records(BATCH - values.len(), None, None, values)?
            .0
            == 0
        {
            break;
        }
    }
    Ok(())
}

/// The Parquet decoder checks much of what it reads, but not all: some damaged files make it panic.
fn guarded<T>(
    path: &Path,
    read: impl FnOnce() -> Result<T, RecordError>,
) -> Result<T, RecordError> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
        let found = "it is damaged beyond what can be decoded";
        Err(RecordError::malformed(path, EXPECTED, found))
    })
}

fn damaged(what: &str) -> ParquetError {
    ParquetError::General(what.to_owned())
}
