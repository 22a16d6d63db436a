"""Pictures: PNG, JPEG, WebP and BMP, which every browser shows. Reads headers, never trusts a name or a claimed type.

The stored frame is the pixel grid of the file as it is: an orientation flag is not applied, neither here nor in the
browser (`image-orientation: none`), so that coordinates mean the same to bench, release and trainer. TIFF is
recognised and refused: browsers cannot show it.
"""

from __future__ import annotations

from pathlib import Path

from annotator.core.errors import Invalid, TooLarge
from annotator.modalities import Header, Limits

ID = "image.v1"
KIND = "image"
FORMATS = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "BMP": "image/bmp"}
SIDE_LIMIT = 65_500
MIN_SIDE = 1


def sniff(head: bytes, name: str) -> str | None:
    """The media type of a listed picture by its magic bytes."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head.startswith(b"BM") and len(head) >= 26:
        return "image/bmp"
    if head[:4] in (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"):
        return "image/tiff"
    return None


def check(path: Path, limits: Limits) -> Header:
    """Format, frames and pixel size from the header; PNG checksums and the end of a JPEG are looked at too.

    The pixels themselves are not decoded: that costs 75 ms a full-HD picture, and the browser does it anyway.
    """
    from PIL import Image

    with open(path, "rb") as file:
        media_type = sniff(file.read(32), "")
    if media_type == "image/tiff":
        raise Invalid(
            "image_not_shown", "Browsers cannot show TIFF pictures.", cure="Convert the picture to PNG."
        )
    # The bomb check of the library only warns up to twice its limit; ours below decides.
    Image.MAX_IMAGE_PIXELS = None
    try:
        with Image.open(path, formats=tuple(FORMATS)) as picture:
            width, height = picture.size
            found = FORMATS.get(picture.format or "", "")
            if found != media_type:
                raise Invalid("file_type_refused", "The file is not the picture that its first bytes say.")
            if width * height > limits.pixels or max(width, height) > SIDE_LIMIT:
                raise TooLarge(
                    "too_many_pixels",
                    "The picture has more pixels than the published budget.",
                    limit=limits.pixels,
                    width=width,
                    height=height,
                )
            if min(width, height) < MIN_SIDE:
                raise Invalid("empty_picture", "The picture has no pixels.")
            if int(getattr(picture, "n_frames", 1)) > 1:
                raise Invalid(
                    "several_frames", "Animated pictures are not taken.", cure="Send each frame as a picture."
                )
            if picture.format == "PNG":
                picture.verify()
    except (Invalid, TooLarge):
        raise
    except Exception as error:
        # Decoders fail in many ways on damaged files (struct, value, syntax, os errors): all mean the same here.
        raise Invalid(
            "picture_damaged", "The picture's header cannot be read.", detail=type(error).__name__
        ) from None
    if media_type == "image/jpeg" and not _jpeg_ends(path):
        raise Invalid("picture_damaged", "The picture ends before its last line.")
    return Header(KIND, str(media_type), width, height)


def _jpeg_ends(path: Path) -> bool:
    """Whether the end-of-image mark stands in the last 64 KiB (some cameras append data behind it)."""
    with open(path, "rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 65_536))
        return b"\xff\xd9" in file.read()
