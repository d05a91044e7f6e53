"""Tables for people: plain text, one row per thing measured."""

import sys
from collections.abc import Sequence


def print_table(rows: Sequence[dict[str, object]]) -> None:
    """Print rows with the same keys as a Markdown table."""
    if not rows:
        raise ValueError("nothing to measure")
    cells = [list(rows[0])] + [[_text(value) for value in row.values()] for row in rows]
    widths = [max(len(line[index]) for line in cells) for index in range(len(cells[0]))]
    for number, line in enumerate(cells):
        padded = (text.ljust(width) for text, width in zip(line, widths, strict=True))
        sys.stdout.write(f"| {' | '.join(padded)} |\n")
        if number == 0:
            sys.stdout.write(f"|{'|'.join('-' * (width + 2) for width in widths)}|\n")


def _text(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" if isinstance(value, float) else str(value)
