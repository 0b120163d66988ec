//! What makes a plan as long as it is.

use super::model::Plan;

impl Plan {
    /// The steps (by position) that make the plan as long as it is, each waiting for the one before; and how long they
    /// are expected to take together, in milliseconds.
    ///
    /// This is the order of the program that applying runs. Of a plan without a program (read from a file) it is the order
    /// that its steps alone give.
    pub fn critical_path(&self) -> (Vec<usize>, u64) {
        let outline;
        let units = match self.program.units.is_empty() {
            true => {
                outline = super::compile::outline(&self.steps);
                &outline
            }
            false => &self.program.units,
        };
        let (path, total) = super::schedule::critical_path(units);
        let mut steps: Vec<usize> = path.into_iter().map(|unit| units[unit].step).collect();
        // What is replaced is cleared and made; it is one step for a person.
        let mut told = std::collections::HashSet::new();
        steps.retain(|step| told.insert(*step));
        (steps, total)
    }
}
