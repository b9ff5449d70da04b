#!/usr/bin/env python3
"""Compares the calls of the hand-written Swift with the generated API: names, labels and their order, fields, cases.

No compiler: types are not looked at. It finds what is most easily wrong in code that nobody could compile, such as a
label that was renamed in Rust.

    check_calls.py TrailmarkFFI.swift PACKAGE
"""
import re
import sys
from pathlib import Path

PAIRS = {"(": ")", "[": "]", "{": "}"}


def blank(match):
    return re.sub(r"[^\n]", " ", match.group())


def without_comments_and_texts(swift):
    """The code alone, of the same length and lines. A text becomes spaces between its quotes."""
    tokens = r'//[^\n]*|/\*.*?\*/|#"(?:.*?)"#|"(?:\\.|[^"\\\n])*"'

    def keep_quotes(match):
        token = match.group()
        return blank(match) if token.startswith("/") else '"' + " " * (len(token) - 2) + '"'

    return re.sub(tokens, keep_quotes, swift, flags=re.S)


def brackets(code, where):
    """Every bracket is closed by its own."""
    open_ones = []
    for at, c in enumerate(code):
        if c in PAIRS:
            open_ones.append((c, at))
        elif c in PAIRS.values():
            line = code.count("\n", 0, at) + 1
            if not open_ones or PAIRS[open_ones.pop()[0]] != c:
                yield f"{where}:{line}: `{c}` closes nothing"
    for c, at in open_ones:
        yield f"{where}:{code.count(chr(10), 0, at) + 1}: `{c}` is not closed"


def inside(code, start):
    """What is between the bracket at `start` and its own."""
    depth = 0
    for at in range(start, len(code)):
        depth += (code[at] in PAIRS) - (code[at] in PAIRS.values())
        if depth == 0:
            return code[start + 1 : at]
    return code[start + 1 :]


def parts(arguments):
    """The arguments between top-level commas."""
    depth, part, found = 0, "", []
    for c in arguments:
        depth += (c in PAIRS) - (c in PAIRS.values())
        if c == "," and depth == 0:
            found.append(part)
            part = ""
        else:
            part += c
    return [part for part in [*found, part] if part.strip()]


def parameters(declared):
    """`[(label, whether it may be left out)]` of a declaration."""
    return [(re.match(r"\s*(\w+)", part).group(1), "=" in part) for part in parts(declared)]


def labels(call):
    found = [re.match(r"\s*(\w+)\s*:(?!:)", part) for part in parts(call)]
    return [match.group(1) if match else "_" for match in found]


def fits(given, declared):
    """Whether these labels can call that: in order, and nothing missing that must be said."""
    rest = list(given)
    for label, optional in declared:
        if rest and rest[0] == label:
            rest.pop(0)
        elif not optional:
            return False
    return not rest


def block(code, start):
    return inside(code, code.index("{", start))


class Generated:
    """The generated API."""

    def __init__(self, swift):
        code = without_comments_and_texts(swift)
        self.methods, self.inits, self.fields, self.cases = {}, {}, {}, {}
        for match in re.finditer(r"^open class (\w+)", code, re.M):
            self.methods[match.group(1)] = self.functions(block(code, match.start()))
        for match in re.finditer(r"^public struct (\w+): Equatable", code, re.M):
            body = block(code, match.start())
            self.fields[match.group(1)] = set(re.findall(r"public var (\w+):", body))
            self.inits[match.group(1)] = parameters(inside(body, body.index("public init(") + len("public init")))
        for match in re.finditer(r"^(?:public\s+)?enum (\w+): (?:Swift\.Error, )?Equatable", code, re.M):
            self.cases[match.group(1)] = set(re.findall(r"^    case (\w+)", block(code, match.start()), re.M))
        for match in re.finditer(r"^public enum (\w+): Equatable", code, re.M):
            self.cases[match.group(1)] = set(re.findall(r"^    case (\w+)", block(code, match.start()), re.M))

    @staticmethod
    def functions(body):
        found = {}
        for match in re.finditer(r"func `?(\w+)`?\(|convenience (init)\(", body):
            found[match.group(1) or match.group(2)] = parameters(inside(body, match.end() - 1))
        return found


# What variables of the hand-written code hold, by their names there.
OBJECTS = {"client": "Client", "device": "VectorDevice"}


def wrong_calls(code, generated, where):
    def line(at):
        return f"{where}:{code.count(chr(10), 0, at) + 1}"

    for match in re.finditer(r"(?<![\w.])(?:self\.|trailmark\.)?(client|device)\.(\w+)\(", code):
        methods = generated.methods.get(OBJECTS[match.group(1)])
        if methods is None:  # a library without the vectors' devices
            continue
        given = labels(inside(code, match.end() - 1))
        if match.group(2) not in methods:
            yield f"{line(match.start())}: there is no {match.group(1)}.{match.group(2)}"
        elif not fits(given, methods[match.group(2)]):
            yield f"{line(match.start())}: {match.group(2)}{given} is declared with {methods[match.group(2)]}"
    for match in re.finditer(r"TrailmarkFFI\.(\w+)(\(|\.(\w+)(\()?)?", code):
        yield from wrong_type(match, code, generated, line(match.start()))


def wrong_type(match, code, generated, place):
    # A record is built with all of its fields, so that none that is new in Rust is forgotten here.
    name, member = match.group(1), match.group(3)
    known = {*generated.methods, *generated.inits, *generated.cases, "BeforeSend", "OnNotice"}
    if name not in known:
        yield f"{place}: there is no TrailmarkFFI.{name}"
    elif match.group(2) == "(":
        given = labels(inside(code, match.end() - 1))
        if not fits(given, [(label, False) for label, _ in generated.inits.get(name, [])]):
            yield f"{place}: {name}{given} is declared with {generated.inits.get(name)}"
    elif member and name in generated.methods:
        given = labels(inside(code, match.end() - 1))
        if not fits(given, generated.methods[name].get(member, [("?", False)])):
            yield f"{place}: {name}.{member}{given} is declared with {generated.methods[name].get(member)}"
    elif member and name in generated.cases and member not in generated.cases[name]:
        yield f"{place}: {name} has no case {member}"


def wrong_fields(code, generated, where):
    """In what takes a generated record apart, each field is one, and none is forgotten."""
    for match in re.finditer(r"init\(_ (\w+): TrailmarkFFI\.(\w+)\)", code):
        variable, record = match.groups()
        if record not in generated.fields:
            continue
        read = set(re.findall(rf"(?<![\w.]){variable}\.(\w+)", block(code, match.end())))
        if read != generated.fields[record]:
            yield f"{where}: {record} has {sorted(generated.fields[record])}, read are {sorted(read)}"


def wrong_switches(code, generated, where):
    """A switch over a generated enum has its cases."""
    for match in re.finditer(r"init\(_ (\w+): TrailmarkFFI\.(\w+)\)", code):
        variable, enum = match.groups()
        if enum not in generated.cases:
            continue
        cases = set(re.findall(r"case \.(\w+)", block(code, match.end())))
        if cases != generated.cases[enum]:
            yield f"{where}: {enum} has {sorted(generated.cases[enum])}, handled are {sorted(cases)}"


def main(generated_file, package):
    generated = Generated(Path(generated_file).read_text())
    errors, calls = [], 0
    for file in sorted([*Path(package).glob("Sources/Trailmark/*.swift"), *Path(package).glob("Tests/*/*.swift")]):
        code = without_comments_and_texts(file.read_text())
        where = str(file.relative_to(package))
        calls += len(re.findall(r"(?<!\w)(?:client|device)\.\w+\(|TrailmarkFFI\.\w+", code))
        for check in (wrong_calls, wrong_fields, wrong_switches):
            errors += check(code, generated, where)
        errors += brackets(code, where)
    for error in errors:
        print(f"check_calls: {error}", file=sys.stderr)
    if errors or calls < 50:
        sys.exit(f"check_calls: {len(errors)} errors in {calls} uses of the generated API")
    print(f"check_calls: {calls} uses of the generated API fit it (names, labels, fields, cases; not types)")


if __name__ == "__main__":
    main(*sys.argv[1:])
