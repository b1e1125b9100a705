//! Sets values in an existing `main.tf` without changing any other byte. Pure.

use std::ops::Range;

use hcl_edit::expr::Expression;

use super::{Attribute, Error, MainTf, Settings, Values};

/// An addition to a block.
enum Addition {
    Attribute(&'static str, String),
    Block(String),
}

impl MainTf {
    /// The text with these values. Expressions are not replaced, and arguments that the user removed from the provider are not added.
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
            match (&backend.assumed_role, &role) {
                (Some(existing), Some(role)) => edits.extend(self.replaced(existing, role.clone())),
                (None, Some(role)) => {
                    added.push(Addition::Attribute("assume_role", format!("{{ role_arn = {role} }}")));
                }
                (_, None) => {}
            }
            for (name, value) in needed {
                match (backend.attributes.get(name), value) {
                    (Some(existing), Some(value)) => edits.extend(self.replaced(existing, value)),
                    (Some(existing), None) if name != "profile" => {
                        self.check_has_lines(backend)?;
                        edits.push((self.lines(&existing.span), String::new()));
                    }
                    (None, Some(value)) => added.push(Addition::Attribute(name, value)),
                    (_, None) => {}
                }
            }
            let accounts = backend.attributes.get("allowed_account_ids");
            edits.extend(accounts.and_then(|existing| self.replaced(existing, account.clone()?)));
            edits.extend(self.insertion(backend, &added)?);
        }
        if let Some(provider) = &self.provider {
            for (name, value) in [
                ("region", text(&values.deployment.region)),
                ("allowed_account_ids", account),
                ("profile", profile.clone()),
            ] {
                let existing = provider.attributes.get(name);
                edits.extend(existing.and_then(|existing| self.replaced(existing, value?)));
            }
            let new_profile = profile.filter(|_| !provider.attributes.contains_key("profile"));
            let new_profile = new_profile.map(|profile| Addition::Attribute("profile", profile));
            let new_role = match (&provider.assumed_role, role) {
                (Some(existing), Some(role)) => {
                    edits.extend(self.replaced(existing, role));
                    None
                }
                (None, Some(role)) => Some(Addition::Block(format!("assume_role {{ role_arn = {role} }}"))),
                (_, None) => None,
            };
            let added: Vec<Addition> = new_profile.into_iter().chain(new_role).collect();
            edits.extend(self.insertion(provider, &added)?);
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

    /// Replaces a literal. An expression is kept.
    fn replaced(&self, existing: &Attribute, value: String) -> Option<(Range<usize>, String)> {
        let is_literal = existing.literal.is_some();
        (is_literal && self.text[existing.value.clone()] != value).then(|| (existing.value.clone(), value))
    }

    /// Refuses a block on one line: lines cannot be added to it or removed from it.
    fn check_has_lines(&self, block: &Settings) -> Result<(), Error> {
        if self.text[block.span.clone()].contains('\n') {
            Ok(())
        } else {
            Err(Error::OneLine { line: self.line(block.span.start) })
        }
    }

    /// Inserts new attributes after the last one, or after the brace if existing is none, with aligned equals signs.
    fn insertion(
        &self,
        block: &Settings,
        added: &[Addition],
    ) -> Result<Option<(Range<usize>, String)>, Error> {
        if added.is_empty() {
            return Ok(None);
        }
        self.check_has_lines(block)?;
        let first_line = self.lines(&(block.span.start..block.span.start));
        let last = block.attributes.values().max_by_key(|one| one.span.end);
        let (line, indent, width) = match last {
            Some(last) => {
                let line = self.lines(&last.span);
                let before = &self.text[last.span.start..last.value.start];
                let width = before.trim_end().trim_end_matches('=').len().max(1) - 1;
                (line.clone(), self.indent(&line), width)
            }
            None => (first_line.clone(), format!("  {}", self.indent(&first_line)), 0),
        };
        let lines = added.iter().map(|added| match added {
            Addition::Attribute(name, value) => format!("{indent}{name:width$} = {value}\n"),
            Addition::Block(text) => format!("{indent}{text}\n"),
        });
        Ok(Some((line.end..line.end, lines.collect())))
    }

    fn indent(&self, line: &Range<usize>) -> String {
        self.text[line.clone()].chars().take_while(|c| matches!(c, ' ' | '\t')).collect()
    }

    /// The full lines of a span, including the last line break.
    fn lines(&self, span: &Range<usize>) -> Range<usize> {
        let start = self.text[..span.start].rfind('\n').map_or(0, |at| at + 1);
        let end = self.text[span.end..].find('\n').map_or(self.text.len(), |at| span.end + at + 1);
        start..end
    }
}
