//! Files of environment variables, as Docker and many tools read them: one `NAME=value` per line.

use secrecy::SecretString;

/// A line that is not `NAME=value`. Messages show only its number, because it may contain a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// From 1.
    pub line: usize,
}

/// The variables in order, without the quotes around a value. `#` begins a comment at the beginning of a line and after white
/// space outside quotes. Inside double quotes `\\`, `\"`, `\$` and `\n` are escape sequences.
pub fn parse(text: &str) -> Result<Vec<(String, SecretString)>, Wrong> {
    let mut variables = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let wrong = Wrong { line: index + 1 };
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = line.split_once('=').ok_or(wrong)?;
        let name = name.trim();
        let is_name = !name.is_empty()
            && !name.starts_with(|first: char| first.is_ascii_digit())
            && name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_');
        if !is_name {
            return Err(wrong);
        }
        variables.push((name.to_owned(), value_of(value.trim()).ok_or(wrong)?));
    }
    Ok(variables)
}

fn value_of(text: &str) -> Option<SecretString> {
    let rest = |rest: &str| rest.trim().is_empty() || rest.trim().starts_with('#');
    if let Some(quoted) = text.strip_prefix('\'') {
        let (value, after) = quoted.split_once('\'')?;
        return rest(after).then(|| value.into());
    }
    if let Some(quoted) = text.strip_prefix('"') {
        let mut value = String::new();
        let mut chars = quoted.chars();
        while let Some(char) = chars.next() {
            match char {
                '"' => return rest(chars.as_str()).then(|| value.into()),
                '\\' => match chars.next()? {
                    'n' => value.push('\n'),
                    escaped @ ('\\' | '"' | '$' | '`') => value.push(escaped),
                    other => value.extend(['\\', other]),
                },
                other => value.push(other),
            }
        }
        return None;
    }
    let comment = text.char_indices().zip(text.chars().skip(1));
    let comment = comment.filter(|((_, before), char)| before.is_whitespace() && *char == '#');
    let end = comment.map(|((at, _), _)| at).next().unwrap_or(text.len());
    Some(text[..end].trim().into())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn lines_are_read_as_docker_and_shells_do() {
        let text = "# comment\n\nA=plain\nexport B='single # quoted'\nC=\"double \\\"x\\\" # y\" # z\nD=a#b # c\r\nE=\nF = spaced\n";
        let read = parse(text).unwrap();
        let read: Vec<_> = read.iter().map(|(name, value)| (name.as_str(), value.expose_secret())).collect();
        assert_eq!(
            read,
            [
                ("A", "plain"),
                ("B", "single # quoted"),
                ("C", "double \"x\" # y"),
                ("D", "a#b"),
                ("E", ""),
                ("F", "spaced")
            ]
        );
        for (text, line) in
            [("A=1\nnonsense", 2), ("1A=2", 1), ("A='open", 1), ("A=\"open", 1), ("A='x' y", 1)]
        {
            assert_eq!(parse(text).unwrap_err().line, line, "{text}");
        }
    }
}
