#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Fails if clang-format would change one of the C++ sources; with --staged, one of those in the next commit.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
listing=(ls-files -z)
[ "${1:-}" != --staged ] || listing=(diff --cached --name-only -z --diff-filter=d)
git "${listing[@]}" -- '*.h' '*.cc' | xargs -0 -r -n 64 -P "$(nproc)" clang-format-19 --dry-run -Werror
