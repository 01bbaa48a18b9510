"""Makes the README fit for a page without the repository around it."""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_RELATIVE_LINK = re.compile(r"\[([^\]]+)\]\((?!https?://|#)([^)]+)\)")


class ReadmeHook(MetadataHookInterface):
    """Sets the project's readme to README.md, its links into the repository made absolute.

    Where the project names no ``Source`` among its URLs, their text stays alone: it names a file
    of the source distribution.
    """

    PLUGIN_NAME = "custom"

    def update(self, metadata: dict[str, Any]) -> None:
        """Adds the readme to the metadata."""
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        source = metadata.get("urls", {}).get("Source")
        form = r"\1" if source is None else rf"[\1]({source}/blob/HEAD/\2)"
        readme = _RELATIVE_LINK.sub(form, text)
        metadata["readme"] = {"content-type": "text/markdown", "text": readme}
