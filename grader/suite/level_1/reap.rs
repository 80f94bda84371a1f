use grader::Exercise;
pub const EXERCISE: Exercise = Exercise { id: "reap", steps: &[] };
