// SPDX-License-Identifier: MIT
// nullmailer's control files: remotes, a line a server, and one value in each of the others beside it.
#include <algorithm>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/config/hostname.h"
#include "daemon/import/import.h"

namespace hikyaku::importing {
namespace {

// The words of a line; quotes, single or double, and backslashes are taken off.
std::vector<std::string> shell_words(std::string_view line) {
  std::vector<std::string> found;
  char quote = 0;
  bool is_open = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    const bool ends = quote == 0 && is_blank(c);
    if (ends) {
      is_open = false;
      continue;
    }
    if (!std::exchange(is_open, true)) found.emplace_back();
    if (c == quote)
      quote = 0;
    else if (quote == 0 && (c == '\'' || c == '"'))
      quote = c;
    else if (c == '\\' && i + 1 < line.size())
      found.back() += line[++i];
    else
      found.back() += c;
  }
  return found;
}

class RemoteImport {
 public:
  RemoteImport(const Line& line, const std::string& file, Imported& imported)
      : words_(shell_words(line.text)), place_{file, line.number}, imported_(imported) {}

  // The name of the smarthost; empty if there is none.
  std::string run() {
    const std::string protocol = words_.size() > 1 ? words_[1] : "smtp";
    if (protocol != "smtp") {
      imported_.remark(place_, "", "speaks no SMTP, so this server was left out");
      return {};
    }
    auto hop = parse_hop(words_.front(), false, place_);
    if (!hop) {
      imported_.remark_unusable(place_, "");
      return {};
    }
    for (std::size_t i = 2; i < words_.size(); ++i) take(words_[i], *hop);
    hop->logs_in = !user_.empty();
    hop->is_verified = (hop->tls == TlsWish::implicit || hop->tls == TlsWish::starttls) && !is_insecure_;
    mail::Smarthost& smarthost = imported_.smarthost_for(*hop, user_);
    smarthost.tls.ca_file = ca_file_;
    smarthost.tls.client_cert = smarthost.tls.client_key = certificate_;
    if (!mechanism_.empty()) smarthost.mechanisms = {mechanism_};
    if (!user_.empty()) imported_.add_login(*hop, user_, password_, place_);
    return smarthost.name;
  }

 private:
  void take(std::string_view option, Hop& hop) {
    while (option.starts_with('-')) option.remove_prefix(1);
    const std::size_t equals = option.find('=');
    const std::string_view name = option.substr(0, equals);
    const std::string value(equals == option.npos ? "" : option.substr(equals + 1));
    if (name == "port" || name == "p")
      hop.port = config::parse_port(value);
    else if (name == "user")
      user_ = value;
    else if (name == "pass")
      password_ = value;
    else if (name == "ssl" || name == "tls")
      hop.tls = TlsWish::implicit;
    else if (name == "starttls")
      hop.tls = TlsWish::starttls;
    else if (name == "insecure")
      is_insecure_ = true;
    else if (name == "auth-login")
      mechanism_ = "LOGIN";
    else if (name == "auth-plain")
      mechanism_ = "PLAIN";
    else if (name == "x509cafile")
      ca_file_ = value;
    else if (name == "x509certfile")
      certificate_ = value;
    else
      imported_.remark(place_, name, "has no counterpart and was left out");
  }

  std::vector<std::string> words_;
  Place place_;
  Imported& imported_;
  std::string user_, password_, mechanism_, ca_file_, certificate_;
  bool is_insecure_ = false;
};

struct Control {
  std::string_view name;
  void (*take)(std::string_view value, const Place& place, Imported& imported);
};

std::optional<Duration> seconds_of(std::string_view text) {
  auto number = parse_number(text);
  const bool is_usable = number && *number > 0 && *number <= 365 * 86'400;
  return is_usable ? std::optional<Duration>(std::chrono::seconds(*number)) : std::nullopt;
}

constexpr Control kControls[] = {
    {"me",
     [](std::string_view value, const Place&, Imported& imported) {
       if (config::is_host_name(value) && config::is_full_name(value))
         imported.settings.hostname = to_lower(value);
     }},
    {"helohost",
     [](std::string_view value, const Place&, Imported& imported) {
       if (config::is_host_name(value) && config::is_full_name(value))
         imported.settings.hostname = to_lower(value);
     }},
    {"defaulthost",
     [](std::string_view value, const Place&, Imported& imported) {
       if (config::is_host_name(value) && !config::is_localhost(value))
         imported.settings.domain = to_lower(value);
     }},
    {"adminaddr",
     [](std::string_view value, const Place& place, Imported& imported) {
       const std::string_view first = list_of(value).empty() ? "" : list_of(value).front();
       if (auto address = plain_address(first)) imported.settings.local_mail = *address;
       if (list_of(value).size() > 1)
         imported.remark(place, "",
                         "names several addresses; `local_mail` is the first, and aliases can name more");
     }},
    {"allmailfrom",
     [](std::string_view value, const Place& place, Imported& imported) {
       if (auto address = plain_address(value)) {
         send_as(*address, imported);
         imported.remark(place, "",
                         "became `from`, which is for the envelope, as it was, and for From as well");
       } else {
         imported.remark_unusable(place, "");
       }
     }},
    {"queuelifetime",
     [](std::string_view value, const Place& place, Imported& imported) {
       auto time = seconds_of(value);
       time ? void(imported.settings.queue.lifetime = *time) : imported.remark_unusable(place, "");
     }},
    {"pausetime",
     [](std::string_view value, const Place& place, Imported& imported) {
       auto& retry = imported.settings.queue.retry;
       auto time = seconds_of(value);
       time ? void(retry.first = std::min<Duration>(*time, 24h)) : imported.remark_unusable(place, "");
       retry.max = std::max(retry.max, retry.first);
     }},
    {"maxpause",
     [](std::string_view value, const Place& place, Imported& imported) {
       auto& retry = imported.settings.queue.retry;
       auto time = seconds_of(value);
       time ? void(retry.max = std::clamp<Duration>(*time, retry.first, 7 * 24h))
            : imported.remark_unusable(place, "");
     }},
    {"doublebounceto",
     [](std::string_view value, const Place& place, Imported& imported) {
       auto address = plain_address(value);
       address ? void(imported.settings.queue.postmaster = *address) : imported.remark_unusable(place, "");
     }},
    {"idhost",
     [](std::string_view, const Place& place, Imported& imported) {
       imported.remark(place, "", "has no counterpart: Message-IDs end in `domain`");
     }},
    {"defaultdomain",
     [](std::string_view, const Place& place, Imported& imported) {
       imported.remark(place, "", "has no counterpart: names without a dot stay as they are; set full names");
     }},
};

}  // namespace

Imported import_nullmailer(std::string_view text, const std::string& file, const ReadText& read) {
  Imported imported;
  for (const Line& line : lines_of(text)) RemoteImport(line, file, imported).run();
  for (const Control& control : kControls) {
    const std::string path = cat(directory_of(file), "/", control.name);
    const std::string content = read(path).value_or("");
    const std::vector<Line> lines = lines_of(content);
    if (!lines.empty()) control.take(trim(lines.front().text), {path, lines.front().number}, imported);
  }
  imported.finish();
  return imported;
}

}  // namespace hikyaku::importing
