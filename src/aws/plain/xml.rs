//! Single fields and flat lists out of XML answers; a text that broke off is an error, never a short list.

use aws_smithy_xml::decode::{Document, ScopedDecoder, XmlDecodeError, try_data};

/// The reader takes the end of the text for the end of a list: a list is only believed where the text is whole.
fn whole(xml: &str) -> Result<&str, XmlDecodeError> {
    let mut document = Document::new(xml);
    let root = document.root_element()?;
    let name = root.start_el().local();
    let end = xml.trim_end().strip_suffix('>').map(str::trim_end);
    match end.and_then(|xml| xml.strip_suffix(name)) {
        Some(before) if before.ends_with("</") => Ok(xml),
        _ => Err(XmlDecodeError::custom("the answer broke off")),
    }
}

/// A field of the outermost element; empty where it is not said.
pub(super) fn field(xml: &str, name: &str) -> Result<String, XmlDecodeError> {
    let mut document = Document::new(whole(xml)?);
    let mut root = document.root_element()?;
    let [value] = fields(&mut root, [name])?;
    Ok(value)
}

/// The items of a list in the outermost element, each with these fields; one that is not said is empty.
pub(super) fn rows<const N: usize>(
    xml: &str,
    list: &str,
    names: [&str; N],
) -> Result<Vec<[String; N]>, XmlDecodeError> {
    let mut document = Document::new(whole(xml)?);
    let mut root = document.root_element()?;
    while let Some(mut tag) = root.next_tag() {
        if tag.start_el().matches(list) {
            let mut found = Vec::new();
            while let Some(mut item) = tag.next_tag() {
                found.push(fields(&mut item, names)?);
            }
            return Ok(found);
        }
    }
    Err(XmlDecodeError::custom(format!("the answer has no {list}")))
}

/// The items of a list that is anywhere in the answer, each with these fields at whatever depth.
pub(super) fn deep_rows<const N: usize>(
    xml: &str,
    list: &str,
    names: [&str; N],
) -> Result<Vec<[String; N]>, XmlDecodeError> {
    fn fill<const N: usize>(
        element: &mut ScopedDecoder<'_, '_>,
        names: [&str; N],
        row: &mut [String; N],
    ) -> Result<(), XmlDecodeError> {
        while let Some(mut value) = element.next_tag() {
            match names.iter().position(|name| value.start_el().matches(name)) {
                Some(at) => row[at] = try_data(&mut value)?.into_owned(),
                None => fill(&mut value, names, row)?,
            }
        }
        Ok(())
    }
    fn find<const N: usize>(
        element: &mut ScopedDecoder<'_, '_>,
        list: &str,
        names: [&str; N],
    ) -> Result<Option<Vec<[String; N]>>, XmlDecodeError> {
        while let Some(mut tag) = element.next_tag() {
            if tag.start_el().matches(list) {
                let mut found = Vec::new();
                while let Some(mut item) = tag.next_tag() {
                    let mut row = [const { String::new() }; N];
                    fill(&mut item, names, &mut row)?;
                    found.push(row);
                }
                return Ok(Some(found));
            }
            if let Some(found) = find(&mut tag, list, names)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
    let mut document = Document::new(whole(xml)?);
    let found = find(&mut document.root_element()?, list, names)?;
    found.ok_or_else(|| XmlDecodeError::custom(format!("the answer has no {list}")))
}

/// The own fields of an item, and the fields of each inner element.
pub(crate) type Nested<const N: usize, const M: usize> = ([String; N], Vec<[String; M]>);

/// The items of a list that is anywhere in the answer: their own fields, and the fields of every element of one name below.
pub(super) fn nested_rows<const N: usize, const M: usize>(
    xml: &str,
    list: &str,
    names: [&str; N],
    (inner, inner_names): (&str, [&str; M]),
) -> Result<Vec<Nested<N, M>>, XmlDecodeError> {
    fn within<const M: usize>(
        element: &mut ScopedDecoder<'_, '_>,
        inner: &str,
        names: [&str; M],
        rows: &mut Vec<[String; M]>,
    ) -> Result<(), XmlDecodeError> {
        while let Some(mut tag) = element.next_tag() {
            if tag.start_el().matches(inner) {
                rows.push(fields(&mut tag, names)?);
            } else {
                within(&mut tag, inner, names, rows)?;
            }
        }
        Ok(())
    }
    let mut found = Vec::new();
    let mut document = Document::new(whole(xml)?);
    let mut root = document.root_element()?;
    let is_there = visit(&mut root, list, &mut |items| {
        while let Some(mut item) = items.next_tag() {
            let mut own = [const { String::new() }; N];
            let mut rows = Vec::new();
            while let Some(mut value) = item.next_tag() {
                match names.iter().position(|name| value.start_el().matches(name)) {
                    Some(at) => own[at] = try_data(&mut value)?.into_owned(),
                    None => within(&mut value, inner, inner_names, &mut rows)?,
                }
            }
            found.push((own, rows));
        }
        Ok(())
    })?;
    if is_there { Ok(found) } else { Err(XmlDecodeError::custom(format!("the answer has no {list}"))) }
}

/// Where the next page begins: the element `Marker`, wherever it is.
pub(super) fn marker(xml: &str) -> Result<Option<String>, XmlDecodeError> {
    let mut marker = String::new();
    let mut document = Document::new(whole(xml)?);
    visit(&mut document.root_element()?, "Marker", &mut |element| {
        marker = try_data(element)?.into_owned();
        Ok(())
    })?;
    Ok(Some(marker).filter(|marker| !marker.is_empty()))
}

/// Hands the first element of a name to a reader; whether there is one.
fn visit(
    element: &mut ScopedDecoder<'_, '_>,
    name: &str,
    read: &mut dyn FnMut(&mut ScopedDecoder<'_, '_>) -> Result<(), XmlDecodeError>,
) -> Result<bool, XmlDecodeError> {
    while let Some(mut tag) = element.next_tag() {
        if tag.start_el().matches(name) {
            read(&mut tag)?;
            return Ok(true);
        }
        if visit(&mut tag, name, read)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn fields<const N: usize>(
    element: &mut ScopedDecoder<'_, '_>,
    names: [&str; N],
) -> Result<[String; N], XmlDecodeError> {
    let mut row = [const { String::new() }; N];
    while let Some(mut value) = element.next_tag() {
        let at = names.iter().position(|name| value.start_el().matches(name));
        if let Some(at) = at {
            row[at] = try_data(&mut value)?.into_owned();
        }
    }
    Ok(row)
}

/// Code and message of a refusal: in `Error`, alone or however deep.
pub(super) fn refusal(xml: &str) -> Option<(String, String)> {
    fn within(element: &mut ScopedDecoder<'_, '_>) -> Option<[String; 2]> {
        if element.start_el().matches("Error") {
            return fields(element, ["Code", "Message"]).ok();
        }
        while let Some(mut inner) = element.next_tag() {
            if let Some(found) = within(&mut inner) {
                return Some(found);
            }
        }
        None
    }
    let mut document = Document::new(xml);
    let [code, message] = within(&mut document.root_element().ok()?)?;
    Some((code, message))
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
</DescribeAvailabilityZonesResponse>"#;

    #[test]
    fn lists_and_fields_are_read_and_what_is_not_said_is_empty() {
        let zones = rows(ZONES, "availabilityZoneInfo", ["zoneName", "zoneState"]).unwrap();
        assert_eq!(zones, [["us-east-1a", "available"], ["us-east-1b", ""]]);
        assert_eq!(field(ZONES, "requestId").unwrap(), "1");
        assert_eq!(field(ZONES, "other").unwrap(), "");
    }

    #[test]
    fn a_nested_list_is_found_with_its_nested_fields() {
        let health = "<R><H><T><member><Target><Id>10.0.0.1</Id></Target><TargetHealth><State>healthy</State></TargetHealth>\
            </member><member><Target><Id>10.0.0.2</Id></Target></member></T></H></R>";
        assert_eq!(
            deep_rows(health, "T", ["Id", "State"]).unwrap(),
            [["10.0.0.1", "healthy"], ["10.0.0.2", ""]]
        );
        assert!(deep_rows(health, "absent", ["Id"]).is_err());
    }

    #[test]
    fn an_answer_that_is_none_is_an_error_and_never_an_empty_list() {
        for broken in ["", "<html>", "<a/>", &ZONES[..330], &ZONES[..ZONES.len() - 9]] {
            assert!(rows(broken, "availabilityZoneInfo", ["zoneName"]).is_err(), "{broken}");
        }
        assert!(field("", "requestId").is_err());
    }
}
