"""How many findings there can be."""

from support.blueprints import document, node, operation, parse

from shared.blueprint.collector import Collector


def collected(*, notes: int = 0, warnings: int = 0, errors: int = 0) -> list[tuple[str, str]]:
    collector = Collector()
    for report, count in ((collector.note, notes), (collector.warning, warnings), (collector.error, errors)):
        for number in range(count):
            report("code", f"${number}", expected="a", found="b")
    return [(finding.severity.value, finding.path) for finding in collector.gathered()]


def test_findings_keep_their_order() -> None:
    assert collected(notes=1, warnings=1, errors=1) == [("note", "$0"), ("warning", "$0"), ("error", "$0")]


def test_200_findings_are_all_there() -> None:
    assert len(collected(notes=200)) == 200


def test_more_than_200_findings_are_counted_in_a_last_note() -> None:
    collector = Collector()
    for number in range(300):
        collector.note("code", f"${number}", expected="a", found="b")

    findings = list(collector.gathered())

    assert len(findings) == 201
    assert (findings[-1].code, findings[-1].found) == ("more-findings", "and 100 more")


def test_errors_are_never_crowded_out() -> None:
    gathered = collected(notes=500, warnings=500, errors=3)

    assert [entry for entry in gathered if entry[0] == "error"] == [("error", "$0"), ("error", "$1"), ("error", "$2")]
    assert len([entry for entry in gathered if entry[0] == "warning"]) == 197


def test_the_same_finding_is_collected_once() -> None:
    collector = Collector()

    for _ in range(3):
        collector.error("code", "$", expected="a", found="b")

    assert len(collector.gathered()) == 1


def test_a_blueprint_with_many_mistakes_says_how_many_more_there_are() -> None:
    parsed = parse(document(*(node(f"n{number}", operation(takes="")) for number in range(300))))

    assert len(parsed.findings) == 201
    assert parsed.findings.items[-1].code == "more-findings"
