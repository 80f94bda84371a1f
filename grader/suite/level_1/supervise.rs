use grader::Exercise;
pub const EXERCISE: Exercise = Exercise { id: "supervise", steps: &[] };
