// SPDX-License-Identifier: MIT
#include "smtpc/sasl_library.h"

#include <malloc.h>
#include <sasl/saslplug.h>
#include <string.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "daemon/base/text.h"

namespace hikyaku::smtpc {
namespace {

void wiping_free(void* block) {
  if (block != nullptr) explicit_bzero(block, malloc_usable_size(block));
  std::free(block);
}

// Never in place: realloc() itself would free the old block as it is.
void* wiping_realloc(void* block, std::size_t size) {
  void* larger = std::malloc(size);
  if (larger == nullptr || block == nullptr) return larger;
  std::memcpy(larger, block, std::min(size, malloc_usable_size(block)));
  wiping_free(block);
  return larger;
}

int say_nothing(void*, int, const char*) { return SASL_OK; }

void collect(client_sasl_mechanism_t* mechanism, sasl_info_callback_stage_t stage, void* into) {
  if (stage == SASL_INFO_LIST_MECH)
    static_cast<std::set<std::string>*>(into)->insert(to_upper(mechanism->plug->mech_name));
}

std::set<std::string> load() {
  static const sasl_callback_t kCallbacks[] = {sasl_callback(SASL_CB_LOG, say_nothing, nullptr),
                                               {SASL_CB_LIST_END, nullptr, nullptr}};
  std::set<std::string> mechanisms;
  sasl_set_alloc(std::malloc, std::calloc, wiping_realloc, wiping_free);
  if (sasl_client_init(kCallbacks) == SASL_OK) sasl_client_plugin_info(nullptr, collect, &mechanisms);
  return mechanisms;
}

}  // namespace

const std::set<std::string>& loaded_sasl_mechanisms() {
  static const std::set<std::string> kMechanisms = load();
  return kMechanisms;
}

}  // namespace hikyaku::smtpc
