//! The settings that read commands override, because git would run the program that they name.

/// A setting and its value in read commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Override {
    pub(super) key: String,
    pub(super) value: &'static str,
}

/// The overrides for a repository whose settings are `listed`, the output of `git config --show-scope -z --name-only --list`.
///
/// Commands of filters are always overridden, because they change the content that git compares. Commands that connect to a
/// remote are overridden if the repository sets them; the user's are needed to reach the remote.
pub(super) fn overrides(listed: &str) -> Vec<Override> {
    let fields: Vec<&str> = listed.split_terminator('\0').collect();
    let mut settings = Vec::new();
    for pair in fields.chunks_exact(2) {
        let (scope, key) = (pair[0], pair[1]);
        let Some((section, rest)) = key.split_once('.') else { continue };
        let variable = rest.rsplit('.').next().unwrap_or(rest);
        let is_of_repository = matches!(scope, "local" | "worktree");
        let value = match (section, variable) {
            ("filter", "clean" | "smudge" | "process") => "",
            ("filter", "required") => "false",
            ("core", "sshcommand") if is_of_repository => "ssh",
            ("core", "gitproxy" | "askpass") | ("credential", "helper") if is_of_repository => "",
            ("remote", "uploadpack") if is_of_repository => "git-upload-pack",
            _ => continue,
        };
        let setting = Override { key: key.to_owned(), value };
        if !settings.contains(&setting) {
            settings.push(setting);
        }
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::overrides;

    #[test]
    fn programs_of_the_repository_are_overridden_and_the_users_remote_settings_are_kept() {
        let listed = [
            ("global", "filter.lfs.clean"),
            ("local", "filter.a.b.process"),
            ("local", "filter.a.b.required"),
            ("global", "core.sshcommand"),
            ("local", "core.sshcommand"),
            ("global", "credential.helper"),
            ("local", "credential.https://example.org.helper"),
            ("worktree", "remote.origin.uploadpack"),
            ("local", "remote.origin.url"),
            ("local", "core.bare"),
        ];
        let listed = listed.map(|(scope, key)| format!("{scope}\0{key}\0")).concat();
        let settings = overrides(&listed);
        let settings: Vec<String> = settings.iter().map(|one| format!("{}={}", one.key, one.value)).collect();
        assert_eq!(
            settings,
            [
                "filter.lfs.clean=",
                "filter.a.b.process=",
                "filter.a.b.required=false",
                "core.sshcommand=ssh",
                "credential.https://example.org.helper=",
                "remote.origin.uploadpack=git-upload-pack",
            ]
        );
    }
}
