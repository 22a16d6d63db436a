"""The file of a trained model: a zip of meta.json and plain .npy arrays. Never pickle, never code, checked
before use.

Pure numpy. The same arrays and meta always give the same bytes.
Refused: another format (pickle, torch checkpoints, archives with other members), object or unexpected
dtypes, missing or
extra arrays, other shapes, NaN or infinities, headers that promise more than the file holds, files over the
limit.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotator.core.errors import Invalid

FORMAT = 1
MAX_BYTES = 256 * 1024 * 1024
MAX_META_BYTES = 32 * 1024 * 1024
MAX_ARRAYS = 500
DTYPES = ("<f4", "<f8", "<i4", "<i8", "|u1")
_DATE = (1980, 1, 1, 0, 0, 0)


def _(text: str) -> str:
    return text


def pack(meta: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Bytes of the model file. meta must be JSON without NaN; arrays little-endian floats or integers."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        document = {**meta, "format": FORMAT, "arrays": sorted(arrays)}
        text = json.dumps(
            document, ensure_ascii=False, sort_keys=True, allow_nan=False, separators=(",", ":")
        )
        archive.writestr(zipfile.ZipInfo("meta.json", _DATE), text.encode())
        for name in sorted(arrays):
            array = np.ascontiguousarray(arrays[name])
            if array.dtype.str not in DTYPES:
                raise ValueError(f"array {name}: dtype {array.dtype} cannot be stored")
            member = io.BytesIO()
            np.lib.format.write_array(member, array, version=(1, 0), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _DATE), member.getvalue())
    return buffer.getvalue()


def unpack(
    data: bytes, expected: Mapping[str, tuple[int | None, ...]] | None = None
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """meta and arrays, all checks passed. expected: name -> shape (None = any length of that axis)."""
    if len(data) > MAX_BYTES:
        raise Invalid("model_too_large", _("The model file is larger than allowed."), limit=MAX_BYTES)
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except Exception as error:  # zipfile raises a dozen kinds on damaged input; all mean the same to us
        raise _refused(_("This is not a model file of this product.")) from error
    with archive:
        members = archive.infolist()
        if len(members) > MAX_ARRAYS or any(m.compress_type != zipfile.ZIP_STORED for m in members):
            raise _refused(_("This is not a model file of this product."))
        if sum(member.file_size for member in members) > len(data):
            raise _refused(_("The file promises more than it holds."))
        names = [member.filename for member in members]
        if len(set(names)) != len(names) or "meta.json" not in names:
            raise _refused(_("This is not a model file of this product."))
        meta = _meta(archive)
        wanted = {"meta.json", *(f"{name}.npy" for name in meta["arrays"])}
        if set(names) != wanted:
            raise _refused(_("The file has missing or extra members."))
        if expected is not None and set(meta["arrays"]) != set(expected):
            raise _refused(_("The file has missing or extra weights."))
        arrays = {name: _array(archive, name) for name in meta["arrays"]}
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise _refused(_("The weights hold NaN or infinite values."), place=name)
        shape = expected.get(name) if expected is not None else None
        if shape is not None and (
            len(shape) != array.ndim
            or any(a is not None and a != b for a, b in zip(shape, array.shape, strict=True))
        ):
            raise _refused(_("The weights have the wrong shape."), place=name)
    return meta, arrays


def _meta(archive: zipfile.ZipFile) -> dict[str, Any]:
    info = archive.getinfo("meta.json")
    if info.file_size > MAX_META_BYTES:
        raise _refused(_("The description inside the file is too large."))
    try:
        meta = json.loads(archive.read("meta.json").decode())
    except Exception as error:  # as above
        raise _refused(_("The description inside the file cannot be read.")) from error
    if not isinstance(meta, dict) or meta.get("format") != FORMAT:
        raise _refused(_("The format of the model file is unknown."))
    names = meta.get("arrays")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _refused(_("The description inside the file cannot be read."))
    return meta


def _array(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    try:
        raw = archive.read(f"{name}.npy")
        stream = io.BytesIO(raw)
        if np.lib.format.read_magic(stream) != (1, 0):
            raise ValueError("version")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    except Exception as error:  # as above; numpy's header parser adds its own
        raise _refused(_("The weights cannot be read."), place=name) from error
    rest = len(raw) - stream.tell()
    count = 1
    for length in shape:
        count *= int(length)
    # The header is believed only when it fits the bytes that are really there: nothing is allocated on its
    # word.
    if (
        dtype.str not in DTYPES
        or fortran
        or any(length < 0 for length in shape)
        or count * dtype.itemsize != rest
    ):
        raise _refused(_("The weights cannot be read."), place=name)
    return np.frombuffer(raw, dtype, count, stream.tell()).reshape(shape).copy()


def _refused(message: str, place: str | None = None) -> Invalid:
    return Invalid("model_refused", message, place=place)
