"""Masks as sparse 256-pixel tiles, and the run-length forms at the product's border.

Pure numpy: no disk, no clock. A *part* is the canonical binary of one tile: unsigned LEB128 run lengths,
row by row, background first, in shortest form, so that equal pixels have one digest. Arrays are
`bool[rows, columns]`. `static/workbench/src/document/parts.ts` is the twin; both are held to
`fixtures/vectors/parts.json`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotator.core.errors import Invalid
from annotator.core.ids import sha256_hex

TILE_PX = 256
TILE_AREA_PX = TILE_PX * TILE_PX
MAX_PART_BYTES = TILE_AREA_PX + 1  # alternating pixels that start with foreground
TILE_KEY = re.compile(r"(0|[1-9][0-9]{0,4}),(0|[1-9][0-9]{0,4})\Z")

Mask = NDArray[np.bool_]
Runs = NDArray[np.int64]


def runs_of(flat: NDArray[Any]) -> Runs:
    """Run lengths of a flat binary array, background first (the first run may be 0); [] for an empty
    array."""
    pixels = np.asarray(flat, dtype=np.bool_).ravel()
    if pixels.size == 0:
        return np.zeros(0, dtype=np.int64)
    edges = np.flatnonzero(pixels[1:] != pixels[:-1]) + 1
    bounds = np.concatenate(([0], edges, [pixels.size]))
    runs = np.diff(bounds).astype(np.int64)
    return np.concatenate((np.zeros(1, dtype=np.int64), runs)) if pixels[0] else runs


def pixels_of(runs: NDArray[Any]) -> Mask:
    """The flat binary array of run lengths, background first."""
    lengths = np.asarray(runs, dtype=np.int64)
    values = np.arange(lengths.size) % 2 == 1
    return np.repeat(values, lengths)


def encode_part(tile: NDArray[Any]) -> bytes:
    """Canonical bytes of one 256 x 256 binary tile."""
    if tile.shape != (TILE_PX, TILE_PX):
        raise Invalid("tile_shape", "A mask tile has 256 x 256 pixels.")
    runs = runs_of(tile)
    out = np.zeros((runs.size, 3), dtype=np.uint8)  # 65536 < 2**21: three bytes are enough
    keep = np.zeros((runs.size, 3), dtype=np.bool_)
    out[:, 0] = runs & 0x7F
    out[:, 1] = (runs >> 7) & 0x7F
    out[:, 2] = runs >> 14
    keep[:, 0] = True
    keep[:, 1] = runs > 0x7F
    keep[:, 2] = runs > 0x3FFF
    out[:, 0] |= keep[:, 1].astype(np.uint8) << 7
    out[:, 1] |= keep[:, 2].astype(np.uint8) << 7
    return out[keep].tobytes()


def part_runs(raw: bytes) -> Runs:
    """Run lengths of a part; Invalid unless the bytes are the canonical form (so equal pixels, equal
    digest)."""
    if not raw:
        raise Invalid("part_empty", "A mask part has no bytes.")
    if len(raw) > MAX_PART_BYTES:
        raise Invalid(
            "part_too_long", "A mask part has more bytes than a tile can need.", limit=MAX_PART_BYTES
        )
    data = np.frombuffer(raw, dtype=np.uint8).astype(np.int64)
    more = data >= 0x80
    if more[-1]:
        raise Invalid("part_cut", "A mask part ends within a number.")
    ends = np.flatnonzero(~more)
    starts = np.concatenate(([0], ends[:-1] + 1))
    sizes = ends - starts + 1
    if int(sizes.max()) > 3:
        raise Invalid("part_run_too_long", "A run of a mask part is longer than its tile.")
    if bool(np.any((sizes > 1) & (data[ends] == 0))):
        raise Invalid("part_not_shortest", "A number of a mask part is not in its shortest form.")
    bits = data & 0x7F
    runs = bits[starts]
    second = sizes > 1
    runs[second] |= bits[starts[second] + 1] << 7
    third = sizes > 2
    runs[third] |= bits[starts[third] + 2] << 14
    if bool(np.any(runs[1:] == 0)):
        raise Invalid("part_zero_run", "Only the first run of a mask part may be zero.")
    if int(runs.sum()) != TILE_AREA_PX:
        raise Invalid(
            "part_wrong_sum", "The runs of a mask part do not fill its tile.", total=int(runs.sum())
        )
    return runs


def decode_part(raw: bytes) -> Mask:
    """The tile of a part, `bool[256, 256]`."""
    return pixels_of(part_runs(raw)).reshape(TILE_PX, TILE_PX)


def part_area_px(raw: bytes) -> int:
    """Foreground pixels of a part."""
    return int(part_runs(raw)[1::2].sum())


def part_digest(raw: bytes) -> str:
    return sha256_hex(raw)


EMPTY_PART = encode_part(np.zeros((TILE_PX, TILE_PX), dtype=np.bool_))
EMPTY_PART_DIGEST = part_digest(EMPTY_PART)
"""An all-background tile is absent from a mask, so this digest is never named."""


def tile_key(tx: int, ty: int) -> str:
    return f"{tx},{ty}"


def parse_tile_key(key: object, field: str | None = None) -> tuple[int, int]:
    match = TILE_KEY.match(key) if isinstance(key, str) else None
    if match is None:
        raise Invalid(
            "tile_key",
            "A mask tile is named by its column and row, such as '0,2'.",
            field=field if field is not None else str(key)[:40],
        )
    return int(match.group(1)), int(match.group(2))


def mask_to_tiles(mask: NDArray[Any]) -> dict[str, Mask]:
    """The tiles of a picture-sized mask that hold foreground; edges are filled up with background."""
    pixels = np.asarray(mask, dtype=np.bool_)
    height, width = pixels.shape
    tiles: dict[str, Mask] = {}
    for ty in range(-(-height // TILE_PX)):
        for tx in range(-(-width // TILE_PX)):
            part = pixels[ty * TILE_PX : (ty + 1) * TILE_PX, tx * TILE_PX : (tx + 1) * TILE_PX]
            if part.any():
                tile = np.zeros((TILE_PX, TILE_PX), dtype=np.bool_)
                tile[: part.shape[0], : part.shape[1]] = part
                tiles[tile_key(tx, ty)] = tile
    return tiles


def mask_to_parts(mask: NDArray[Any]) -> tuple[dict[str, str], dict[str, bytes]]:
    """(tile key -> digest, digest -> bytes) of a picture-sized mask."""
    tiles: dict[str, str] = {}
    parts: dict[str, bytes] = {}
    for key, tile in mask_to_tiles(mask).items():
        raw = encode_part(tile)
        digest = part_digest(raw)
        tiles[key] = digest
        parts[digest] = raw
    return tiles, parts


def parts_to_mask(
    tiles: Mapping[str, str], part_bytes: Callable[[str], bytes], *, width_px: int, height_px: int
) -> Mask:
    """The picture-sized mask of (tile key -> digest). Foreground beyond the picture is Invalid, never cut
    off."""
    mask = np.zeros((height_px, width_px), dtype=np.bool_)
    for key, digest in tiles.items():
        tx, ty = parse_tile_key(key)
        tile = decode_part(part_bytes(digest))
        x0, y0 = tx * TILE_PX, ty * TILE_PX
        inside_x, inside_y = max(0, min(TILE_PX, width_px - x0)), max(0, min(TILE_PX, height_px - y0))
        if tile[inside_y:, :].any() or tile[:, inside_x:].any():
            raise Invalid("mask_outside", "A mask reaches beyond its picture.", field=key)
        mask[y0 : y0 + inside_y, x0 : x0 + inside_x] = tile[:inside_y, :inside_x]
    return mask


def tiles_area_px(tiles: Mapping[str, str], part_bytes: Callable[[str], bytes]) -> int:
    return sum(part_area_px(part_bytes(digest)) for digest in tiles.values())


def tiles_bounds(
    tiles: Mapping[str, str], part_bytes: Callable[[str], bytes]
) -> tuple[int, int, int, int] | None:
    """(x0, y0, x1, y1) of the foreground in picture pixels, half-open; None for no foreground."""
    boxes: list[tuple[int, int, int, int]] = []
    for key, digest in tiles.items():
        tx, ty = parse_tile_key(key)
        tile = decode_part(part_bytes(digest))
        rows = np.flatnonzero(tile.any(axis=1))
        columns = np.flatnonzero(tile.any(axis=0))
        if rows.size:
            x0, y0 = tx * TILE_PX, ty * TILE_PX
            last_x, last_y = int(columns[-1]), int(rows[-1])
            boxes.append((x0 + int(columns[0]), y0 + int(rows[0]), x0 + last_x + 1, y0 + last_y + 1))
    if not boxes:
        return None
    x0s, y0s, x1s, y1s = zip(*boxes, strict=True)
    return min(x0s), min(y0s), max(x1s), max(y1s)


def mask_iou(
    one: Mapping[str, str], other: Mapping[str, str], part_bytes: Callable[[str], bytes]
) -> float | None:
    """Intersection over union of two masks given as (tile key -> digest); None when both have no foreground.

    Tiles with one digest are not decoded twice, tiles of one side only are not compared.
    """
    common = union = 0
    for key in set(one) | set(other):
        first, second = one.get(key), other.get(key)
        if first is None or second is None or first == second:
            digest = first if first is not None else second
            assert digest is not None
            area = part_area_px(part_bytes(digest))
            union += area
            common += area if first == second else 0
            continue
        a, b = decode_part(part_bytes(first)), decode_part(part_bytes(second))
        common += int(np.count_nonzero(a & b))
        union += int(np.count_nonzero(a | b))
    return common / union if union else None


# --- run lengths at the border ---


def crop_rle_encode(mask: NDArray[Any]) -> dict[str, Any] | None:
    """{x0, y0, width, height, counts}: row-major runs over the foreground's box; None without foreground."""
    pixels = np.asarray(mask, dtype=np.bool_)
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    if not rows.size:
        return None
    x0, y0, x1, y1 = int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
    return {
        "x0": x0,
        "y0": y0,
        "width": x1 - x0,
        "height": y1 - y0,
        "counts": runs_of(pixels[y0:y1, x0:x1]).tolist(),
    }


def crop_rle_decode(crop: Mapping[str, Any], *, width_px: int, height_px: int) -> Mask:
    x0, y0, width, height = (_count(crop.get(name), name) for name in ("x0", "y0", "width", "height"))
    if not width or not height or x0 + width > width_px or y0 + height > height_px:
        raise Invalid("rle_wrong_size", "The run lengths do not fit their picture.")
    pixels = _fill(crop.get("counts"), width * height)
    mask = np.zeros((height_px, width_px), dtype=np.bool_)
    mask[y0 : y0 + height, x0 : x0 + width] = pixels.reshape(height, width)
    return mask


def _count(value: object, field: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 31:
        raise Invalid("rle_not_a_count", "Run lengths and sizes are whole numbers from 0.", field=field)
    return value


def _fill(counts: object, total: int) -> Mask:
    if not isinstance(counts, list):
        raise Invalid(
            "rle_not_a_list", "Uncompressed run lengths are a list of whole numbers.", field="counts"
        )
    if len(counts) > total + 1:
        raise Invalid("rle_too_long", "There are more runs than pixels.", field="counts")
    runs = [_count(value, "counts") for value in counts]
    if sum(runs) != total:
        raise Invalid("rle_wrong_sum", "The run lengths do not add up to the picture.", field="counts")
    return pixels_of(np.asarray(runs, dtype=np.int64))


def coco_rle_counts(mask: NDArray[Any]) -> Runs:
    """COCO's run lengths: column by column, background first."""
    return runs_of(np.asarray(mask, dtype=np.bool_).ravel(order="F"))


def coco_counts_of_crop(
    crop: NDArray[Any], *, x0_px: int, y0_px: int, width_px: int, height_px: int
) -> list[int]:
    """COCO's run lengths of a picture of which only a crop holds foreground; the rest is never laid out.

    `crop` is `bool[rows, columns]` with its corner at (x0, y0), within the picture.
    """
    rows, columns = crop.shape
    if x0_px < 0 or y0_px < 0 or x0_px + columns > width_px or y0_px + rows > height_px:
        raise Invalid("rle_wrong_size", "The run lengths do not fit their picture.")
    # one background row below keeps the runs of two columns apart; runs that do meet are joined again below
    padded = np.zeros((rows + 1, columns), dtype=np.bool_)
    padded[:rows] = crop
    flat = padded.ravel(order="F")
    edges = np.diff(np.concatenate(([False], flat)).astype(np.int8))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)

    def full(at: NDArray[Any]) -> NDArray[np.int64]:
        return np.asarray((x0_px + at // (rows + 1)) * height_px + y0_px + at % (rows + 1), dtype=np.int64)

    first, last = full(starts), full(ends)
    if first.size:
        apart = np.concatenate(([True], first[1:] != last[:-1]))
        first, last = first[apart], last[np.concatenate((apart[1:], [True]))]
    bounds = np.empty(2 * first.size + 2, dtype=np.int64)
    bounds[0], bounds[-1] = 0, width_px * height_px
    bounds[1:-1:2], bounds[2:-1:2] = first, last
    runs = np.diff(bounds).tolist()
    if len(runs) > 1 and runs[-1] == 0:
        runs.pop()
    return [int(run) for run in runs]


def coco_counts_to_text(runs: Iterable[int]) -> str:
    """COCO's compressed form: differences to the run before the last, 5 bits and a continuation bit a
    letter."""
    values = list(runs)
    out: list[str] = []
    for index, run in enumerate(values):
        number = run - values[index - 2] if index > 2 else run
        while True:
            bits = number & 0x1F
            number >>= 5
            more = number != -1 if bits & 0x10 else number != 0
            out.append(chr(48 + (bits | (0x20 if more else 0))))
            if not more:
                break
    return "".join(out)


def coco_text_to_counts(text: str) -> list[int]:
    runs: list[int] = []
    number = shift = 0
    for letter in text:
        code = ord(letter) - 48
        if not 0 <= code < 64 or shift > 35:
            raise Invalid(
                "rle_bad_letter", "Compressed run lengths hold a letter that is not theirs.", field="counts"
            )
        number |= (code & 0x1F) << shift
        shift += 5
        if code & 0x20:
            continue
        if code & 0x10:
            number -= 1 << shift
        if len(runs) > 2:
            number += runs[-2]
        if number < 0:
            raise Invalid("rle_negative", "A run length is negative.", field="counts")
        runs.append(number)
        number = shift = 0
    if shift:
        raise Invalid("rle_cut", "Compressed run lengths end within a number.", field="counts")
    return runs


def coco_rle_encode(mask: NDArray[Any]) -> dict[str, Any]:
    """{"size": [height, width], "counts": "..."} as the COCO tools read it."""
    height, width = mask.shape
    counts = coco_counts_to_text(coco_rle_counts(mask).tolist())
    return {"size": [int(height), int(width)], "counts": counts}


def coco_rle_decode(rle: Mapping[str, Any]) -> Mask:
    """`bool[height, width]` of a compressed or uncompressed COCO run-length object."""
    size = rle.get("size")
    if not isinstance(size, list) or len(size) != 2:
        raise Invalid("rle_wrong_size", "The run lengths do not fit their picture.", field="size")
    height, width = _count(size[0], "size"), _count(size[1], "size")
    counts = rle.get("counts")
    if isinstance(counts, str):
        counts = coco_text_to_counts(counts)
    return _fill(counts, height * width).reshape((height, width), order="F")


# --- polygons to pixels ---


def rasterise(
    rings: Iterable[Iterable[Iterable[float]]], *, x0_px: int, y0_px: int, width_px: int, height_px: int
) -> Mask:
    """Even-odd filling of rings in the window from (x0, y0): a pixel is in when its centre is.

    The rule, exactly (the twin follows it bit by bit): an edge from (ax, ay) to (bx, by) crosses the row
    whose centre is c = row + 0.5 when min(ay, by) <= c < max(ay, by), at x = ax + (c - ay) * (bx - ax) /
    (by - ay); pixels from column ceil(x - 0.5) on change sides.
    """
    flips = np.zeros((height_px, width_px + 1), dtype=np.int32)
    for ring in rings:
        points = np.asarray([list(point) for point in ring], dtype=np.float64)
        if points.shape[0] < 3:
            continue
        ahead = np.roll(points, -1, axis=0)
        ax, ay, bx, by = points[:, 0], points[:, 1], ahead[:, 0], ahead[:, 1]
        first = np.ceil(np.minimum(ay, by) - 0.5).astype(np.int64)
        last = np.ceil(np.maximum(ay, by) - 0.5).astype(np.int64)  # exclusive
        first = np.clip(first, y0_px, y0_px + height_px)
        last = np.clip(last, y0_px, y0_px + height_px)
        n_rows = last - first
        edges = np.repeat(np.arange(points.shape[0]), n_rows)
        if not edges.size:
            continue
        starts = np.repeat(np.cumsum(n_rows) - n_rows, n_rows)
        rows = np.repeat(first, n_rows) + (np.arange(edges.size) - starts)
        centre = rows + 0.5
        dx, dy = bx[edges] - ax[edges], by[edges] - ay[edges]
        crossing = ax[edges] + (centre - ay[edges]) * dx / dy
        columns = np.clip(np.ceil(crossing - 0.5).astype(np.int64) - x0_px, 0, width_px)
        np.add.at(flips, (rows - y0_px, columns), 1)
    return (np.cumsum(flips[:, :width_px], axis=1) & 1).astype(np.bool_)


def rasterise_to_tiles(
    rings: Iterable[Iterable[Iterable[float]]], *, width_px: int, height_px: int
) -> dict[str, Mask]:
    """The mask tiles of a polygon, one row of tiles at a time, so that a large picture costs little
    memory."""
    kept = [[(float(x), float(y)) for x, y in ring] for ring in rings]
    xs = [x for ring in kept for x, _ in ring]
    ys = [y for ring in kept for _, y in ring]
    if not xs:
        return {}
    tx0 = max(0, int(min(xs)) // TILE_PX)
    tx1 = min(-(-width_px // TILE_PX), int(max(xs)) // TILE_PX + 1)
    ty0 = max(0, int(min(ys)) // TILE_PX)
    ty1 = min(-(-height_px // TILE_PX), int(max(ys)) // TILE_PX + 1)
    tiles: dict[str, Mask] = {}
    if tx1 <= tx0:
        return tiles
    for ty in range(ty0, ty1):
        x0, y0 = tx0 * TILE_PX, ty * TILE_PX
        window = rasterise(
            kept,
            x0_px=x0,
            y0_px=y0,
            width_px=min(tx1 * TILE_PX, width_px) - x0,
            height_px=min(y0 + TILE_PX, height_px) - y0,
        )
        for key, tile in mask_to_tiles(window).items():
            tx, _ = parse_tile_key(key)
            tiles[tile_key(tx0 + tx, ty)] = tile
    return tiles
