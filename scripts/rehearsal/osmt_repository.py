"""Creates a small git repository with the structure of OSMT's: a parent pom, Flyway migrations, release tags."""

import os
import subprocess
from pathlib import Path

_MIGRATIONS = "api/src/main/resources/db/migration"
_FIRST = ["V2020.09.15__initial_schema.sql", "V2020.09.17__second.sql", "V2020.09.25__third.sql", "V2020.12.10__fourth.sql"]
_RELEASES = {  # tag: the migrations that it adds
    "2.4.2": [*_FIRST, "V2021.06.03__fifth.sql"],
    "2.5.0": ["V2023.01.26__sixth.sql", "V2023.02.08__seventh.sql"],
    "3.0.0": ["V2023.02.20__eighth.sql", "V2023.03.07__ninth.sql", "V2023.03.22__tenth.sql", "V2023.07.05__eleventh.sql"],
    "3.1.0": ["V2024.01.15__twelfth.sql"],
}
NEWEST = list(_RELEASES)[-1]


def make(place: Path) -> None:
    """Creates the repository, with one commit and tag per release and day."""
    migrations = place / _MIGRATIONS
    migrations.mkdir(parents=True)
    git = _Git(place)
    git("init", "--quiet", "--initial-branch=main")
    for day, (release, added) in enumerate(_RELEASES.items(), start=1):
        for name in added:
            (migrations / name).write_text(f"-- {name} of {release}\nSELECT 1;\n", encoding="utf-8")
        _write_pom(place / "pom.xml", release, "osmt-parent")
        _write_pom(place / "api" / "pom.xml", release, "osmt-api")
        git("add", "--all")
        git("commit", "--quiet", "--message", f"Release {release}", day=day)
        git("tag", "--annotate", release, "--message", f"Release {release}", day=day)


class _Git:
    """Runs git with a fixed author and without the user's settings."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def __call__(self, *arguments: str, day: int = 1) -> None:
        when = f"2024-01-{day:02}T12:00:00Z"
        own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
        own |= {f"GIT_{who}_{what}": "rehearsal@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        subprocess.run(["git", *arguments], cwd=self._place, env=os.environ | own, check=True, capture_output=True)


def _write_pom(path: Path, version: str, artifact: str) -> None:
    path.write_text(
        f"""<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
    <modelVersion>4.0.0</modelVersion>
    <groupId>edu.wgu.osmt</groupId>
    <artifactId>{artifact}</artifactId>
    <version>{version}</version>
</project>
""",
        encoding="utf-8",
    )
