"""Names of columns that say that their values identify something."""

import re

_WORD = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+(?![a-z])")
_IDENTIFIERS = {"id", "ids", "uuid", "guid", "key", "nbr"}
_NUMBER_OF = re.compile("(.*?)(number|nummer|nr|no)")  # a name's last word, or the end of it
_COUNTED = {"", "week", "woche", "month", "day", "year", "house", "haus", "page", "line", "step", "lfd"}


def is_identifier(name: str, *, whole: bool) -> bool:
    """Whether it has a word such as id, or names numbers of things, as customer_no, serialNumber and Kundennummer do;
    number_of_rooms and rooms_number are counts. ``whole``: the values are no fractions, which such numbers never are.
    """
    words = [word.lower() for word in _WORD.findall(name)]
    if {*words} & _IDENTIFIERS:
        return True
    if not words or not whole:
        return False
    if "serial" in words:
        return True
    last = _NUMBER_OF.fullmatch(words[-1])
    if not last or words[0] in ("number", "num") or (last[2] == "no" and last[1]):  # casino
        return False
    of = last[1] or (words[-2] if len(words) > 1 else "")
    return of not in _COUNTED and not (last[2] == "number" and of.endswith("s"))
