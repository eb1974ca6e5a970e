"""A job: no operations, no server. It does its work once and ends with code 0; starting it again does no harm."""

from pathlib import Path

import serving
from shared_folder import SharedFolder

TEXT = Path(__file__).with_name("seed.txt")


def main() -> None:
    """Put the text where the writer looks for it."""
    folder = SharedFolder.from_environment()
    text = TEXT.read_text(encoding="utf-8")
    folder.write(TEXT.name, text)
    serving.log("seed_written", name=TEXT.name, characters=len(text))


if __name__ == "__main__":
    main()
