//! Inputs with `process = "images"`: pictures from the standard binary formats.

use indexmap::IndexMap;

use super::input::SPLIT;
use super::model::{GazePath, ImageFiles, ImageFormat, ImagesInput, Name, Patches};
use super::names::{NameKind, check};
use super::reader::{Context, Field, Key, TableReader, key};
use super::scalars::Range;
use super::tree::Value;
use crate::source::{Problem, Spanned};

const FORMAT: Key = key("format", "\"idx\"");
const FILE: Key = key("file", "{ images = \"x-images\", labels = \"x-labels\" }");
const IMAGES: Key = key("images", "\"train-images-idx3-ubyte\"");
const LABELS: Key = key("labels", "\"train-labels-idx1-ubyte\"");
const CLASSES: Key = key("classes", "10");
const HOLD: Key = key("hold", "20");
const SHUFFLE: Key = key("shuffle", "true");
const NORMALISE: Key = key("normalise", "true");
const LOCAL_CONTRAST: Key = key("local-contrast", "2");
const GREY: Key = key("grey", "true");
const CROP: Key = key("crop", "[24, 24]");
const SHRINK: Key = key("shrink", "2");
const PATCH: Key = key("patch", "[16, 16]");
const STRIDE: Key = key("stride", "[8, 8]");
const PATH: Key = key("path", "\"columns\"");
const SACCADE: Key = key("saccade", "0.5");

/// Widths of a neighbourhood: a bound keeps its weights few.
const NEIGHBOURHOOD: Range = Range {
    holds: |sd| sd > 0.0 && sd <= 100.0,
    says: "greater than 0 and at most 100",
};

const FORMATS: [(&str, ImageFormat); 3] = [
    ("idx", ImageFormat::Idx),
    ("cifar-10", ImageFormat::Cifar10),
    ("stl-10", ImageFormat::Stl10),
];

const PATHS: [(&str, GazePath); 4] = [
    ("columns", GazePath::Columns),
    ("rows", GazePath::Rows),
    ("walk", GazePath::Walk),
    ("drift", GazePath::Drift),
];

/// Reads the keys of an input of images.
pub(super) fn read(reader: &mut TableReader<'_, '_>) -> Option<ImagesInput> {
    let format = reader.require(FORMAT, format);
    let files = reader.require(FILE, |field, context| files(field, context, format));
    let splits = reader.accept(SPLIT, |field, context| splits(field, context, format));
    let classes = reader.accept(CLASSES, |field, context| classes(field, context, format));
    let hold = reader.accept(HOLD, |field, context| field.whole(context, 1));
    let shuffle = reader.accept(SHUFFLE, Field::flag).unwrap_or(true);
    let normalise = reader.accept(NORMALISE, Field::flag).unwrap_or(false);
    let local_contrast = reader.accept(LOCAL_CONTRAST, |field, context| {
        field.number(context, NEIGHBOURHOOD)
    });
    let grey = reader.accept(GREY, Field::flag).unwrap_or(false);
    let crop = reader.accept(CROP, sides);
    let shrink = reader.accept(SHRINK, |field, context| field.whole(context, 1));
    let patches = patches(reader);
    let (files, splits) = (files?, splits.unwrap_or_default());
    labelled_alike(reader.context, &files, &splits);
    Some(ImagesInput {
        format: format?,
        files,
        splits,
        classes: classes.unwrap_or(10),
        hold: hold.map_or(1, |hold| hold.value),
        shuffle,
        normalise,
        local_contrast: local_contrast.map(|sd| sd.value),
        grey,
        crop,
        shrink_span: shrink.as_ref().map_or(reader.span, |shrink| shrink.span),
        shrink: shrink.map_or(1, |shrink| shrink.value),
        patches: patches?,
    })
}

fn format(field: &Field<'_>, context: &mut Context) -> Option<ImageFormat> {
    choice(field, context, "format", &FORMATS)
}

/// What one of some words stands for.
fn choice<T: Copy>(
    field: &Field<'_>,
    context: &mut Context,
    thing: &str,
    choices: &[(&str, T)],
) -> Option<T> {
    let name = field.name(context)?;
    let found = choices.iter().find(|(known, _)| *known == name.value);
    if found.is_none() {
        let known: Vec<&str> = choices.iter().map(|(known, _)| *known).collect();
        field.unknown_choice(context, thing, &known);
    }
    found.map(|(_, meaning)| *meaning)
}

/// The patches, if there are any: the outer option is for what cannot be read.
fn patches(reader: &mut TableReader<'_, '_>) -> Option<Option<Patches>> {
    let size = reader.optional(PATCH);
    let stride = reader.optional(STRIDE);
    let path = reader.optional(PATH);
    let saccade = reader.optional(SACCADE);
    let Some(size) = size else {
        let others = [(STRIDE, stride), (PATH, path), (SACCADE, saccade)];
        for (key, field) in others.into_iter().filter_map(|(k, f)| Some((k, f?))) {
            let message = format!("`{}` needs patches to go by", key.name);
            let problem = Problem::new(message, field.span(), "the whole image is seen at once");
            let help = format!("write for example `{} = {}`", PATCH.name, PATCH.example);
            reader.context.report(problem.help(help));
        }
        return Some(None);
    };
    let context = &mut *reader.context;
    let size = sides(&size, context);
    let stride = stride.map(|field| sides(&field, context));
    let path = path.map(|field| choice(&field, context, "path", &PATHS));
    let saccade = saccade.map(|field| field.number(context, Range::PROBABILITY));
    let size = size?;
    Some(Some(Patches {
        stride: stride.map_or(Some(size.value), |stride| Some(stride?.value))?,
        size,
        path: path.unwrap_or(Some(GazePath::Columns))?,
        saccade: saccade.map_or(Some(0.0), |saccade| Some(saccade?.value))?,
    }))
}

/// A file, files in a row, or a table of files with images and files with labels.
fn files(
    field: &Field<'_>,
    context: &mut Context,
    format: Option<ImageFormat>,
) -> Option<ImageFiles> {
    if field.node.table().is_none() {
        let images = names(field, context)?;
        return Some(ImageFiles {
            images,
            labels: vec![],
        });
    }
    let mut reader = TableReader::open(context, field)?;
    let images = reader.require(IMAGES, names);
    let labels = reader.accept(LABELS, names);
    if let (Some(ImageFormat::Cifar10), Some(labels)) = (format, &labels)
        && let Some(first) = labels.first()
    {
        let message = "files of CIFAR-10 hold the labels with the images";
        let problem = Problem::new(message, first.span, "not needed");
        reader.context.report(problem.help("delete `labels`"));
    }
    reader.finish();
    Some(ImageFiles {
        images: images?,
        labels: labels.unwrap_or_default(),
    })
}

/// A file name, or a list of them.
fn names(field: &Field<'_>, context: &mut Context) -> Option<Vec<Name>> {
    const EXPECTED: &str = "a file name in quotes, or a list of them";
    let one = |field: &Field<'_>, context: &mut Context| field.text(context, EXPECTED);
    match &field.node.value {
        Value::List(_) => field.each(context, EXPECTED, one),
        _ => one(field, context).map(|name| vec![name]),
    }
}

fn splits(
    field: &Field<'_>,
    context: &mut Context,
    format: Option<ImageFormat>,
) -> Option<IndexMap<String, ImageFiles>> {
    let reader = TableReader::open(context, field)?;
    let mut splits = IndexMap::new();
    for (key, entry) in reader.others() {
        check(reader.context, "split", NameKind::Label, key, entry.key);
        let field = Field::named(&field.path, key, FILE.example, &entry.node);
        let files = files(&field, reader.context, format);
        splits.extend(files.map(|files| (key.to_owned(), files)));
    }
    Some(splits)
}

/// How many classes there are; formats with ten have ten.
fn classes(field: &Field<'_>, context: &mut Context, format: Option<ImageFormat>) -> Option<u64> {
    let classes = field.whole(context, 1)?.value;
    match format {
        Some(ImageFormat::Cifar10 | ImageFormat::Stl10) if classes != 10 => {
            field.refuse(context, &classes.to_string(), "10, as the format has")
        }
        _ if classes > 256 => field.refuse(
            context,
            &classes.to_string(),
            "at most 256: labels are bytes",
        ),
        _ => Some(classes),
    }
}

/// Rows and columns.
fn sides(field: &Field<'_>, context: &mut Context) -> Option<Spanned<[u64; 2]>> {
    const EXPECTED: &str = "rows and columns, such as [24, 24]";
    let sides = field.wholes(context, 1)?;
    match <[u64; 2]>::try_from(sides.as_slice()) {
        Ok(sides) => Some(Spanned::new(sides, field.span())),
        Err(_) => field.refuse(context, &format!("a list of {}", sides.len()), EXPECTED),
    }
}

/// Where the first split has labels all have.
fn labelled_alike(
    context: &mut Context,
    first: &ImageFiles,
    splits: &IndexMap<String, ImageFiles>,
) {
    let Some(labels) = first.labels.first() else {
        return;
    };
    for (name, files) in splits.iter().filter(|(_, files)| files.labels.is_empty()) {
        if let Some(images) = files.images.first() {
            let message = format!("split `{name}` has no labels, `file` has");
            let problem = Problem::new(message, images.span, "images without labels")
                .also(labels.span, "labels of `file`")
                .help("write { images = \"…\", labels = \"…\" }");
            context.report(problem);
        }
    }
}
