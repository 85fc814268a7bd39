//! Measures of images and of what they are taken for, planned.

use super::probes::{PlannedKind, Planner};
use crate::netlist::model::MeasureKind;
use crate::source::Problem;

impl Planner<'_> {
    pub(super) fn accuracy(&mut self, kind: &MeasureKind) -> Option<PlannedKind> {
        let MeasureKind::Accuracy {
            of,
            class,
            when,
            every,
        } = kind
        else {
            return None;
        };
        let (scores, classes) = (self.probe(of), self.probe(class));
        let when = when.as_ref().map(|w| self.number(w));
        let ((of, size, vector), (probe, known, _)) = (scores?, classes?);
        if size != known {
            let message = format!("there are {size} scores, the class has {known} elements");
            let problem = Problem::new(message, class.span, "sizes differ");
            let help = "give one score for each class, such as output.soma for digits.label";
            self.problems.push(problem.help(help));
        } else if !vector {
            let message = "one number has no largest element";
            let problem = Problem::new(message, class.span, "not a vector");
            let help = "give one score for each class, such as output.soma for digits.label";
            self.problems.push(problem.help(help));
        }
        Some(PlannedKind::Accuracy {
            of,
            class: probe,
            size,
            when: when.flatten(),
            window: every.as_ref().map(|e| self.circuit.steps(e.value, 1)),
        })
    }

    pub(super) fn images(&mut self, kind: &MeasureKind) -> Option<PlannedKind> {
        let MeasureKind::Images {
            of,
            shape,
            count,
            when,
        } = kind
        else {
            return None;
        };
        let [channels, rows, columns] = shape.value.map(|size| size as usize);
        let expected = channels.saturating_mul(rows).saturating_mul(columns);
        let mut probes = Vec::new();
        for text in of {
            let (probe, size, _) = self.probe(text)?;
            if size != expected {
                let message = format!(
                    "images of {channels} × {rows} × {columns} have {expected} values, this has {size}"
                );
                let problem = Problem::new(message, text.span, "not such an image")
                    .also(shape.span, "channels, rows, columns");
                let help = "give channels × rows × columns, or rows × columns, of what is shown";
                self.problems.push(problem.help(help));
            }
            probes.push(probe);
        }
        let when = when.as_ref().map(|w| self.number(w));
        Some(PlannedKind::Images {
            of: probes,
            names: of.iter().map(|text| text.value.trim().to_owned()).collect(),
            shape: [channels, rows, columns],
            count: count.value as usize,
            when: when.flatten(),
        })
    }
}
