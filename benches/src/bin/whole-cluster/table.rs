//! The table that is printed.

/// One figure, and what it is compared with.
#[derive(Debug)]
pub struct Row {
    pub name: &'static str,
    pub measured: String,
    pub compared: String,
    /// Measured to compared.
    pub ratio: f64,
    pub target: Target,
}

/// What was promised.
#[derive(Debug)]
pub enum Target {
    /// Nothing: the figure is for information.
    None,
    /// It is at least, or at most, so much; and whether it is.
    Is { what: &'static str, met: bool },
}

impl Row {
    /// Whether its target was missed.
    pub fn missed(&self) -> bool {
        matches!(self.target, Target::Is { met: false, .. })
    }

    /// Prints it as soon as it is known.
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

/// The last line.
pub fn foot(missed: usize, quick: bool) {
    match missed {
        0 => println!("no target was missed"),
        1 => println!("one target was MISSED"),
        _ => println!("{missed} targets were MISSED"),
    }
    if quick {
        println!("measured shortly: do not believe it");
    }
}

fn line(name: &str, measured: &str, compared: &str, ratio: &str, target: &str, met: &str) {
    println!("{name:<18} {measured:<42} {compared:<46} {ratio:>6}  {target:<15} {met}");
}
