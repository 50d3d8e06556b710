"""As much of the Dockerfile format as ours uses: instructions, continuation lines, the exec form, stages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Instruction:
    stage: int  # 0 for the first FROM
    name: str
    text: str

    @property
    def words(self) -> list[str]:
        """The arguments, in the exec form or in the plain one."""
        if not self.text.startswith("["):
            return self.text.split()
        words = json.loads(self.text)
        assert isinstance(words, list)
        return [str(word) for word in words]


def parse(text: str) -> Sequence[Instruction]:
    """The instructions in order; comments are gone and continued lines are one."""
    kept = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    found: list[Instruction] = []
    stage = -1
    for line in kept.replace("\\\n", " ").splitlines():
        if not line.strip():
            continue
        name, _, rest = line.strip().partition(" ")
        stage += name == "FROM"
        found.append(Instruction(stage, name, " ".join(rest.split())))
    return found
