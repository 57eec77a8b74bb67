"""Text from outside, made fit to be kept."""

_REPLACEMENT = "\ufffd"


def storable(text: str, most: int) -> str:
    """The text as every database takes it: no NUL, no half of a surrogate pair, at most `most` characters."""
    text = text[:most].replace("\0", _REPLACEMENT)
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
