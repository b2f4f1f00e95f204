// SPDX-License-Identifier: MIT
#include "daemon/config/environment.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "daemon/base/defaults.h"
#include "daemon/base/text.h"
#include "daemon/config/presets.h"
#include "daemon/config/read_file.h"
#include "daemon/config/yaml_text.h"

extern char** environ;

namespace hikyaku::config {
namespace {

using std::string_view;

// What a variable's value becomes in the document: "" if it says nothing, nullopt if it cannot be understood.
using Flow = std::optional<std::string>;
using Write = Flow (*)(string_view value);

std::vector<string_view> words_in(string_view text) {
  std::vector<string_view> words;
  constexpr string_view kBetween = " ,\t\n";
  while (!text.empty()) {
    const auto begin = text.find_first_not_of(kBetween);
    if (begin == text.npos) break;
    text.remove_prefix(begin);
    words.push_back(text.substr(0, text.find_first_of(kBetween)));
    text.remove_prefix(words.back().size());
  }
  return words;
}

Flow word(string_view value) { return to_flow(to_node(value)); }

Flow list_of(string_view value, string_view before) {
  std::vector<std::string> items;
  for (string_view item : words_in(value)) items.push_back(cat(before, item));
  return to_flow(to_node(items));
}
Flow list(string_view value) { return list_of(value, ""); }
Flow domains(string_view value) { return list_of(value, "*@"); }

Flow bytes(string_view value) { return value == "0" ? Flow() : to_flow(to_node(cat(value, "B"))); }

Flow log_format(string_view value) {
  if (value == "plain") return word("text");
  return value == "json" ? word(value) : Flow();
}

Flow masked(string_view value) {
  if (value == "false" || value == "0") return "";
  return word("masked");
}

// smtp_tls_security_level of postconf(5). Certificates are verified from "encrypt" on.
Flow tls_level(string_view value) {
  if (value == "none") return word("none");
  if (value == "may" || value == "dane") return word("opportunistic");
  const std::array kTls{"encrypt", "verify", "secure", "fingerprint", "dane-only"};
  return std::ranges::find(kTls, value) != kTls.end() ? word("starttls") : Flow();
}

Flow wrapper_mode(string_view value) { return value == "yes" ? word("implicit") : Flow(""); }
Flow nothing(string_view) { return ""; }

struct Row {
  string_view variable;
  string_view section;  // of the document; empty: its top
  string_view key;
  Write write;
  string_view wanted{};  // where write() may not understand
};

constexpr string_view kSmarthost = "smarthost";

constexpr Row kRows[] = {
    {"HIKYAKU_USER", kSmarthost, "user", word},
    {"HIKYAKU_HOSTNAME", "", "hostname", word},
    {"HIKYAKU_DOMAIN", "", "domain", word},
    {"HIKYAKU_LISTEN", "", "listen", list},
    {"HIKYAKU_ALLOW", "", "allow", list},
    {"RELAYHOST_USERNAME", kSmarthost, "user", word},
    {"POSTFIX_myhostname", "", "hostname", word},
    {"POSTFIX_mynetworks", "", "allow", list},
    {"POSTFIX_message_size_limit", "message", "max_size", bytes,
     "a size in bytes other than 0; there is no mail without a bound"},
    {"POSTFIX_smtp_tls_security_level", kSmarthost, "tls", tls_level,
     "one of none, may, encrypt, verify, secure"},
    {"POSTFIX_smtp_tls_wrappermode", kSmarthost, "tls", wrapper_mode},
    {"ALLOWED_SENDER_DOMAINS", "", "senders", domains},
    {"ALLOW_EMPTY_SENDER_DOMAINS", "", "", nothing},  // anyone may be a sender where `senders` names nobody
    {"LOG_FORMAT", "log", "format", log_format, "plain or json"},
    {"ANONYMIZE_EMAILS", "log", "addresses", masked},
};

// What has another place here, by the beginning of its name; the first that fits counts.
struct Elsewhere {
  string_view variable;
  string_view words;
};
constexpr Elsewhere kElsewhere[] = {
    {"SASL_RELAYHOST", "is not needed: credentials are used for the smarthost that mail goes to; unset it"},
    {"MASQUERADED_DOMAINS",
     "has no counterpart as a variable: name the hosts in `masquerade` of hikyaku.yaml or HIKYAKU_CONFIG"},
    {"DKIM_", "has no counterpart as a variable: keys are made by 'hikyaku dkim new DOMAIN'"},
    {"SMTPD_SASL_USERS", "has no counterpart: who may send is said by HIKYAKU_ALLOW, not by passwords"},
    {"XOAUTH2_", "has no counterpart as a variable: write `oauth` into hikyaku.yaml or HIKYAKU_CONFIG"},
    {"POSTFIX_",
     "is not understood: hikyaku has another key for it, or none ('hikyaku import postfix' says which)"},
};

constexpr string_view kUrl = "HIKYAKU_SMARTHOST", kDocument = "HIKYAKU_CONFIG", kRelayhost = "RELAYHOST";
constexpr string_view kOwn = "HIKYAKU_";
constexpr string_view kPassword[] = {"HIKYAKU_PASSWORD", "RELAYHOST_PASSWORD"};
// These are no part of a configuration.
constexpr const char* kRuntimeDirectory = "HIKYAKU_RUNTIME_DIRECTORY";
constexpr string_view kOfTheSink = "HIKYAKU_SINK_PASSWORD";

// What Kubernetes says of services that happen to be called like us, or like Postfix.
bool is_of_a_service(string_view name) {
  return name.find("_SERVICE_HOST") != name.npos || name.find("_SERVICE_PORT") != name.npos ||
         name.ends_with("_PORT") || name.find("_PORT_") != name.npos;
}

bool is_password(string_view name) {
  return std::ranges::any_of(kPassword,
                             [&](string_view each) { return name == each || name == cat(each, "_FILE"); });
}

bool is_own_row(string_view name) {
  return name.starts_with(kOwn) && std::ranges::find(kRows, name, &Row::variable) != std::end(kRows);
}

bool concerns_us(string_view name) {
  if (is_of_a_service(name) || name == kOfTheSink || name == kRuntimeDirectory) return false;
  if (name.starts_with(kOwn) || name == kRelayhost || is_password(name)) return true;
  return std::ranges::find(kRows, name, &Row::variable) != std::end(kRows) ||
         std::ranges::any_of(kElsewhere,
                             [&](const Elsewhere& each) { return name.starts_with(each.variable); });
}

// The document in the making: sections in the order in which they come up.
class DocumentDraft {
 public:
  void add(string_view section, string_view key, std::string flow, std::string variable) {
    if (sections_.empty() || std::ranges::find(sections_, section, &Section::name) == sections_.end())
      sections_.push_back({section, {}});
    std::ranges::find(sections_, section, &Section::name)
        ->entries.push_back({key, std::move(flow), std::move(variable)});
  }
  bool has(string_view section, string_view key) const {
    auto found = std::ranges::find(sections_, section, &Section::name);
    return found != sections_.end() &&
           std::ranges::find(found->entries, key, &Entry::key) != found->entries.end();
  }
  void write_to(Source& source) const {
    for (const Section& section : sections_) {
      if (!section.name.empty()) line(source, cat(section.name, ":"), section.entries.front().variable);
      for (const Entry& entry : section.entries)
        line(source, cat(section.name.empty() ? "" : "  ", entry.key, ": ", entry.flow), entry.variable);
    }
  }

 private:
  struct Entry {
    string_view key;
    std::string flow, variable;
  };
  struct Section {
    string_view name;
    std::vector<Entry> entries;
  };
  static void line(Source& source, const std::string& text, const std::string& variable) {
    source.text += cat(text, "\n");
    source.variables.push_back(variable);
  }

  std::vector<Section> sections_;
};

class Reader {
 public:
  explicit Reader(const Variables& variables) : variables_(variables) {}

  Result<Source, Problems> read() {
    for (const auto& [name, value] : variables_) take(name, value);
    give_defaults_of_the_other_image();
    Source source{.text = {}, .name = "environment"};
    if (const std::string* document = find(kDocument))
      source.text = *document, source.name = std::string(kDocument);
    else
      draft_.write_to(source);
    source.credentials = credentials();
    if (!problems_.empty()) return std::unexpected(std::move(problems_));
    return source;
  }

 private:
  const std::string* find(string_view name) const {
    auto found = variables_.find(std::string(name));
    return found == variables_.end() || found->second.empty() ? nullptr : &found->second;
  }
  void problem(string_view variable, std::string text) {
    problems_.push_back({std::string(variable), 0, 0, "", std::move(text)});
  }

  void take(const std::string& name, const std::string& value) {
    if (value.empty() || is_password(name) || name == kDocument) return;
    const bool is_login = name == "HIKYAKU_USER" || name == "RELAYHOST_USERNAME";
    if (find(kDocument) != nullptr && !is_login)
      return problem(name, "HIKYAKU_CONFIG is a whole configuration: write this into it");
    if (name == kUrl) return take_smarthost(value);
    if (name == kRelayhost) return take_relayhost(value);
    auto row = std::ranges::find(kRows, name, &Row::variable);
    if (row != std::end(kRows)) return take(*row, value);
    auto elsewhere = std::ranges::find_if(
        kElsewhere, [&](const Elsewhere& each) { return name.starts_with(each.variable); });
    problem(name, elsewhere != std::end(kElsewhere) ? std::string(elsewhere->words) : unknown());
  }

  static std::string unknown() {
    std::string names = cat("is no variable of hikyaku; there are ", kUrl, ", ", kDocument,
                            ", HIKYAKU_PASSWORD, HIKYAKU_PASSWORD_FILE");
    for (const Row& row : kRows)
      if (row.variable.starts_with(kOwn)) names += cat(", ", row.variable);
    return names;
  }

  void take(const Row& row, const std::string& value) {
    Flow written = row.write(value);
    if (!written) return problem(row.variable, cat("takes ", row.wanted));
    if (written->empty()) return;
    if (draft_.has(row.section, row.key))
      return problem(row.variable, "another variable says the same; unset one of them");
    draft_.add(row.section, row.key, std::move(*written), std::string(row.variable));
  }

  void take_smarthost(const std::string& value) {
    draft_.add(kSmarthost, may_be_preset_name(value) ? "preset" : "url", *word(value), std::string(kUrl));
  }

  // "host", "[host]:port", "[2001:db8::1]:587".
  void take_relayhost(string_view value) {
    if (find(kUrl) != nullptr)
      return problem(kRelayhost, "HIKYAKU_SMARTHOST says the same; unset one of them");
    const bool has_brackets = value.starts_with('[') && value.find(']') != value.npos;
    string_view host = value.substr(0, value.find(':') == value.rfind(':') ? value.find(':') : value.npos);
    if (has_brackets) host = value.substr(1, value.find(']') - 1);
    string_view rest = value.substr(host.size() + (has_brackets ? 2 : 0));
    draft_.add(kSmarthost, "host", *word(host), std::string(kRelayhost));
    if (rest.starts_with(':')) draft_.add(kSmarthost, "port", *word(rest.substr(1)), std::string(kRelayhost));
  }

  // Where it listens, and to whom, as its README says.
  void give_defaults_of_the_other_image() {
    if (find(kRelayhost) == nullptr) return;
    if (!draft_.has("", "listen")) draft_.add("", "listen", "[\"0.0.0.0:587\"]", std::string(kRelayhost));
    if (!draft_.has("", "allow"))
      draft_.add("", "allow", "[\"127.0.0.0/8\", \"10.0.0.0/8\", \"172.16.0.0/12\", \"192.168.0.0/16\"]",
                 std::string(kRelayhost));
  }

  std::optional<mail::Credentials> credentials() {
    auto [origin, password] = this->password();
    if (password.empty()) return std::nullopt;
    const std::string* user = find("HIKYAKU_USER");
    if (user == nullptr) user = find("RELAYHOST_USERNAME");
    if (user == nullptr) problem(origin, "there is a password and no user name: set HIKYAKU_USER");
    if (user == nullptr) return std::nullopt;
    return mail::Credentials{.authzid = {},
                             .user = *user,
                             .password = std::move(password),
                             .realm = {},
                             .mechanisms = {},
                             .origin = origin};
  }

  std::pair<std::string, Secret> password() {
    for (string_view name : kPassword) {
      if (const std::string* value = find(name)) return {std::string(name), Secret(*value)};
      const std::string file_variable = cat(name, "_FILE");
      if (const std::string* path = find(file_variable))
        return {file_variable, password_in(file_variable, *path)};
    }
    return {};
  }

  // Whoever mounts it into a container says who may read it there.
  Secret password_in(const std::string& variable, const std::string& path) {
    auto file = read_file(path);
    if (!file) return problem(variable, cat(path, " ", file.error().text)), Secret();
    const Secret text(std::move(file->text));
    string_view line = text.reveal();
    line = line.substr(0, line.find_first_of("\r\n"));
    if (line.empty()) problem(variable, cat("there is no password in ", path));
    return Secret(std::string(line));
  }

  const Variables& variables_;
  DocumentDraft draft_;
  Problems problems_;
};

}  // namespace

Variables this_environment() {
  Variables variables;
  for (char** each = environ; each != nullptr && *each != nullptr; ++each) {
    const string_view text(*each);
    const auto equals = text.find('=');
    if (equals != text.npos && concerns_us(text.substr(0, equals)))
      variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

std::string default_runtime_directory() {
  const char* directory = std::getenv(kRuntimeDirectory);
  return directory != nullptr && *directory == '/' ? directory : std::string(defaults::kRuntimeDirectory);
}

std::string Source::place(unsigned line) const {
  return line > 0 && line <= variables.size() ? variables[line - 1] : cat(name, ":", std::to_string(line));
}

Problems Source::say(Problems problems) const {
  for (Problem& problem : problems)
    if (problem.line > 0 && problem.line <= variables.size())
      problem = {variables[problem.line - 1], 0, 0, std::move(problem.key), std::move(problem.text)};
  return problems;
}

std::optional<Result<Source, Problems>> source_in(const Variables& variables) {
  // One with our name that nobody knows may be anything, a test's for instance.
  const bool is_ours = std::ranges::any_of(variables, [](const auto& each) {
    const auto& [name, value] = each;
    return !value.empty() && (name == kUrl || name == kDocument || name == kRelayhost || is_own_row(name));
  });
  if (!is_ours) return std::nullopt;
  return Reader(variables).read();
}

}  // namespace hikyaku::config
