// SPDX-License-Identifier: MIT
#include "smtpc/sasl_client.h"

#include <malloc.h>
#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <string.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "daemon/base/text.h"

namespace hikyaku::smtpc {
namespace {

// A challenge may ask for any number of rounds of hashing, done on the event loop's thread. OWASP's advice
// for stored passwords is in the hundreds of thousands; real servers ask for some thousands.
constexpr std::uint64_t kMaxScramIterations = 200'000;

struct ConnectionEnd {
  void operator()(sasl_conn_t* connection) const { sasl_dispose(&connection); }
};
using ConnectionPtr = std::unique_ptr<sasl_conn_t, ConnectionEnd>;

// Cyrus takes callbacks of any signature through one type.
template <class Function>
sasl_callback_t sasl_callback(unsigned long id, Function* function, void* context) {
  return {id, reinterpret_cast<int (*)()>(reinterpret_cast<void*>(function)), context};
}

// Cyrus SASL is a process-wide library: initialised once, silent, and with an allocator that wipes what it
// frees, for its plug-ins leave passwords behind in freed memory.

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

// RFC 5802 5.1: r=nonce,s=salt,i=count
bool asks_too_much(std::string_view mechanism, std::string_view challenge) {
  if (!mechanism.starts_with("SCRAM-")) return false;
  for (std::string_view attribute : split(challenge, ','))
    if (attribute.starts_with("i="))
      return parse_number(attribute.substr(2)).value_or(UINT64_MAX) > kMaxScramIterations;
  return false;
}

}  // namespace

// What Cyrus holds pointers to; it never moves.
struct SaslClient::Session {
  Session(std::string name, Options with) : mechanism(std::move(name)), options(std::move(with)) {
    std::string_view password = options.credentials.password.reveal();
    secret.resize(sizeof(sasl_secret_t) + password.size());
    secret_view()->len = password.size();
    std::memcpy(secret_view()->data, password.data(), password.size());
  }
  ~Session() { explicit_bzero(secret.data(), secret.size()); }
  Session(const Session&) = delete;

  sasl_secret_t* secret_view() { return reinterpret_cast<sasl_secret_t*>(secret.data()); }
  static Session& of(void* context) { return *static_cast<Session*>(context); }
  static int give_simple(void* context, int id, const char** result, unsigned* length);
  static int give_secret(sasl_conn_t*, void* context, int id, sasl_secret_t** result);
  static int give_realm(void* context, int id, const char** available, const char** result);
  int open();

  std::string mechanism;
  Options options;
  std::vector<unsigned char> secret;
  std::vector<sasl_callback_t> callbacks;
  ConnectionPtr connection;
};

int SaslClient::Session::give_simple(void* context, int id, const char** result, unsigned* length) {
  const mail::Credentials& credentials = of(context).options.credentials;
  if (id != SASL_CB_USER && id != SASL_CB_AUTHNAME) return SASL_BADPARAM;
  const std::string& text = id == SASL_CB_USER ? credentials.authzid : credentials.user;
  *result = text.c_str();
  if (length != nullptr) *length = static_cast<unsigned>(text.size());
  return SASL_OK;
}

int SaslClient::Session::give_secret(sasl_conn_t*, void* context, int id, sasl_secret_t** result) {
  if (id != SASL_CB_PASS) return SASL_BADPARAM;
  *result = of(context).secret_view();
  return SASL_OK;
}

// The configured realm, else the first that the server offers.
int SaslClient::Session::give_realm(void* context, int, const char** available, const char** result) {
  const std::string& configured = of(context).options.credentials.realm;
  bool has_choice = available != nullptr && available[0] != nullptr;
  *result = !configured.empty() || !has_choice ? configured.c_str() : available[0];
  return SASL_OK;
}

int SaslClient::Session::open() {
  callbacks = {
      sasl_callback(SASL_CB_USER, give_simple, this), sasl_callback(SASL_CB_AUTHNAME, give_simple, this),
      sasl_callback(SASL_CB_PASS, give_secret, this), sasl_callback(SASL_CB_GETREALM, give_realm, this)};
  callbacks.push_back({SASL_CB_LIST_END, nullptr, nullptr});
  sasl_conn_t* made = nullptr;
  int code = sasl_client_new("smtp", options.host.c_str(), nullptr, nullptr, callbacks.data(), 0, &made);
  connection.reset(made);
  if (code != SASL_OK) return code;
  sasl_security_properties_t properties{};  // no security layer
  properties.security_flags = SASL_SEC_NOANONYMOUS;
  if (!options.plaintext_allowed) properties.security_flags |= SASL_SEC_NOPLAINTEXT;
  sasl_setprop(made, SASL_SEC_PROPS, &properties);
  // Who the certificate says we are is never sent, but without it Cyrus does not offer EXTERNAL.
  if (mechanism == "EXTERNAL") sasl_setprop(made, SASL_AUTH_EXTERNAL, "certificate");
  return SASL_OK;
}

const std::set<std::string>& available_mechanisms() {
  static const std::set<std::string> kMechanisms = load();
  return kMechanisms;
}

std::string package_of(std::string_view mechanism) {
  return mechanism.starts_with("GS") ? "libsasl2-modules-gssapi-mit" : "libsasl2-modules";
}

bool is_plaintext(std::string_view mechanism) {
  return mechanism == "PLAIN" || mechanism == "LOGIN" || mechanism == "XOAUTH2" || mechanism == "OAUTHBEARER";
}

SaslClient::SaslClient(std::unique_ptr<Session> session) : session_(std::move(session)) {}
SaslClient::~SaslClient() = default;

Result<std::unique_ptr<SaslClient>, SaslError> SaslClient::create(std::string mechanism, Options options) {
  if (!available_mechanisms().contains(mechanism))
    return fail(SaslErrorKind::no_plugin,
                cat("the SASL plug-in for ", mechanism, " is missing; install ", package_of(mechanism)));
  auto session = std::make_unique<Session>(std::move(mechanism), std::move(options));
  std::unique_ptr<SaslClient> client(new SaslClient(std::move(session)));
  auto started = client->start();
  if (!started) return std::unexpected(started.error());
  return client;
}

Result<void, SaslError> SaslClient::start() {
  const char* response = nullptr;
  unsigned length = 0;
  int code = session_->open();
  // Cyrus keeps DIGEST-MD5's last nonces and would answer a challenge of some earlier connection (RFC
  // 2831 2.2), which few servers understand. Not asked for an initial response it waits for the challenge.
  const bool server_first = session_->mechanism == "DIGEST-MD5";
  if (code == SASL_OK)
    code = sasl_client_start(session_->connection.get(), session_->mechanism.c_str(), nullptr,
                             server_first ? nullptr : &response, server_first ? nullptr : &length, nullptr);
  if (code != SASL_OK && code != SASL_CONTINUE) return fail(SaslErrorKind::unusable, words_for(code));
  if (response != nullptr) initial_.emplace(response, length);
  complete_ = code == SASL_OK && !server_first;
  return {};
}

Result<std::string, SaslError> SaslClient::step(std::string_view challenge) {
  if (asks_too_much(session_->mechanism, challenge))
    return fail(SaslErrorKind::bad_challenge, "the server asks for an absurd number of iterations");
  const char* response = nullptr;
  unsigned length = 0;
  int code = sasl_client_step(session_->connection.get(), challenge.data(),
                              static_cast<unsigned>(challenge.size()), nullptr, &response, &length);
  if (code != SASL_OK && code != SASL_CONTINUE) return fail(SaslErrorKind::bad_challenge, words_for(code));
  complete_ = code == SASL_OK;
  return response == nullptr ? std::string() : std::string(response, length);
}

std::string SaslClient::words_for(int code) const {
  const char* detail = session_->connection ? sasl_errdetail(session_->connection.get()) : nullptr;
  return printable(detail != nullptr ? detail : sasl_errstring(code, nullptr, nullptr));
}

}  // namespace hikyaku::smtpc
