//! The changes of a Terraform plan, for the Markdown and HTML reports.

/// The changes of a plan, and how it was checked.
#[derive(Debug)]
pub struct Changes {
    /// `osmt-test`
    pub subject: String,
    /// What was checked, by whom and when: pairs of label and value.
    pub facts: Vec<(&'static str, String)>,
    /// Warnings, which come first.
    pub warnings: Vec<String>,
    /// The changes, the most dangerous first.
    pub changes: Vec<Changed>,
    /// The changes that were made outside of Terraform.
    pub drift: Vec<Changed>,
}

/// The change of one resource.
#[derive(Debug)]
pub struct Changed {
    /// The sign and the word: `−`, `destroyed`.
    pub mark: (&'static str, &'static str),
    /// `module.osmt.aws_db_instance.main`
    pub address: String,
    /// The attributes that change.
    pub details: Vec<String>,
    /// What the change means for users or data.
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
