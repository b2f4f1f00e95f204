#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Fails if clang-format would change one of the C++ sources.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
git ls-files -z -- '*.h' '*.cc' | xargs -0 -n 64 -P "$(nproc)" clang-format-19 --dry-run -Werror
