//! What every kind of plot owes to any data.

use super::*;
use crate::drawing::well_formed;

const HOSTILE: &str = "<script>alert('x')</script> & \"quotes\" ]]> \u{0}\u{1b} — 数据 🧠";

const CANVASES: [Canvas; 3] = [
    Canvas::HALF,
    Canvas::WIDE,
    Canvas {
        width: 160.0,
        height: 120.0,
    },
];

fn series(x: Vec<f64>, y: Vec<f64>) -> Series {
    Series {
        name: HOSTILE.to_owned(),
        band: Some((
            y.iter().map(|v| v - 1.0).collect(),
            y.iter().map(|v| v + 1.0).collect(),
        )),
        bars: Some(y.clone()),
        marks: true,
        x,
        y,
        ..Series::default()
    }
}

fn lines(y: Vec<f64>, log_y: bool, y_range: Option<(f64, f64)>) -> Lines {
    let x = (0..y.len()).map(|i| i as f64).collect();
    Lines {
        title: HOSTILE.to_owned(),
        x_label: HOSTILE.to_owned(),
        y_label: HOSTILE.to_owned(),
        series: vec![series(x, y)],
        log_y,
        y_range,
        ..Lines::default()
    }
}

fn heatmap(rows: usize, columns: usize, values: Vec<f64>) -> Heatmap {
    Heatmap {
        title: HOSTILE.to_owned(),
        value_label: HOSTILE.to_owned(),
        rows,
        columns,
        values,
        ..Heatmap::default()
    }
}

fn awkward() -> Vec<Vec<f64>> {
    vec![
        vec![],
        vec![f64::NAN; 5],
        vec![0.0],
        vec![-70.0; 9],
        vec![1e300, -1e300, f64::INFINITY],
        vec![f64::MAX, f64::MIN],
        vec![5e-324, 1e-320],
        vec![1e-12, f64::NAN, 3e-12],
        vec![1e15, 1e15 + 1.0],
        vec![-1.0, -2.0, -3.0],
    ]
}

/// Every number in a drawing must be one: `NaN` or `inf` in a path makes viewers drop it.
fn assert_drawn(svg: &str, what: &str) {
    assert_eq!(well_formed(svg), Ok(()), "{what}");
    let data_stripped: String = svg
        .split("base64,")
        .map(|part| part.split_once('"').map_or(part, |p| p.1))
        .collect();
    assert!(
        !data_stripped.contains("NaN") && !data_stripped.contains("inf"),
        "{what}: {data_stripped}"
    );
}

#[test]
fn curves_of_awkward_data_are_well_formed() {
    let ranges = [
        None,
        Some((1.0, 0.0)),
        Some((f64::NAN, 3.0)),
        Some((0.5, 0.5)),
    ];
    for values in awkward() {
        for (log_y, y_range) in ranges.into_iter().flat_map(|r| [(false, r), (true, r)]) {
            let plot = lines(values.clone(), log_y, y_range);
            for canvas in CANVASES {
                assert_drawn(
                    &plot.svg(canvas),
                    &format!("{values:?} {log_y} {y_range:?}"),
                );
            }
        }
    }
}

#[test]
fn clouds_of_awkward_data_are_well_formed() {
    for (values, diagonal) in awkward()
        .into_iter()
        .flat_map(|v| [(v.clone(), true), (v, false)])
    {
        let plot = Scatter {
            title: HOSTILE.to_owned(),
            x: values.clone(),
            y: values.iter().rev().copied().collect(),
            diagonal,
            ..Scatter::default()
        };
        for canvas in CANVASES {
            assert_drawn(&plot.svg(canvas), &format!("{values:?}"));
        }
    }
}

#[test]
fn pictures_of_awkward_data_are_well_formed() {
    let huge = usize::MAX;
    let sizes = |n: usize| [(1, n), (n, 1), (2, n), (0, n), (huge, huge), (1, huge)];
    let sized = |v: Vec<f64>| sizes(v.len()).map(|s| (v.clone(), s));
    for (values, (rows, columns)) in awkward().into_iter().flat_map(sized) {
        let what = format!("{rows} × {columns}: {values:?}");
        let map = Heatmap {
            aspect: Some(1.0),
            colours: Colours::Diverging,
            ..heatmap(rows, columns, values.clone())
        };
        let panels = Panels {
            title: HOSTILE.to_owned(),
            names: vec![HOSTILE.to_owned(); 2],
            rows,
            columns,
            images: vec![values; 3],
            ..Panels::default()
        };
        for canvas in CANVASES {
            assert_drawn(&map.svg(canvas), &what);
            assert_drawn(&panels.svg(canvas), &what);
        }
    }
}

fn raster(rows: usize, x: &[f64], x_range: Option<(f64, f64)>) -> Raster {
    let kinds = [Mark::Plain, Mark::Strong, Mark::Weak, Mark::Bar];
    let places = x.iter().enumerate();
    let band = Band {
        name: HOSTILE.to_owned(),
        rows,
        marks: places.map(|(n, x)| (*x, n, kinds[n % 4])).collect(),
    };
    Raster {
        title: HOSTILE.to_owned(),
        note: HOSTILE.to_owned(),
        x_label: HOSTILE.to_owned(),
        x_range,
        bands: vec![band.clone(), Band::default(), band],
        names: kinds.map(|kind| (kind, HOSTILE.to_owned())).to_vec(),
    }
}

#[test]
fn rasters_and_strokes_of_awkward_data_are_well_formed() {
    for values in awkward() {
        for x_range in [None, Some((1.0, 0.0)), Some((f64::NAN, 1.0))] {
            let rug = Rug {
                name: HOSTILE.to_owned(),
                x: values.clone(),
                strong: true,
            };
            let plot = Lines {
                rugs: vec![rug],
                x_range,
                ..lines(values.clone(), false, None)
            };
            for canvas in CANVASES {
                let what = format!("{values:?} {x_range:?}");
                assert_drawn(&plot.svg(canvas), &what);
                for rows in [0, 1, 5, 100_000] {
                    let raster = raster(rows, &values, x_range);
                    assert_drawn(&raster.svg(canvas), &what);
                    assert_drawn(&raster.svg(raster.canvas()), &what);
                }
            }
        }
    }
}

#[test]
fn raster_has_its_first_band_and_the_last_row_of_a_band_on_top() {
    let marks = vec![(0.0, 0, Mark::Plain), (1.0, 1, Mark::Plain)];
    let band = |name: &str, marks| Band {
        name: name.to_owned(),
        rows: 2,
        marks,
    };
    let raster = Raster {
        bands: vec![
            band("first", marks),
            band("second", vec![(1.0, 0, Mark::Strong)]),
        ],
        names: vec![
            (Mark::Bar, "plateau".to_owned()),
            (Mark::Strong, "burst".to_owned()),
        ],
        ..Raster::default()
    };
    let svg = raster.svg(Canvas::WIDE);
    let height = |path: &str| -> f64 {
        let y = path.split(' ').nth(1).and_then(|y| y.split('v').next());
        y.and_then(|y| y.parse().ok()).unwrap_or(f64::NAN)
    };
    let paths: Vec<&str> = svg
        .split("d=\"M")
        .skip(1)
        .filter(|p| p.contains('v'))
        .collect();
    let plain = paths.iter().find(|p| p.matches('M').count() == 1);
    let (low, high) = plain.and_then(|p| p.split_once('M')).unwrap_or_default();
    assert!(height(low) > height(high), "{svg}");
    let of = |name: &str| {
        let before = svg.split(&format!(">{name}<")).next().unwrap_or_default();
        let y = before
            .rsplit("y=\"")
            .next()
            .and_then(|y| y.split('"').next());
        y.and_then(|y| y.parse::<f64>().ok()).unwrap_or(f64::NAN)
    };
    assert!(of("first") < of("second"));
    // Only what occurs is in the legend.
    assert!(svg.contains(">burst<") && !svg.contains(">plateau<"));
}

#[test]
fn plots_without_data_say_so() {
    let drawings = [
        Lines::default().svg(Canvas::HALF),
        Scatter::default().svg(Canvas::HALF),
        Heatmap::default().svg(Canvas::HALF),
        Panels::default().svg(Canvas::HALF),
        Raster::default().svg(Canvas::HALF),
        lines(vec![-1.0, 0.0], true, None).svg(Canvas::HALF),
    ];
    for svg in drawings {
        assert!(svg.contains(">no data</text>"), "{svg}");
    }
}

#[test]
fn the_size_is_bounded_however_long_the_data() {
    let n = 1_000_000;
    let y: Vec<f64> = (0..n)
        .map(|i| (f64::from(i) * f64::from(i) * 0.01).sin())
        .collect();
    let x: Vec<f64> = (0..n).map(f64::from).collect();
    let curve = Lines {
        series: vec![Series {
            x: x.clone(),
            y: y.clone(),
            ..Series::default()
        }],
        ..Lines::default()
    };
    // 1240 columns × 4 points × 12 characters, and the frame.
    assert!(curve.svg(Canvas::WIDE).len() < 70_000);
    let cloud = Scatter {
        x,
        y: y.clone(),
        ..Scatter::default()
    };
    let svg = cloud.svg(Canvas::HALF);
    // 4000 dots × 15 characters, and the frame.
    assert!(
        svg.len() < 70_000 && svg.contains("4000 of 1.00M points"),
        "{}",
        svg.len()
    );
    // Noise does not compress: 600 × 400 bytes in base64.
    assert!(heatmap(1000, 1000, y).svg(Canvas::WIDE).len() < 350_000);
}

#[test]
fn a_canvas_is_never_too_small_to_draw_on() {
    assert_eq!(Canvas::new(f64::NAN, -1.0), CANVASES[2]);
    let largest = Canvas::new(f64::INFINITY, 1e9);
    assert!(largest.width() < 1e4 && largest.height() < 1e4);
}

#[test]
fn missing_values_break_a_curve() {
    let whole = lines(vec![1.0, 2.0, 3.0, 4.0, 5.0], false, None);
    let broken = lines(vec![1.0, 2.0, f64::NAN, 4.0, 5.0], false, None);
    let moves = |svg: String| {
        let path = svg
            .split("<path d=\"")
            .find(|p| p.contains("stroke-width=\"1.6\""))
            .map(|p| p.matches('M').count());
        path.unwrap_or(0)
    };
    assert_eq!(moves(whole.svg(Canvas::HALF)), 1);
    assert_eq!(moves(broken.svg(Canvas::HALF)), 2);
}

#[test]
fn the_same_data_draw_the_same_bytes() {
    let draw = || {
        let cloud = Scatter {
            x: (0..9000).map(|i| (f64::from(i) * 0.7).sin()).collect(),
            y: (0..9000).map(|i| (f64::from(i) * 0.3).cos()).collect(),
            ..Scatter::default()
        };
        cloud.svg(Canvas::HALF)
    };
    assert_eq!(draw(), draw());
}

#[test]
fn only_curves_with_names_are_told_apart_by_dashes() {
    let bundle = |name: &str| Lines {
        series: (0..30)
            .map(|n| Series {
                name: name.to_owned(),
                x: vec![0.0, 1.0],
                y: vec![0.0, f64::from(n)],
                ..Series::default()
            })
            .collect(),
        ..Lines::default()
    };
    assert!(!bundle("").svg(Canvas::HALF).contains("dasharray"));
    assert!(bundle("a").svg(Canvas::HALF).contains("dasharray"));
}

#[test]
fn axis_over_whole_numbers_names_no_others() {
    let over = |x: Vec<f64>| {
        let lines = Lines {
            series: vec![Series {
                y: vec![10.0; x.len()],
                x,
                marks: true,
                ..Series::default()
            }],
            y_range: Some((10.0, 20.0)),
            ..Lines::default()
        };
        lines.svg(Canvas::HALF)
    };
    let whole = over(vec![0.0, 1.0, 2.0, 3.0]);
    for number in 0..4 {
        assert!(whole.contains(&format!(">{number}</text>")), "{number}");
    }
    assert!(!whole.contains(">0.5</text>"));
    assert!(over(vec![0.0, 1.5, 3.0]).contains(">0.5</text>"));
}

#[test]
fn bars_and_lone_marks_lie_within_the_axes_whatever_their_kind() {
    for log_x in [false, true] {
        let lines = Lines {
            series: vec![
                Series {
                    x: vec![1e-3, 1e-2, 1e-1],
                    y: vec![1.0, 2.0, 3.0],
                    bars: Some(vec![0.5, f64::NAN, 4.0]),
                    marks: true,
                    ..Series::default()
                },
                Series {
                    x: vec![1e-3, 0.0],
                    y: vec![1.5, 2.0],
                    unjoined: true,
                    ..Series::default()
                },
            ],
            x_names: vec![(1e-3, "small".to_owned()), (1e-1, "large".to_owned())],
            log_x,
            ..Lines::default()
        };
        let svg = lines.svg(Canvas::HALF);
        assert_eq!(well_formed(&svg), Ok(()));
        assert!(svg.contains(">small<") && svg.contains(">large<"), "{svg}");
        // No point lies above 3, but the third bar, from −1 to 7, does.
        assert!(svg.contains(">0<") && svg.contains(">6<"), "{svg}");
    }
}
