import pytest
from hypothesis import given
from hypothesis import strategies as st

from lwm2m.errors import Lwm2mError
from lwm2m.paths import ROOT, Path

IDS = st.integers(0, 65534)
PATHS = st.lists(IDS, max_size=4).map(lambda ids: Path(*ids))


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("/", ()),
        ("", ()),
        ("/3", (3,)),
        ("3/0", (3, 0)),
        ("/3/0/9/", (3, 0, 9)),
        ("/3/0/7/65535", (3, 0, 7, 65535)),
    ],
)
def test_parse(text: str, ids: tuple[int, ...]) -> None:
    assert Path.parse(text).ids == ids


@pytest.mark.parametrize(
    "text",
    [
        "/65536",
        "/3/65535",
        "/a",
        "/3//0",
        "/-1",
        "/03",
        "/3/0/9/0/1",
        "/٣",
        "/3/0/1e1",
        "/99999",
        "/3 /0",
        "/" + "1" * 99,
    ],
)
def test_parse_refuses(text: str) -> None:
    with pytest.raises(Lwm2mError) as caught:
        Path.parse(text)
    assert caught.value.code.dotted == "4.00"


def test_a_hole_is_refused() -> None:
    with pytest.raises(Lwm2mError):
        Path(3, None, 9)


@given(PATHS)
def test_text_round_trip(path: Path) -> None:
    assert Path.parse(str(path)) == path
    assert path.contains(path)
    assert path.parent.contains(path)
    assert ROOT.contains(path)
    assert path.depth == len(path.segments)


@given(st.lists(PATHS, max_size=8))
def test_paths_sort_with_parents_first(paths: list[Path]) -> None:
    assert [path.ids for path in sorted(paths)] == sorted(path.ids for path in paths)


def test_contains_is_by_id_and_not_by_text() -> None:
    assert not Path.parse("/3").contains(Path.parse("/33/0"))
    assert Path.parse("/3/0").child(9) == Path.parse("/3/0/9")
