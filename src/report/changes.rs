//! What a Terraform plan changes, as the reports that people pass on show it.

/// What a plan changes, and how it was checked.
#[derive(Debug)]
pub struct Changes {
    /// `osmt-test`
    pub subject: String,
    /// What was checked, by whom, when: label and value, in order.
    pub facts: Vec<(&'static str, String)>,
    /// What a reader has to know before the rest.
    pub warnings: Vec<String>,
    /// What happens, the worst first.
    pub changes: Vec<Changed>,
    /// What was changed outside of Terraform.
    pub drift: Vec<Changed>,
}

/// One resource.
#[derive(Debug)]
pub struct Changed {
    /// `−`, and `destroyed`.
    pub mark: (&'static str, &'static str),
    /// `module.osmt.aws_db_instance.main`
    pub address: String,
    /// The attributes that change.
    pub details: Vec<String>,
    /// Why it matters.
    pub consequence: Option<&'static str>,
}

impl Changes {
    /// `1 destroyed, 2 changed`, or `nothing`.
    pub fn count(&self) -> String {
        let mut counted: Vec<(&str, usize)> = Vec::new();
        for change in &self.changes {
            match counted.last_mut() {
                Some((word, count)) if *word == change.mark.1 => *count += 1,
                _ => counted.push((change.mark.1, 1)),
            }
        }
        if counted.is_empty() {
            return "nothing".to_owned();
        }
        let words: Vec<_> = counted.iter().map(|(word, count)| format!("{count} {word}")).collect();
        words.join(", ")
    }
}
