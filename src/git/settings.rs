//! Which settings of a repository a reading call sets aside: those that name a program to run.

/// A setting and the value that a reading call gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) key: String,
    pub(super) value: &'static str,
}

/// The settings that name a program, each with a value that names none. `listed` is what
/// `git config --show-scope -z --name-only --list` prints.
///
/// A filter's commands are set aside wherever they come from, for they change what a file is compared with. Commands that
/// reach a remote are set aside where the repository itself sets them; those of the user are needed to reach it.
pub(super) fn set_aside(listed: &str) -> Vec<Setting> {
    let fields: Vec<&str> = listed.split_terminator('\0').collect();
    let mut settings = Vec::new();
    for pair in fields.chunks_exact(2) {
        let (scope, key) = (pair[0], pair[1]);
        let Some((section, rest)) = key.split_once('.') else { continue };
        let variable = rest.rsplit('.').next().unwrap_or(rest);
        let own = matches!(scope, "local" | "worktree");
        let value = match (section, variable) {
            ("filter", "clean" | "smudge" | "process") => "",
            ("filter", "required") => "false",
            ("core", "sshcommand") if own => "ssh",
            ("core", "gitproxy" | "askpass") | ("credential", "helper") if own => "",
            ("remote", "uploadpack") if own => "git-upload-pack",
            _ => continue,
        };
        let setting = Setting { key: key.to_owned(), value };
        if !settings.contains(&setting) {
            settings.push(setting);
        }
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::set_aside;

    #[test]
    fn programs_are_set_aside_and_the_users_way_to_a_remote_is_kept() {
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
        let settings = set_aside(&listed);
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
