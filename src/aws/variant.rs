//! Whether FIPS or dual-stack endpoints are asked for, and whether they exist.

use super::error::Error;
use super::session::SERVICES;
use super::variables::Variables;

/// Which of AWS's endpoints the user asks for, by the variable or setting that asks.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Variant {
    pub(super) fips: Option<&'static str>,
    pub(super) dual: Option<&'static str>,
}

impl Variant {
    pub(super) fn of<'a>(
        variables: &'a Variables,
        setting: impl Fn(&'static str) -> Option<&'a str>,
    ) -> Result<Self, Error> {
        let asked = |variable: &'static str, key: &'static str| {
            let given = variables.get(variable).map(|value| (variable, value));
            match given.or_else(|| setting(key).map(|value| (key, value))) {
                Some((name, value)) if value.trim().eq_ignore_ascii_case("true") => Ok(Some(name)),
                Some((_, value)) if value.trim().eq_ignore_ascii_case("false") => Ok(None),
                Some((name, value)) => Err(Error::Setting {
                    name: name.to_owned(),
                    value: value.to_owned(),
                    wanted: "true or false",
                }),
                None => Ok(None),
            }
        };
        Ok(Self {
            fips: asked("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint")?,
            dual: asked("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint")?,
        })
    }

    /// Refuses what does not exist, and what would be ignored because another endpoint is named.
    pub(super) fn possible(
        self,
        region: &str,
        endpoint: impl Fn(&'static str) -> Option<String>,
    ) -> Result<(), Error> {
        let Some(name) = self.fips.or(self.dual) else {
            return Ok(());
        };
        let other = SERVICES.into_iter().find_map(|service| Some((service, endpoint(service)?)));
        if let Some((service, endpoint)) = other {
            return Err(Error::OtherEndpoint { name, service, endpoint });
        }
        // "FIPS endpoints by service": the United States, Canada and GovCloud.
        match self.fips {
            Some(name) if !["us-", "ca-"].iter().any(|prefix| region.starts_with(prefix)) => {
                Err(Error::NoFips { name, region: region.to_owned() })
            }
            _ => Ok(()),
        }
    }
}
