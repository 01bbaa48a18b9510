"""What the README of examples/genome tells a reader to type runs, to the letter."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def test_commands_run_when_typed_as_the_readme_says(tmp_path: Path) -> None:
    """The bash blocks end with a table of the population's frequencies."""
    readme = (EXAMPLES / "genome" / "README.md").read_text()
    blocks = re.findall(r"^```bash\n(.*?)^```$", readme, flags=re.DOTALL | re.MULTILINE)
    (tmp_path / "examples").symlink_to(EXAMPLES)
    result = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "".join(blocks)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines()[1].startswith("chrom\tpos\tid\tref\talt\tallele_count\t")
    assert len(result.stdout.splitlines()) == 4
