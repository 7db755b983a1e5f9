"""Lists of words as they are easiest to read and to extend."""


def words(*lines: str) -> frozenset[str]:
    """The words of the lines, as a set."""
    return frozenset(" ".join(lines).split())
