// SPDX-License-Identifier: MIT
#include "daemon/io/resolver.h"

#include <netdb.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/io/loop.h"

namespace hikyaku::io {
namespace {

int outstanding_lookups = 0;

// Shared by the awaiter, which may give up, and libuv, which cannot.
struct Lookup {
  explicit Lookup(Loop& loop) : waiter(loop) {}
  uv_getaddrinfo_t request{};
  std::shared_ptr<Lookup> until_answered;  // keeps itself for libuv
  Waiter waiter;
  std::optional<int> status;
  std::vector<IpAddress> addresses;
};

void keep_addresses(const addrinfo* found, std::vector<IpAddress>& addresses) {
  for (; found != nullptr; found = found->ai_next) {
    auto endpoint = Endpoint::from_sockaddr(found->ai_addr);
    if (endpoint && std::ranges::find(addresses, endpoint->address) == addresses.end())
      addresses.push_back(endpoint->address);
  }
}

void on_answer(uv_getaddrinfo_t* request, int status, addrinfo* found) {
  auto lookup = std::move(static_cast<Lookup*>(request->data)->until_answered);
  --outstanding_lookups;
  keep_addresses(found, lookup->addresses);
  uv_freeaddrinfo(found);
  lookup->status = status;
  lookup->waiter.wake();
}

int start(Loop& loop, const std::shared_ptr<Lookup>& lookup, const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  lookup->request.data = lookup.get();
  int started = uv_getaddrinfo(loop.uv(), &lookup->request, on_answer, host.c_str(), nullptr, &hints);
  if (started != 0) return started;
  lookup->until_answered = lookup;
  ++outstanding_lookups;
  return 0;
}

}  // namespace

int SystemResolver::outstanding() { return outstanding_lookups; }

Exit SystemResolver::leave(Exit exit) {
  if (outstanding() == 0) return exit;
  std::fflush(nullptr);
  ::_exit(static_cast<int>(exit));
}

Task<Result<std::vector<IpAddress>, IoError>> SystemResolver::resolve(std::string host, Until until) {
  if (auto address = IpAddress::parse(host)) co_return std::vector{*address};
  auto lookup = std::make_shared<Lookup>(loop_);
  int started = start(loop_, lookup, host);
  if (started != 0) lookup->status = started;
  while (!lookup->status) {
    Woken woken = co_await lookup->waiter.park(until);
    if (woken != Woken::ready) co_return std::unexpected(to_error(woken));
  }
  if (*lookup->status != 0) {
    IoError error = from_uv(*lookup->status);
    co_return fail(error.kind, cat("looking up ", printable(host, 255), ": ", error.text));
  }
  if (lookup->addresses.empty())
    co_return fail(IoErrorKind::no_such_name, cat(printable(host, 255), " has no address"));
  co_return std::move(lookup->addresses);
}

}  // namespace hikyaku::io
