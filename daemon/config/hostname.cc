// SPDX-License-Identifier: MIT
#include "daemon/config/hostname.h"

#include <sys/utsname.h>

#include <algorithm>
#include <vector>

#include "daemon/base/text.h"
#include "daemon/config/host.h"
#include "daemon/config/read_file.h"

namespace hikyaku::config {
namespace {

bool is_usable(std::string_view name) { return is_host_name(name) && !is_localhost(name); }
bool is_full(std::string_view name) { return is_usable(name) && name.find('.') != name.npos; }

std::string_view first_line(std::string_view text) { return trim(text.substr(0, text.find('\n'))); }

// Of "127.0.1.1 app1.example.com app1" the full name, given the short one; Debian's installer writes such a
// line.
std::string_view full_name_in_hosts(std::string_view hosts_file, std::string_view short_name) {
  for (std::string_view line : split(hosts_file, '\n')) {
    auto names = words(line.substr(0, line.find('#')));
    if (names.empty()) continue;
    names.erase(names.begin());
    if (std::ranges::find(names, short_name) == names.end()) continue;
    auto full = std::ranges::find_if(names, is_full);
    if (full != names.end()) return *full;
  }
  return {};
}

std::string text_of(const char* path) {
  auto file = read_file(path);
  return file ? file->text : "";
}

}  // namespace

std::string choose_hostname(std::string_view kernel, std::string_view hostname_file,
                            std::string_view hosts_file) {
  std::string_view file = first_line(hostname_file);
  if (is_full(kernel)) return std::string(kernel);
  if (is_full(file)) return std::string(file);
  std::string_view short_name = is_usable(kernel) ? kernel : file;
  if (!is_usable(short_name)) return "[127.0.0.1]";
  std::string_view full = full_name_in_hosts(hosts_file, short_name);
  return std::string(full.empty() ? short_name : full);
}

std::string default_hostname() {
  utsname names{};
  std::string_view kernel = ::uname(&names) == 0 ? names.nodename : "";
  return choose_hostname(kernel, text_of("/etc/hostname"), text_of("/etc/hosts"));
}

}  // namespace hikyaku::config
