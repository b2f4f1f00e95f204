// SPDX-License-Identifier: MIT
#include "daemon/io/proxied.h"

#include <string>
#include <utility>

namespace hikyaku::io {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kSignature = "\r\n\r\n\0\r\nQUIT\n"sv;
constexpr std::size_t kMostRest = 4096;  // addresses, and what proxies add
constexpr unsigned kVersion = 2, kLocal = 0, kProxied = 1;
constexpr unsigned kTcp4 = 0x11, kTcp6 = 0x21;

unsigned byte_at(std::string_view bytes, std::size_t at) { return static_cast<unsigned char>(bytes[at]); }

unsigned number_at(std::string_view bytes, std::size_t at) {
  return byte_at(bytes, at) << 8 | byte_at(bytes, at + 1);
}

// Source and destination address, then their ports.
std::optional<Endpoint> source_of(std::string_view addresses, bool is_v6) {
  const std::size_t length = is_v6 ? 16 : 4;
  if (addresses.size() < 2 * length + 4) return std::nullopt;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(addresses.data());
  return Endpoint{IpAddress::from_bytes(bytes, is_v6),
                  static_cast<std::uint16_t>(number_at(addresses, 2 * length))};
}

class ProxiedStream final : public Stream {
 public:
  ProxiedStream(StreamPtr under, Endpoint client) : under_(std::move(under)), client_(client) {}

  Task<Result<std::size_t, IoError>> read_some(std::span<char> into, Until until) override {
    return under_->read_some(into, until);
  }
  Task<Result<void, IoError>> write(std::string_view bytes, Until until) override {
    return under_->write(bytes, until);
  }
  Task<Result<void, IoError>> shut_down(Until until) override { return under_->shut_down(until); }
  std::optional<Endpoint> peer() const override { return client_; }
  std::optional<Endpoint> local() const override { return under_->local(); }

 private:
  StreamPtr under_;
  Endpoint client_;
};

Task<Result<std::string, IoError>> read_exactly(Stream& stream, std::size_t size, Until until) {
  std::string bytes(size, '\0');
  std::size_t had = 0;
  while (had < size) {
    auto got = co_await stream.read_some(std::span(bytes).subspan(had), until);
    if (!got) co_return std::unexpected(got.error());
    had += *got;
  }
  co_return bytes;
}

std::unexpected<IoError> refuse() {
  return fail(IoErrorKind::access_denied,
              "there is no header of the PROXY protocol, version 2, that names a client");
}

}  // namespace

std::optional<std::size_t> proxy_header_rest(std::string_view fixed) {
  if (fixed.size() != kProxyHeader || !fixed.starts_with(kSignature) || byte_at(fixed, 12) >> 4 != kVersion)
    return std::nullopt;
  const std::size_t rest = number_at(fixed, 14);
  return rest <= kMostRest ? std::optional(rest) : std::nullopt;
}

std::optional<ProxyHeader> parse_proxy_header(std::string_view header) {
  auto rest = proxy_header_rest(header.substr(0, kProxyHeader));
  if (!rest || header.size() != kProxyHeader + *rest) return std::nullopt;
  const unsigned command = byte_at(header, 12) & 0x0F, family = byte_at(header, 13);
  if (command == kLocal) return ProxyHeader{};
  if (command != kProxied || (family != kTcp4 && family != kTcp6)) return std::nullopt;
  auto client = source_of(header.substr(kProxyHeader), family == kTcp6);
  if (!client || client->address.is_loopback() || client->address.is_unspecified()) return std::nullopt;
  return ProxyHeader{client};
}

Task<Result<StreamPtr, IoError>> take_proxy_header(StreamPtr under, Until until) {
  auto fixed = co_await read_exactly(*under, kProxyHeader, until);
  if (!fixed) co_return std::unexpected(fixed.error());
  auto rest = proxy_header_rest(*fixed);
  if (!rest) co_return refuse();
  auto addresses = co_await read_exactly(*under, *rest, until);
  if (!addresses) co_return std::unexpected(addresses.error());
  auto header = parse_proxy_header(*fixed + *addresses);
  if (!header) co_return refuse();
  if (header->client) under = std::make_unique<ProxiedStream>(std::move(under), *header->client);
  co_return under;
}

}  // namespace hikyaku::io
