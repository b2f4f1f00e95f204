#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Proves that check_references.py finds what it is there to find. (The samples are put together from pieces, so that
this file refers to nothing itself.)"""

import unittest

from check_references import Repository, check_file

REPOSITORY = Repository({
    "README.md": "# The project\n",
    "SECURITY.md": "| S1 | smuggling |\n| S15, S16 | floods |\n| C2 | stripped |\n",
    "daemon/ARCHITECTURE.md": "# Layout\n## The promises\n1. **Kept.** All.\n2. **Once.**\n## A lane's states\n7. **No.**\n",
    "spool/FORMAT.md": "# The spool\n## Drop\n### What `fsync` is for\n",
    "tests/bench/README.md": "# Figures\n",
    "tests/chaos/README.md": "# Chaos\n",
    "spool/record.h": "",
})


def dead(path, text):
    return [number for number, _ in check_file(path, text, REPOSITORY)]


class CheckReferences(unittest.TestCase):
    def test_pages_are_found_from_the_root_beside_the_file_and_by_their_only_name(self):
        for path, cited in (("spool/a.h", "spool/FORMAT.md"), ("spool/a.h", "FORMAT.md"), ("smtpc/a.h", "ARCHITECTURE.md"),
                            ("tests/bench/a.h", "README.md")):
            self.assertEqual(dead(path, f"// The rules are in {cited}.\n"), [], cited)

    def test_a_page_that_is_not_there_is_found_in_every_kind_of_comment(self):
        page = "STYLE" + ".md"
        for path, text in (("smtpc/a.h", f"int a;  // {page}\n"), ("smtpc/a.cc", f"/* {page} */\n"),
                           ("tests/a.py", f'"""See {page}."""\n'), ("tests/a.py", f"a = 1  # {page}\n"),
                           ("etc/a.sh", f"# {page}\n"), ("tests/dialogue/a.smtp", f"# {page}\n"),
                           ("CMakeLists.txt", f"# {page}\n"), ("spool/FORMAT.md", f"See {page}.\n")):
            self.assertEqual(dead(path, text), [1], (path, text))

    def test_a_page_below_another_folder_is_found_where_its_name_is_not_the_only_one(self):
        self.assertEqual(dead("tests/a.py", "# bench/README.md\n"), [])
        self.assertEqual(dead("smtpc/a.h", "// bench/" + "README.md\n"), [1])

    def test_a_heading_is_checked_over_the_end_of_a_line_and_by_anchor(self):
        self.assertEqual(dead("spool/a.h", '// (FORMAT.md,\n// "Drop")\n'), [])
        self.assertEqual(dead("smtpc/a.h", '// ARCHITECTURE.md, section "A lane\'s\n// states"\n'), [])
        self.assertEqual(dead("spool/a.h", "// FORMAT.md#what-fsync-is-for\n"), [])
        self.assertEqual(dead("spool/a.h", '\n// (FORMAT.md,\n// "Drip")\n'), [2])
        self.assertEqual(dead("spool/a.h", "// FORMAT.md#drip\n"), [1])

    def test_promises_are_those_of_their_own_section(self):
        self.assertEqual(dead("smtpc/a.h", "// promise 2 forbids it\n"), [])
        self.assertEqual(dead("smtpc/a.h", "// here, too, promise\n// " + "7 forbids it\n"), [1])
        self.assertEqual(dead("smtpc/a.h", "// SMTP promises 100 recipients\n"), [])

    def test_the_numbers_of_attacks_are_checked(self):
        self.assertEqual(dead("tests/dialogue/a.smtp", "# S16: slowly.\n"), [])
        self.assertEqual(dead("tests/dialogue/a.smtp", "# S" + "17: slowly.\n"), [1])
        self.assertEqual(dead("smtpc/a.cc", "// C2 to C" + "3\n"), [1])

    def test_files_named_from_the_root_must_be_there(self):
        self.assertEqual(dead("smtpc/a.h", "// as spool/record.h has it\n"), [])
        self.assertEqual(dead("smtpc/a.h", "// as spool/" + "gone.h has it\n"), [1])

    def test_a_header_may_be_named_by_itself(self):
        self.assertEqual(dead("smtpc/a.h", "// record.h has it; <uv.h> and snake.hh are not meant\n"), [])
        self.assertEqual(dead("smtpc/a.h", "// (" + "gone.h)\n"), [1])
        self.assertEqual(dead("smtpc/a.h", '#include "' + 'gone.h"\n'), [])

    def test_code_and_literals_are_no_comments(self):
        gone = "STYLE" + ".md"
        self.assertEqual(dead("smtpc/a.cc", f'auto a = "// {gone}";\nauto b = R"(// {gone})";\n'), [])
        self.assertEqual(dead("tests/a.py", f'a = "# {gone}"\n'), [])

    def test_links_between_pages_are_followed(self):
        self.assertEqual(dead("spool/FORMAT.md", "[a](../README.md) [b](#drop) [c](https://example.com/x) [d](record.h)\n"), [])
        self.assertEqual(dead("spool/FORMAT.md", "[a](../" + "GONE.md)\n\n[b](#" + "drip)\n"), [1, 1, 3])

    def test_what_stands_outside_is_not_meant(self):
        self.assertEqual(dead("smtpc/a.h", "// RFC 5321 4.5.2, section 4; /usr/share/doc/hikyaku/README.md; CN=R11\n"), [])


if __name__ == "__main__":
    unittest.main()
