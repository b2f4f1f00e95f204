// SPDX-License-Identifier: MIT
// The only source that sees the HTTP library: it takes long to compile.
#include <httplib.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "daemon/base/text.h"
#include "daemon/oauth/token_endpoint.h"

namespace hikyaku::oauth {
namespace {

constexpr Duration kConnectTimeout = 10s;

struct SplitUrl {
  std::string origin;  // "https://host:port"
  std::string target;  // "/token?x"
};

SplitUrl split_url(const std::string& url) {
  const auto host = url.find("://") + 3;
  const auto end = std::min(url.find_first_of("/?", host), url.size());
  const std::string target = url.substr(end);
  return {url.substr(0, end), target.starts_with('/') ? target : cat("/", target)};
}

// The library's time-outs are for single reads: a peer that drips would hold a thread for good.
class Watchdog {
 public:
  Watchdog(httplib::Client& client, Duration limit)
      : thread_([this, &client, limit] {
          std::unique_lock lock(mutex_);
          if (!ended_.wait_for(lock, limit, [this] { return is_over_; })) client.stop();
        }) {}
  Watchdog(const Watchdog&) = delete;
  ~Watchdog() {
    {
      const std::lock_guard lock(mutex_);
      is_over_ = true;
    }
    ended_.notify_one();
    thread_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  bool is_over_ = false;
  std::thread thread_;
};

void set_proxy(httplib::Client& client, const std::string& proxy) {
  if (proxy.empty()) return;
  std::string_view place = std::string_view(proxy).substr(7);  // behind "http://"
  if (place.ends_with('/')) place.remove_suffix(1);
  const auto colon = place.rfind(':');
  const auto port = colon == place.npos ? std::nullopt : parse_number(place.substr(colon + 1));
  client.set_proxy(std::string(place.substr(0, colon)), static_cast<int>(port.value_or(3128)));
}

void prepare(httplib::Client& client, const EndpointRequest& request, Duration limit) {
  client.set_connection_timeout(std::min(kConnectTimeout, limit));
  client.set_read_timeout(std::min(kConnectTimeout, limit));
  client.set_write_timeout(std::min(kConnectTimeout, limit));
  client.set_follow_location(false);
  client.enable_server_certificate_verification(true);
  if (!request.ca_file.empty()) client.set_ca_cert_path(request.ca_file);
  set_proxy(client, request.proxy);
}

std::string words_for(httplib::Error error, const std::string& origin, bool is_too_late) {
  if (is_too_late) return cat(origin, " did not answer in time");
  switch (error) {
    case httplib::Error::Connection:
    case httplib::Error::ConnectionTimeout: return cat("no connection to ", origin);
    case httplib::Error::SSLServerVerification:
      return cat("the certificate of ", origin, " is not valid for it");
    case httplib::Error::SSLConnection:
      return cat("TLS with ", origin, " failed, or its certificate is not trusted");
    case httplib::Error::SSLLoadingCerts: return "the certificates in `ca_file` cannot be read";
    case httplib::Error::Canceled: return cat("the answer of ", origin, " is longer than 64 KiB");
    default: return cat("the connection to ", origin, " broke off");
  }
}

// Retry-After in seconds; its other form, a date, is rare and counts as none.
std::optional<Duration> retry_after(const httplib::Response& response) {
  const auto seconds = parse_number(response.get_header_value("Retry-After"));
  if (!seconds) return std::nullopt;
  return std::chrono::seconds(static_cast<std::int64_t>(std::min<std::uint64_t>(*seconds, 86'400)));
}

}  // namespace

Result<EndpointAnswer, std::string> HttpsEndpoint::post(const EndpointRequest& request) {
  const SplitUrl url = split_url(request.url);
  httplib::Client client(url.origin);
  if (!client.is_valid()) return std::unexpected(cat("the URL ", url.origin, " cannot be used"));
  prepare(client, request, limit_);
  std::string body;
  httplib::Request question;
  question.method = "POST";
  question.path = url.target;
  question.headers = {{"Accept", "application/json"}, {"Content-Type", "application/x-www-form-urlencoded"}};
  question.body = request.form.reveal();
  question.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
    body.append(data, size);
    return body.size() <= kLargestAnswer;
  };
  const Instant end = SystemClock().now() + limit_;
  httplib::Result response{nullptr, httplib::Error::Unknown};
  {
    const Watchdog watchdog(client, limit_);
    response = client.send(question);
  }
  ::explicit_bzero(question.body.data(), question.body.size());
  if (!response) return std::unexpected(words_for(response.error(), url.origin, SystemClock().now() >= end));
  return EndpointAnswer{response->status, Secret(std::move(body)), retry_after(*response)};
}

}  // namespace hikyaku::oauth
