// SPDX-License-Identifier: MIT
#include <cstdio>

int main() { std::puts("hikyaku " HIKYAKU_VERSION); }
