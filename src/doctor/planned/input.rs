//! Reads the JSON of a plan in any encoding, with lines that a wrapper printed around it, and recognises files that are not a
//! plan.

use serde_json::Value;
use thiserror::Error as ThisError;

use crate::explain::{Exit, Explain};

pub(super) const HELP: &str =
    "`terraform plan -out=FILE` saves a plan; give FILE, or what `terraform show -json FILE` prints";

/// The JSON in the input, and how much was skipped around it.
#[derive(Debug, PartialEq)]
pub struct Input {
    /// The document.
    pub document: Value,
    /// The number of lines before and after it.
    pub surplus: usize,
}

/// The input contains no plan.
#[derive(Debug, ThisError)]
pub enum Error {
    /// Neither a saved plan nor JSON.
    #[error("neither a saved plan nor JSON")]
    NotJson(#[source] Option<serde_json::Error>),
    /// The messages of `terraform plan -json`.
    #[error("these are the messages of `terraform plan -json`, not the plan")]
    Stream,
}

impl Explain for Error {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::NotJson(_) => HELP.into(),
            Self::Stream => {
                "`-json` of `terraform plan` prints its progress: run `terraform plan -out=FILE` and give FILE, or what `terraform show -json FILE` prints"
                    .into()
            }
        })
    }
}

/// Reads JSON in UTF-8 or UTF-16 (what `>` writes in PowerShell), with or without a byte order mark, and with the
/// lines of a wrapper around it (`[command]…`, `::debug::…` of `hashicorp/setup-terraform`).
pub fn read(bytes: &[u8]) -> Result<Input, Error> {
    let text = decode(bytes);
    let text = text.trim_start_matches('\u{feff}');
    let error_of_all = match serde_json::from_str(text) {
        Ok(document) => {
            return if is_message(&document) {
                Err(Error::Stream)
            } else {
                Ok(Input { document, surplus: 0 })
            };
        }
        Err(error) => error,
    };
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        // A plan starts at the beginning of a line; an indented brace is inside an incomplete document.
        if line.starts_with('{') {
            let mut stream = serde_json::Deserializer::from_str(&text[start..]).into_iter::<Value>();
            if let Some(Ok(document)) = stream.next() {
                if is_message(&document) {
                    return Err(Error::Stream);
                }
                let lines = |text: &str| text.lines().filter(|line| !line.trim().is_empty()).count();
                let rest = &text[start + stream.byte_offset()..];
                return Ok(Input { document, surplus: lines(&text[..start]) + lines(rest) });
            }
        }
        start += line.len();
    }
    Err(Error::NotJson(Some(error_of_all)))
}

/// Whether a document is one of the messages of `terraform plan -json`, which prints one on each line.
fn is_message(document: &Value) -> bool {
    document["@level"].is_string() && document["@message"].is_string()
}

/// Decodes UTF-8 or UTF-16; invalid bytes are replaced, so the result is not JSON then.
pub fn decode(bytes: &[u8]) -> String {
    let unit = |pair: &[u8], little: bool| {
        let pair = [pair[0], pair.get(1).copied().unwrap_or_default()];
        if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) }
    };
    let little = match bytes {
        [0xff, 0xfe, ..] => Some(true),
        [0xfe, 0xff, ..] => Some(false),
        // JSON begins with an ASCII character: a zero byte beside it means UTF-16 without a byte order mark.
        [first, 0, ..] if *first != 0 => Some(true),
        [0, second, ..] if *second != 0 => Some(false),
        _ => None,
    };
    match little {
        Some(little) => {
            let units = bytes.chunks(2).map(|pair| unit(pair, little));
            char::decode_utf16(units).map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
        None => String::from_utf8_lossy(bytes).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = r#"{"format_version":"1.2","resource_changes":[]}"#;

    #[test]
    fn every_encoding_and_wrapper_gives_the_same_plan() {
        let wanted: Value = serde_json::from_str(PLAN).unwrap();
        let little: Vec<u8> = PLAN.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = PLAN.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [
            PLAN.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", PLAN.as_bytes()].concat(),
            [b"\xff\xfe", little.as_slice()].concat(),
            [b"\xfe\xff", big.as_slice()].concat(),
            little,
            big,
        ] {
            assert_eq!(read(&bytes).unwrap(), Input { document: wanted.clone(), surplus: 0 });
        }
        let wrapped = format!("[command]/opt/terraform-bin show -json p\n{PLAN}\n::debug::stderr: \n");
        assert_eq!(read(wrapped.as_bytes()).unwrap(), Input { document: wanted, surplus: 2 });
    }

    #[test]
    fn input_that_is_not_a_plan_is_recognised() {
        let message = r#"{"@level":"info","@message":"Terraform 1.11.4","type":"version"}"#;
        assert!(matches!(read(message.as_bytes()), Err(Error::Stream)));
        let stream = format!("{message}\n{message}\n");
        assert!(matches!(read(stream.as_bytes()), Err(Error::Stream)));
        for text in ["", "not JSON", "{", "[command]x\n{\n"] {
            assert!(matches!(read(text.as_bytes()), Err(Error::NotJson(_))), "{text}");
        }
    }
}
