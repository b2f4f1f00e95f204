// SPDX-License-Identifier: MIT
// A provider that says what it is told, and Refreshers and Tokens in simulated time over it and a simulated
// disk.
#pragma once

#include <doctest/doctest.h>

#include <deque>
#include <map>
#include <mutex>

#include "daemon/base/text.h"
#include "daemon/io/loop.h"
#include "daemon/oauth/tokens.h"
#include "tests/support/disk/sim_disk.h"

namespace hikyaku::test {

// "grant_type=…&…" as a map, decoded.
std::map<std::string, std::string> fields_of(std::string_view form);

class FakeEndpoint final : public oauth::TokenEndpoint {
 public:
  Result<oauth::EndpointAnswer, std::string> post(const oauth::EndpointRequest& request) override {
    forms.push_back(fields_of(request.form.reveal()));
    urls.push_back(request.url);
    if (!is_reachable) return std::unexpected("no connection to https://token.example");
    if (!scripted.empty()) {
      auto next = std::move(scripted.front());
      scripted.pop_front();
      return oauth::EndpointAnswer{next.first, Secret(next.second), retry_after};
    }
    ++issued;
    return oauth::EndpointAnswer{
        200,
        Secret(cat(R"({"access_token":"access-)", std::to_string(issued), R"(","refresh_token":"refresh-)",
                   std::to_string(issued), R"(","expires_in":)", std::to_string(lifetime),
                   R"(,"scope":"SMTP.Send"})")),
        {}};
  }

  bool is_reachable = true;
  int lifetime = 3600;
  int issued = 0;
  std::optional<Duration> retry_after;
  std::deque<std::pair<int, std::string>> scripted;  // answers that come first
  std::vector<std::map<std::string, std::string>> forms;
  std::vector<std::string> urls;
};

inline mail::Smarthost oauth_smarthost(const std::string& name = "main") {
  mail::Smarthost smarthost;
  smarthost.name = name;
  smarthost.host = "smtp.example.com";
  smarthost.port = 587;
  smarthost.user = "me@example.com";
  smarthost.oauth.emplace();
  smarthost.oauth->provider = mail::OAuthProvider::microsoft;
  smarthost.oauth->client_id = "client";
  smarthost.oauth->token_url = "https://token.example/token";
  smarthost.oauth->scope = "SMTP.Send offline_access";
  return smarthost;
}

inline oauth::StoredToken consented(const std::string& refresh_token = "refresh-0") {
  oauth::StoredToken token;
  token.client = oauth::client_mark("client");
  token.user = "me@example.com";
  token.refresh_token = Secret(refresh_token);
  return token;
}

struct OAuthRig {
  OAuthRig() { disk_.make_directory("x").value(); }

  // What is on the disk at the start.
  void store(const oauth::StoredToken& token, const std::string& name = "main") {
    oauth::TokenStore store(view());
    REQUIRE(store.save(name, token));
  }
  std::optional<oauth::StoredToken> stored(const std::string& name = "main") {
    oauth::TokenStore store(view());
    auto token = store.load(name);
    REQUIRE(token);
    return *token;
  }
  void start(std::vector<mail::Smarthost> smarthosts = {oauth_smarthost()}) {
    tokens = std::make_unique<oauth::Tokens>(oauth::TokensParts{
        .loop = loop,
        .log = log,
        .endpoint = endpoint,
        .on_token = [this] { ++wakes; },
        .open_store = [this](const std::string&) -> Result<std::unique_ptr<oauth::TokenStore>, std::string> {
          return std::make_unique<oauth::TokenStore>(view());
        },
        .jitter = [] { return 0.5; }});
    tokens->configure("/nowhere", smarthosts);
  }
  void stop() {
    if (tokens) loop.run(tokens->stop());
    tokens.reset();
  }
  ~OAuthRig() { stop(); }

  void pass(Duration time) { loop.run(sleep(time)); }
  // The access token that a lane gets now, or "KIND: detail".
  std::string token(const std::string& name = "main") { return shown(loop.run(tokens->token(name, {}))); }
  std::string newer_than(const std::string& refused) {
    auto newer = loop.run(tokens->newer_than("main", Secret(refused), {}));
    if (!newer) return cat(to_text(newer.error().kind), ": ", newer.error().detail);
    return *newer ? std::string((*newer)->reveal()) : "none";
  }

  ManualClock clock;
  io::Loop loop{clock};
  std::vector<std::string> lines;
  log::MailLog log{clock, {}, [this](LogLevel, std::string_view line) { lines.emplace_back(line); }};
  FakeEndpoint endpoint;
  SimDisk disk_;
  int wakes = 0;
  std::unique_ptr<oauth::Tokens> tokens;

 private:
  // The store owns its disk; several stores here share one.
  class DiskView final : public spool::Disk {
   public:
    explicit DiskView(spool::Disk& disk) : disk_(disk) {}
    using FilePtr = Result<std::unique_ptr<spool::DiskFile>, spool::DiskError>;
    FilePtr create(std::string_view path) override { return disk_.create(path); }
    FilePtr open_for_reading(std::string_view path) override { return disk_.open_for_reading(path); }
    FilePtr open_for_writing(std::string_view path) override { return disk_.open_for_writing(path); }
    Result<std::vector<std::string>, spool::DiskError> list(std::string_view path) override {
      return disk_.list(path);
    }
    Result<void, spool::DiskError> rename(std::string_view from, std::string_view to) override {
      return disk_.rename(from, to);
    }
    Result<void, spool::DiskError> unlink(std::string_view path) override { return disk_.unlink(path); }
    Result<void, spool::DiskError> make_directory(std::string_view path) override {
      return disk_.make_directory(path);
    }
    Result<void, spool::DiskError> sync_directory(std::string_view path) override {
      return disk_.sync_directory(path);
    }
    Result<spool::DiskSpace, spool::DiskError> space() override { return disk_.space(); }
    Result<std::unique_ptr<spool::DiskLock>, spool::DiskError> lock(std::string_view path) override {
      return disk_.lock(path);
    }

   private:
    spool::Disk& disk_;
  };

  std::unique_ptr<spool::Disk> view() { return std::make_unique<DiskView>(disk_); }
  Task<void> sleep(Duration time) { co_await io::sleep_until(loop, loop.within(time)); }
  static std::string shown(const Result<Secret, smtpc::TokenRefusal>& token) {
    return token ? std::string(token->reveal())
                 : cat(to_text(token.error().kind), ": ", token.error().detail);
  }
};

inline std::map<std::string, std::string> fields_of(std::string_view form) {
  std::map<std::string, std::string> fields;
  for (std::string_view pair : split(form, '&')) {
    const auto equals = pair.find('=');
    std::string value;
    for (std::size_t i = equals + 1; i < pair.size(); ++i) {
      const bool is_coded = pair[i] == '%';
      value += is_coded ? static_cast<char>(*hex_value(pair[i + 1]) * 16 + *hex_value(pair[i + 2])) : pair[i];
      i += is_coded ? 2 : 0;
    }
    fields[std::string(pair.substr(0, equals))] = value;
  }
  return fields;
}

}  // namespace hikyaku::test
