#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The rules of the house that a script can check.

    tests/lint.py [ROOT]

Says FILE:LINE: what is wrong, and exits 1 if anything is.  There is no list of
exceptions: when a rule is wrong, the rule changes.
"""

import fnmatch
import pathlib
import re
import sys

LINE_MAX = 100
FILE_MAX = {".c": 800, ".h": 250, ".py": 800}
FUNCTION_MAX = 60
PARAMETERS_MAX = 5
INDENTATION_MAX = 4         # tabs: the body, and three levels in it
MEMBERS_MAX = 25

SKIPPED = {".git", "build", "corpus", "node_modules", "__pycache__", ".pytest_cache"}
HAS_LICENCE = {".bash", ".c", ".conf", ".h", ".js", ".lua", ".mjs", ".pl", ".py", ".service",
               ".sh", ".socket", ".sysusers", ".tmpfiles", ".yaml"}
HAS_LICENCE_BY_NAME = {"Makefile", "deps", "rules", "run", "may_include", ".clang-tidy"}
LOCK_FILES = {"package-lock.json", "npm-shrinkwrap.json", "yarn.lock"}

BANNED = {"strcpy", "strcat", "sprintf", "vsprintf", "strtok", "atoi", "atol", "atof", "strtol",
          "strtoul", "strtoll", "strtoull", "alloca", "system", "gets"}
# Allowed in one place, by the name of the file; tests may free what libraries gave them.
BANNED_ELSEWHERE = {
    "malloc": ["base/mem.c"], "calloc": ["base/mem.c"], "realloc": ["base/mem.c"],
    "free": ["base/mem.c", "tests/*"],
    "exit": ["proxy/main.c"],
    # One environment on the file of the cache, opened in one place (H-57).
    "mdb_env_open": ["cache/store_open.c"], "mdb_env_create": ["cache/store_open.c"],
    # 64 bits do for integrity, never for identity (H-22).
    "XXH3_64bits": ["cache/entry.c", "tests/*"],
}
# Whatever they stand for: a hash whose seed anybody knows (H-22), a map that is written to and
# a commit that nothing makes sure of (H-56).
BANNED_NAMES = re.compile(
    r"\b(XXH32\w*|XXH64\w*|XXH(?:3|128)\w*_?withSeed\w*|XXH128|XXH3_128bits"
    r"|MDB_WRITEMAP|MDB_NOSYNC|MDB_MAPASYNC)\b")

TESTED = ["base", "config", "cache", "proxy/http", "proxy/dialect"]
# Sources whose test has another name, because they are seen through another one.
TESTED_BY = {
    "base/clock.c": "num", "base/err.c": "bytes", "base/mem.c": "buf",
    **{f"cache/store_{name}.c": "store" for name in ("file", "guard", "open")},
    **{f"config/{name}.c": "config" for name in
       ("defaults", "load", "load_place", "load_value", "option", "peers", "tree")},
    **{f"proxy/dialect/{name}.c": "dialect" for name in
       ("anthropic", "hf", "llama", "ollama", "openai", "raw", "tei", "tgi")},
    **{f"proxy/dialect/stream_{name}.c": "stream" for name in
       ("anthropic", "anthropic_unfold", "member", "ollama", "openai", "openai_unfold", "tgi")},
}


class Lint:
    def __init__(self, root):
        self.root = root
        self.found = []
        self.files = sorted(
            path.relative_to(root) for path in root.rglob("*")
            if path.is_file() and not SKIPPED & set(path.relative_to(root).parts))

    def say(self, file, line, message):
        self.found.append((str(file), line, message))

    def read(self, file):
        path = self.root / file
        return path.read_text(errors="replace") if path.is_file() else ""

    def run(self):
        rules = may_include_rules(self.read("tests/may_include"))
        for file in self.files:
            text = self.read(file)
            check_licence(self, file, text)
            check_space(self, file, text)
            if file.name in LOCK_FILES:
                check_lock_file(self, file, text)
            if file.suffix in (".c", ".h"):
                check_source(self, file, text, rules)
        check_tables(self)
        check_version(self)
        check_tests(self)
        return sorted(self.found)


def check_licence(lint, file, text):
    if file.suffix not in HAS_LICENCE and file.name not in HAS_LICENCE_BY_NAME:
        return
    first, second = (text.splitlines() + ["", ""])[:2]
    if "SPDX-License-Identifier: MIT" not in (second if first.startswith("#!") else first):
        lint.say(file, 1, "no SPDX-License-Identifier: MIT in the first line")


def check_space(lint, file, text):
    if file.suffix not in HAS_LICENCE and file.name not in HAS_LICENCE_BY_NAME:
        return
    lines = text.split("\n")
    if lines[-1] != "":
        lint.say(file, len(lines), "no newline at the end")
    if file.suffix in FILE_MAX and len(lines) - 1 > FILE_MAX[file.suffix]:
        lint.say(file, len(lines) - 1, f"more than {FILE_MAX[file.suffix]} lines")
    for number, line in enumerate(lines, 1):
        if line != line.rstrip():
            lint.say(file, number, "trailing space")
        if len(line.expandtabs(8)) > LINE_MAX:
            lint.say(file, number, f"longer than {LINE_MAX} columns")
        if file.suffix in (".c", ".h") and re.match(r"\t*( {8}| +\t)", line):
            lint.say(file, number, "spaces where a tab belongs")


def check_lock_file(lint, file, text):
    for number, line in enumerate(text.splitlines(), 1):
        if '"resolved":' in line:
            lint.say(file, number, "names a registry; a lock file needs versions and hashes only")


def blank(match):
    """As many lines, and a comment or literal of no content."""
    text = match.group()
    quote = text[0] if text[0] in "\"'" else ""
    return quote + re.sub(r"[^\n]", "", text) + quote


def code_of(text):
    """TEXT without comments and without what is in literals; lines keep their numbers."""
    return re.sub(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


def check_source(lint, file, text, rules):
    code = code_of(text)
    check_head(lint, file, text)
    check_includes(lint, file, text, rules)
    check_words(lint, file, code)
    check_functions(lint, file, code)
    check_structs(lint, file, code)
    if file.suffix == ".h" and not file.stem.endswith("_tbl"):
        check_guard(lint, file, text)


def check_head(lint, file, text):
    lines = text.splitlines()[1:3]
    if lines[:1] != ["/*"] or not lines[1:] or not lines[1].startswith(f" * {file.name} - "):
        lint.say(file, 2, f"no head comment that begins with \"{file.name} - \"")


def may_include_rules(text):
    rules = []
    for line in text.splitlines():
        if line and not line.startswith("#"):
            place, _, allowed = line.partition(":")
            rules.append((place, allowed.split()))
    return rules


def is_at(file, place):
    folder = f"{file.parent.as_posix()}/"
    if place.endswith("/"):         # tests/ is a folder and all those in it, the layers are not
        return folder == place or (place == "tests/" and folder.startswith(place))
    return place == "*" or fnmatch.fnmatch(file.as_posix(), place)


def check_includes(lint, file, text, rules):
    allowed = {name for place, names in rules if is_at(file, place) for name in names}
    allowed.add(f"{file.parent.as_posix()}/")
    included = []
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'#\s*include\s*(<[^>]+>|"[^"]+")', line)
        if not match:
            continue
        name = match.group(1).strip('"')
        included.append((number, name))
        if name[0] != "<" and "/" not in name:
            lint.say(file, number, f"\"{name}\": write the path from the root")
        elif name not in allowed and f"{name.rpartition('/')[0]}/" not in allowed:
            lint.say(file, number, f"may not include {name} (tests/may_include)")
    own = file.with_suffix(".h")
    if file.suffix == ".c" and (lint.root / own).is_file():
        if not included or included[0][1] != own.as_posix():
            lint.say(file, included[0][0] if included else 1, f"{own} is not its first include")


def check_words(lint, file, code):
    for number, line in enumerate(code.splitlines(), 1):
        if "//" in line:
            lint.say(file, number, "a // comment")
        for name in BANNED_NAMES.findall(line):
            lint.say(file, number, f"{name} is banned")
        for word in re.findall(r"(?<![\w.>])(\w+)\s*\(", line):
            places = BANNED_ELSEWHERE.get(word)
            if word in BANNED:
                lint.say(file, number, f"{word}() is banned")
            elif places and not any(fnmatch.fnmatch(file.as_posix(), place) for place in places):
                lint.say(file, number, f"{word}() belongs in {places[0]} alone")


def check_functions(lint, file, code):
    """KNF makes it easy: a function's name and its braces are in column 0."""
    begin = name = None
    for number, line in enumerate(code.splitlines(), 1):
        match = re.match(r"(\w+)\(", line)
        if match and not line.rstrip().endswith(";"):
            begin, name, head = number, match.group(1), ""
        if begin is None:
            continue
        if head is not None:
            head += line
            if line.startswith("{"):
                check_parameters(lint, file, begin, name, head)
                head = None
        elif len(line) - len(line.lstrip("\t")) > INDENTATION_MAX:
            lint.say(file, number, f"{name}() is nested deeper than {INDENTATION_MAX - 1} levels")
        if line.startswith("}"):
            if number - begin + 1 > FUNCTION_MAX:
                lint.say(file, begin, f"{name}() has more than {FUNCTION_MAX} lines")
            begin = None


def check_parameters(lint, file, number, name, head):
    """Of a callback they are its caller's, which may be a library."""
    if name.startswith("on_"):
        return
    depth = commas = 0
    for char in head[head.index("("):head.rindex(")") + 1]:
        depth += (char == "(") - (char == ")")
        commas += char == "," and depth == 1
    if commas + 1 > PARAMETERS_MAX:
        lint.say(file, number, f"{name}() has more than {PARAMETERS_MAX} parameters")


def check_structs(lint, file, code):
    for match in re.finditer(r"^(struct \w+) \{\n(.*?)^\}", code, re.M | re.S):
        members = re.sub(r"\{[^{}]*\}", "", match.group(2)).count(";")
        if members > MEMBERS_MAX:
            number = code.count("\n", 0, match.start()) + 1
            lint.say(file, number, f"{match.group(1)} has more than {MEMBERS_MAX} members")


def check_guard(lint, file, text):
    guard = re.search(r"^#ifndef (\w+_H)\n#define (\w+)$", text, re.M)
    end = f"{file.parent.name}_{file.stem}_H".upper()
    if not guard or guard.group(1) != guard.group(2) or not guard.group(1).endswith(
            file.stem.upper() + "_H"):
        lint.say(file, 1, f"no include guard that ends in {end}")


def lines_of_options(lint):
    for file in lint.files:
        if re.fullmatch(r"config/option(_\w+)?_tbl\.h", file.as_posix()):
            for number, line in enumerate(lint.read(file.as_posix()).splitlines(), 1):
                yield file.as_posix(), number, line


def check_tables(lint):
    """What a table declares is documented where people look."""
    readme, sample = lint.read("README.md"), lint.read("config/reprise.yaml")
    for table, number, line in lines_of_options(lint):
        for name in re.findall(r'\.name = "(\w+)"', line):
            if not re.search(rf"(^|[\s#{{]){name}:", sample, re.M):
                lint.say(table, number, f"{name} is not in config/reprise.yaml")
            if not is_in_readme(name, readme):
                lint.say(table, number, f"`{name}` is not in README.md")
    table = "config/access_tbl.h"
    for number, line in enumerate(lint.read(table).splitlines(), 1):
        match = re.match(r'ACCESS\(\w+,\s*"(\w+)"', line)
        if match and not is_in_readme(match.group(1), readme):
            lint.say(table, number, f"`{match.group(1)}` is not in README.md")
    table = "proxy/stat_tbl.h"
    for number, line in enumerate(lint.read(table).splitlines(), 1):
        match = re.match(r"STAT\((\w+),", line)
        if match and not is_in_readme(match.group(1), readme):
            lint.say(table, number, f"`{match.group(1)}` is not in README.md")


def check_version(lint):
    """It stands in proxy/version.h; a package of another one would lie."""
    ours = re.search(r'^#define VERSION\s+"(\S+)"', lint.read("proxy/version.h"), re.MULTILINE)
    package = re.match(r"\w+ \(([^)]+)\)", lint.read("debian/changelog"))
    if not (ours and package and ours.group(1) == package.group(1)):
        lint.say("debian/changelog", 1, "is not of the version in proxy/version.h")


def is_in_readme(name, readme):
    return f"`{name}`" in readme


def check_tests(lint):
    for file in lint.files:
        if file.suffix == ".c" and file.parent.as_posix() in TESTED:
            test = f"tests/unit/test_{TESTED_BY.get(file.as_posix(), file.stem)}.c"
            if not (lint.root / test).is_file():
                lint.say(file, 1, f"has no test: no {test}")


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__).resolve()
    lint = Lint(root if root.is_dir() else root.parents[1])
    found = lint.run()
    for file, number, message in found:
        print(f"{file}:{number}: {message}")
    print(f"lint: {len(lint.files)} files, {len(found)} wrong")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
