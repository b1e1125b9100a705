"""Looks for the values of secrets where none may be: files of any kind, archives, objects of the account, argument lists."""

import base64
import io
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path


def needles(values: Iterable[str]) -> list[bytes]:
    """The values as they are and in base64, at each of the three offsets that they may have inside something longer."""
    wanted = set()
    for value in values:
        raw = value.encode()
        wanted.add(raw)
        for offset in range(3):
            coded = base64.b64encode(b"\0" * offset + raw)
            wanted.add(coded[(0, 2, 3)[offset] : -4])  # the ends depend on what is next to the value
    return sorted(needle for needle in wanted if len(needle) >= 8)


def in_folder(folder: Path, wanted: list[bytes]) -> list[str]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink() and "providers" not in path.parts]
    return [f"{place}" for path in files for place in in_bytes(str(path), path.read_bytes(), wanted)]


def in_bytes(name: str, content: bytes, wanted: list[bytes]) -> Iterator[str]:
    """The places where a value was found; an archive (a plan file is one) is searched entry by entry."""
    if any(needle in content for needle in wanted):
        yield name
    if content.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for entry in archive.namelist():
                yield from in_bytes(f"{name}:{entry}", archive.read(entry), wanted)
