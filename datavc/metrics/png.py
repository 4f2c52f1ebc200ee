"""PNG from pixels, for whoever has an array and no imaging library (ISO/IEC 15948)."""

from __future__ import annotations

import struct
import zlib

from datavc.core.errors import FormatError

_COLOURS = {1: 0, 2: 4, 3: 2, 4: 6}
"""Channels to the colour type of the header: grey, grey with alpha, RGB, RGBA."""


def encode(pixels: memoryview) -> bytes:
    """Return the picture of (height, width) or (height, width, channels) bytes of 0 to 255.

    Raises:
        FormatError: it has another shape, or no whole bytes.
    """
    shape = pixels.shape or ()
    if pixels.format != "B" or len(shape) not in (2, 3) or 0 in shape:
        raise FormatError(f"no picture has the shape {shape} of {pixels.format!r}: bytes are")
    height, width, channels = (*shape, 1)[:3]
    if channels not in _COLOURS:
        raise FormatError(f"no picture has {channels} channels, but 1 to 4")
    data, row = pixels.tobytes(), width * channels
    lines = b"".join(b"\0" + data[at : at + row] for at in range(0, len(data), row))
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOURS[channels], 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in parts)


def _chunk(kind: bytes, body: bytes) -> bytes:
    check = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)
