// SPDX-License-Identifier: MIT
// The precompiled header of all tests: what most of them include, directly or by way of their rig.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <coroutine>
#include <expected>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "daemon/base/task.h"
#include "daemon/base/text.h"
#include "daemon/io/memory_stream.h"
#include "daemon/io/nursery.h"
#include "daemon/mail/envelope.h"
#include "daemon/mail/mail_sink.h"
#include "daemon/mail/mail_source.h"
