"""`atode doctor`: what is wrong with a store, and what to do about it."""

from collections.abc import Sequence
from typing import Annotated

import typer

from atode.cli._deployment import BAD_INPUT, Deployment, deployment
from atode.cli._documents import finding_document, mended_document, written
from atode.cli._layout import block, counted, emit, plain, tinted
from atode.cli._options import AsJson, Url
from atode.cli._times import iso
from atode.finding import Finding, Mended, Severity, worst_first

Fix = Annotated[bool, typer.Option("--fix", help="Put right what is safe to put right.")]

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: ""}

SICK = 1


def doctor(url: Url = None, fix: Fix = False, as_json: AsJson = False) -> None:
    """Examine a store: what is wrong, and what to do about it.

    Ends with 0 if nothing is wrong, 1 if something is, 2 if the store cannot be looked at.
    """
    with deployment(url, opened=False, unreachable=BAD_INPUT) as store:
        found, mended = _looked(store, fix=fix)
        now = store.now()
    if as_json:
        document = {
            "at": iso(now),
            "healthy": not _wrong(found),
            "findings": [finding_document(each) for each in found],
            "mended": [mended_document(each) for each in mended],
        }
        emit(written(document))
    else:
        emit(_text(found, mended))
    if _wrong(found):
        raise typer.Exit(SICK)


def _looked(store: Deployment, *, fix: bool) -> tuple[Sequence[Finding], Sequence[Mended]]:
    """What is wrong, and what was; with `fix`, what still is after that."""
    found = sorted(store.ask(lambda broker: broker.examine()), key=worst_first)
    mended: Sequence[Mended] = []
    if fix and any(each.fixable for each in found):
        mended = store.ask(lambda broker: broker.mend(found))
        found = sorted(store.ask(lambda broker: broker.examine()), key=worst_first)
    return found, mended


def _wrong(found: Sequence[Finding]) -> Sequence[Finding]:
    return [each for each in found if each.severity is not Severity.INFO]


def _text(found: Sequence[Finding], mended: Sequence[Mended]) -> str:
    parts = [f"mended: {plain(each.subject)}: {plain(each.what)}" for each in mended]
    parts += [_described(each) for each in found]
    wrong = _wrong(found)
    if not wrong:
        parts.append("nothing is wrong")
        return "\n".join(parts)
    errors = sum(each.severity is Severity.ERROR for each in wrong)
    total = f"{counted(errors, 'error')}, {counted(len(wrong) - errors, 'warning')}"
    fixable = sum(each.fixable for each in wrong)
    hint = f"; --fix puts {fixable} of them right" if fixable and not mended else ""
    return "\n".join([*parts, "", f"{total}{hint}"])


def _described(finding: Finding) -> str:
    word = tinted(str(finding.severity), _COLOURS[finding.severity])
    line = f"{word}: {plain(finding.subject)}: {plain(finding.what)}"
    return f"{line}\n{block(finding.remedy)}" if finding.remedy else line
