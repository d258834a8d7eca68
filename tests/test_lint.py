# SPDX-License-Identifier: MIT
"""Each rule of lint.py finds its violation, and nothing in a tree without one."""

import pathlib
import shutil
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
LICENCE = "/* SPDX-License-Identifier: MIT */\n"
OWN = '#include "cache/key.h"\n'
HEADER = (f"{LICENCE}/*\n * key.h - keys.\n */\n#ifndef CACHE_KEY_H\n#define CACHE_KEY_H\n\n"
          "int\tkey_make(int a);\n\n#endif\n")


def source(text="", includes=OWN, licence=LICENCE, head="/*\n * key.c - keys.\n */\n"):
    return f"{licence}{head}{includes}\n{text}"


def function(body="", parameters="int a"):
    return f"int\nkey_make({parameters})\n{{\n{body}\treturn a;\n}}\n"


CLEAN = {
    "cache/key.c": source(function(), f"{OWN}\n#include <string.h>\n"
                                      '\n#include "base/buf.h"\n'),
    "cache/key.h": HEADER,
    "tests/unit/test_key.c": source("", "", head="/*\n * test_key.c - of keys.\n */\n"),
    "config/option_tbl.h": f'{LICENCE}/*\n * option_tbl.h - options.\n */\n{{ .name = "ttl" }},\n',
    "config/reprise.yaml": "# SPDX-License-Identifier: MIT\nttl: 30d\n",
    "config/access_tbl.h": f'{LICENCE}/*\n * access_tbl.h - fields.\n */\n'
                           'ACCESS(ACCESS_MS,\t"ms",\ttrue)\n',
    "proxy/stat_tbl.h": f'{LICENCE}/*\n * stat_tbl.h - counters.\n */\nSTAT(hits, "Hits")\n',
    "proxy/version.h": f'{LICENCE}/*\n * version.h - which.\n */\n#ifndef PROXY_VERSION_H\n'
                       '#define PROXY_VERSION_H\n\n#define VERSION\t\t"1.2.3"\n\n#endif\n',
    "debian/changelog": "reprise (1.2.3) unstable; urgency=medium\n",
    "README.md": "`ttl`, `ms` and `hits`\n",
    "tests/clients/package-lock.json": "{}\n",
}


def in_key_c(**how):
    return {"cache/key.c": source(**how)}


VIOLATIONS = [
    ("SPDX", in_key_c(text=function(), licence="/* MIT */\n")),
    ("SPDX", {"tests/run": "#!/bin/sh\necho\n"}),
    ("head comment", in_key_c(head="/*\n * other.c - of another name.\n */\n")),
    ("trailing space", in_key_c(text="int x; \n")),
    ("spaces where a tab", in_key_c(text=function("        a++;\n"))),
    ("longer than 100", in_key_c(text=f"int {'x' * 100};\n")),
    ("no newline at the end", in_key_c(text="int x;")),
    ("more than 800 lines", in_key_c(text="int x;\n" * 800)),
    ("more than 250 lines",
     {"cache/key.h": HEADER.replace("\n#endif", "int x;\n" * 250 + "\n#endif")}),
    ("more than 60 lines", in_key_c(text=function("\ta++;\n" * 57))),
    ("nested deeper", in_key_c(text=function("\t\t\t\t\ta++;\n"))),
    ("more than 5 parameters",
     in_key_c(text=function("", "int a, int b, int c, int d, int e, int f"))),
    ("more than 5 parameters",
     in_key_c(text=function("", "int a, int b, int c,\n    int (*d)(int, int), int e, int f"))),
    ("more than 25 members", in_key_c(text="struct key {\n" + "\tint x;\n" * 26 + "};\n")),
    ("a // comment", in_key_c(text="int x; // why\n")),
    ("strcpy() is banned", in_key_c(text=function("\tstrcpy(p, q);\n"))),
    ("system() is banned", in_key_c(text=function("\tsystem(p);\n"))),
    ("malloc() belongs", in_key_c(text=function("\tp = malloc(a);\n"))),
    ("exit() belongs", in_key_c(text=function("\texit(a);\n"))),
    *((f"{name} is banned", in_key_c(text=function(f"\ta = {call};\n"))) for name, call in (
        ("XXH64", "XXH64(p, a, 0)"),                                        # H-22
        ("XXH3_64bits_withSeed", "XXH3_64bits_withSeed(p, a, 0)"),
        ("XXH3_128bits_withSeed", "XXH3_128bits_withSeed(p, a, 0)"),
        ("XXH3_128bits", "XXH3_128bits(p, a)"),
        ("MDB_WRITEMAP", "MDB_NOTLS | MDB_WRITEMAP"),                       # H-56
        ("MDB_NOSYNC", "MDB_NOTLS | MDB_NOSYNC"))),
    ("XXH3_64bits() belongs", in_key_c(text=function("\ta = XXH3_64bits(p, a);\n"))),
    ("mdb_env_open() belongs",                                              # H-57
     in_key_c(text=function("\ta = mdb_env_open(p, q, 0, 0600);\n"))),
    ("is not its first include", in_key_c(includes=f"#include <string.h>\n{OWN}")),
    ("is not its first include", in_key_c(includes="")),
    ("path from the root", in_key_c(includes=f'{OWN}#include "key_priv.h"\n')),
    ("may not include proxy/worker.h", in_key_c(includes=f'{OWN}#include "proxy/worker.h"\n')),
    ("may not include proxy/http/field.h",
     in_key_c(includes=f'{OWN}#include "proxy/http/field.h"\n')),
    ("may not include <lmdb.h>", in_key_c(includes=f"{OWN}#include <lmdb.h>\n")),
    ("may not include <assert.h>", in_key_c(includes=f"{OWN}#include <assert.h>\n")),
    ("may not include <zlib.h>", in_key_c(includes=f"{OWN}#include <zlib.h>\n")),
    ("include guard", {"cache/key.h": HEADER.replace("CACHE_KEY_H", "KEYS")}),
    ("include guard", {"cache/key.h": HEADER.replace("#define CACHE_KEY_H", "#define CACHE_H")}),
    ("ttl is not in config/reprise.yaml",
     {"config/reprise.yaml": "# SPDX-License-Identifier: MIT\nttls: 30d\n"}),
    ("`ttl` is not in README.md", {"README.md": "ttl, `ms` and `hits`\n"}),
    ("`hits` is not in README.md", {"README.md": "`ttl` `ms`\n"}),
    ("`ms` is not in README.md", {"README.md": "`ttl` `hits`\n"}),
    ("is not of the version",
     {"debian/changelog": "reprise (1.2.4) unstable; urgency=medium\n"}),
    ("has no test", {"tests/unit/test_key.c": None}),
    ("names a registry", {"tests/clients/package-lock.json":
                          '{"resolved": "https://registry.example/x"}\n'}),
]


@pytest.fixture
def tree(tmp_path):
    def make(changes):
        for name, text in {**CLEAN, **changes}.items():
            if text is not None:
                (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / name).write_text(text)
        shutil.copy(HERE / "may_include", tmp_path / "tests")
        return tmp_path
    return make


def lint(root):
    done = subprocess.run([sys.executable, "-B", str(HERE / "lint.py"), str(root)],
                          capture_output=True, text=True, check=False)
    assert not done.stderr
    return done.returncode, done.stdout.splitlines()[:-1]


def test_nothing_is_found_where_nothing_is_wrong(tree):
    assert lint(tree({})) == (0, [])


@pytest.mark.parametrize("message, changes", VIOLATIONS, ids=[row[0] for row in VIOLATIONS])
def test_a_violation_is_found_and_nothing_else(tree, message, changes):
    code, lines = lint(tree(changes))
    assert code == 1 and len(lines) == 1, lines
    assert message in lines[0]
    assert lines[0].startswith(next(iter(changes)) + ":") or changes.keys() & {
        "README.md", "config/reprise.yaml", "tests/unit/test_key.c"}


def test_words_in_comments_and_strings_are_no_code(tree):
    text = function('\t/* malloc(a), // and strcpy(p, q) */\n\ta = f("system(a) // ", \'"\');\n')
    assert lint(tree(in_key_c(text=text))) == (0, [])


def test_a_callback_takes_what_its_caller_gives(tree):
    text = function("", "int a, int b, int c, int d, int e, int f").replace("key_make", "on_key")
    assert lint(tree(in_key_c(text=text))) == (0, [])
