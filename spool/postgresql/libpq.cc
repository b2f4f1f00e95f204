// SPDX-License-Identifier: MIT
#include "spool/postgresql/libpq.h"

#include <dlfcn.h>

#include "daemon/base/text.h"

namespace hikyaku::postgresql {
namespace {

constexpr const char* kLibrary = "libpq.so.5";

class Loading {
 public:
  explicit Loading(void* library) : library_(library) {}

  template <class Function>
  void find(const char* name, Function& function) {
    function = reinterpret_cast<Function>(::dlsym(library_, name));
    if (function == nullptr && missing_.empty()) missing_ = name;
  }
  const std::string& missing() const { return missing_; }

 private:
  void* library_;
  std::string missing_;
};

void find_connection(Loading& loading, Libpq& pq) {
  loading.find("PQconninfoParse", pq.parse_url);
  loading.find("PQconninfoFree", pq.free_options);
  loading.find("PQconnectStartParams", pq.connect_start);
  loading.find("PQconnectPoll", pq.connect_poll);
  loading.find("PQfinish", pq.finish);
  loading.find("PQstatus", pq.status);
  loading.find("PQsocket", pq.socket);
  loading.find("PQerrorMessage", pq.error_message);
  loading.find("PQsetnonblocking", pq.set_nonblocking);
  loading.find("PQenterPipelineMode", pq.enter_pipeline);
  loading.find("PQfreemem", pq.free_memory);
  loading.find("PQsetNoticeProcessor", pq.set_notice_processor);
}

void find_exchange(Loading& loading, Libpq& pq) {
  loading.find("PQsendPrepare", pq.send_prepare);
  loading.find("PQsendQueryPrepared", pq.send_prepared);
  loading.find("PQpipelineSync", pq.sync);
  loading.find("PQflush", pq.flush);
  loading.find("PQconsumeInput", pq.consume_input);
  loading.find("PQisBusy", pq.is_busy);
  loading.find("PQgetResult", pq.get_result);
  loading.find("PQresultStatus", pq.result_status);
  loading.find("PQresultErrorField", pq.error_field);
  loading.find("PQntuples", pq.rows);
  loading.find("PQnfields", pq.columns);
  loading.find("PQgetisnull", pq.is_null);
  loading.find("PQgetvalue", pq.value);
  loading.find("PQgetlength", pq.length);
  loading.find("PQclear", pq.clear);
  loading.find("PQnotifies", pq.notifies);
  loading.find("PQbackendPID", pq.backend);
}

// Never unloaded: its connections live as long as the process.
Result<Libpq, std::string> load() {
  void* library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr)
    return std::unexpected(
        "a shared spool needs PostgreSQL's client library, libpq.so.5; on Debian: apt-get install libpq5");
  Libpq pq{};
  Loading loading(library);
  find_connection(loading, pq);
  find_exchange(loading, pq);
  if (!loading.missing().empty())
    return std::unexpected(
        cat("PostgreSQL's client library lacks ", loading.missing(), "; libpq 14 or later is needed"));
  return pq;
}

}  // namespace

Result<const Libpq*, std::string> libpq() {
  static const Result<Libpq, std::string> kLoaded = load();
  if (!kLoaded) return std::unexpected(kLoaded.error());
  return &*kLoaded;
}

}  // namespace hikyaku::postgresql
