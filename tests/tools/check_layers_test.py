#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Proves that check_layers.py finds what it is there to find."""

import os
import unittest

from check_layers import check_file, read_rules

RULES = read_rules(os.path.join(os.path.dirname(os.path.abspath(__file__)), "layers.txt"))
LICENCE = "// SPDX-License-Identifier: MIT\n"


def offences(path, text):
    return [wrong for _, wrong in check_file(path, text, *RULES)]


class CheckLayers(unittest.TestCase):
    def test_an_include_along_the_arrows_passes(self):
        self.assertEqual(offences("smtpd/a.cc", LICENCE + '#include "daemon/io/loop.h"\n#include "smtpd/a.h"\n'), [])

    def test_an_include_against_the_arrows_is_found(self):
        for path, target in (("smtpd/a.cc", "spool/spool.h"), ("daemon/base/a.h", "daemon/io/loop.h"),
                             ("daemon/config/a.cc", "daemon/log/line.h"), ("smtpc/a.cc", "daemon/app/relay.h")):
            self.assertEqual(len(offences(path, LICENCE + f'#include "{target}"\n')), 1, path)

    def test_a_library_outside_its_place_is_found(self):
        for path, header in (("smtpd/a.cc", "uv.h"), ("daemon/app/a.cc", "openssl/ssl.h"), ("smtpc/a.h", "spdlog/spdlog.h"),
                             ("daemon/app/a.cc", "yaml-cpp/yaml.h"), ("smtpd/a.cc", "sasl/sasl.h")):
            self.assertEqual(len(offences(path, LICENCE + f"#include <{header}>\n")), 1, path)

    def test_a_library_in_its_place_passes(self):
        self.assertEqual(offences("daemon/io/a.cc", LICENCE + "#include <openssl/ssl.h>\n#include <uv.h>\n"), [])

    def test_an_include_that_is_not_written_from_the_root_is_found(self):
        self.assertEqual(len(offences("smtpd/a.cc", LICENCE + '#include "session.h"\n')), 1)

    def test_a_missing_licence_line_a_long_file_and_a_machine_path_are_found(self):
        self.assertEqual(len(offences("tests/a.py", "#!/usr/bin/env python3\n")), 1)
        self.assertEqual(len(offences("smtpd/a.cc", LICENCE + "\n" * 500)), 1)
        self.assertEqual(len(offences("README.md", "see /home/" + "me/x\n")), 1)

    def test_a_file_of_just_500_lines_passes(self):
        self.assertEqual(offences("smtpd/a.cc", LICENCE + "\n" * 499), [])


if __name__ == "__main__":
    unittest.main()
