/// Python's `json` made as strict as ours. Reads base64 documents from stdin, a line each, and answers each with a
/// line: `refused`, or the value in the form of `JSONDifferentialTests.canonical`. Arguments: the deepest nesting
/// and the longest number.
let strictPython = #"""
    import base64
    import json
    import math
    import struct
    import sys

    MAX_DEPTH = int(sys.argv[1])
    MAX_NUMBER = int(sys.argv[2])


    class Number:
        def __init__(self, digits, value):
            self.digits = digits
            self.value = value


    def parse_int(text):
        check_length(text)
        value = int(text)
        return Number(str(value), float(value))  # OverflowError when a double can't hold it


    def parse_float(text):
        check_length(text)
        value = float(text)
        if math.isinf(value):
            raise ValueError("infinite")
        return Number("", value)


    def check_length(text):
        if len(text) > MAX_NUMBER:
            raise ValueError("long number")


    def refuse_constant(text):
        raise ValueError(text)


    def unique(pairs):
        result = dict(pairs)
        if len(result) != len(pairs):
            raise ValueError("duplicate key")
        return result


    def quoted(text):
        return '"' + text.encode("utf-8").hex() + '"'  # UnicodeEncodeError for a lone surrogate


    def canonical(value, depth=0):
        if value is None:
            return "n"
        if value is True:
            return "t"
        if value is False:
            return "f"
        if isinstance(value, str):
            return quoted(value)
        if isinstance(value, Number):
            bits = struct.unpack(">Q", struct.pack(">d", value.value))[0]
            return "#%s/%x" % (value.digits, bits)
        if depth == MAX_DEPTH:
            raise ValueError("deep")
        if isinstance(value, list):
            return "[" + ",".join(canonical(element, depth + 1) for element in value) + "]"
        return "{" + ",".join(quoted(key) + ":" + canonical(member, depth + 1) for key, member in value.items()) + "}"


    def answer(document):
        try:
            value = json.loads(
                document.decode("utf-8"),
                parse_int=parse_int,
                parse_float=parse_float,
                parse_constant=refuse_constant,
                object_pairs_hook=unique,
            )
            return canonical(value)
        except (ValueError, OverflowError, RecursionError):
            return "refused"


    for line in sys.stdin:
        print(answer(base64.b64decode(line)))
    """#
