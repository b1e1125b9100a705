//! The version in a Maven `pom.xml`.
//!
//! A file that Maven would refuse has no version; that is not an error.

use roxmltree::{Document, Node};

/// A version, and where in the file it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// `3.0.0`, `3.1.0-SNAPSHOT`
    pub text: String,
    /// `project/version`, or `project/parent/version` if the project has no version of its own.
    pub from: &'static str,
}

impl Version {
    /// Whether it is a Maven snapshot, which has no public image.
    pub fn is_snapshot(&self) -> bool {
        self.text.ends_with("-SNAPSHOT")
    }
}

/// The version of the project; `None` if it cannot be read without Maven.
pub fn version(pom: &str) -> Option<Version> {
    let document = Document::parse(pom.trim_start_matches('\u{feff}')).ok()?;
    let project = Some(document.root_element()).filter(|root| named(*root, "project"))?;
    let own = child(project, "version").and_then(text).map(|text| (text, "project/version"));
    let parent = || {
        let parent = child(project, "parent")?;
        Some((child(parent, "version").and_then(text)?, "project/parent/version"))
    };
    let (text, from) = own.or_else(parent)?;
    let text = resolve(text, project)?;
    // Control characters could change the terminal.
    let odd = |char: char| char.is_control() || char.is_whitespace();
    (!text.contains(odd)).then_some(Version { text, from })
}

/// Replaces `${name}` by the property's value.
fn resolve(mut text: String, project: Node<'_, '_>) -> Option<String> {
    // A property may refer to another one; a cycle ends after a few rounds.
    for _ in 0..8 {
        let Some((before, rest)) = text.split_once("${") else {
            return Some(text);
        };
        let (name, after) = rest.split_once('}')?;
        let value =
            child(project, "properties").and_then(|properties| self::text(child(properties, name)?))?;
        text = format!("{before}{value}{after}");
    }
    None
}

fn child<'a, 'input>(of: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    of.children().find(|node| named(*node, name))
}

/// Whether an element has this local name. The file may or may not use Maven's namespace.
fn named(node: Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name
}

fn text(node: Node<'_, '_>) -> Option<String> {
    let text: String = node.children().filter(Node::is_text).filter_map(|text| text.text()).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
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
    fn a_version_that_only_maven_can_resolve_is_unknown() {
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
