// SPDX-License-Identifier: MIT
#pragma once

#include <spdlog/spdlog.h>

#include <string>
#include <string_view>
#include <variant>
#include <vector>
