#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Proves that figures.py counts what it is there to count."""

import contextlib
import io
import unittest

import figures
from figures import Source, check, classes, crumbs

CLASS = """
// A class.
// {reason}
class Counted final : public Base<int> {{
 public:
  explicit Counted(int value) : value_(value) {{}}
  ~Counted() override;
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = default;
  struct Inner {{
    int inner() const;
  }};
{functions}
 private:
  std::function<void(int)> call_;
  int value_ = make(3), other_{{of(4)}};
  int guarded_ GUARDED_BY(mutex_) = 0;
}};
"""
FUNCTIONS = ["  bool is_empty() const { return f(); }", "  [[nodiscard]] std::map<int, Pair<A, B>> map(int a,\n      int b = g());",
             "  bool operator==(const Counted&) const;", "  static void each(const std::function<void(int)>& of);  // (really)"]


def class_text(functions, reason=""):
    return CLASS.format(functions="\n".join(functions), reason=reason)


def passes(files):
    with contextlib.redirect_stdout(io.StringIO()):
        return not check(files)


class Figures(unittest.TestCase):
    def test_functions_count_and_data_constructors_and_inner_classes_do_not(self):
        found = {name: functions for name, functions, _ in classes(Source("smtpd/a.h", class_text(FUNCTIONS)))}
        self.assertEqual(found, {"Counted": len(FUNCTIONS), "Inner": 1})

    def test_a_class_with_too_many_functions_needs_a_reason(self):
        many = [f"  void f{number}();" for number in range(figures.MOST_FUNCTIONS + 1)]
        padding = "\n" * 60
        self.assertFalse(passes([Source("smtpd/a.h", class_text(many) + padding)]))
        self.assertTrue(passes([Source("smtpd/a.h", class_text(many[1:]) + padding)]))
        self.assertTrue(passes([Source("smtpd/a.h", class_text(many, "Many functions: one a reply.") + padding)]))

    def test_a_long_file_many_short_ones_and_a_full_folder_are_found(self):
        self.assertFalse(passes([Source("smtpd/a.cc", "\n" * (figures.MOST_LINES + 1))]))
        long = [Source(f"smtpd{number % 9}/long{number}.cc", "\n" * 99) for number in range(200)]
        self.assertTrue(passes(long))
        short = [Source(f"spool{number % 9}/{number}.cc", "\n") for number in range(figures.MOST_SHORT + 1)]
        self.assertFalse(passes(long + short))
        self.assertTrue(passes(long + short[1:]))
        self.assertFalse(passes([Source(f"smtpd/{number}.cc", "\n" * 99) for number in range(figures.MOST_UNITS + 1)]))

    def test_a_crumb_is_a_short_header_that_one_file_includes(self):
        header, source = Source("smtpd/a.h", "\n" * 10), Source("smtpd/a.cc", '#include "smtpd/a.h"\n')
        user, other = Source("smtpd/b.cc", '#include "smtpd/a.h"\n'), Source("smtpd/c.cc", '#include "smtpd/a.h"\n')
        self.assertEqual(crumbs([header, source, user]), [(header, "smtpd/b.cc")])
        self.assertEqual(crumbs([header, source, user, other]), [])
        self.assertEqual(crumbs([Source("smtpd/a.h", "\n" * 99), user]), [])


if __name__ == "__main__":
    unittest.main()
