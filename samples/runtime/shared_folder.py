"""The folder that all nodes of a pipeline mount. Names of files come in messages, hence from outside: they stay inside it."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

MAX_FILE_BYTES = 16 * 1024 * 1024  # far above the texts here; a file is read in one piece


@dataclass(frozen=True, slots=True)
class SharedFolder:
    """Reads and writes texts below `root`."""

    root: Path

    @classmethod
    def from_environment(cls) -> "SharedFolder":
        """Take SHARED_FOLDER_PATH, which whoever deploys the pipeline sets on every node."""
        text = os.environ.get("SHARED_FOLDER_PATH", "")
        if not text or not Path(text).is_dir():
            raise SystemExit(f"SHARED_FOLDER_PATH: expected the path of a folder, found {text!r}")
        return cls(Path(text).resolve())

    def read(self, name: str) -> str:
        """Return the text of a file.

        Raises:
            ValueError: `name` leads out of the folder, or names something that is no file of acceptable size.
            FileNotFoundError: there is no such file, or a network volume does not show it yet.
        """
        file = self._inside(name)
        # A pipe would be read for ever; a link that is left after resolving leads to itself (an error before Python 3.13).
        if file.is_symlink() or (file.exists() and not file.is_file()):
            raise ValueError("expected a regular file")
        with file.open("rb") as stream:
            content = stream.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            raise ValueError(f"expected at most {MAX_FILE_BYTES} bytes")
        return content.decode("utf-8", errors="replace")

    def write(self, name: str, text: str) -> None:
        """Write a file in one step: another node sees all of it or nothing."""
        file = self._inside(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=file.parent, prefix=".", encoding="utf-8", delete=False) as draft:
            draft.write(text)
        Path(draft.name).chmod(0o664)  # the nodes may run under different users of one group
        Path(draft.name).replace(file)

    def _inside(self, name: str) -> Path:
        try:
            file = (self.root / name).resolve()
        except (OSError, RuntimeError) as problem:  # links in a circle
            raise ValueError("expected the name of a file") from problem
        if not file.is_relative_to(self.root) or file == self.root:
            raise ValueError("expected a name inside the shared folder")
        return file
