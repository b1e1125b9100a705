//! The few calls of Amazon Route 53 that are used ("Amazon Route 53 API Reference"), by its XML form.

use aws_smithy_xml::encode::{ScopeWriter, XmlWriter};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use roxmltree::Node;

use super::xml::{self, child, content, elements, text};
use super::{Answer, Question, ROUTE_53};
use crate::aws::call::CallError;
use crate::aws::session::Session;

/// The version of Route 53's interface, which has not changed since.
const VERSION: &str = "2013-04-01";
/// How long resolvers may keep a record that is written here, in seconds.
const TTL: &str = "300";
/// What needs no escaping in a URL (RFC 3986, section 2.3).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Amazon Route 53 in the session's account.
#[derive(Clone, Copy)]
pub struct Route53<'a>(&'a Session);

/// A hosted zone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Zone {
    /// Its id, without `/hostedzone/`.
    pub id: String,
    /// Its name, with the last dot.
    pub name: String,
    /// Whether only VPCs see it.
    pub is_private: bool,
    /// The name servers that Route 53 gave it; only known where one zone is read.
    pub name_servers: Vec<String>,
}

/// A record set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordSet {
    /// Its name, with the last dot.
    pub name: String,
    /// `CNAME`, `CAA`, …
    pub kind: String,
    /// The values of its records.
    pub values: Vec<String>,
    /// The whole element: Route 53 deletes a record set only if the request repeats every field of it.
    xml: String,
}

/// A change to a record set.
#[derive(Clone, Copy, Debug)]
pub enum Change {
    /// Create it, or replace the one with the same name and type.
    Upsert,
    /// Delete it.
    Delete,
}

/// Where a list of record sets begins.
#[derive(Clone, Copy, Debug)]
pub struct From<'a> {
    /// A name.
    pub name: &'a str,
    /// A type, to begin within the name; then the list has one record set.
    pub kind: Option<&'a str>,
}

impl RecordSet {
    /// A record set with one record.
    pub fn new(name: &str, kind: &str, value: &str) -> Self {
        let mut xml = String::new();
        let mut writer = XmlWriter::new(&mut xml);
        let mut set = writer.start_el("ResourceRecordSet").finish();
        leaf(&mut set, "Name", name);
        leaf(&mut set, "Type", kind);
        leaf(&mut set, "TTL", TTL);
        let mut records = set.start_el("ResourceRecords").finish();
        let mut record = records.start_el("ResourceRecord").finish();
        leaf(&mut record, "Value", value);
        record.finish();
        records.finish();
        set.finish();
        Self { name: name.to_owned(), kind: kind.to_owned(), values: vec![value.to_owned()], xml }
    }

    fn read(node: Node<'_, '_>) -> Self {
        let records = child(node, "ResourceRecords");
        Self {
            name: text(node, "Name"),
            kind: text(node, "Type"),
            values: records.into_iter().flat_map(elements).map(|record| text(record, "Value")).collect(),
            xml: node.document().input_text()[node.range()].to_owned(),
        }
    }
}

impl Zone {
    fn read(node: Node<'_, '_>) -> Self {
        let id = text(node, "Id");
        let config = child(node, "Config").ok();
        Self {
            id: id.strip_prefix("/hostedzone/").unwrap_or(&id).to_owned(),
            name: text(node, "Name"),
            is_private: config.is_some_and(|config| text(config, "PrivateZone") == "true"),
            name_servers: Vec::new(),
        }
    }
}

impl Session {
    /// DNS.
    pub fn route53(&self) -> Route53<'_> {
        Route53(self)
    }
}

impl Route53<'_> {
    /// A hosted zone and its name servers.
    pub async fn get_hosted_zone(self, id: &str) -> Result<Zone, CallError> {
        let answer = self.read("route53:GetHostedZone", &["hostedzone", id], &[]).await?;
        answer.xml("GetHostedZoneResponse", |root| {
            let mut zone = Zone::read(child(root, "HostedZone")?);
            let servers = child(root, "DelegationSet").and_then(|set| child(set, "NameServers"));
            zone.name_servers = servers.into_iter().flat_map(elements).map(content).collect();
            Ok(zone)
        })
    }

    /// Hosted zones in the order of their names, beginning with a name.
    pub async fn list_hosted_zones_by_name(self, name: &str, limit: u32) -> Result<Vec<Zone>, CallError> {
        let limit = limit.to_string();
        let query = [("dnsname", name), ("maxitems", limit.as_str())];
        let answer = self.read("route53:ListHostedZonesByName", &["hostedzonesbyname"], &query).await?;
        answer.xml("ListHostedZonesByNameResponse", |root| {
            Ok(elements(child(root, "HostedZones")?).map(Zone::read).collect())
        })
    }

    /// A page of a zone's record sets in the order of their names.
    pub async fn list_resource_record_sets(
        self,
        zone: &str,
        from: From<'_>,
    ) -> Result<Vec<RecordSet>, CallError> {
        let mut query = vec![("name", from.name)];
        query.extend(from.kind.into_iter().flat_map(|kind| [("type", kind), ("maxitems", "1")]));
        let path = ["hostedzone", zone, "rrset"];
        let answer = self.read("route53:ListResourceRecordSets", &path, &query).await?;
        answer.xml("ListResourceRecordSetsResponse", |root| {
            Ok(elements(child(root, "ResourceRecordSets")?).map(RecordSet::read).collect())
        })
    }

    /// Changes record sets: all of them or none.
    pub async fn change_resource_record_sets(
        self,
        zone: &str,
        change: Change,
        sets: &[RecordSet],
        comment: &str,
    ) -> Result<(), CallError> {
        let question = Question {
            method: "POST",
            uri: uri(&["hostedzone", zone, "rrset", ""], &[]),
            headers: vec![("content-type", "application/xml".to_owned())],
            body: batch(change, sets, comment),
        };
        let Self(session) = self;
        let asked = session.ask(&ROUTE_53, &session.region, "route53:ChangeResourceRecordSets", question);
        asked.await.map(drop)
    }

    async fn read(
        self,
        operation: &'static str,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Answer, CallError> {
        let question = Question { method: "GET", uri: uri(path, query), ..Question::default() };
        let Self(session) = self;
        session.ask(&ROUTE_53, &session.region, operation, question).await
    }
}

impl Answer {
    /// Reads an XML answer with this outermost element.
    fn xml<T>(
        &self,
        root: &str,
        read: impl FnOnce(Node<'_, '_>) -> Result<T, xml::Error>,
    ) -> Result<T, CallError> {
        let found = xml::read(&self.text, |element| {
            if xml::is_named(element, root) {
                read(element)
            } else {
                Err(xml::Error::Missing(root.to_owned()))
            }
        });
        found.map_err(|error| CallError::unreadable(self.operation, &error))
    }
}

/// The request of a change.
fn batch(change: Change, sets: &[RecordSet], comment: &str) -> String {
    let action = match change {
        Change::Upsert => "UPSERT",
        Change::Delete => "DELETE",
    };
    let sets =
        sets.iter().map(|RecordSet { xml, .. }| format!("<Change><Action>{action}</Action>{xml}</Change>"));
    let changes: String = sets.collect();
    let mut escaped = String::new();
    let mut writer = XmlWriter::new(&mut escaped);
    let mut element = writer.start_el("Comment").finish();
    element.data(comment);
    element.finish();
    format!(
        "<ChangeResourceRecordSetsRequest xmlns=\"https://route53.amazonaws.com/doc/{VERSION}/\">\
        <ChangeBatch>{escaped}<Changes>{changes}</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>"
    )
}

fn uri(path: &[&str], query: &[(&str, &str)]) -> String {
    let escape = |text| utf8_percent_encode(text, ESCAPED).to_string();
    let path: Vec<String> = path.iter().map(|part| escape(part)).collect();
    let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("/{VERSION}/{}{mark}{}", path.join("/"), query.join("&"))
}

fn leaf(parent: &mut ScopeWriter<'_, '_>, name: &str, text: &str) {
    let mut element = parent.start_el(name).finish();
    element.data(text);
    element.finish();
}

#[cfg(test)]
mod tests {
    use roxmltree::Document;

    use super::*;

    const SETS: &str = r#"<?xml version="1.0"?>
<ListResourceRecordSetsResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><ResourceRecordSets>
<ResourceRecordSet><Name>a.example.org.</Name><Type>TXT</Type><SetIdentifier>a &amp; b</SetIdentifier><Weight>1</Weight><TTL>60</TTL><ResourceRecords><ResourceRecord><Value>"x &lt; y"</Value></ResourceRecord><ResourceRecord><Value>"z"</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>
<ResourceRecordSet><Name>b.example.org.</Name><Type>A</Type><AliasTarget><DNSName>lb</DNSName></AliasTarget></ResourceRecordSet>
</ResourceRecordSets><IsTruncated>false</IsTruncated></ListResourceRecordSetsResponse>"#;

    fn sets(text: &str) -> Result<Vec<RecordSet>, CallError> {
        let answer = Answer { operation: "route53:ListResourceRecordSets", text: text.to_owned() };
        answer.xml("ListResourceRecordSetsResponse", |root| {
            Ok(elements(child(root, "ResourceRecordSets")?).map(RecordSet::read).collect())
        })
    }

    #[test]
    fn a_record_set_is_deleted_with_every_field_that_route_53_returned() {
        let sets = sets(SETS).unwrap();
        assert_eq!(sets[0].values, ["\"x < y\"", "\"z\""]);
        assert_eq!((sets[1].kind.as_str(), sets[1].values.len()), ("A", 0));
        let batch = batch(Change::Delete, &sets[..1], "a < b");
        assert!(batch.contains("<Comment>a &lt; b</Comment>"), "{batch}");
        for part in [
            "<Action>DELETE</Action><ResourceRecordSet>",
            "<SetIdentifier>a &amp; b</SetIdentifier>",
            "<TTL>60</TTL>",
        ] {
            assert!(batch.contains(part), "{part}: {batch}");
        }
        let document = Document::parse(&batch).unwrap();
        let namespace = "https://route53.amazonaws.com/doc/2013-04-01/";
        let elements = document.descendants().filter(Node::is_element);
        assert!(elements.into_iter().all(|node| node.tag_name().namespace() == Some(namespace)));
    }

    #[test]
    fn a_record_set_is_escaped_when_written_and_the_same_when_read_again() {
        let written = RecordSet::new("_x.example.org.", "TXT", "\"a < b & c\"");
        let text = format!(
            "<ListResourceRecordSetsResponse><ResourceRecordSets>{}</ResourceRecordSets></ListResourceRecordSetsResponse>",
            written.xml
        );
        assert_eq!(sets(&text).unwrap(), [written]);
        assert_eq!(
            uri(&["hostedzone", "Z1/../Z2", "rrset"], &[("name", "*.a b.org"), ("type", "CAA")]),
            "/2013-04-01/hostedzone/Z1%2F..%2FZ2/rrset?name=%2A.a%20b.org&type=CAA"
        );
    }

    #[test]
    fn an_incomplete_answer_or_another_one_is_an_error() {
        for broken in
            ["", "<html/>", "<ListResourceRecordSetsResponse/>", &SETS[..SETS.len() - 9], &SETS[..300]]
        {
            assert!(sets(broken).is_err(), "{broken}");
        }
    }
}
