//! What drifted, and what needs it, as a picture: an SVG of boxes in columns, each to the right of all that it needs.

use super::markup::text;
use crate::drift::{Drift, DriftReport};
use crate::ident::Address;
use std::collections::HashMap;
use std::fmt::Write;

/// How many boxes a picture has at most: more cannot be read.
const MOST: usize = 60;
const WIDTH: usize = 230;
const HEIGHT: usize = 30;
const GAP: (usize, usize) = (70, 14);
/// How many characters of an address a box has.
const LETTERS: usize = 28;

/// A box of a picture.
pub(super) struct Tile {
    /// How it looks.
    pub(super) class: String,
    /// What is written on it.
    pub(super) label: String,
    /// What is said of it.
    pub(super) told: String,
    /// Where it leads.
    pub(super) link: Option<String>,
}

/// Boxes in columns, each to the right of all that it needs; `edges` lead from a box to what it needs.
pub(super) fn svg(tiles: &[Tile], edges: &[(usize, usize)], about: &str, title: &str) -> String {
    let column = columns(tiles.len(), edges);
    let mut rows = vec![0; column.iter().max().map_or(1, |most| most + 1)];
    let spots: Vec<(usize, usize)> = column
        .iter()
        .map(|&column| {
            let row = rows[column];
            rows[column] += 1;
            (12 + column * (WIDTH + GAP.0), 12 + row * (HEIGHT + GAP.1))
        })
        .collect();
    let width = 24 + rows.len() * (WIDTH + GAP.0) - GAP.0;
    let height = 24 + rows.iter().max().copied().unwrap_or(1) * (HEIGHT + GAP.1) - GAP.1;
    let mut out = format!(
        "<div class=\"picture\" tabindex=\"0\" role=\"group\" aria-label=\"{}\">\
         <svg width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"pt\">\
         <title id=\"pt\">{}</title>\n",
        text(about),
        text(title)
    );
    for &(user, need) in edges {
        let (from, to) = (spots[need], spots[user]);
        let (x1, y1, x2, y2) = (from.0 + WIDTH, from.1 + HEIGHT / 2, to.0, to.1 + HEIGHT / 2);
        let middle = (x1 + x2) / 2;
        let _ = writeln!(out, "<path d=\"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}\"/>");
    }
    for (tile, (x, y)) in tiles.iter().zip(spots) {
        let shown: String = match tile.label.chars().count() > LETTERS {
            true => tile.label.chars().take(LETTERS - 1).chain(['…']).collect(),
            false => tile.label.clone(),
        };
        let square = format!(
            "<g class=\"{}\"><title>{}: {}</title><rect x=\"{x}\" y=\"{y}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
             rx=\"6\"/><text x=\"{}\" y=\"{}\">{}</text></g>",
            tile.class,
            text(&tile.label),
            text(&tile.told),
            x + 10,
            y + 19,
            text(&shown)
        );
        let _ = match &tile.link {
            Some(link) => writeln!(out, "<a href=\"{link}\">{square}</a>"),
            None => writeln!(out, "{square}"),
        };
    }
    out.push_str("</svg></div>\n");
    out
}

/// The picture with its caption; nothing when nothing that drifted is among other things.
pub(super) fn drawn(report: &DriftReport) -> Option<String> {
    let worst: Vec<&Drift> = report.worst_first();
    let hit: HashMap<&Address, (usize, &Drift)> =
        worst.iter().enumerate().map(|(at, drift)| (&drift.address, (at, *drift))).collect();
    let reached = report.reached();
    let position: HashMap<&Address, usize> =
        report.needs.iter().enumerate().map(|(at, (address, _))| (address, at)).collect();
    // What drifted comes first, then what needs it, then what that needs: as many as can be read.
    let mut chosen: Vec<usize> =
        worst.iter().filter_map(|drift| position.get(&drift.address).copied()).collect();
    let rest = (0..report.needs.len()).filter(|&at| reached[at] && !hit.contains_key(&report.needs[at].0));
    chosen.extend(rest);
    let wanted = chosen.len();
    chosen.truncate(MOST);
    if chosen.is_empty() {
        return None;
    }
    chosen.sort_unstable();
    let place: HashMap<usize, usize> = chosen.iter().enumerate().map(|(own, &at)| (at, own)).collect();
    let edges: Vec<(usize, usize)> = chosen
        .iter()
        .enumerate()
        .flat_map(|(own, &at)| {
            let needs = report.needs[at].1.iter().filter_map(|need| position.get(need)?.checked_add(0));
            needs.filter_map(|need| place.get(&need)).map(move |&need| (own, need)).collect::<Vec<_>>()
        })
        .collect();
    let tiles: Vec<Tile> = chosen
        .iter()
        .map(|&at| {
            let address = &report.needs[at].0;
            let (class, told, link) = match hit.get(address) {
                Some((at, drift)) => {
                    let word = drift.severity.word();
                    (format!("hit {word}"), format!("drifted, {word}"), Some(format!("#d{at}")))
                }
                None => ("reached".to_owned(), "needs what drifted".to_owned(), None),
            };
            Tile { class, label: address.as_str().to_owned(), told, link }
        })
        .collect();
    let mut out = String::from(
        "<h2>What it reaches</h2>\n<p class=\"dim\">A thick box drifted, a dashed box needs one that did; a line leads from \
         what is needed to what needs it.</p>\n",
    );
    let reached = reached.iter().filter(|reached| **reached).count();
    let title = format!("{} drifted, {reached} need them", hit.len());
    out.push_str(&svg(&tiles, &edges, "Picture of what drifted and what needs it", &title));
    if wanted > MOST {
        let _ = writeln!(out, "<p class=\"dim\">{} more are not drawn.</p>", wanted - MOST);
    }
    Some(out)
}

/// The column of each box: one to the right of all that it needs.
fn columns(boxes: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut column = vec![0; boxes];
    // As many rounds as the longest way has steps; a circle would have no end, and ends here too.
    for _ in 0..boxes {
        let mut moved = false;
        for &(user, need) in edges {
            if column[user] <= column[need] && column[need] + 1 < boxes.max(1) {
                column[user] = column[need] + 1;
                moved = true;
            }
        }
        if !moved {
            break;
        }
    }
    column
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn a_box_stands_right_of_what_it_needs() {
        assert_eq!(columns(4, &[(1, 0), (2, 1), (3, 0), (3, 2)]), [0, 1, 2, 3]);
        // A circle is not a reason to hang.
        assert_eq!(columns(2, &[(0, 1), (1, 0)]).len(), 2);
    }

    #[test]
    fn what_drifted_and_what_needs_it_is_drawn() {
        let picture = drawn(&sample::drift()).unwrap();
        assert_eq!(picture.matches("class=\"hit").count(), 2, "{picture}");
        assert_eq!(picture.matches("class=\"reached\"").count(), 2, "{picture}");
        assert!(picture.contains("<title id=\"pt\">3 drifted, 2 need them</title>"), "{picture}");
    }
}
