"""What a zip archive says about itself, checked before anything is unpacked. Pure: reads an open file, writes nothing.

The central directory is walked by hand, entry by entry, because the standard reader first builds an object for each
of a million members and only then lets one look. Everything that could leave the target folder, hide behind a link or
blow up is refused with the member's name.
"""

from __future__ import annotations

import contextlib
import re
import stat
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from annotator.core.errors import Invalid, TooLarge

MAX_MEMBERS = 50_000
MAX_DIRECTORY_BYTES = 32 * 2**20
MAX_NAME_CHARS = 400
MAX_DEPTH = 12
MAX_RATIO = 200
RATIO_FROM_BYTES = 2**20
CHUNK = 1 << 18

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
_NESTED = re.compile(r"\.(zip|tar|gz|tgz|bz2|xz|7z|rar|zst|jar|lzma|z|cab|iso)\Z", re.IGNORECASE)


@dataclass(frozen=True)
class Member:
    """One file of an archive."""

    name: str
    size: int
    packed: int
    offset: int


def _refuse(code: str, message: str, name: str) -> Invalid:
    return Invalid(code, message, place=name[:200] or "(no name)")


def check_name(name: str) -> None:
    """Refuse a member name that could mean anything but a file below the target folder."""
    if not name or len(name) > MAX_NAME_CHARS:
        raise _refuse("member_name", "A member's name is missing or too long.", name)
    if _CONTROL.search(name) or "\\" in name or name.startswith("/") or ":" in name or name.startswith("~"):
        raise _refuse(
            "member_name", "A member's name is absolute or holds characters that are not taken.", name
        )
    parts = name.rstrip("/").split("/")
    if len(parts) > MAX_DEPTH:
        raise _refuse("member_depth", "A member lies too deep in folders.", name)
    for part in parts:
        if part in ("", ".", "..") or part != part.rstrip(". ") or part != part.lstrip(" "):
            raise _refuse(
                "member_name",
                "A member's name climbs, or a part of it is empty or ends in a dot or space.",
                name,
            )


def _directory(file: IO[bytes]) -> tuple[int, int, int]:
    """(entries, size, offset) of the central directory by the end record."""
    size = file.seek(0, 2)
    if size < 22:
        raise Invalid("not_a_zip", "The file is not a zip archive.")
    tail_at = max(0, size - 65_557)
    file.seek(tail_at)
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + 22 > len(tail):
        raise Invalid("not_a_zip", "The file is not a zip archive.")
    disk, cd_disk, _, entries, cd_size, cd_offset, _ = struct.unpack_from("<4H2LH", tail, at + 4)
    if at >= 20 and tail[at - 20 : at - 16] == b"PK\x06\x07":
        where = struct.unpack_from("<Q", tail, at - 20 + 8)[0]
        if where + 56 > size:
            raise Invalid("not_a_zip", "The archive's end record is damaged.")
        file.seek(where)
        record = file.read(56)
        if record[:4] != b"PK\x06\x06":
            raise Invalid("not_a_zip", "The archive's end record is damaged.")
        disk, cd_disk = struct.unpack_from("<2L", record, 16)
        entries, cd_size, cd_offset = struct.unpack_from("<3Q", record, 32)
    if disk or cd_disk:
        raise Invalid("zip_in_parts", "An archive in several parts is not taken.")
    if cd_offset + cd_size > size:
        raise Invalid("not_a_zip", "The archive's directory is damaged.")
    return entries, cd_size, cd_offset


def check_zip(file: IO[bytes], *, max_bytes: int, max_members: int = MAX_MEMBERS) -> list[Member]:
    """The files of the archive in directory order. Raises Invalid or TooLarge naming the member, before unpacking."""
    entries, cd_size, cd_offset = _directory(file)
    if entries > max_members or cd_size > MAX_DIRECTORY_BYTES:
        raise TooLarge(
            "too_many_members", "The archive has more members than the published budget.", limit=max_members
        )
    file.seek(cd_offset)
    raw = file.read(cd_size)
    members: list[Member] = []
    seen: set[str] = set()
    total = at = n = 0
    while at < len(raw):
        if raw[at : at + 4] != b"PK\x01\x02" or at + 46 > len(raw):
            raise Invalid("not_a_zip", "The archive's directory is damaged.")
        n += 1
        if n > max_members:
            raise TooLarge(
                "too_many_members",
                "The archive has more members than the published budget.",
                limit=max_members,
            )
        made_by, flags, method = struct.unpack_from("<H2xHH", raw, at + 4)
        packed, size, name_n, extra_n, comment_n = struct.unpack_from("<LLHHH", raw, at + 20)
        attributes, offset = struct.unpack_from("<LL", raw, at + 38)
        name_raw = raw[at + 46 : at + 46 + name_n]
        extra = raw[at + 46 + name_n : at + 46 + name_n + extra_n]
        try:
            name = name_raw.decode("utf-8" if flags & 0x800 else "cp437")
        except UnicodeDecodeError:
            raise _refuse("member_name", "A member's name is not text.", repr(name_raw)[:80]) from None
        packed, size, offset = _zip64(extra, packed, size, offset)
        at += 46 + name_n + extra_n + comment_n
        check_name(name)
        mode = stat.S_IFMT(attributes >> 16) if made_by >> 8 in (3, 19) else 0
        if mode not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise _refuse("member_not_a_file", "A member is a link or a device.", name)
        if flags & 0x41:
            raise _refuse("member_encrypted", "A member is encrypted.", name)
        if name.endswith("/"):
            continue
        if method not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _refuse("member_packing", "A member is packed in a way that is not taken.", name)
        if _NESTED.search(name):
            raise _refuse("nested_archive", "An archive inside an archive is not taken.", name)
        if size > RATIO_FROM_BYTES and size > packed * MAX_RATIO:
            raise TooLarge(
                "member_ratio",
                "A member unpacks to far more than it packs.",
                place=name[:200],
                limit=MAX_RATIO,
            )
        folded = name.casefold()
        if folded in seen:
            raise _refuse("member_twice", "Two members have the same name.", name)
        seen.add(folded)
        total += size
        if total > max_bytes:
            raise TooLarge(
                "archive_too_large", "The archive unpacks to more than the published budget.", limit=max_bytes
            )
        members.append(Member(name, size, packed, offset))
    end = 0
    for member in sorted(members, key=lambda m: m.offset):
        if member.offset < end:
            raise _refuse("members_overlap", "Two members share their bytes.", member.name)
        end = member.offset + 30 + member.packed
        if end > cd_offset:
            raise _refuse("members_overlap", "A member reaches beyond the archive.", member.name)
    return members


def _zip64(extra: bytes, packed: int, size: int, offset: int) -> tuple[int, int, int]:
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            values = extra[at + 4 : at + 4 + length]
            found = [int.from_bytes(values[i : i + 8], "little") for i in range(0, len(values) - 7, 8)]
            if size == 0xFFFFFFFF and found:
                size = found.pop(0)
            if packed == 0xFFFFFFFF and found:
                packed = found.pop(0)
            if offset == 0xFFFFFFFF and found:
                offset = found.pop(0)
        at += 4 + length
    return packed, size, offset


@contextlib.contextmanager
def open_zip(file: IO[bytes], members: list[Member]) -> Iterator[zipfile.ZipFile]:
    """The archive by the standard reader, which must see exactly the members that were checked."""
    try:
        archive = zipfile.ZipFile(file)
    except Exception:
        raise Invalid("not_a_zip", "The archive's directory is damaged.") from None
    with archive:
        seen = {
            (one.filename, one.file_size, one.header_offset) for one in archive.infolist() if not one.is_dir()
        }
        if seen != {(m.name, m.size, m.offset) for m in members}:
            raise Invalid("not_a_zip", "The archive's directory can be read in two ways.")
        yield archive


def read_member(archive: zipfile.ZipFile, member: Member) -> Iterator[bytes]:
    """The member's bytes in pieces; refused as soon as it is longer or shorter than it said, or its sum is wrong."""
    n = 0
    try:
        with archive.open(member.name) as file:
            while chunk := file.read(CHUNK):
                n += len(chunk)
                if n > member.size:
                    raise _refuse("member_size", "A member is longer than the archive says.", member.name)
                yield chunk
    except Invalid:
        raise
    except Exception:
        # zlib, struct, crc and key errors of a damaged member are one thing to a person
        raise _refuse("member_damaged", "A member is damaged.", member.name) from None
    if n != member.size:
        raise _refuse("member_size", "A member is shorter than the archive says.", member.name)
