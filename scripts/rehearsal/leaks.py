"""Searches files, archives, objects of the account and arguments of processes for the values of secrets."""

import base64
import io
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path


def needles(values: Iterable[str]) -> list[bytes]:
    """The values themselves, and their base64 encodings at each of the three possible offsets in longer data."""
    wanted = set()
    for value in values:
        raw = value.encode()
        wanted.add(raw)
        for offset in range(3):
            coded = base64.b64encode(b"\0" * offset + raw)
            wanted.add(coded[(0, 2, 3)[offset] : -4])  # the first and last digits depend on the adjacent data
    return sorted(needle for needle in wanted if len(needle) >= 8)


def in_folder(folder: Path, wanted: list[bytes]) -> list[str]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink() and "providers" not in path.parts]
    return [f"{place}" for path in files for place in in_bytes(str(path), path.read_bytes(), wanted)]


def in_bytes(name: str, content: bytes, wanted: list[bytes]) -> Iterator[str]:
    """The places where a value was found. The entries of an archive, such as a plan file, are searched separately."""
    if any(needle in content for needle in wanted):
        yield name
    if content.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for entry in archive.namelist():
                yield from in_bytes(f"{name}:{entry}", archive.read(entry), wanted)
