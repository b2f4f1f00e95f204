// SPDX-License-Identifier: MIT
#include "tests/unit/smtpc/sasl_server.h"

#include <sasl/saslplug.h>
#include <string.h>

#include "daemon/base/error.h"
#include "smtpc/sasl_client.h"

namespace hikyaku::test {
namespace {

// Cyrus takes callbacks of any signature through one type.
template <class Function>
sasl_callback_t sasl_callback(unsigned long id, Function* function, void* context) {
  return {id, reinterpret_cast<int (*)()>(reinterpret_cast<void*>(function)), context};
}

int say_nothing(void*, int, const char*) { return SASL_OK; }

// No files of this machine: passwords come from our own plug-in below.
int option(void*, const char*, const char* name, const char** result, unsigned* length) {
  const char* value = strcmp(name, "auxprop_plugin") == 0   ? "hikyaku_test"
                      : strcmp(name, "pwcheck_method") == 0 ? "auxprop"
                                                            : nullptr;
  if (value == nullptr) return SASL_FAIL;
  *result = value;
  if (length != nullptr) *length = static_cast<unsigned>(strlen(value));
  return SASL_OK;
}

int look_up(void*, sasl_server_params_t* params, unsigned, const char* user, unsigned length) {
  if (std::string_view(user, length) != "me") return SASL_NOUSER;
  for (const propval* wanted = params->utils->prop_get(params->propctx); wanted->name != nullptr; ++wanted) {
    const char* name = wanted->name[0] == '*' ? wanted->name + 1 : wanted->name;
    if (strcmp(name, SASL_AUX_PASSWORD_PROP) == 0)
      params->utils->prop_set(params->propctx, wanted->name, "pass word", -1);
  }
  return SASL_OK;
}

int make_plugin(const sasl_utils_t*, int, int* version, sasl_auxprop_plug_t** plugin, const char*) {
  static char name[] = "hikyaku_test";
  static sasl_auxprop_plug_t made{};
  made.auxprop_lookup = look_up;
  made.name = name;
  *version = SASL_AUXPROP_PLUG_VERSION;
  *plugin = &made;
  return SASL_OK;
}

void initialise() {
  static const sasl_callback_t kCallbacks[] = {sasl_callback(SASL_CB_LOG, say_nothing, nullptr),
                                               sasl_callback(SASL_CB_GETOPT, option, nullptr),
                                               {SASL_CB_LIST_END, nullptr, nullptr}};
  static const bool kReady = [] {
    smtpc::available_mechanisms();  // sets the allocator, which must come first
    return sasl_auxprop_add_plugin("hikyaku_test", make_plugin) == SASL_OK &&
           sasl_server_init(kCallbacks, "hikyaku-test") == SASL_OK;
  }();
  check(kReady, "Cyrus' server side cannot be used");
}

}  // namespace

SaslServer::SaslServer() {
  initialise();
  int code = sasl_server_new("smtp", "smtp.example", nullptr, nullptr, nullptr, nullptr, 0, &connection_);
  check(code == SASL_OK, "no SASL server");
}

SaslServer::~SaslServer() { sasl_dispose(&connection_); }

std::optional<std::string> SaslServer::start(const std::string& mechanism,
                                             const std::optional<std::string>& initial) {
  const char* out = nullptr;
  unsigned length = 0;
  int code = sasl_server_start(connection_, mechanism.c_str(), initial ? initial->data() : nullptr,
                               initial ? static_cast<unsigned>(initial->size()) : 0, &out, &length);
  return after(code, out, length);
}

std::optional<std::string> SaslServer::step(std::string_view response) {
  const char* out = nullptr;
  unsigned length = 0;
  int code =
      sasl_server_step(connection_, response.data(), static_cast<unsigned>(response.size()), &out, &length);
  return after(code, out, length);
}

std::optional<std::string> SaslServer::after(int code, const char* out, unsigned length) {
  complete_ = code == SASL_OK;
  bool says = code == SASL_CONTINUE || (complete_ && out != nullptr && length > 0);
  if (!says) return std::nullopt;
  return std::string(out == nullptr ? "" : out, length);
}

std::string SaslServer::user() const {
  const void* name = nullptr;
  if (!complete_ || sasl_getprop(connection_, SASL_USERNAME, &name) != SASL_OK) return {};
  return static_cast<const char*>(name);
}

}  // namespace hikyaku::test
