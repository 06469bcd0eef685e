"""
Several runs as one: what the union of their checks amounts to, and what the summary says of it.
"""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from epos_conformance import _certificate, _expected, _suite
from epos_conformance._settings import DojoSettings, Settings
from epos_conformance.report import joining, merging, summary
from epos_conformance.report.cli import main
from epos_conformance.report.reading import BadReport
from epos_conformance.report.rederiving import rederive

from .support import run_suite


SCHEMA = _suite.read_json(_suite.REPORTS / "certificate.schema.json")


#: Every check is in one of them.
SHARDS = {
    "one": "must and not ws",
    "two": "not must and not ws",
    "three": "must and ws",
    "four": "not must and ws",
}


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four shards of a run and the whole of it, each in a folder."""
    folder = tmp_path_factory.mktemp("shards")
    for name, chosen in {**SHARDS, "whole": ""}.items():
        arguments = ["-m", chosen] if chosen else []
        run = run_suite(
            folder,
            "--partner-url=reference",
            "--capabilities=ListAreas,SearchTables",
            f"--reports={folder / name}",
            "-q",
            *arguments,
        )
        assert run.status == 0, run.output
    return folder


@pytest.fixture
def whole(shards: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((shards / "whole" / "certificate.json").read_text("utf-8"))
    return found


def violating(document: dict[str, Any], id: str, message: str = "at $: expected a, saw b") -> dict[str, Any]:
    """*document* with a must that is violated."""
    found = copy.deepcopy(document)
    (check, *_) = [each for each in found["checks"] if each["id"] == id]
    check.update(outcome="violates", message=message)
    return found


#: Seconds and ids that the suite or the EPOS make up.
_MADE_UP = re.compile(r"[\d.]+|[0-9a-f]{8,}|[a-z]{3}-[a-z0-9]+")


def but_for_times(document: dict[str, Any]) -> dict[str, Any]:
    """*document* without what differs from run to run of the same EPOS: times, its port, the folder of the results."""
    found = copy.deepcopy(document)
    for name in ("startedAt", "finishedAt"):
        del found[name]
    del found["settings"]["reports"], found["partner"]["url"]
    for check in found["checks"]:
        del check["duration"]
        check["message"] = _MADE_UP.sub("…", check["message"])
        check["exchanges"] = [(each["capability"], each["transport"]) for each in check["exchanges"]]
    found["notes"] = [_MADE_UP.sub("…", each) for each in found["notes"]]
    return found


def test_four_shards_are_the_whole_run_but_for_times(shards: Path, whole: dict[str, Any], tmp_path: Path) -> None:
    assert main(["merge", *(str(shards / name) for name in SHARDS), "--into", str(tmp_path)]) == 0

    found = json.loads((tmp_path / "certificate.json").read_text("utf-8"))
    jsonschema.validate(found, SCHEMA)
    assert but_for_times(found) == but_for_times(whole)
    results = [each for each in (tmp_path / "allure-results").iterdir() if each.name.endswith("-result.json")]
    assert len(results) == len(whole["checks"])
    assert (tmp_path / "certificate.html").is_file()


def test_one_shard_alone_is_not_complete(shards: Path) -> None:
    document = json.loads((shards / "one" / "certificate.json").read_text("utf-8"))
    found = merging.merged([document, document])

    assert not found["selection"]["complete"]
    assert found["selection"]["deselected"] == document["selection"]["deselected"]


def test_what_one_run_violates_is_violated(whole: dict[str, Any]) -> None:
    worse = violating(whole, "ListAreas.ids-are-unique")
    for order in ([whole, worse], [worse, whole]):
        found = merging.merged(order)
        assert found["verdict"] == "not-conformant"
        assert found["counts"]["violates"] == 1
        (areas,) = [each for each in found["capabilities"] if each["name"] == "ListAreas"]
        assert areas["verdict"] == "not-conformant"


def test_what_was_examined_counts_more_than_what_was_not(whole: dict[str, Any]) -> None:
    lacking = copy.deepcopy(whole)
    lacking["checks"][0].update(outcome="inconclusive", message="no test data", cause="data")

    assert merging.merged([lacking, whole])["verdict"] == "conformant"


def test_runs_of_two_partners_or_suites_do_not_add_up(whole: dict[str, Any]) -> None:
    other = copy.deepcopy(whole)
    other["settings"]["partner-url"] = "https://other.example"
    with pytest.raises(BadReport, match="two partners"):
        merging.merged([whole, other])
    newer = copy.deepcopy(whole)
    newer["suite"]["version"] = "99"
    with pytest.raises(BadReport, match="different versions"):
        merging.merged([whole, newer])


def concluded(document: dict[str, Any]) -> dict[str, Any]:
    """*document* with what its checks amount to."""
    results = [_certificate.result(each) for each in document["checks"]]
    return {**document, **_certificate.concluded(results, joining.offers([document]))}


def consistent(document: dict[str, Any]) -> dict[str, Any]:
    """*document*, which has the form of a certificate and contradicts itself nowhere."""
    jsonschema.validate(document, SCHEMA)
    assert not rederive(document).faults
    return document


def check(document: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [each for each in document["checks"] if _certificate.result(each).name == name]
    return dict(found)


IDS = "rest-ListAreas.ids-are-unique"


def waived(document: dict[str, Any], until: str, name: str = IDS) -> dict[str, Any]:
    """*document* with a violation that is waived until a day."""
    found = violating(document, name.partition("-")[2])
    reason = {"reason": "agreed", "until": until}
    for each in found["checks"]:
        if _certificate.result(each).name == name:
            each.update(outcome="violates", message="at $: expected a, saw b", waiver=reason)
    found["waivers"] = [{"rule": name.partition("-")[2], **reason, "state": "used"}]
    return concluded(found)


def test_a_violation_that_one_run_waived_and_another_did_not_is_held_against_the_partner(whole: dict[str, Any]) -> None:
    lenient, strict = waived(whole, "2099-01-01"), concluded(violating(whole, "ListAreas.ids-are-unique"))
    for order in ([lenient, strict], [strict, lenient]):
        found = consistent(merging.merged(order))
        assert "waiver" not in check(found, IDS)
        assert found["verdict"] == "not-conformant"


def test_a_rule_may_be_waived_until_another_day_in_another_run(shards: Path) -> None:
    one, three = (
        waived(json.loads((shards / name / "certificate.json").read_text("utf-8")), until, check_name)
        for name, until, check_name in (
            ("one", "2098-01-01", IDS),
            ("three", "2099-01-01", IDS.replace("rest", "ws")),
        )
    )
    for order in ([one, three], [three, one]):
        found = consistent(merging.merged(order))
        assert {(each["until"], each["state"]) for each in found["waivers"]} == {
            ("2098-01-01", "used"),
            ("2099-01-01", "used"),
        }
    unused = copy.deepcopy(one)
    unused["waivers"] = [{**each, "state": "not-examined"} for each in unused["waivers"]]
    assert merging.merged([unused, one])["waivers"] == one["waivers"]


def at_dojo(document: dict[str, Any], *flows: str, **more: str) -> dict[str, Any]:
    """*document* with a sandbox that lists *flows*, of which it says no more than that they were not run."""
    found = copy.deepcopy(document)
    found["dojo"] = {"url": "http://127.0.0.1:1", "sandbox": True, "flows": [*flows], **more}
    found["settings"].update(Settings(url="x", dojo=DojoSettings(url="http://127.0.0.1:1")).shown() | found["settings"])
    found["settings"]["dojo-api"] = "http://127.0.0.1:1"
    found["checks"] = [each for each in found["checks"] if "there is no Dojo API in this run" not in each["message"]]
    known = {_certificate.result(each).name for each in found["checks"]}
    for name in _expected.names(found["partner"]["transports"], flows) - known:
        result = _certificate.not_run(name, "not run: its process ended before")
        assert result is not None
        found["checks"].append(_certificate.entry(result))
    return concluded(found)


def test_the_flows_of_every_run_count(whole: dict[str, Any]) -> None:
    few, more = at_dojo(whole, "Get Order", "Tips"), at_dojo(whole, "Get Order", "Get Order", "Void")
    nobody = at_dojo(whole, blocked="nobody answers")
    for each in more["checks"]:
        if each.get("case") == "Void":
            each.update(outcome="violates", message="at $.status: expected PASSED, saw FAILED")
            del each["cause"]
    more = concluded(more)
    for order in ([few, more, nobody, whole], [nobody, whole, more, few]):
        found = merging.merged(order)
        assert sorted(found["dojo"]["flows"]) == ["Get Order", "Get Order", "Tips", "Void"]
        assert "blocked" not in found["dojo"]
        assert found["verdict"] == "not-conformant"
        assert check(found, "dojo-flows.ends-in-success@Void")["outcome"] == "violates"
        assert found["selection"]["complete"]
        consistent(found)
    assert merging.merged([nobody, nobody])["dojo"]["blocked"] == "nobody answers"


def test_a_reason_that_holds_is_taken_before_one_that_does_not(whole: dict[str, Any]) -> None:
    """Where one run lacks a capability and another a switch, only the second reason is one for the union."""
    name = "rest-CreateOrder.keeps-unusual-texts"
    lacking, reading = copy.deepcopy(whole), copy.deepcopy(whole)
    for document, message in (
        (lacking, "needs ListAreas, which isn't offered"),
        (reading, "not examined: unusual bodies are switched off (--depth=0)"),
    ):
        for each in document["checks"]:
            if _name(each) == name:
                each.update(outcome="not-offered", message=message)
    reading["settings"]["depth"] = 0
    for order in ([lacking, reading], [reading, lacking]):
        found = merging.merged(order)
        assert check(found, name)["message"].endswith("(--depth=0)")
        assert found["selection"]["complete"]


def _name(entry: dict[str, Any]) -> str:
    return _certificate.result(entry).name


def settings(**values: Any) -> dict[str, Any]:
    return {"settings": {"partner-url": "https://till.example", **values}, "partner": {"pos": {}}}


def test_what_is_merged_can_be_merged_again() -> None:
    """Whichever way round: seeds, folders and switches stay what they are, and lists stay lists."""
    runs = [
        settings(**{"seed": 1, "reports": "a", "read-only": True, "depth": 1, "product": [], "capabilities": None}),
        settings(**{"seed": 2, "reports": "b", "read-only": False, "depth": 1, "product": ["bookings"]}),
        settings(**{"seed": 3, "reports": "c", "read-only": True, "depth": 1, "capabilities": ["ListAreas"]}),
        settings(**{"seed": 1, "reports": "d", "read-only": False, "depth": 1, "capabilities": ["ListAreas"]}),
    ]

    def joined(*documents: dict[str, Any]) -> dict[str, Any]:
        return {**documents[0], "settings": joining.settings(documents)}

    ways = (joined(*runs), joined(joined(*runs[:2]), *runs[2:]), joined(runs[0], joined(*runs[1:])))
    for each in ways:
        found = {name: sorted(value) if isinstance(value, list) else value for name, value in each["settings"].items()}
        assert found == {
            "partner-url": "https://till.example",
            "partner-ws": None,
            "seed": [1, 2, 3],
            "reports": ["a", "b", "c", "d"],
            "read-only": [False, True],
            "depth": 1,
            "product": ["bookings"],
            "capabilities": ["ListAreas"],
            "merged": True,
        }
    assert "merged" not in joining.settings([runs[2], runs[2]])
    assert joining.settings([runs[2], runs[2]])["capabilities"] == ["ListAreas"]
    assert joining.settings([settings(depth=0), settings(depth=False)])["depth"] == [0, False]


def over(document: dict[str, Any], transport: str, address: str, **pos: str) -> dict[str, Any]:
    """Of *document* what a run over one *transport* alone finds."""
    found = copy.deepcopy(document)
    found["settings"] |= {"partner-url": None, "partner-ws": None, "partner": "/some/where/till.toml"}
    found["settings"]["partner-url" if transport == "rest" else "partner-ws"] = address
    found["partner"] |= {"url": address, "transports": [transport], "pos": pos}
    found["checks"] = [each for each in found["checks"] if each["transport"] in (transport, "dojo")]
    for each in found["capabilities"]:
        if "transports" in each:
            each["transports"] = {name: told for name, told in each["transports"].items() if name == transport}
    return consistent(concluded(found))


URL, PORT = "https://till.example", "0.0.0.0:8765"


def test_two_transports_in_two_runs_are_one_partner_where_it_is_named(
    whole: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rest, ws = over(whole, "rest", URL, name="Till"), over(whole, "ws", PORT, name="Till")
    for order in ([rest, ws], [ws, rest]):
        found = consistent(merging.merged(order))
        assert (found["settings"]["partner-url"], found["settings"]["partner-ws"]) == (URL, PORT)
        assert (found["partner"]["url"], found["partner"]["transports"]) == (URL, ["rest", "ws"])
        for name in ("checks", "counts", "verdict", "selection", "capabilities", "differences"):
            assert found[name] == whole[name]
        again = consistent(merging.merged([found, ws, rest]))
        assert again["settings"] == found["settings"]

    for name, document in (("ws", ws), ("rest", rest), ("other", over(whole, "rest", URL, name="Other"))):
        (tmp_path / "in" / name).mkdir(parents=True)
        (tmp_path / "in" / name / "certificate.json").write_text(json.dumps(document), "utf-8")
    assert main(["merge", str(tmp_path / "in"), "--into", str(tmp_path / "out")]) == 0
    told = capsys.readouterr().out
    assert f"Till ({URL} and {PORT}): conformant" in told
    assert f"Other ({URL}): conformant" in told
    assert len([*(tmp_path / "out").glob("*/certificate.json")]) == 2


def test_one_name_at_several_addresses_is_several_partners(whole: dict[str, Any]) -> None:
    rest, ws = over(whole, "rest", URL, name="Till"), over(whole, "ws", PORT, name="Till")
    unnamed = [copy.deepcopy(each) for each in (rest, ws)]
    for each in unnamed:
        each["settings"]["partner"], each["partner"]["pos"] = None, {}
    elsewhere = over(whole, "rest", "https://other.example", name="Till")
    reference = copy.deepcopy(rest)
    reference["settings"]["partner-url"] = "reference"
    for documents in (unnamed, [rest, elsewhere], [rest, ws, elsewhere], [reference, ws]):
        with pytest.raises(BadReport, match="two partners"):
            merging.merged(documents)


@pytest.fixture
def signer(tmp_path: Path) -> tuple[Path, str]:
    """A folder with a shard that is signed, and the key."""
    key = str(tmp_path / "key.pem")
    assert main(["keygen", key]) == 0
    return tmp_path, key


def shard(shards: Path, folder: Path, key: str, name: str = "one") -> Path:
    found = folder / name
    found.mkdir()
    (found / "certificate.json").write_bytes((shards / name / "certificate.json").read_bytes())
    assert main(["sign", str(found), "--signing-key", key]) == 0
    return found


def altered(file: Path, **more: Any) -> None:
    """Somebody without the key has a say in the certificate *file*, and knows what has to fit."""
    document = json.loads(file.read_text("utf-8"))
    file.write_text(json.dumps({**document, **more}), "utf-8")


def test_what_was_signed_and_altered_is_not_signed_anew(
    shards: Path, signer: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, key = signer
    one = shard(shards, folder, key)
    public, out = f"{key}.pub", folder / "out"
    merge = ["merge", str(one), str(shards / "two"), "--into", str(out), "--signing-key", key]
    assert main(merge) == 0
    assert main(["verify", str(out), "--public-key", public]) == 0
    assert main([*merge, "--public-key", public]) == 4
    assert "two/certificate.json is not signed by any of the public keys" in capsys.readouterr().err

    good, seal = (one / "certificate.json").read_bytes(), (one / "certificate.intoto.jsonl").read_bytes()
    before = (out / "certificate.json").read_bytes()
    for refused in ("edited", "without its envelope", "of another's hand", "contradicting itself"):
        (one / "certificate.json").write_bytes(good)
        (one / "certificate.intoto.jsonl").write_bytes(seal)
        if refused == "edited":
            altered(one / "certificate.json", leftovers=["\x1b[31mnothing"])
        elif refused == "without its envelope":
            (one / "certificate.intoto.jsonl").unlink()
        elif refused == "of another's hand":
            envelope = json.loads(seal)
            envelope["signatures"][0]["sig"] = "A" * 86 + "=="
            line = json.dumps(envelope, separators=(",", ":")) + "\n"
            (one / "certificate.intoto.jsonl").write_text(line, "utf-8")
        else:
            (one / "certificate.intoto.jsonl").unlink()
            altered(one / "certificate.json", signature={"state": "unsigned"}, verdict="not-conformant")
        assert main(merge) == 4, refused
        said = capsys.readouterr().err
        assert f"{one / 'certificate.json'} is not genuine: " in said
        assert said[:-1].isprintable()
        assert (out / "certificate.json").read_bytes() == before


def test_what_another_version_made_is_not_signed(
    shards: Path, signer: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, key = signer
    (folder / "certificate.json").write_bytes((shards / "one" / "certificate.json").read_bytes())
    altered(folder / "certificate.json", suite={"name": _suite.NAME, "version": "99"})
    assert main(["merge", str(folder), "--into", str(folder / "out"), "--signing-key", key]) == 4
    assert "was made by version 99 of the suite" in capsys.readouterr().err
    assert main(["merge", str(folder), "--into", str(folder / "out")]) == 0


def test_partners_are_kept_apart(shards: Path, whole: dict[str, Any], tmp_path: Path) -> None:
    """Each has a certificate of its own, and Allure doesn't take one for a retry of the other."""
    other = tmp_path / "in" / "other"
    (other / "allure-results").mkdir(parents=True)
    named = {**whole, "partner": {**whole["partner"], "pos": {"name": "Till | 9"}}}
    (other / "certificate.json").write_text(json.dumps(named), encoding="utf-8")
    for each in (shards / "whole" / "allure-results").glob("*-result.json"):
        (other / "allure-results" / f"0{each.name}").write_bytes(each.read_bytes())

    assert main(["merge", str(shards / "whole"), str(other), "--into", str(tmp_path / "out")]) == 0

    out = {each.name for each in (tmp_path / "out").iterdir()}
    assert out == {"allure-results", "index.html", "reference", "till-9-reference"}
    for name in ("reference", "till-9-reference"):
        assert (tmp_path / "out" / name / "certificate.html").is_file()
        assert f'href="{name}/certificate.html"' in (tmp_path / "out" / "index.html").read_text("utf-8")
    results = [json.loads(each.read_text("utf-8")) for each in (tmp_path / "out").glob("allure-results/*-result.json")]
    assert len({each["historyId"] for each in results}) == len(results) == 2 * len(whole["checks"])


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "is not JSON"), ("[]", "is no certificate"), ('{"format": "x"}', "is no certificate of the format")],
)
def test_what_is_no_certificate_is_told_in_a_sentence(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "certificate.json").write_text(text, encoding="utf-8")

    assert main(["summary", str(tmp_path)]) == 4
    assert said in capsys.readouterr().err


def test_a_folder_without_a_certificate_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["merge", str(tmp_path)]) == 4
    assert "there is no certificate.json" in capsys.readouterr().err


def test_the_summary_names_what_is_violated_and_fails(
    whole: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    worse = merging.merged([whole, violating(whole, "ListAreas.ids-are-unique", "at $[1].id: <script> | x")])
    (tmp_path / "certificate.json").write_text(json.dumps(worse), encoding="utf-8")

    assert main(["summary", str(tmp_path)]) == 1

    told = capsys.readouterr().out
    assert page.read_text("utf-8") == told
    assert "| reference | **not-conformant** |" in told
    assert "* `ListAreas.ids-are-unique` over rest: at $\\[1\\].id: \\<script\\>" in told


def test_the_summary_of_what_is_granted_is_short(whole: dict[str, Any]) -> None:
    text = summary.markdown([whole])

    assert summary.granted(whole)
    assert len(text.splitlines()) == 5


def test_the_command_runs_as_a_module(shards: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "epos_conformance.report", "summary", str(shards / "whole")],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(Path(_suite.__file__).parents[1])},
    )
    assert done.returncode == 0, done.stderr
    assert "**conformant**" in done.stdout
