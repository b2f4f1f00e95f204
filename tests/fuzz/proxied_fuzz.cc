// SPDX-License-Identifier: MIT
// Any bytes as a header of the PROXY protocol: a client that is named is never this machine, a header that is
// taken is no longer and no shorter than it says, and without its last byte it is none.
#include <string>

#include "daemon/base/error.h"
#include "daemon/io/proxied.h"
#include "tests/fuzz/fuzz.h"

using namespace hikyaku;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(test::as_text(data, size));
  const auto header = io::parse_proxy_header(bytes);
  if (!header) return 0;
  check(!header->client || !header->client->address.is_loopback(),
        "a proxied client is trusted as this machine");
  const auto rest = io::proxy_header_rest(std::string_view(bytes).substr(0, io::kProxyHeader));
  check(rest && bytes.size() == io::kProxyHeader + *rest, "the length is another");
  check(!io::parse_proxy_header(bytes.substr(0, bytes.size() - 1)), "a piece of a header is taken");
  return 0;
}
