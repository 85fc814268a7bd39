//! Path data for `<path d="…">`.

use super::decimate::Point;

/// A coordinate to a tenth of a pixel: finer than a screen shows, short enough for thousands of points.
fn push(out: &mut String, value: f64) {
    let tenths = (value * 10.0).round() / 10.0;
    // Adding zero turns −0 into 0.
    out.push_str(&(tenths + 0.0).to_string());
}

fn push_point(out: &mut String, lead: char, point: Point) {
    out.push(lead);
    push(out, point.0);
    out.push(' ');
    push(out, point.1);
}

/// Lines through the points of each segment. A lone point becomes a line of length 0, which round caps show as a dot.
pub(super) fn lines(segments: &[Vec<Point>]) -> String {
    let mut out = String::new();
    for segment in segments {
        for (i, &point) in segment.iter().enumerate() {
            push_point(&mut out, if i == 0 { 'M' } else { ' ' }, point);
        }
        if segment.len() == 1 {
            out.push_str("h0");
        }
    }
    out
}

/// Dots, to be drawn with round caps.
pub(super) fn dots(points: impl IntoIterator<Item = Point>) -> String {
    let mut out = String::new();
    for point in points {
        push_point(&mut out, 'M', point);
        out.push_str("h0");
    }
    out
}

/// Vertical strokes of a height (pixels), centred at the points.
pub(super) fn ticks(points: impl IntoIterator<Item = Point>, height: f64) -> String {
    let mut out = String::new();
    for (x, y) in points {
        push_point(&mut out, 'M', (x, y - height / 2.0));
        out.push('v');
        push(&mut out, height);
    }
    out
}

/// Horizontal strokes of a length (pixels), from the points on.
pub(super) fn bars(points: impl IntoIterator<Item = Point>, length: f64) -> String {
    let mut out = String::new();
    for point in points {
        push_point(&mut out, 'M', point);
        out.push('h');
        push(&mut out, length);
    }
    out
}

/// The closed area between two edges that run the same way.
pub(super) fn area(upper: &[Point], lower: &[Point]) -> String {
    let mut out = String::new();
    for (i, &point) in upper.iter().chain(lower.iter().rev()).enumerate() {
        push_point(&mut out, if i == 0 { 'M' } else { ' ' }, point);
    }
    if !out.is_empty() {
        out.push('Z');
    }
    out
}

/// The outline of a rectangle.
pub(super) fn rectangle(x: f64, y: f64, width: f64, height: f64) -> String {
    let mut out = String::new();
    push_point(&mut out, 'M', (x, y));
    for (command, length) in [('h', width), ('v', height), ('h', -width)] {
        out.push(command);
        push(&mut out, length);
    }
    out.push('Z');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_short() {
        assert_eq!(
            lines(&[vec![(0.0, 1.25), (10.04, -0.01)], vec![(3.0, 4.0)]]),
            "M0 1.3 10 0M3 4h0"
        );
        assert_eq!(
            area(&[(0.0, 0.0), (1.0, 0.0)], &[(0.0, 2.0), (1.0, 2.0)]),
            "M0 0 1 0 1 2 0 2Z"
        );
        assert_eq!(area(&[], &[]), "");
        assert_eq!(ticks([(1.0, 4.0), (2.0, 8.0)], 4.0), "M1 2v4M2 6v4");
        assert_eq!(bars([(1.0, 4.0)], 2.5), "M1 4h2.5");
        assert_eq!(rectangle(1.0, 2.0, 3.0, 4.0), "M1 2h3v4h-3Z");
    }
}
