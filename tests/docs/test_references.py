"""What the documents point at is there: pages, headings, files, tests."""

import re
from pathlib import Path

ROOTS = (
    "benchmarks controller dashboard deploy docs examples firmware firmware_bridge hw_sim proof recorder requirements "
    "safety"
)
IN_THE_REPOSITORY = re.compile(rf"`((?:{'|'.join(ROOTS.split())}|tests|tractable)/[\w./-]*)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def without_examples(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", without_examples(page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_link_leads_somewhere(page: Path) -> None:
    links = LINK.findall(without_examples(page.read_text()))

    for link in (link for link in links if not link.startswith("https://")):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_file_that_is_named_exists(page: Path, repository: Path) -> None:
    named = IN_THE_REPOSITORY.findall(page.read_text())

    assert [path for path in named if not (repository / path).exists()] == []


def test_every_page_module_that_is_named_exists(page: Path, repository: Path) -> None:
    modules = re.findall(r"python -m docs\.(\w+)", page.read_text())

    assert [module for module in modules if not (repository / "docs" / f"{module}.py").exists()] == []


def test_a_decision_is_short_numbered_and_says_what_why_and_at_what_cost(decision: Path) -> None:
    text = decision.read_text()

    assert text.startswith(f"# {int(decision.stem[:4])}. ")
    assert len(text.splitlines()) <= 20
    assert all(part in text for part in ("**Decided.**", "**Because**", "**Costs.**"))


def test_decisions_are_numbered_without_a_gap(repository: Path) -> None:
    numbers = sorted(int(path.stem[:4]) for path in (repository / "docs/decisions").glob("*.md"))

    assert numbers == list(range(1, len(numbers) + 1))


def test_the_readme_says_first_that_this_is_no_medical_device(repository: Path) -> None:
    opening = (repository / "README.md").read_text().split("## ")[0]

    assert "not a certified medical device" in opening
    assert "Do not use it to treat people" in opening


def test_the_pictures_are_pages_and_small(repository: Path) -> None:
    sizes = {"report.png": (744, 1052), "table-dark.png": (1280, 860), "table.png": (1280, 860)}
    pictures = sorted((repository / "docs/images").glob("*.png"))

    assert [picture.name for picture in pictures] == list(sizes)
    for picture in pictures:
        data = picture.read_bytes()
        assert len(data) < 200_000
        assert (int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")) == sizes[picture.name]
