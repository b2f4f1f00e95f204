// SPDX-License-Identifier: MIT
// GET /v1/oauth, PUT /v1/oauth/NAME, POST /v1/oauth/NAME/refresh and /revoke; CONTROL.md has the answers. A
// token comes in by PUT and never goes out.
#include "daemon/base/json.h"
#include "daemon/base/json_value.h"
#include "daemon/base/text.h"
#include "daemon/control/control_retry.h"
#include "daemon/control/control_routes.h"

namespace hikyaku::control {
namespace {

constexpr std::string_view kOAuth = "/v1/oauth";
constexpr std::string_view kRefresh = "/refresh";
constexpr std::string_view kRevoke = "/revoke";

// What PUT brings: a token as `hikyaku oauth login` got it.
Result<oauth::StoredToken, std::string> token_in(const std::string& body, WallTime now) {
  auto json = parse_json(body);
  if (!json) return std::unexpected(cat("the body is not JSON: ", json.error()));
  oauth::StoredToken token;
  token.refresh_token = Secret(json->text_of("refresh_token"));
  token.access_token = Secret(json->text_of("access_token"));
  token.scope = printable(json->text_of("scope"));
  token.account = printable(json->text_of("account"), 320);
  token.lifetime = std::chrono::seconds(static_cast<std::int64_t>(json->whole_number_of("expires_in")));
  token.obtained = token.consented = now;
  token.expires = now + token.lifetime;
  if (token.access_token.empty() && token.refresh_token.empty())
    return std::unexpected("needs `refresh_token` or `access_token`");
  return token;
}

ControlAnswer told(const std::optional<Result<void, std::string>>& done) {
  if (!done) return no_answer();
  if (*done) return control_json(JsonObject().add("done", true).text());
  return control_error(422, done->error());
}

}  // namespace

bool is_about_oauth(std::string_view path) { return path == kOAuth || path.starts_with(cat(kOAuth, "/")); }

ControlAnswer answer_oauth(const ControlRequest& request, DaemonControl& daemon, Clock& clock) {
  if (!request.rights.may_change_all)
    return control_error(403, "only root, the daemon's user and the members of its group may do that");
  std::string_view name =
      std::string_view(request.path).substr(std::min(kOAuth.size() + 1, request.path.size()));
  if (request.method == "GET" && name.empty()) {
    auto reports = daemon.oauth_reports();
    if (!reports) return no_answer();
    JsonList list;
    for (const auto& [smarthost, report] : *reports)
      list.add(JsonObject().add("smarthost", smarthost).append(mail::to_object(report)));
    return control_json(JsonObject().add("smarthosts", list).text());
  }
  if (request.method == "PUT" && !name.empty()) {
    auto token = token_in(request.body, clock.wall());
    return token ? told(daemon.oauth_adopt(std::string(name), std::move(*token)))
                 : control_error(400, token.error());
  }
  for (std::string_view what : {kRefresh, kRevoke}) {
    if (request.method != "POST" || !name.ends_with(what)) continue;
    const std::string smarthost(name.substr(0, name.size() - what.size()));
    return told(what == kRefresh ? daemon.oauth_refresh(smarthost) : daemon.oauth_revoke(smarthost));
  }
  return control_error(404, "there is no such path");
}

}  // namespace hikyaku::control
