"""Object definitions that operators load: service, catalogue and command."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from accounts.errors import Refused
from accounts.models import Operator
from audit.models import LedgerEvent
from devices.inventory import object_models as catalogues
from devices.inventory.models import ObjectDefinition
from devices.inventory.services import object_models
from devices.inventory.services.object_models import Report, Result, Source
from lwm2m import paths
from lwm2m.objects import core
from tests.devices import making

pytestmark = pytest.mark.django_db

DDF = """<LWM2M><Object ObjectType="MODefinition"><Name>{name}</Name><ObjectID>{number}</ObjectID>
<ObjectVersion>{version}</ObjectVersion><MultipleInstances>Multiple</MultipleInstances>
<Mandatory>Optional</Mandatory><Resources><Item ID="1"><Name>{resource}</Name><Operations>RW</Operations>
<MultipleInstances>Single</MultipleInstances><Mandatory>Mandatory</Mandatory><Type>Integer</Type>
<RangeEnumeration>0..9</RangeEnumeration><Units>l</Units></Item></Resources></Object></LWM2M>"""
BOMB = b'<!DOCTYPE a [<!ENTITY b "c">]><LWM2M/>'


def ddf(number: int = 30001, version: str = "1.0", name: str = "Tank", resource: str = "Level") -> bytes:
    return DDF.format(number=number, version=version, name=name, resource=resource).encode()


def load(operator: Operator | None, **files: bytes) -> dict[str, Report]:
    sources = [Source(f"{name}.xml", content) for name, content in files.items()]
    reports = object_models.load(operator=operator, files=sources)
    assert [report.file for report in reports] == [source.name for source in sources]
    return {report.file.removesuffix(".xml"): report for report in reports}


def name(operator: Operator | None, *ids: int) -> str:
    return catalogues.catalogue(operator.pk if operator else None).name(paths.Path(*ids))


# -- loading -----------------------------------------------------------------------------------------------------


def test_a_definition_is_loaded_replaced_and_left_alone() -> None:
    operator = making.operator()
    assert load(operator, tank=ddf())["tank"] == Report("tank.xml", Result.LOADED, ("/30001 1.0 Tank",))
    assert name(operator, 30001, 0, 1) == "Tank / Level"
    assert load(operator, again=ddf())["again"].result is Result.UNCHANGED
    assert load(operator, newer=ddf(resource="Filling"))["newer"].result is Result.REPLACED
    assert name(operator, 30001, 0, 1) == "Tank / Filling"
    row = ObjectDefinition.objects.get()
    assert (row.operator, row.object_id, row.version, row.source) == (operator, 30001, "1.0", "newer.xml")
    events = LedgerEvent.objects.filter(action__startswith="object_definition").order_by("id")
    assert [(event.action, event.target) for event in events] == [
        ("object_definition.loaded", "/30001 1.0"),
        ("object_definition.replaced", "/30001 1.0"),
    ]
    assert {event.operator_id for event in events} == {operator.pk}
    assert events[1].before["file"] == "tank.xml"


def test_versions_stand_side_by_side() -> None:
    operator = making.operator()
    load(operator, old=ddf(), new=ddf(version="1.2", resource="Filling"))
    catalogue = catalogues.catalogue(operator.pk)
    assert catalogue.model(30001, "1.0").resources[1].name == "Level"
    assert catalogue.model(30001, "1.2").resources[1].name == "Filling"
    assert catalogue.objects[30001].version == "1.2"


def test_a_refused_file_hinders_no_other_and_says_why() -> None:
    operator = making.operator()
    reports = load(
        operator,
        bomb=BOMB,
        good=ddf(),
        same=ddf(),
        clash=ddf(resource="Another"),
        half=ddf(number=30002).replace(b"<ObjectID>30002</ObjectID>", b""),
        empty=b"",
    )
    results = {file: report.result.value for file, report in reports.items()}
    assert results == {
        "bomb": "refused",
        "good": "loaded",
        "same": "unchanged",
        "clash": "refused",
        "half": "refused",
        "empty": "refused",
    }
    assert "a DOCTYPE is not accepted" in reports["bomb"].detail
    assert "good.xml, loaded together with it, defines object 30001 1.0" in reports["clash"].detail
    assert "<Object> has no <ObjectID>" in reports["half"].detail
    refused = LedgerEvent.objects.filter(action="object_definition.refused")
    assert {event.target for event in refused} == {"bomb.xml", "clash.xml", "half.xml", "empty.xml"}
    assert {event.result for event in refused} == {"refused"}
    assert ObjectDefinition.objects.count() == 1


def test_an_odd_resource_is_noted_and_its_object_used() -> None:
    operator = making.operator()
    odd = ddf().replace(b"Integer", b"Number").replace(b"0..9", b"9..0")
    report = load(operator, odd=odd)["odd"]
    assert report.result is Result.LOADED
    assert [note.partition(": ")[2] for note in report.notes] == [
        'resource 1 has the type "Number", which LWM2M.xsd does not know; its values are kept as they come.',
        "resource 1 has the range 9..0; it counts as 0..9.",
    ]
    event = LedgerEvent.objects.get(action="object_definition.loaded")
    assert event.detail["notes"] == list(report.notes)
    many = b"".join(b'<Item ID="%d"/>' % number for number in range(2, 40))
    crowd = ddf(30002).replace(b"</Resources>", many + b"</Resources>")
    notes = load(operator, crowd=crowd)["crowd"].notes
    assert len(notes) == object_models.NOTES_LIMIT + 1
    assert notes[-1].endswith(" more.")


def test_a_file_with_several_objects_is_used_whole_or_not_at_all() -> None:
    operator = making.operator()
    second = ddf(30002).removeprefix(b"<LWM2M>")
    both = ddf().removesuffix(b"</LWM2M>") + second
    assert load(operator, both=both)["both"].objects == ("/30001 1.0 Tank", "/30002 1.0 Tank")
    broken = ddf(30003).removesuffix(b"</LWM2M>") + second.replace(b"<ObjectID>", b"<ObjectID>x")
    assert load(operator, broken=broken)["broken"].result is Result.REFUSED
    assert set(ObjectDefinition.objects.values_list("object_id", flat=True)) == {30001, 30002}
    mixed = both.replace(b"30002", b"30004")
    assert load(operator, mixed=mixed)["mixed"].result is Result.LOADED


def test_definitions_are_bounded_in_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_models, "MAX_DEFINITIONS", 2)
    reports = load(making.operator(), a=ddf(30001), b=ddf(30002), c=ddf(30003))
    assert [report.result.value for report in reports.values()] == ["loaded", "loaded", "refused"]
    assert load(making.operator(), d=ddf(30003))["d"].result is Result.LOADED


def test_names_of_files_are_stored_whatever_they_are() -> None:
    name = "\udcff" + "x" * 300 + ".xml"
    (report,) = object_models.load(operator=None, files=[Source(name, ddf())])
    assert report.result is Result.LOADED
    assert len(ObjectDefinition.objects.get().source) == 200


@pytest.mark.parametrize("for_all", [True, False])
def test_a_version_stands_once(for_all: bool) -> None:
    operator = None if for_all else making.operator()
    load(operator, tank=ddf())
    with pytest.raises(IntegrityError), transaction.atomic():
        ObjectDefinition.objects.create(
            operator=operator, object_id=30001, version="1.0", name="Again", definition={}, source="x"
        )


def test_removing_gives_way_to_what_stood_behind() -> None:
    operator = making.operator()
    load(operator, mine=ddf(3, "1.2", "My device"))
    assert name(operator, 3) == "My device"
    object_models.remove(operator=operator, object_id=3, version="1.2", reason="wrong file")
    assert name(operator, 3) == "Device"
    assert LedgerEvent.objects.get(action="object_definition.removed").reason == "wrong file"
    with pytest.raises(Refused) as refused:
        object_models.remove(operator=operator, object_id=3, version="1.2")
    assert refused.value.cause == "NOT_FOUND"


# -- the catalogue -----------------------------------------------------------------------------------------------


def test_the_nearest_definition_wins() -> None:
    one, other = making.operator(), making.operator()
    assert catalogues.catalogue(one.pk) is core()
    load(None, common=ddf(name="For all"), device=ddf(3, "1.2", "Device for all"))
    load(one, own=ddf(name="My own"))
    assert (name(one, 30001), name(other, 30001), name(None, 30001)) == ("My own", "For all", "For all")
    assert name(one, 3) == name(other, 3) == "Device for all"
    assert name(one, 3303) == "Temperature"
    assert core().name(paths.Path(30001)) == ""


def test_the_catalogue_is_kept_until_rows_change(
    django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = making.operator()
    load(operator, tank=ddf())
    with django_assert_num_queries(2):  # the stamp, the rows
        first = catalogues.catalogue(operator.pk)
    with django_assert_num_queries(0):
        assert catalogues.catalogue(operator.pk) is first
    monkeypatch.setattr(catalogues, "RECHECK_SECONDS", 0.0)
    with django_assert_num_queries(1):  # the stamp alone
        assert catalogues.catalogue(operator.pk) is first
    ObjectDefinition.objects.all().delete()  # as another process would
    assert catalogues.catalogue(operator.pk) is core()


@pytest.mark.django_db(transaction=True)
def test_a_change_is_seen_at_once_in_its_own_process() -> None:
    operator = making.operator()
    assert name(operator, 30001) == ""
    load(operator, tank=ddf())
    assert name(operator, 30001) == "Tank"
    load(operator, tank=ddf(name="Barrel"))
    assert name(operator, 30001) == "Barrel"


def test_an_unreadable_row_takes_no_other_away(caplog: pytest.LogCaptureFixture) -> None:
    operator = making.operator()
    load(operator, tank=ddf(), barrel=ddf(30002))
    ObjectDefinition.objects.filter(object_id=30001).update(definition={"id": "?"})
    assert (name(operator, 30001), name(operator, 30002)) == ("", "Tank")
    assert "object_definition.unreadable" in caplog.text


# -- the command -------------------------------------------------------------------------------------------------


def command(*args: str) -> list[str]:
    """The lines written, and last the error that makes the command exit with 1."""
    out = StringIO()
    try:
        call_command("load_objects", *args, stdout=out)
    except CommandError as error:
        out.write(f"! {error}" if error.returncode == 1 else "another exit code")
    return out.getvalue().splitlines()


def test_files_and_folders_are_loaded(tmp_path: Path) -> None:
    operator = making.operator("northwind")
    (tmp_path / "more").mkdir()
    (tmp_path / "b.xml").write_bytes(ddf(30002))
    (tmp_path / "more" / "c.XML").write_bytes(ddf(30003))
    (tmp_path / "notes.txt").write_text("no definition")
    alone = tmp_path / "a.ddf"
    alone.write_bytes(ddf())
    lines = command(str(alone), str(tmp_path), str(alone), "--operator", "northwind")
    assert lines == [
        f"loaded    {alone}: /30001 1.0 Tank",
        f"loaded    {tmp_path / 'b.xml'}: /30002 1.0 Tank",
        f"loaded    {tmp_path / 'more' / 'c.XML'}: /30003 1.0 Tank",
    ]
    assert ObjectDefinition.objects.filter(operator=operator).count() == 3
    assert LedgerEvent.objects.filter(action="object_definition.loaded", actor_id="load_objects").count() == 3


def test_what_is_refused_has_its_line_and_the_rest_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for file, content in {"bomb.xml": BOMB, "good.xml": ddf(), "huge.xml": b" " * 3_000_000}.items():
        (tmp_path / file).write_bytes(content)
    lines = command(str(tmp_path / "gone.xml"), str(tmp_path / "empty"), str(tmp_path))
    assert [line.split()[0] for line in lines] == ["refused", "refused", "refused", "loaded", "refused", "!"]
    assert "gone.xml: It cannot be read (No such file or directory)" in lines[0]
    assert "there is no *.xml in this folder" in lines[1]
    assert "a DOCTYPE is not accepted" in lines[2]
    assert "The file is over 1 MB" in lines[4]
    assert lines[5] == "! 4 of 5 files were refused; the others are loaded."
    assert ObjectDefinition.objects.get().operator is None


def test_an_unknown_operator_is_named() -> None:
    assert command("x.xml", "--operator", "nobody") == [
        "! There is no operator 'nobody'; create_operator makes one."
    ]
