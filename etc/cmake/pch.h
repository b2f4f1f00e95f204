// SPDX-License-Identifier: MIT
// The precompiled header of the folders that have none of their own: what most files include anyway. It saves
// time and must not be relied on: the preset `plain` builds without it.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <coroutine>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>
