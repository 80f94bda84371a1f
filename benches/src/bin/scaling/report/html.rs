//! A report as one HTML page without outside resources.

use super::document::{Section, Table};
use super::palette;

const STYLE: &str = include_str!("page.css");

pub fn of(title: &str, notes: &[String], sections: &[Section]) -> String {
    let title = escaped(title);
    let notes = all(notes, |note| format!("<p>{}</p>\n", escaped(note)));
    let body = all(sections, section);
    let colours = palette::css();
    format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
{STYLE}{colours}</style>
</head>
<body>
<main>
<h1>{title}</h1>
{notes}{body}</main>
</body>
</html>
"#
    )
}

fn section(section: &Section) -> String {
    let heading = escaped(&section.heading);
    let chart = section.chart.as_ref().map_or(String::new(), |chart| {
        let description = escaped(&chart.description);
        format!("<figure role=\"img\" aria-label=\"{description}\">\n{}</figure>\n", chart.svg)
    });
    let tables = all(&section.tables, table);
    let sentences = all(&section.sentences, |of| format!("<li>{}</li>\n", escaped(of)));
    let list = if sentences.is_empty() { sentences } else { format!("<ul>\n{sentences}</ul>\n") };
    format!("<section>\n<h2>{heading}</h2>\n{chart}{list}{tables}</section>\n")
}

fn table(table: &Table) -> String {
    let head = row(&table.head, "<th scope=\"col\">", "</th>");
    let rows = all(&table.rows, |cells| row(cells, "<td>", "</td>"));
    format!(
        "<div class=\"table\"><table>\n<thead>\n{head}</thead>\n<tbody>\n{rows}</tbody>\n</table>\
         </div>\n"
    )
}

fn row(cells: &[String], open: &str, close: &str) -> String {
    format!("<tr>{}</tr>\n", all(cells, |cell| format!("{open}{}{close}", escaped(cell))))
}

/// The markup of all items, one after the other.
fn all<T>(items: &[T], markup: impl Fn(&T) -> String) -> String {
    items.iter().map(markup).collect::<Vec<_>>().concat()
}

fn escaped(text: &str) -> String {
    let escape = |character| match character {
        '&' => "&amp;".into(),
        '<' => "&lt;".into(),
        '>' => "&gt;".into(),
        '"' => "&quot;".into(),
        _ => String::from(character),
    };
    text.chars().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_has_no_outside_resource_and_no_foreign_markup() {
        let section = Section {
            heading: "<script>alert(1)</script>".into(),
            sentences: Vec::new(),
            tables: Vec::new(),
            chart: None,
        };
        let page = of("a & b", &[], &[section]);
        assert!(page.contains("<title>a &amp; b</title>"));
        assert!(page.contains("<h2>&lt;script&gt;alert(1)&lt;/script&gt;</h2>"));
        for outside in ["src=", "href=", "url(", "@import", "<script"] {
            assert!(!page.contains(outside), "{outside}");
        }
    }
}
