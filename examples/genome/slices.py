"""Cut a text file, plain or gzip, into chunks of whole lines.

A file is cut into `n` shares of equal size. Every line belongs to exactly one chunk, chunks follow
each other in file order, and a chunk may be empty.

- *Plain*: the cuts are bytes of the file, and a line belongs to the share in which it begins. A
  chunk seeks to its share and reads nothing else.
- *gzip or bgzip*: the cuts are bytes of the compressed file, there is no seeking in it, and a line
  belongs to the share in which it ends. Chunk `i` has to decompress everything before its share
  and throws that away; the last chunk decompresses the whole stream. This is a real serial
  fraction: more chunks don't shorten it.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from program import InputError

_BLOCK_BYTES = 1 << 16
_GZIP_WBITS = 31
# The empty block that ends every bgzip file (SAM/BAM specification, section 4.1.2).
_BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


@dataclass(frozen=True)
class Chunk:
    """Slice `index` of `count`, counted from 0.

    Raises:
        InputError: `index` is outside 0..count-1.
    """

    index: int
    count: int

    def __post_init__(self) -> None:
        """Check that the chunk exists."""
        if self.count < 1:
            raise InputError(f"expected at least 1 chunk, got {self.count}")
        if not 0 <= self.index < self.count:
            raise InputError(
                f"expected a chunk id from 0 to {self.count - 1} for {self.count} chunks, "
                f"got {self.index}"
            )

    def bounds(self, first: int, end: int) -> tuple[int, int]:
        """Return this chunk's half-open share of [first, end)."""
        span = end - first
        return first + span * self.index // self.count, first + span * (
            self.index + 1
        ) // self.count


def plain_lines(path: Path, header_bytes: int, chunk: Chunk) -> Iterator[tuple[int, bytes]]:
    """Yield (byte offset, line) of the lines after the header that begin in this chunk.

    Args:
        path: A plain text file.
        header_bytes: Where the lines to share out begin, at least 1.
        chunk: The slice to read.
    """
    with path.open("rb", buffering=1 << 20) as handle:
        start, end = chunk.bounds(header_bytes, os.fstat(handle.fileno()).st_size)
        # From one byte earlier, so that a line which begins right at the cut is not skipped.
        handle.seek(start - 1)
        position = start - 1 + len(handle.readline())
        while position < end and (line := handle.readline()):
            yield position, line
            position += len(line)


def gzip_lines(path: Path, header_lines: int, chunk: Chunk) -> Iterator[tuple[int, bytes]]:
    """Yield (line number, line) of the lines after the header that end in this chunk.

    Args:
        path: A gzip file of one or more members; bgzip makes many.
        header_lines: How many lines come before those to share out.
        chunk: The slice to read.

    Raises:
        InputError: The stream is corrupt, or ends before its end-of-stream marker.
    """
    carry, line_number = b"", 1
    for share, piece in _inflate(path, chunk.count):
        if share > chunk.index:
            return
        head, newline, tail = piece.rpartition(b"\n")
        if not newline:
            carry += piece
            continue
        if share == chunk.index:
            for number, line in enumerate((carry + head).split(b"\n"), start=line_number):
                if number > header_lines:
                    yield number, line + b"\n"
        line_number += piece.count(b"\n")
        carry = tail
    if carry and chunk.index == chunk.count - 1:
        yield line_number, carry


def _inflate(path: Path, shares: int) -> Iterator[tuple[int, bytes]]:
    """Yield (share, decompressed bytes).

    Every chunk feeds the same blocks up to the same cuts, so all agree on the bytes of a share.
    """
    inflater, inside_member = zlib.decompressobj(_GZIP_WBITS), False
    for share, offset, block in _blocks(path, shares):
        rest = block
        while rest:
            try:
                piece = inflater.decompress(rest)
            except zlib.error as err:
                raise InputError(
                    f"{path}, near byte {offset}: expected gzip data, got: {err}"
                ) from err
            inside_member, rest = not inflater.eof, inflater.unused_data
            if inflater.eof:
                inflater = zlib.decompressobj(_GZIP_WBITS)
            if piece:
                yield share, piece
    _check_end(path, inside_member)


def _blocks(path: Path, shares: int) -> Iterator[tuple[int, int, bytes]]:
    """Yield (share, byte offset, block) of a compressed file cut into shares of equal size."""
    with path.open("rb") as handle:
        size_bytes = os.fstat(handle.fileno()).st_size
        for share in range(shares):
            start, end = Chunk(share, shares).bounds(0, size_bytes)
            for offset in range(start, end, _BLOCK_BYTES):
                yield share, offset, handle.read(min(_BLOCK_BYTES, end - offset))


def _check_end(path: Path, inside_member: bool) -> None:
    """Raise InputError where a gzip stream was cut, also between two blocks of bgzip."""
    with path.open("rb") as handle:
        is_bgzf = handle.read(14).endswith(b"BC")
        size_bytes = handle.seek(0, os.SEEK_END)
        handle.seek(max(0, size_bytes - len(_BGZF_END)))
        cut = inside_member or (is_bgzf and handle.read() != _BGZF_END)
    if cut:
        marker = "end block of bgzip" if is_bgzf else "end-of-stream marker of gzip"
        raise InputError(
            f"{path}, byte {size_bytes}: expected the {marker}, got the end of file; "
            "the file is truncated"
        )
