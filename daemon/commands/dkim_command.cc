// SPDX-License-Identifier: MIT
// `hikyaku dkim`: makes the keys that sign mail, says what to publish, looks whether it is published, and switches.
// A key signs only once somebody has said so: a signature whose record nobody can find is worse than none.

#include <CLI/CLI.hpp>
#include <memory>

#include "daemon/base/text.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/control_client.h"
#include "daemon/commands/dkim_pages.h"
#include "daemon/commands/output.h"
#include "daemon/config/load.h"
#include "daemon/dns/client.h"
#include "daemon/dns/domain_name.h"
#include "daemon/io/loop.h"
#include "daemon/setup/authinfo_store.h"

namespace hikyaku::commands {
namespace {

using dkim::KeyKind;
using dkim::KeyState;
using setup::DkimStore;
using setup::StoredKey;

constexpr std::string_view kDkim = "hikyaku dkim";
constexpr Duration kLookUp = 30s;

struct DkimOptions {
  ControlOptions control;
  std::string domain;
  std::string selector;
  bool ed25519 = false;
  bool force = false;
  bool json = false;
};

// What each of the commands works with.
struct DkimDesk {
  config::Settings settings;
  DkimStore store;
  std::string domain;  // as A-labels; empty: all
};

Result<DkimDesk, StartError> open_desk(const DkimOptions& options) {
  auto settings = config::load_file(options.control.config);
  if (!settings && ::access(options.control.config.c_str(), F_OK) == 0)
    return fail(Exit::configuration, config::to_text(settings.error(), "\n"));
  if (!settings) settings = config::understandable_settings(options.control.config);
  auto domain = options.domain.empty() ? std::optional<std::string>("") : dns::to_a_labels(options.domain);
  if (!domain || (!domain->empty() && domain->find('.') == domain->npos))
    return fail(Exit::usage, cat("'", printable(options.domain), "' is no domain, such as example.com"));
  if (!options.selector.empty() && !dkim::is_selector(options.selector))
    return fail(Exit::usage, "a selector has lower-case letters, digits, hyphens, and dots between them");
  DkimStore store(settings->dkim, setup::daemon_account(settings->user));
  return DkimDesk{std::move(*settings), std::move(store), std::move(*domain)};
}

Reader reader_of(const DkimOptions& options) { return options.json ? Reader::programs : Reader::people; }

std::string next_reload(const ControlOptions& control) {
  auto socket = find_control_socket(control);
  if (!socket) return "";
  auto reply = ask_control(socket->path, "/v1/status");
  const bool is_running = reply || reply.error().kind != Exit::unavailable;
  return is_running ? "run 'hikyaku reload' to have the daemon do so\n" : "";
}

Exit new_key(const DkimOptions& options) {
  auto desk = open_desk(options);
  if (!desk) return report(kDkim, desk.error());
  auto keys = desk->store.list(desk->domain);
  if (!keys) return report(kDkim, keys.error());
  const WallTime now = SystemClock().wall();
  const std::string selector = options.selector.empty() ? setup::free_selector(*keys, now) : options.selector;
  auto key = desk->store.create(desk->domain, selector, options.ed25519 ? KeyKind::ed25519 : KeyKind::rsa);
  if (!key) return report(kDkim, key.error());
  const Duration lifetime = desk->settings.queue.lifetime;
  // The page's records are there to be pasted.
  return print_all(kDkim, options.json ? to_json_object(*key, lifetime).text() + "\n" : new_key_page(*key),
                   Reader::programs);
}

Exit list_keys(const DkimOptions& options) {
  auto desk = open_desk(options);
  if (!desk) return report(kDkim, desk.error());
  auto keys = desk->store.list(desk->domain);
  if (!keys) return report(kDkim, keys.error());
  std::string text;
  const Duration lifetime = desk->settings.queue.lifetime;
  for (const StoredKey& key : *keys)
    text += options.json ? to_json_object(key, lifetime).text() + "\n" : list_line(key, lifetime);
  if (keys->empty() && !options.json)
    text = cat("there are no keys in ", desk->store.directory(), "; make one: hikyaku dkim new DOMAIN\n");
  return print_all(kDkim, text, reader_of(options));
}

Task<std::vector<RecordAnswer>> look_up_all(io::Loop& loop, dns::RecordSource& records,
                                            const std::vector<StoredKey>& keys) {
  std::vector<RecordAnswer> answers;
  for (const StoredKey& key : keys) {
    const auto said =
        co_await records.look_up(record_name_of(key), dns::RecordType::txt, loop.within(kLookUp));
    answers.push_back({said.trouble, dkim::judge_record(said.texts, key.key)});
  }
  co_return answers;
}

std::vector<RecordAnswer> ask_dns(const config::Settings& settings, const std::vector<StoredKey>& keys) {
  SystemClock clock;
  io::Loop loop(clock);
  dns::Client dns(loop, {.hostname = settings.hostname});
  dns.configure(settings.dns, settings.hostname);
  return loop.run(look_up_all(loop, dns.records(), keys));
}

Exit check_keys(const DkimOptions& options) {
  auto desk = open_desk(options);
  if (!desk) return report(kDkim, desk.error());
  auto keys = desk->store.list(desk->domain);
  if (!keys) return report(kDkim, keys.error());
  std::erase_if(*keys, [](const StoredKey& key) { return key.file.state == KeyState::retired; });
  if (keys->empty())
    return report(kDkim, {Exit::no_input, cat("there is no key to check; make one: hikyaku dkim new ",
                                              desk->domain.empty() ? "DOMAIN" : desk->domain)});
  const auto answers = ask_dns(desk->settings, *keys);
  std::string text;
  bool is_good = true;
  for (std::size_t i = 0; i < keys->size(); ++i) {
    text += options.json ? check_object((*keys)[i], answers[i]).text() + "\n"
                         : check_line((*keys)[i], answers[i]);
    is_good = is_good && answers[i].is_good();
  }
  return print_all(kDkim, text, reader_of(options), is_good ? Exit::ok : Exit::attention);
}

JsonObject used_object(const StoredKey& key, const std::vector<StoredKey>& retired) {
  JsonList selectors;
  for (const StoredKey& each : retired) selectors.add(std::string_view(each.file.selector));
  return JsonObject()
      .add("domain", key.file.domain)
      .add("selector", key.file.selector)
      .add("state", to_text(KeyState::active))
      .add("retired", selectors);
}

std::string used_page(const StoredKey& key, const std::vector<StoredKey>& retired, Duration lifetime) {
  std::string text = cat(name_of(key), " signs from the next reload on\n");
  const std::string until = to_rfc3339(record_until(SystemClock().wall(), lifetime)).substr(0, 10);
  for (const StoredKey& each : retired)
    text += cat(name_of(each), " is retired; leave its record until ", until, "\n");
  return text;
}

Exit use_key(const DkimOptions& options) {
  auto desk = open_desk(options);
  if (!desk) return report(kDkim, desk.error());
  auto key = desk->store.find(desk->domain, options.selector);
  if (!key) return report(kDkim, key.error());
  if (key->file.state == KeyState::active)
    return print_all(
        kDkim,
        options.json ? used_object(*key, {}).text() + "\n" : cat(name_of(*key), " is active already\n"),
        reader_of(options));
  if (!options.force)
    if (const auto answer = ask_dns(desk->settings, {*key}).front(); !answer.is_good())
      return report(kDkim,
                    {Exit::attention, cat(to_text(answer, *key),
                                          "\nnothing has changed: receivers could not verify what this key "
                                          "signs; --force uses it all the same")});
  auto retired = desk->store.activate(*key);
  if (!retired) return report(kDkim, retired.error());
  if (options.json) return print_all(kDkim, used_object(*key, *retired).text() + "\n", Reader::programs);
  return print_all(kDkim,
                   used_page(*key, *retired, desk->settings.queue.lifetime) + next_reload(options.control),
                   Reader::people);
}

Exit retire_key(const DkimOptions& options) {
  auto desk = open_desk(options);
  if (!desk) return report(kDkim, desk.error());
  auto key = desk->store.find(desk->domain, options.selector);
  if (!key) return report(kDkim, key.error());
  if (key->file.state != KeyState::retired)
    if (auto retired = desk->store.retire(*key); !retired) return report(kDkim, retired.error());
  auto again = desk->store.find(desk->domain, options.selector);
  if (!again) return report(kDkim, again.error());
  const Duration lifetime = desk->settings.queue.lifetime;
  if (options.json) return print_all(kDkim, to_json_object(*again, lifetime).text() + "\n", Reader::programs);
  const bool has_signed = key->file.state == KeyState::active;
  return print_all(kDkim,
                   list_line(*again, lifetime) +
                       (has_signed ? "it signs nothing from the next reload on\n" : "") +
                       (has_signed ? next_reload(options.control) : ""),
                   Reader::people);
}

using Deed = Exit (*)(const DkimOptions&);

struct DkimWord {
  const char* name;
  const char* help;
  Deed deed;
  bool needs_domain;
  bool needs_selector;
};
constexpr DkimWord kWords[] = {
    {"new", "make a key and print the record to publish; it does not sign yet", new_key, true, false},
    {"check", "look up the records of the keys, and say what is wrong with them", check_keys, false, false},
    {"use", "have a key sign from the next reload on, and retire the one before", use_key, true, true},
    {"list", "show the keys, and which of them sign", list_keys, false, false},
    {"retire", "have a key sign no more from the next reload on", retire_key, true, true},
};

CLI::App* add_word(CLI::App& dkim, const DkimWord& word, const std::shared_ptr<DkimOptions>& options,
                   Action& chosen) {
  CLI::App* command = dkim.add_subcommand(word.name, word.help);
  command->add_option("DOMAIN", options->domain, "the domain of From, or one above it")
      ->required(word.needs_domain);
  if (word.needs_selector) command->add_option("SELECTOR", options->selector, "the key's name")->required();
  command->add_flag("--json", options->json, "print JSON, an object a line");
  command->fallthrough();
  command->callback(
      [options, &chosen, deed = word.deed] { chosen = [options, deed] { return deed(*options); }; });
  return command;
}

}  // namespace

void add_dkim_command(CLI::App& app, Action& chosen) {
  auto options = std::make_shared<DkimOptions>();
  CLI::App* dkim =
      app.add_subcommand("dkim", "make and switch the keys that sign mail, and check their records");
  dkim->require_subcommand(1);
  dkim->add_option("-c", options->control.config, "the daemon's configuration file")
      ->type_name("FILE")
      ->capture_default_str();
  for (const DkimWord& word : kWords) {
    CLI::App* command = add_word(*dkim, word, options, chosen);
    if (word.deed == new_key) {
      command->add_option("--selector", options->selector, "the key's name; without it hk, year and month")
          ->type_name("SELECTOR");
      command->add_flag("--ed25519", options->ed25519, "a short key, which signs beside an RSA key only");
    }
    if (word.deed == use_key) command->add_flag("--force", options->force, "also if the record is not there");
    if (word.deed == check_keys)
      command->footer("Exit code: 0 all records are there and have the keys, 1 not, 66 there is no key.");
  }
}

}  // namespace hikyaku::commands
