//! The table that is printed.

/// One figure, and its comparison.
#[derive(Debug)]
pub struct Row {
    pub name: &'static str,
    pub measured: String,
    pub compared: String,
    /// The ratio of measured to compared.
    pub ratio: f64,
    pub target: Target,
}

/// The target that was promised.
#[derive(Debug)]
pub enum Target {
    /// Nothing: the figure is for information.
    None,
    /// A limit, as text, and whether the figure stays within it.
    Is { what: &'static str, met: bool },
}

impl Row {
    /// Returns whether its target was missed.
    pub fn missed(&self) -> bool {
        matches!(self.target, Target::Is { met: false, .. })
    }

    /// Prints the row as soon as it is known.
    pub fn print(&self) {
        let (target, met) = match self.target {
            Target::None => ("-", "-"),
            Target::Is { what, met: true } => (what, "met"),
            Target::Is { what, met: false } => (what, "MISSED"),
        };
        let Self { name, measured, compared, ratio, .. } = self;
        line(name, measured, compared, &format!("{ratio:.2}"), target, met);
    }
}

pub fn head() {
    line("", "measured", "compared with", "ratio", "target", "");
}

/// Prints the last line.
pub fn foot(missed: usize, quick: bool) {
    match missed {
        0 => println!("no target was missed"),
        1 => println!("one target was MISSED"),
        _ => println!("{missed} targets were MISSED"),
    }
    if quick {
        println!("measured briefly: do not rely on it");
    }
}

fn line(name: &str, measured: &str, compared: &str, ratio: &str, target: &str, met: &str) {
    println!("{name:<18} {measured:<42} {compared:<46} {ratio:>6}  {target:<15} {met}");
}
