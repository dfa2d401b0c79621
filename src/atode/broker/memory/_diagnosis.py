"""Nothing can go wrong with dictionaries that lives longer than the process."""

from collections.abc import Sequence

from atode.finding import Finding, Mended


class Diagnosis:
    """A store that is always well."""

    async def examine(self) -> Sequence[Finding]:
        return []

    async def mend(self, findings: Sequence[Finding]) -> Sequence[Mended]:
        del findings
        return []
