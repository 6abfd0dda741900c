"""`limits` and `retry` of a provider's file: each word becomes a value, each fault has its line."""

from pathlib import Path

import pytest

from connstat_sql.definitions.limits import RequestLimit, Reset
from connstat_sql.definitions.loader import Library, shipped_providers, validate
from connstat_sql.definitions.model import Limits, RetryRule

PROVIDER = """\
provider: p
description: d
base_url: https://p.example
"""
SERVICE = """\
service: s
resources:
  t:
    description: d
    columns: {id: VARCHAR}
    methods:
      list: {path: /t, limit: metrics}
"""


def folder_of(root: Path, said: str, service: str = "") -> Path:
    folder = root / "p"
    folder.mkdir()
    (folder / "provider.yaml").write_text(PROVIDER + said, "utf-8")
    if service:
        (folder / "s.yaml").write_text(service, "utf-8")
    return folder


def problems_of(folder: Path) -> list[str]:
    library = Library([shipped_providers(), folder])
    return [str(one).replace(f"{folder}/", "") for one in validate([folder], library)]


def test_every_word_of_limits_and_retry_becomes_a_value(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, """\
limits:
  concurrency: 8
  rate: 10
  host: {concurrency: 32, rate: 50}
  families: {metrics: {concurrency: 2, rate: 0.5}, costs: {rate: 1}}
  reset: epoch
  longest_wait: 90
retry:
  - {status: [429, 503], tries: 6}
  - {status: [409], message: rebalance, for: 60}
  - {status: [500]}
""", SERVICE)  # fmt: skip
    assert problems_of(folder) == []
    library = Library([folder])
    provider, service = library.provider("p"), library.service("p", "s")
    assert provider is not None
    assert provider.limits == Limits(
        concurrency=8,
        rate=10,
        host=RequestLimit(32, 50),
        families={"metrics": RequestLimit(2, 0.5), "costs": RequestLimit(None, 1)},
        reset=Reset.EPOCH,
        longest_wait=90,
    )
    assert provider.retries == (
        RetryRule(frozenset({429, 503}), tries=6),
        RetryRule(frozenset({409}), "rebalance", within=60),
        RetryRule(frozenset({500})),
    )
    assert service is not None
    assert service.resources["t"].method("list").limit == "metrics"


def test_without_the_words_the_usual_holds(tmp_path: Path) -> None:
    provider = Library([folder_of(tmp_path, "")]).provider("p")
    assert provider is not None
    assert provider.limits == Limits(concurrency=16, reset=None, longest_wait=60)
    assert [rule.tries for rule in provider.retries] == [4]


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ("limits: {concurency: 8}\n", "`concurency`"),
        ("limits: {concurrency: 0}\n", "provider.yaml:4"),
        ("limits: {rate: 0}\n", "provider.yaml:4"),
        ("limits: {rate: -1}\n", "provider.yaml:4"),
        ("limits: {host: {burst: 8}}\n", "`burst`"),
        ("limits: {families: {m: {rate: 0}}}\n", "provider.yaml:4"),
        ("limits: {reset: minutes}\n", "seconds"),
        ("limits: {longest_wait: 0}\n", "provider.yaml:4"),
        ("retry: [{status: [500], tries: 0}]\n", "provider.yaml:4"),
        ("retry: [{status: [500], for: 0}]\n", "provider.yaml:4"),
        ("retry: [{status: [500], tries: 3, for: 60}]\n", "says both `tries` and `for` (one of"),
        (
            "retry:\n  - {status: [403]}\n",
            "5: 403 is tried again for its words alone (`message`, with what the API says)",
        ),
        ("retry:\n  - {status: [500, 404, 401]}\n", "5: 401 is never tried again (leave it out)"),
        ("retry:\n  - {status: [500, 404, 401]}\n", "5: 404 is never tried again (leave it out)"),
    ],
)
def test_a_fault_is_told_with_its_line_and_what_to_write(
    tmp_path: Path, said: str, says: str
) -> None:
    assert says in "\n".join(problems_of(folder_of(tmp_path, said)))


@pytest.mark.parametrize(
    ("said", "hint"),
    [("", ""), ("limits: {families: {metric: {rate: 1}}}\n", " (did you mean `metric`?)")],
)
def test_a_method_names_a_family_that_is_declared(tmp_path: Path, said: str, hint: str) -> None:
    assert problems_of(folder_of(tmp_path, said, SERVICE)) == [
        f"s.yaml:7: names the family `metrics`, which `limits` does not declare{hint}"
    ]


def test_one_file_alone_is_held_against_the_provider_beside_it(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "limits: {families: {metrics: {rate: 1}}}\n", SERVICE)
    assert validate([folder / "s.yaml"], Library([folder])) == ()


def test_of_a_broken_provider_only_its_own_fault_is_told(tmp_path: Path) -> None:
    [problem] = problems_of(folder_of(tmp_path, "limits: 5\n", SERVICE))
    assert problem.startswith("provider.yaml:4")
