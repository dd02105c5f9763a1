"""The files that a benchmark of an own library begins with, as YAML: templates, and proposals commented out.

What the source of a package says is shown on one line and quoted: it may hold anything.
"""

from collections.abc import Iterator
from importlib.resources import files

import yaml

from .compare import Comparison, Proposal

_LONGEST = 200  # of what is told of a deprecation


def problems_yaml() -> str:
    """Return a file of problems with one problem, for the change of `changes_yaml`."""
    return _template("problems")


def changes_yaml(comparison: Comparison | None = None, heading: str = "") -> str:
    """Return a file of changes with one change, and the proposals of `comparison`, commented out.

    `## ` begins what is said of a proposal, `# ` the lines of its entry.
    """
    if comparison is None:
        return _template("changes")
    lines = ["", f"## {one_line(heading)}: {len(comparison.proposals)} proposals, the most certain first."]
    lines += ["## Read each, and remove the `# ` in front of those that you choose."]
    for proposal in comparison.proposals:
        lines += ["", *proposal_lines(proposal)]
    if comparison.without:
        lines += ["", "## Gone or deprecated, with nothing found to propose in its place:"]
        lines += [f"## {one_line(path)}" for path in comparison.without]
    return _template("changes") + "\n".join(lines) + "\n"


def proposal_lines(proposal: Proposal) -> Iterator[str]:
    """Yield the lines of a proposal: why, and the entry."""
    yield f"## {one_line(proposal.why)}"
    yield from (f"# {line}" for line in entry(proposal).splitlines())
    yield from (f"#   # or: {one_line(other)}" for other in proposal.replacements[1:])


def entry(proposal: Proposal) -> str:
    """Return the YAML of a proposal."""
    fields = {"deprecated": proposal.deprecated}
    if proposal.sort == "signature":
        fields |= {"old_signature": proposal.old_signature, "signature": proposal.signature}
    else:
        fields |= {"replacement": proposal.replacements[0]}
    return yaml.safe_dump([fields], sort_keys=False, width=2**20)


def one_line(text: str) -> str:
    """Return `text` on one line, cut where it is long, with every control character made visible."""
    shown = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in " ".join(text.split()))
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 3] + "..."


def _template(name: str) -> str:
    return files(__package__).joinpath(f"{name}_template.yaml").read_text(encoding="utf-8")
