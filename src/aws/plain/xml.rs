//! Reads XML answers. A text that is not complete does not parse, so it is an error and never a short list.

use roxmltree::{Document, Node};

/// Why an answer cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Syntax(#[from] roxmltree::Error),
    #[error("the answer has no {0}")]
    Missing(String),
}

/// The fields of an item, and the fields of each inner element.
pub(crate) type Nested<const N: usize, const M: usize> = ([String; N], Vec<[String; M]>);

/// Reads the outermost element of an answer.
pub(super) fn read<T>(xml: &str, read: impl FnOnce(Node<'_, '_>) -> Result<T, Error>) -> Result<T, Error> {
    let document = Document::parse(xml)?;
    read(document.root_element())
}

/// The text of a child of the outermost element; empty if there is none.
pub(super) fn field(xml: &str, name: &str) -> Result<String, Error> {
    read(xml, |root| Ok(text(root, name)))
}

/// The items of a list, each with the text of these children.
pub(super) fn rows<const N: usize>(
    xml: &str,
    list: &str,
    names: [&str; N],
) -> Result<Vec<[String; N]>, Error> {
    read(xml, |root| Ok(items(root, list)?.map(|item| names.map(|name| text(item, name))).collect()))
}

/// The items of a list, each with the text of the first elements with these names at any depth.
pub(super) fn deep_rows<const N: usize>(
    xml: &str,
    list: &str,
    names: [&str; N],
) -> Result<Vec<[String; N]>, Error> {
    let deep = |item: Node<'_, '_>, name| descendant(item, name).map(content).unwrap_or_default();
    read(xml, |root| Ok(items(root, list)?.map(|item| names.map(|name| deep(item, name))).collect()))
}

/// The items of a list, each with the text of these children, and the same of every element named `inner` in the item.
pub(super) fn nested_rows<const N: usize, const M: usize>(
    xml: &str,
    list: &str,
    names: [&str; N],
    inner: &str,
    inner_names: [&str; M],
) -> Result<Vec<Nested<N, M>>, Error> {
    let fields = |item: Node<'_, '_>| {
        let inner = descendants(item, inner).map(|inner| inner_names.map(|name| text(inner, name)));
        (names.map(|name| text(item, name)), inner.collect())
    };
    read(xml, |root| Ok(items(root, list)?.map(fields).collect()))
}

/// The start of the next page: the element `Marker`.
pub(super) fn marker(xml: &str) -> Result<Option<String>, Error> {
    read(xml, |root| Ok(descendant(root, "Marker").map(content).filter(|marker| !marker.is_empty())))
}

/// Code and message of an error response: in `Error`, at any depth.
pub(super) fn refusal(xml: &str) -> Option<(String, String)> {
    let found = read(xml, |root| {
        let error = if is_named(root, "Error") { Some(root) } else { descendant(root, "Error") };
        Ok(error.map(|error| (text(error, "Code"), text(error, "Message"))))
    });
    found.ok().flatten()
}

/// The items of the first list with this name.
fn items<'a, 'input: 'a>(
    root: Node<'a, 'input>,
    list: &str,
) -> Result<impl Iterator<Item = Node<'a, 'input>>, Error> {
    descendant(root, list).map(elements).ok_or_else(|| Error::Missing(list.to_owned()))
}

fn descendants<'a, 'input: 'a>(of: Node<'a, 'input>, name: &str) -> impl Iterator<Item = Node<'a, 'input>> {
    of.descendants().skip(1).filter(move |node| is_named(*node, name))
}

fn descendant<'a, 'input: 'a>(of: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    descendants(of, name).next()
}

pub(super) fn elements<'a, 'input: 'a>(of: Node<'a, 'input>) -> impl Iterator<Item = Node<'a, 'input>> {
    of.children().filter(Node::is_element)
}

pub(super) fn child<'a, 'input: 'a>(of: Node<'a, 'input>, name: &str) -> Result<Node<'a, 'input>, Error> {
    let child = of.children().find(|node| is_named(*node, name));
    child.ok_or_else(|| Error::Missing(name.to_owned()))
}

/// The text of a child; empty if there is none.
pub(super) fn text(of: Node<'_, '_>, name: &str) -> String {
    child(of, name).map(content).unwrap_or_default()
}

pub(super) fn content(of: Node<'_, '_>) -> String {
    of.text().unwrap_or_default().to_owned()
}

pub(super) fn is_named(node: Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZONES: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<DescribeAvailabilityZonesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
  <requestId>1</requestId>
  <availabilityZoneInfo>
    <item><zoneName>us-east-1a</zoneName><messageSet/><zoneState>available</zoneState></item>
    <item><messageSet><item><message>a &lt; b</message></item></messageSet><zoneName>us-east-1b</zoneName></item>
  </availabilityZoneInfo>
</DescribeAvailabilityZonesResponse>
"#;

    const GATEWAYS: &str = "<R><Marker/><natGatewaySet>\
        <item><state>available</state><set><item><state>other</state><key>a</key><value>1 &lt; 2</value></item>\
        <item><key>b</key><value/></item></set><subnetId>s-1</subnetId></item>\
        <item><set><item><state>nested</state></item></set></item>\
        </natGatewaySet></R>";

    #[test]
    fn lists_and_fields_are_read_and_a_missing_field_is_empty() {
        let zones = rows(ZONES, "availabilityZoneInfo", ["zoneName", "zoneState"]).unwrap();
        assert_eq!(zones, [["us-east-1a", "available"], ["us-east-1b", ""]]);
        assert_eq!(rows(ZONES, "messageSet", ["message"]).unwrap(), [[""; 1]; 0]);
        assert_eq!(field(ZONES, "requestId").unwrap(), "1");
        assert_eq!(field(ZONES, "other").unwrap(), "");
    }

    #[test]
    fn an_item_has_its_own_children_and_those_of_its_inner_elements() {
        let found = nested_rows(GATEWAYS, "natGatewaySet", ["subnetId", "state"], "item", ["key", "value"]);
        let [(first, tags), (second, others)] = &found.unwrap()[..] else { panic!("two items") };
        assert_eq!(
            (first, tags.as_slice()),
            (
                &["s-1", "available"].map(str::to_owned),
                &[["a", "1 < 2"], ["b", ""]].map(|tag| tag.map(str::to_owned))[..]
            )
        );
        // What an inner element contains does not count as the item's own.
        assert_eq!(
            (second, others.as_slice()),
            (&["", ""].map(str::to_owned), &[["", ""].map(str::to_owned)][..])
        );
        let deep = deep_rows(GATEWAYS, "natGatewaySet", ["key", "state"]).unwrap();
        assert_eq!(deep, [["a", "available"], ["", "nested"]]);
        assert!(deep_rows(GATEWAYS, "absent", ["state"]).is_err());
    }

    #[test]
    fn a_page_has_a_marker_or_is_the_last() {
        assert_eq!(marker(GATEWAYS).unwrap(), None);
        assert_eq!(marker("<R><A><Marker>x &amp; y</Marker></A></R>").unwrap().as_deref(), Some("x & y"));
        assert_eq!(marker("<R/>").unwrap(), None);
    }

    #[test]
    fn an_incomplete_answer_is_an_error_wherever_it_ends() {
        let whole = ZONES.trim_end();
        for end in 0..whole.len() {
            let broken = &whole[..end];
            assert!(rows(broken, "availabilityZoneInfo", ["zoneName"]).is_err(), "{broken}");
            assert!(field(broken, "requestId").is_err(), "{broken}");
            assert!(marker(broken).is_err(), "{broken}");
        }
        for other in ["<html>", "<a/>", "no XML", "<!DOCTYPE html><html></html>"] {
            assert!(rows(other, "availabilityZoneInfo", ["zoneName"]).is_err(), "{other}");
        }
    }
}
