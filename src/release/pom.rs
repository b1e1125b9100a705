//! The version in a Maven `pom.xml`.
//!
//! A tolerant scan of elements and text, not an XML parser: a pom that Maven would take is read right, and one that it
//! would not take gives no version instead of an error.

/// A version, and where in the file it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// `3.0.0`, `3.1.0-SNAPSHOT`
    pub text: String,
    /// `project/version`, or `project/parent/version` where the project has none of its own.
    pub from: &'static str,
}

impl Version {
    /// Whether Maven would publish it as a snapshot, which has no image.
    pub fn is_snapshot(&self) -> bool {
        self.text.ends_with("-SNAPSHOT")
    }
}

/// The version of the project; `None` where the file has none that can be told without Maven.
pub fn version(pom: &str) -> Option<Version> {
    let texts = texts(pom);
    let get = |path: &str| {
        texts.iter().find(|(at, text)| at == path && !text.is_empty()).map(|(_, text)| text.as_str())
    };
    let (from, text) = ["project/version", "project/parent/version"]
        .into_iter()
        .find_map(|path| get(path).map(|text| (path, text)))?;
    let mut text = text.to_owned();
    // Properties may name properties; a circle is given up after a few turns.
    for _ in 0..8 {
        let Some((before, rest)) = text.split_once("${") else {
            // One word, and none that could steer a terminal.
            let odd = |char: char| char.is_control() || char.is_whitespace();
            return (!text.contains(odd)).then_some(Version { text, from });
        };
        let (name, after) = rest.split_once('}')?;
        let value = get(&format!("project/properties/{name}"))?;
        text = format!("{before}{value}{after}");
    }
    None
}

/// Every element that holds text, by its path, in the order of the file.
fn texts(xml: &str) -> Vec<(String, String)> {
    let mut path: Vec<&str> = Vec::new();
    let mut found = Vec::new();
    let mut rest = xml;
    while let Some(open) = rest.find('<') {
        let text = rest[..open].trim();
        if !text.is_empty() && !path.is_empty() {
            found.push((path.join("/"), text.to_owned()));
        }
        rest = &rest[open..];
        let end = if rest.starts_with("<!--") {
            "-->"
        } else if rest.starts_with("<![CDATA[") {
            "]]>"
        } else {
            ">"
        };
        let Some(close) = rest.find(end) else { break };
        let inside = &rest[1..close];
        rest = &rest[close + end.len()..];
        if inside.starts_with(['!', '?']) {
            continue;
        }
        if inside.starts_with('/') {
            path.pop();
        } else if !inside.ends_with('/') {
            path.push(inside.split_whitespace().next().unwrap_or_default());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(pom: &str) -> Option<String> {
        version(pom).map(|version| version.text)
    }

    #[test]
    fn the_projects_own_version_is_taken_not_a_parents_or_a_plugins() {
        let pom = "<?xml version=\"1.0\"?>\n<!-- <version>9</version> -->\n<project xmlns=\"x\">\n\
            <parent><artifactId>boot</artifactId><version>3.1.2</version><relativePath /> <!-- up --></parent>\n\
            <build><plugins><plugin><version>7</version></plugin></plugins></build>\n\
            <version> 3.0.0 </version></project>";
        let version = version(pom).unwrap();
        assert_eq!((version.text.as_str(), version.from), ("3.0.0", "project/version"));
    }

    #[test]
    fn properties_and_parents_are_followed() {
        let revision = "<project><version>${revision}${changelist}</version><properties>\
            <revision>3.1.0</revision><changelist>-SNAPSHOT</changelist></properties></project>";
        assert_eq!(text(revision).as_deref(), Some("3.1.0-SNAPSHOT"));
        let parent = "<project><parent><version>2.5.0</version></parent></project>";
        assert_eq!(version(parent).unwrap().from, "project/parent/version");
    }

    #[test]
    fn what_only_maven_can_tell_is_not_guessed() {
        for pom in [
            "",
            "<project",
            "<project></project>",
            "<project><version>${sha1}</version></project>",
            "<project><version>${a}</version><properties><a>${a}</a></properties></project>",
            "not xml at all <",
            "<project><version>1\u{1b}[31m</version></project>",
        ] {
            assert_eq!(text(pom), None, "{pom}");
        }
    }
}
