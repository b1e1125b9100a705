//! Sets values in a `main.tf` that is there; every other byte stays. Pure.

use std::ops::Range;

use hcl_edit::expr::Expression;

use super::{Attribute, Error, MainTf, Settings, Values};

/// What is added to a block.
enum Added {
    Attribute(&'static str, String),
    Block(String),
}

impl MainTf {
    /// The same text with these values in it. What is not a literal stays, and what the user took out of the provider stays out.
    pub fn with(&self, values: &Values) -> Result<String, Error> {
        let text = |value: &str| Some(Expression::from(value).to_string().trim().to_owned());
        let account = text(&values.deployment.account_id).map(|id| format!("[{id}]"));
        let profile = values.profile.as_deref().and_then(text);
        let role = values.assume_role.as_deref().and_then(text);
        let mut edits: Vec<(Range<usize>, String)> = Vec::new();
        if let Some(backend) = &self.backend {
            let table = values.backend.lock.table().and_then(text);
            let lockfile = values.backend.lock.has_file().then(|| "true".to_owned());
            let needed = [
                ("bucket", text(&values.backend.bucket)),
                ("key", text(&values.backend.key)),
                ("region", text(&values.deployment.region)),
                ("dynamodb_table", table),
                ("use_lockfile", lockfile),
                ("profile", profile.clone()),
            ];
            let mut added = Vec::new();
            match (&backend.assumed, &role) {
                (Some(there), Some(role)) => edits.extend(self.replaced(there, role.clone())),
                (None, Some(role)) => {
                    added.push(Added::Attribute("assume_role", format!("{{ role_arn = {role} }}")));
                }
                (_, None) => {}
            }
            for (name, value) in needed {
                match (backend.attributes.get(name), value) {
                    (Some(there), Some(value)) => edits.extend(self.replaced(there, value)),
                    (Some(there), None) if name != "profile" => {
                        self.spread(backend)?;
                        edits.push((self.lines(&there.whole), String::new()));
                    }
                    (None, Some(value)) => added.push(Added::Attribute(name, value)),
                    (_, None) => {}
                }
            }
            let accounts = backend.attributes.get("allowed_account_ids");
            edits.extend(accounts.and_then(|there| self.replaced(there, account.clone()?)));
            edits.extend(self.behind(backend, &added)?);
        }
        if let Some(provider) = &self.provider {
            for (name, value) in [
                ("region", text(&values.deployment.region)),
                ("allowed_account_ids", account),
                ("profile", profile.clone()),
            ] {
                let there = provider.attributes.get(name);
                edits.extend(there.and_then(|there| self.replaced(there, value?)));
            }
            let new_profile = profile.filter(|_| !provider.attributes.contains_key("profile"));
            let new_profile = new_profile.map(|profile| Added::Attribute("profile", profile));
            let new_role = match (&provider.assumed, role) {
                (Some(there), Some(role)) => {
                    edits.extend(self.replaced(there, role));
                    None
                }
                (None, Some(role)) => Some(Added::Block(format!("assume_role {{ role_arn = {role} }}"))),
                (_, None) => None,
            };
            let added: Vec<Added> = new_profile.into_iter().chain(new_role).collect();
            edits.extend(self.behind(provider, &added)?);
        }
        if let Some(env) = &self.env {
            edits.extend(text(&values.deployment.env).and_then(|value| self.replaced(env, value)));
        }
        if let Some(name) = &self.name {
            let unique = text(&values.deployment.unique_name());
            edits.extend(unique.and_then(|value| self.replaced(name, value)));
        }
        edits.sort_by_key(|(at, _)| at.start);
        let mut edited = self.text.clone();
        for (at, with) in edits.into_iter().rev() {
            edited.replace_range(at, &with);
        }
        Ok(edited)
    }

    /// A literal by another; an expression stays.
    fn replaced(&self, there: &Attribute, value: String) -> Option<(Range<usize>, String)> {
        let is_literal = there.literal.is_some();
        (is_literal && self.text[there.value.clone()] != value).then(|| (there.value.clone(), value))
    }

    /// Lines can be added to a block and removed from it only where it has several lines.
    fn spread(&self, block: &Settings) -> Result<(), Error> {
        if self.text[block.whole.clone()].contains('\n') {
            Ok(())
        } else {
            Err(Error::OneLine { line: self.line(block.whole.start) })
        }
    }

    /// New attributes on lines of their own behind the last one, or behind the brace, their signs below its sign.
    fn behind(&self, block: &Settings, added: &[Added]) -> Result<Option<(Range<usize>, String)>, Error> {
        if added.is_empty() {
            return Ok(None);
        }
        self.spread(block)?;
        let of_block = self.lines(&(block.whole.start..block.whole.start));
        let last = block.attributes.values().max_by_key(|one| one.whole.end);
        let (line, indent, width) = match last {
            Some(last) => {
                let line = self.lines(&last.whole);
                let before = &self.text[last.whole.start..last.value.start];
                let width = before.trim_end().trim_end_matches('=').len().max(1) - 1;
                (line.clone(), self.indent(&line), width)
            }
            None => (of_block.clone(), format!("  {}", self.indent(&of_block)), 0),
        };
        let lines = added.iter().map(|added| match added {
            Added::Attribute(name, value) => format!("{indent}{name:width$} = {value}\n"),
            Added::Block(text) => format!("{indent}{text}\n"),
        });
        Ok(Some((line.end..line.end, lines.collect())))
    }

    fn indent(&self, line: &Range<usize>) -> String {
        self.text[line.clone()].chars().take_while(|c| matches!(c, ' ' | '\t')).collect()
    }

    /// The whole lines of a span, with the end of the last.
    fn lines(&self, span: &Range<usize>) -> Range<usize> {
        let start = self.text[..span.start].rfind('\n').map_or(0, |at| at + 1);
        let end = self.text[span.end..].find('\n').map_or(self.text.len(), |at| span.end + at + 1);
        start..end
    }
}
