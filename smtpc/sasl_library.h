// SPDX-License-Identifier: MIT
// Cyrus SASL as a process-wide library: initialised once, silent, and with an allocator that wipes what it
// frees, for its plug-ins leave passwords behind in freed memory. Internal to sasl_client.
#pragma once

#include <sasl/sasl.h>

#include <set>
#include <string>

namespace hikyaku::smtpc {

// At the first call loads the plug-ins. Upper case.
const std::set<std::string>& loaded_sasl_mechanisms();

// Cyrus takes callbacks of any signature through one type.
template <class Function>
sasl_callback_t sasl_callback(unsigned long id, Function* function, void* context) {
  return {id, reinterpret_cast<int (*)()>(reinterpret_cast<void*>(function)), context};
}

}  // namespace hikyaku::smtpc
