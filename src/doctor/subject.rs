//! The config that is checked: values by pointer, without those that already have an error.
//!
//! One mistake should give one finding. So a value that is missing, of the wrong type, a placeholder or otherwise wrong is
//! hidden from the rules that run later.

use std::collections::HashSet;

use ipnet::Ipv4Net;

use super::block::block;
use super::region;
use super::region::Region;
use crate::arn::Arn;
use crate::deployment::environment;
use crate::deployment::image::Reference;
use crate::deployment::osmt_line;
use crate::deployment::osmt_line::OsmtLine;
use crate::document::{Document, Kind, Node, Token, integer};
use crate::finding::{Finding, Severity};

/// A config whose shape has been checked.
pub struct Subject {
    /// The file.
    pub document: Document,
    /// Whether the AWS endpoint is an emulator on this machine: its account and domain are not placeholders.
    pub loopback: bool,
    with_errors: HashSet<String>,
}

impl Subject {
    /// No value has an error yet.
    pub fn new(document: Document, loopback: bool) -> Self {
        Self { document, loopback, with_errors: HashSet::new() }
    }

    /// Hides the values that have an error.
    pub fn hide_errors(&mut self, findings: &[Finding]) {
        for finding in findings {
            let at = finding.at.as_ref().filter(|at| at.token != Token::Missing);
            if let Some(at) = at.filter(|_| finding.severity == Severity::Error) {
                self.with_errors.insert(at.pointer.clone());
            }
        }
    }

    /// Whether the value has an error.
    pub fn has_error(&self, pointer: &str) -> bool {
        self.with_errors.contains(pointer)
    }

    /// The node at a pointer, unless it or an object around it has an error.
    fn node(&self, pointer: &str) -> Option<&Node> {
        let mut prefix = pointer;
        while !prefix.is_empty() {
            if self.with_errors.contains(prefix) {
                return None;
            }
            prefix = prefix.rsplit_once('/').map_or("", |(parent, _)| parent);
        }
        self.document.get(pointer)
    }

    /// A string.
    pub fn text(&self, pointer: &str) -> Option<&str> {
        match &self.node(pointer)?.kind {
            Kind::String(text) => Some(text),
            _ => None,
        }
    }

    /// A whole number.
    pub fn number(&self, pointer: &str) -> Option<i64> {
        match &self.node(pointer)?.kind {
            Kind::Number(text) => integer(text),
            _ => None,
        }
    }

    /// True or false.
    pub fn flag(&self, pointer: &str) -> Option<bool> {
        match &self.node(pointer)?.kind {
            Kind::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// How many items a list has, including items with an error.
    pub fn count(&self, pointer: &str) -> Option<usize> {
        match &self.node(pointer)?.kind {
            Kind::Array(items) => Some(items.len()),
            _ => None,
        }
    }

    /// The strings of a list that have no error, each with its pointer.
    pub fn texts(&self, pointer: &str) -> Vec<(String, &str)> {
        // No valid config has such a long list; other rules report it.
        let count = self.count(pointer).unwrap_or(0).min(1000);
        (0..count)
            .map(|index| format!("{pointer}/{index}"))
            .filter_map(|at| self.text(&at).map(|text| (at.clone(), text)))
            .collect()
    }

    /// The well-formed IPv4 blocks of a list, each with its pointer.
    pub fn blocks(&self, pointer: &str) -> Vec<(String, Ipv4Net)> {
        self.texts(pointer)
            .into_iter()
            .filter_map(|(at, text)| block(text).map(|block| (at, block)))
            .collect()
    }

    /// The region, if AWS has it.
    pub fn region(&self) -> Option<&'static Region> {
        region::find(self.text("/config/region")?)
    }

    /// The OSMT release in the config, with its pointer: `app.version`, otherwise `docker_tag` if that is a version.
    pub fn osmt_version(&self) -> Option<(&'static str, &str)> {
        const STATED: &str = "/config/app/version";
        const TAG: &str = "/config/ecs/task/app/docker_tag";
        let stated = self.text(STATED).map(|text| (STATED, text));
        // OSMT publishes no tag with a `v`; IMG004 reports it, and it is not a release.
        let published = self
            .text("/config/ecs/task/app/docker_image")
            .is_some_and(|image| Reference::new(image, "").is_published_osmt());
        let tag = self.text(TAG).filter(|tag| !(published && tag.starts_with('v')));
        stated.or_else(|| tag.and_then(osmt_line::version_of_tag).map(|text| (TAG, text)))
    }

    /// The release line of that release.
    pub fn osmt_line(&self) -> Option<OsmtLine> {
        OsmtLine::of(self.osmt_version()?.1)
    }

    /// The region of all zones and the certificate, if `region` is a different one.
    pub fn region_of_zones_and_certificate(&self) -> Option<&'static Region> {
        let region = self.region()?;
        let certificate = Arn::parse(self.text("/config/alb/certificate_arn")?)?.region;
        let zones = self.texts("/config/vpc/azs");
        let agree = zones.len() > 1
            && zones.iter().all(|(_, zone)| zone.get(..zone.len().saturating_sub(1)) == Some(certificate));
        region::find(certificate).filter(|other| agree && *other != region)
    }

    /// Whether the environment's name says that it is production.
    pub fn is_production(&self) -> bool {
        self.text("/config/env").is_some_and(environment::is_production)
    }
}
