// SPDX-License-Identifier: MIT
#include "daemon/app/door_tls.h"

#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/config/read_file.h"
#include "daemon/io/self_signed.h"

namespace hikyaku::app {
namespace {

constexpr std::chrono::days kLifetime{3650};

// Changes whenever the file is written, may be read by others, or another takes its place, also behind a symbolic
// link.
std::string stamp_of(const std::string& path) {
  struct stat now{};
  if (::stat(path.c_str(), &now) != 0) return "none;";
  std::string stamp;
  for (auto part : {static_cast<long long>(now.st_dev), static_cast<long long>(now.st_ino),
                    static_cast<long long>(now.st_size), static_cast<long long>(now.st_ctim.tv_sec),
                    static_cast<long long>(now.st_ctim.tv_nsec)})
    stamp += cat(std::to_string(part), ";");
  return stamp;
}

std::vector<std::string> names_of(const config::Settings& settings) {
  std::vector<std::string> names;
  if (!settings.hostname.starts_with('[')) names.push_back(settings.hostname);  // no address literal
  names.insert(names.end(), {"localhost", "127.0.0.1", "::1"});
  for (const config::Door& door : settings.listen.doors) {
    const bool is_one = !door.at.address.is_unspecified() && !door.at.address.is_loopback();
    if (door.is_self_signed() && is_one) names.push_back(door.at.address.to_text());
  }
  return names;
}

// In one piece: a start that is killed amid this leaves nothing that the next one would take for good.
Result<void, IoError> make_certificate(const std::string& place, const config::Settings& settings,
                                       log::MailLog& log) {
  const std::string fresh = cat(place, ".new");
  std::error_code error;
  std::filesystem::remove_all(fresh, error);
  if (::mkdir(fresh.c_str(), 0700) != 0)
    return fail(IoErrorKind::tls_setup, cat(fresh, " cannot be created: ", os_error_text(errno)));
  auto made = io::make_self_signed(fresh, names_of(settings), kLifetime);
  if (!made) return std::unexpected(made.error());
  if (::rename(fresh.c_str(), place.c_str()) != 0)
    return fail(IoErrorKind::tls_setup, cat(place, " cannot be created: ", os_error_text(errno)));
  log.info(cat("a self-signed certificate has been made: ", place, "/cert.pem, ", made->fingerprint));
  return {};
}

using Opened = Result<std::shared_ptr<io::TlsServer>, IoError>;

Opened open_self_signed(const config::Settings& settings, log::MailLog& log) {
  const std::string place = cat(settings.spool.directory, "/tls");
  const std::string cert = cat(place, "/cert.pem"), key = cat(place, "/key.pem");
  if (std::error_code error; !std::filesystem::exists(place, error))
    if (auto made = make_certificate(place, settings, log); !made) return std::unexpected(made.error());
  auto tls = RenewedTls::create(cert, key, log);
  if (!tls)
    return fail(tls.error().kind, cat(tls.error().text, "; another is made where ", place, " is removed"));
  return tls;
}

Opened open_one(const config::Door& door, const config::Settings& settings, log::MailLog& log) {
  if (door.cert.empty()) return nullptr;
  if (door.is_self_signed()) return open_self_signed(settings, log);
  return RenewedTls::create(door.cert, door.key, log);
}

// OpenSSL does not say for whom a file must be readable.
std::string words_of(const IoError& error, const std::string& cert_file, const std::string& key_file) {
  for (const std::string& path : {cert_file, key_file})
    if (auto file = config::read_file(path); !file)
      return cat(path, " ", config::explain(file.error(), path));
  return error.text;
}

config::Problem problem_of(const config::Door& door, const IoError& error) {
  return {"", 0, 0, cat("listen ", door.at.to_text()), error.text};
}

}  // namespace

Result<DoorTls, config::Problems> open_door_tls(const config::Settings& settings, log::MailLog& log) {
  config::Problems problems;
  config::check_door_files(settings.listen, problems);
  if (!problems.empty()) return std::unexpected(std::move(problems));
  DoorTls all;
  for (const config::Door& door : settings.listen.doors) {
    auto tls = open_one(door, settings, log);
    if (!tls) problems.push_back(problem_of(door, tls.error()));
    all.push_back(tls ? std::move(*tls) : nullptr);
  }
  if (!problems.empty()) return std::unexpected(std::move(problems));
  return all;
}

RenewedTls::RenewedTls(std::string cert_file, std::string key_file, log::MailLog& log)
    : cert_file_(std::move(cert_file)), key_file_(std::move(key_file)), log_(log), stamps_(stamps()) {}

Result<std::shared_ptr<io::TlsServer>, IoError> RenewedTls::create(std::string cert_file,
                                                                   std::string key_file, log::MailLog& log) {
  std::shared_ptr<RenewedTls> tls(new RenewedTls(std::move(cert_file), std::move(key_file), log));
  auto first = io::TlsServer::create(tls->cert_file_, tls->key_file_);
  if (!first) return std::unexpected(first.error());
  tls->current_ = std::move(*first);
  return tls;
}

Task<Result<io::StreamPtr, IoError>> RenewedTls::accept(io::StreamPtr under, io::Until until) {
  renew();
  const auto current = current_;
  auto secured = co_await current->accept(std::move(under), until);
  co_return secured;
}

std::string RenewedTls::stamps() const { return cat(stamp_of(cert_file_), stamp_of(key_file_)); }

// Whoever replaces the certificate and then the key is met in between: the next handshake looks again.
void RenewedTls::renew() {
  std::string now = stamps();
  if (now == stamps_) return;
  stamps_ = std::move(now);  // whatever comes of it: one line for each change
  auto fresh = io::TlsServer::create(cert_file_, key_file_);
  if (!fresh)
    return log_.warning(
        cat(words_of(fresh.error(), cert_file_, key_file_), "; the certificate from before stays in use"));
  current_ = std::move(*fresh);
  log_.info("a certificate has been read anew", {{"file", cert_file_}});
}

}  // namespace hikyaku::app
