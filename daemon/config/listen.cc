// SPDX-License-Identifier: MIT
#include "daemon/config/listen.h"

#include <sys/stat.h>

#include <algorithm>
#include <ranges>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/config/read_file.h"
#include "daemon/config/schema.h"

namespace hikyaku::config {
namespace {

using mail::TlsMode;

void read_door_address(const Value& value, Door& door) {
  auto at = Endpoint::parse(value.text().value_or(""));
  if (at && *at != Endpoint{})
    door.at = *at;
  else
    value.problem("must be an address and a port, such as \"127.0.0.1:25\" or \"[::1]:25\", in quotes");
}

void read_cert(const Value& value, Door& door) {
  if (value.text() == kSelfSigned)
    door.cert = kSelfSigned;
  else if (auto file = value.as_path())
    door.cert = std::move(*file);
}

void read_proxies(const Value& value, Door& door) {
  door.proxies.clear();
  for (const Value& element : value.elements()) {
    auto network = Network::parse(element.text().value_or(""));
    if (network)
      door.proxies.push_back(*network);
    else
      element.problem("must be the network of proxies, such as \"10.0.0.0/8\", or a proxy's address");
  }
}

const Schema<Door> kDoor{
    {"address", custom(read_door_address, &Door::at)},
    {"tls",
     choice(&Door::tls,
            {{"none", TlsMode::none}, {"starttls", TlsMode::starttls}, {"implicit", TlsMode::implicit}})},
    {"cert", custom(read_cert, &Door::cert)},
    {"key", path(&Door::key)},
    {"auth", choice(&Door::takes_any_login, {{"none", false}, {"any", true}})},
    {"proxy", custom(read_proxies, &Door::proxies)},
};

// What is wrong with the keys together, one by one they may be right; the first that applies.
std::string_view trouble_of(const Value& entry, const Door& door) {
  const bool has_cert = entry.has("cert"), has_key = entry.has("key"), has_tls = door.tls != TlsMode::none;
  if (!entry.has("address")) return "needs `address`, such as \"127.0.0.1:587\"";
  if (door.is_self_signed() && has_key)
    return "`cert: self-signed` has a key of its own: remove `key`, or name the certificate's file in `cert`";
  if (has_cert && !has_key && !door.is_self_signed())
    return "`cert` needs `key`, the file with the certificate's private key; it may be the same file";
  if (has_key && !has_cert) return "`key` needs `cert`, the file with the certificate";
  if (has_tls && !has_cert)
    return "TLS needs a certificate: set `cert` and `key`, or `cert: self-signed` where the applications "
           "do not verify it";
  if (has_cert && !has_tls)
    return "a certificate is of use only with `tls: starttls` or `tls: implicit`; set one of them";
  if (door.takes_any_login && !has_tls && (!door.at.address.is_loopback() || !door.proxies.empty()))
    return "to clients elsewhere a log-in is offered over TLS only, so that no password can be overheard: "
           "set `tls` and `cert` beside `auth: any`";
  return {};
}

std::optional<Door> read_door(const Value& entry) {
  Door door;
  if (!entry.is_map()) {
    read_door_address(entry, door);
    return door.at == Endpoint{} ? std::nullopt : std::optional(door);
  }
  read_map(entry, kDoor, door);
  const std::string_view trouble = trouble_of(entry, door);
  if (!trouble.empty()) entry.problem(std::string(trouble));
  return door.at == Endpoint{} ? std::nullopt : std::optional(std::move(door));
}

// What is set: an empty `key` would not be taken back.
YamlNode show_door(const Door& door) {
  const YamlNode all = show_map(kDoor, door);
  YamlNode shown = map_node();
  for (std::size_t i = 0; i + 1 < all.items.size(); i += 2) {
    const YamlNode& value = all.items[i + 1];
    if (!value.scalar.empty() || !value.items.empty()) add_member(shown, all.items[i].scalar, value);
  }
  return shown;
}

// For whom the file must be readable, and how.
void check_door_file(const Door& door, const std::string& key, const std::string& path, Problems& problems) {
  if (auto file = read_file(path); !file)
    problems.push_back(
        {path, 0, 0, cat("listen ", door.at.to_text(), ": ", key), explain(file.error(), path)});
}

}  // namespace

const Door* ListenSettings::door_at(const Endpoint& at) const {
  auto door = std::ranges::find(doors, at, &Door::at);
  return door == doors.end() ? nullptr : &*door;
}

ListenSettings read_listen(const Value& value) {
  ListenSettings listen{{}, true};
  for (const Value& entry : value.elements()) {
    auto door = read_door(entry);
    if (!door) continue;
    if (std::ranges::find(listen.endpoints, door->at) != listen.endpoints.end())
      entry.problem("this address appears twice");
    listen.endpoints.push_back(door->at);
    if (entry.is_map()) listen.doors.push_back(std::move(*door));
  }
  if (value.elements().empty()) value.problem("must have at least one address");
  return listen;
}

YamlNode show_listen(const ListenSettings& listen) {
  YamlNode list{YamlNode::Kind::sequence, {}, {}, {}};
  for (const Endpoint& at : listen.endpoints) {
    const Door* door = listen.door_at(at);
    list.items.push_back(door != nullptr ? show_door(*door) : to_node(at));
  }
  return list;
}

void check_door_files(const ListenSettings& listen, Problems& problems) {
  for (const Door& door : listen.doors) {
    if (!door.has_files()) continue;
    check_door_file(door, "cert", door.cert, problems);
    if (door.key != door.cert) check_door_file(door, "key", door.key, problems);
  }
}

Problems check_door_pairs(
    const ListenSettings& listen,
    const std::function<std::string(const std::string& cert, const std::string& key)>& trouble_with) {
  Problems problems;
  for (const Door& door : listen.doors) {
    std::string words = door.has_files() ? trouble_with(door.cert, door.key) : "";
    if (!words.empty()) problems.push_back({"", 0, 0, cat("listen ", door.at.to_text()), std::move(words)});
  }
  return problems;
}

std::vector<std::string> warnings_of_door_keys(const ListenSettings& listen) {
  std::vector<std::string> found;
  for (const std::string& key : listen.doors | std::views::transform(&Door::key)) {
    struct stat status{};
    if (key.empty() || ::stat(key.c_str(), &status) != 0 || (status.st_mode & S_IROTH) == 0) continue;
    std::string words =
        cat("anybody on this machine may read the private key ", key, " (mode ", mode_text(status.st_mode),
            "), and so pose as this server; run: chmod o-rwx ", key);
    if (std::ranges::find(found, words) == found.end()) found.push_back(std::move(words));
  }
  return found;
}

}  // namespace hikyaku::config
