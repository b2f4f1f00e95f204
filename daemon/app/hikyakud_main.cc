// SPDX-License-Identifier: MIT
#include <cstdio>

int main() { std::puts("hikyakud " HIKYAKU_VERSION); }
