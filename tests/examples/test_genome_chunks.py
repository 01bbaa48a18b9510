"""Every record belongs to exactly one chunk, whatever the number of chunks and the compression."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

GENOTYPES = st.sampled_from(["0|0", "0|1", "1/0", "2|1", "./.", "0|.", ".", "1", "0/2/1"])
ENCODINGS = st.sampled_from(["plain", "gzip", "members", "bgzip"])


@st.composite
def vcf_records(draw: st.DrawFn, samples: int) -> list[str]:
    """Draw records of different lengths, each with an id of its own."""
    count = draw(st.integers(0, 9))
    records = []
    for number in range(count):
        padding = "x" * draw(st.sampled_from([0, 1, 7, 60]))
        alt = draw(st.sampled_from(["C,G", "C,GTT"]))
        if draw(st.booleans()):
            keys, columns = "GT", [draw(GENOTYPES) for _ in range(samples)]
        else:
            keys, columns = "DP:GT:GQ", [f"7:{draw(GENOTYPES)}:9" for _ in range(samples)]
        fields = ["1", str(number + 1), f"id{number}", "A", alt, "50", "PASS", f"I={padding}", keys]
        records.append(" ".join([*fields, *columns]))
    return records


def encode(text: str, encoding: str, cut: int, bgzf_block: Callable[[bytes], bytes]) -> bytes:
    """Return the file's bytes; `cut` is where the second member or block begins."""
    content = text.encode()
    head, tail = content[:cut], content[cut:]
    if encoding == "gzip":
        return gzip.compress(content, mtime=0)
    if encoding == "members":
        return gzip.compress(head, mtime=0) + gzip.compress(tail, compresslevel=0, mtime=0)
    if encoding == "bgzip":
        return bgzf_block(head) + bgzf_block(tail) + bgzf_block(b"")
    return content


@settings(deadline=None, max_examples=150)
@given(
    case=st.integers(1, 4).flatmap(lambda n: st.tuples(st.just(n), vcf_records(n))),
    chunks=st.integers(1, 25),
    encoding=ENCODINGS,
    cut=st.integers(0, 400),
    block_bytes=st.sampled_from([1, 13, 1 << 16]),
    last_newline=st.booleans(),
)
def test_chunks_join_to_the_serial_table_when_any_vcf_is_cut(
    genome: SimpleNamespace,
    vcf_text: Callable[..., str],
    bgzf_block: Callable[[bytes], bytes],
    tmp_path_factory: pytest.TempPathFactory,
    case: tuple[int, list[str]],
    chunks: int,
    encoding: str,
    cut: int,
    block_bytes: int,
    last_newline: bool,
) -> None:
    """The chunks' rows, joined in order, are the serial rows, and the records those written."""
    samples, records = case
    text = vcf_text([f"S{index}" for index in range(samples)], records)
    text = text if last_newline or not records else text.removesuffix("\n")
    folder = tmp_path_factory.mktemp("chunks")
    path = folder / "any.vcf"
    path.write_bytes(encode(text, encoding, cut, bgzf_block))
    chunk_of = genome.slices.Chunk
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(genome.slices, "_BLOCK_BYTES", block_bytes)
        vcf = genome.vcf.open_vcf(path)
        seen = [
            record.columns[2]
            for index in range(chunks)
            for record in genome.vcf.records(vcf, chunk_of(index, chunks))
        ]
        serial = genome.frequency.write_frequencies(path, None, "ALL", chunk_of(0, 1), folder)
        expected = serial.read_bytes()
        for index in range(chunks):
            genome.frequency.write_frequencies(path, None, "ALL", chunk_of(index, chunks), folder)
    genome.merge.merge_chunks(folder, "ALL", chunks, folder / "merged.tsv")
    assert seen == [f"id{number}" for number in range(len(records))]
    assert (folder / "merged.tsv").read_bytes() == expected


@pytest.mark.parametrize("chunks", [1, 2, 3, 7])
@pytest.mark.parametrize("name", ["some.vcf", "some.vcf.gz"])
def test_records_are_shared_out_once_when_the_file_spans_many_blocks(
    genome: SimpleNamespace, tmp_path: Path, name: str, chunks: int
) -> None:
    """Files larger than a read block are cut as exactly as small ones, into shares of like size."""
    path = tmp_path / name
    size = genome.generate_vcf.Size(samples=900, variants=1200, bytes=None)
    genome.generate_vcf.write_vcf(path, tmp_path / "some.panel", size, seed=5)
    vcf = genome.vcf.open_vcf(path)
    shares = [
        [
            record.columns[2]
            for record in genome.vcf.records(vcf, genome.slices.Chunk(index, chunks))
        ]
        for index in range(chunks)
    ]
    assert list(chain.from_iterable(shares)) == [
        f"rs{1_000_001 + number}" for number in range(1200)
    ]
    assert max(map(len, shares)) < 1.5 * 1200 / chunks


def test_record_belongs_to_the_later_chunk_when_it_begins_right_at_the_cut(
    genome: SimpleNamespace, tmp_path: Path, vcf_text: Callable[..., str]
) -> None:
    """Two records of equal length and two chunks: the cut falls between them."""
    record = "1 5 id{} A C 50 PASS . GT 0|1"
    path = tmp_path / "two.vcf"
    path.write_text(vcf_text(["S0"], [record.format(0), record.format(1)]))
    vcf = genome.vcf.open_vcf(path)
    shares = [
        [record.columns[2] for record in genome.vcf.records(vcf, genome.slices.Chunk(index, 2))]
        for index in range(2)
    ]
    assert shares == [["id0"], ["id1"]]


def test_chunk_reads_its_own_share_alone_when_the_file_is_plain(
    genome: SimpleNamespace, tmp_path: Path, vcf_text: Callable[..., str]
) -> None:
    """A broken record at the end disturbs the chunk that holds it, and no other."""
    records = [f"1 {number} . A C 50 PASS . GT 0|1 1|1" for number in range(1, 21)]
    path = tmp_path / "cut.vcf"
    path.write_text(vcf_text(["S0", "S1"], records).removesuffix("\t1|1\n"))
    vcf = genome.vcf.open_vcf(path)
    first = [list(genome.vcf.records(vcf, genome.slices.Chunk(index, 4))) for index in range(3)]
    assert sum(map(len, first)) >= 14
    with pytest.raises(genome.program.InputError, match="the file ends within this record"):
        list(genome.vcf.records(vcf, genome.slices.Chunk(3, 4)))
