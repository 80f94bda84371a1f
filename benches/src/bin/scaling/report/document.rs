//! The contents of a report, before it becomes text, Markdown or HTML.

/// A heading with sentences, tables and a chart.
pub struct Section {
    pub heading: String,
    pub sentences: Vec<String>,
    pub tables: Vec<Table>,
    /// A chart; only HTML shows it.
    pub chart: Option<Chart>,
}

/// A table. Every row has as many cells as `head`.
pub struct Table {
    pub head: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

/// A chart.
pub struct Chart {
    pub svg: String,
    /// A sentence in place of the chart.
    pub description: String,
}
