"""Draws the rooms of the house and the arrows between them from the imports.

`python docs/house.py` writes docs/house.svg. The rows are those of the contract "The rooms" in pyproject.toml. An arrow
that others already imply is left out. `--check` writes nothing, and fails
where the picture is not true any more; `--lines` prints the lines of each room.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import grimp

HOUSE = Path(__file__).resolve().parents[1]
PICTURE = HOUSE / "docs" / "house.svg"
WIDTH, ROW, HEIGHT, GAP, MARGIN = 1180, 92, 34, 18, 24

Rooms = list[list[str]]
Arrows = set[tuple[str, str]]

_STYLE = """
svg { background: #fff; font: 13px system-ui, sans-serif; }
rect { fill: #eef3f8; stroke: #5b7083; } text { fill: #17212b; text-anchor: middle; }
path { fill: none; stroke: #8195a8; stroke-width: 1.2; } marker path { fill: #8195a8; stroke: none; }
@media (prefers-color-scheme: dark) {
  svg { background: #11181f; } rect { fill: #1d2a36; stroke: #7f95aa; } text { fill: #e6edf3; }
}
"""


def rows() -> Rooms:
    """The rooms from top to bottom; those of one row do not know each other."""
    contracts = tomllib.loads((HOUSE / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(one["layers"] for one in contracts if one["name"] == "The rooms")
    return [[room.strip() for room in layer.split("|")] for layer in layers]


def arrows(rooms: Rooms) -> Arrows:
    """(a room, a room that it imports)."""
    names = [room for row in rooms for room in row]
    sys.path.insert(0, str(HOUSE))
    graph = grimp.build_graph(*sorted({name.split(".")[0] for name in names}), cache_dir=None)
    found = set()
    for module in graph.modules:
        here = _room(module, names)
        for other in graph.find_modules_directly_imported_by(module) if here else ():
            there = _room(other, names)
            if there and here and there != here:
                found.add((here, there))
    return found


def _room(module: str, names: list[str]) -> str | None:
    return next((name for name in names if module == name or module.startswith(f"{name}.")), None)


def reduced(all_arrows: Arrows) -> Arrows:
    """Without what others imply."""
    return {
        (one, other)
        for one, other in all_arrows
        if not any((one, by) in all_arrows and (by, other) in all_arrows for by in {b for _, b in all_arrows})
    }


def draw(rooms: Rooms, shown: Arrows) -> str:
    boxes, parts = {}, []
    for number, row in enumerate(rooms):
        share = (WIDTH - 2 * MARGIN) / len(row)
        wide = min(share - GAP, 190)
        for place, room in enumerate(row):
            boxes[room] = (MARGIN + (place + 0.5) * share - wide / 2, MARGIN + number * ROW, wide)
    for one, other in sorted(shown):
        (x, y, wide), (to_x, to_y, to_wide) = boxes[one], boxes[other]
        start, end, half = x + wide / 2, to_x + to_wide / 2, (to_y - y - HEIGHT) / 2
        parts.append(
            f'<path d="M{start:.0f} {y + HEIGHT} C{start:.0f} {y + HEIGHT + half:.0f} {end:.0f} {to_y - half:.0f} '
            f'{end:.0f} {to_y - 3}" marker-end="url(#head)"/>'
        )
    for room, (x, y, wide) in boxes.items():
        parts.append(f'<rect x="{x:.0f}" y="{y}" width="{wide:.0f}" height="{HEIGHT}" rx="5"/>')
        parts.append(f'<text x="{x + wide / 2:.0f}" y="{y + 22}">{room}</text>')
    height = 2 * MARGIN + (len(rooms) - 1) * ROW + HEIGHT
    head = (
        '<defs><marker id="head" markerWidth="8" markerHeight="8" refX="6" refY="3" orient="auto">'
        '<path d="M0 0L7 3L0 6z"/></marker></defs>'
    )
    title = "<title>The rooms, and which imports which</title>"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">{title}'
        f"<style>{_STYLE}</style>{head}\n" + "\n".join(parts) + "\n</svg>\n"
    )


def lines(rooms: Rooms) -> Iterator[tuple[str, int]]:
    """(room, lines of Python without migrations)."""
    for room in (room for row in rooms for room in row):
        files = (HOUSE / room.replace(".", "/")).rglob("*.py")
        yield (
            room,
            sum(len(file.read_text().splitlines()) for file in files if "migrations" not in file.parts),
        )


def main(arguments: list[str]) -> str | None:
    rooms = rows()
    if "--lines" in arguments:
        for room, number in lines(rooms):
            print(f"{number:7,}  {room}")  # noqa: T201 what was asked for
        return None
    picture = draw(rooms, reduced(arrows(rooms)))
    if "--check" in arguments:
        return (
            None if PICTURE.read_text() == picture else "docs/house.svg is not true: run python docs/house.py"
        )
    PICTURE.write_text(picture)
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
