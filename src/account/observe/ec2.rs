//! Reads of EC2: the regions that the account has enabled, the zones of one, and how new disks are kept.

use crate::account::Zone;
use crate::aws::{CallError, Session};

/// Reads the regions that the account has enabled.
pub async fn regions(session: &Session) -> Result<Vec<String>, CallError> {
    let answer = session.ec2(&session.region, "ec2:DescribeRegions").await?;
    let mut regions: Vec<String> =
        answer.rows("regionInfo", ["regionName"])?.into_iter().map(|[name]| name).collect();
    regions.sort();
    Ok(regions)
}

/// Reads the zones of a region that the account can use, by name; a local zone only where it was opted in.
pub async fn zones(session: &Session, region: &str) -> Result<Vec<Zone>, CallError> {
    let answer = session.ec2(region, "ec2:DescribeAvailabilityZones").await?;
    let fields = ["zoneName", "zoneId", "zoneState", "zoneType"];
    let mut zones: Vec<Zone> = answer
        .rows("availabilityZoneInfo", fields)?
        .into_iter()
        .map(|[name, id, state, kind]| Zone { name, id, state, kind })
        .collect();
    zones.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(zones)
}

/// Reads whether new disks are encrypted by default, in the session's region.
pub async fn ebs_encryption(session: &Session) -> Result<bool, CallError> {
    let answer = session.ec2(&session.region, "ec2:GetEbsEncryptionByDefault").await?;
    Ok(answer.field("ebsEncryptionByDefault")? == "true")
}
