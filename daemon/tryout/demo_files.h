// SPDX-License-Identifier: MIT
// The files of `hikyaku demo` (configuration, credentials, messages) and its screen.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "daemon/base/clock.h"

namespace hikyaku::tryout {

struct DemoFacts {
  std::string directory;  // the demo's temporary directory
  std::uint16_t smarthost_port = 0;
  std::string certificate;  // the smarthost's certificate file
  bool as_root = false;     // hikyakud then switches to `nobody`
};

inline constexpr const char* kDemoCertificateName = "smtp.example.com";
inline constexpr const char* kDemoAccount = "demo@example.com";
inline constexpr const char* kDemoUser =
    "nobody";  // the user that hikyakud switches to if root runs the demo
inline constexpr const char* kDemoSender = "app@example.com";
inline constexpr const char* kDemoRecipient = "you@example.net";

std::string demo_configuration(const DemoFacts& facts);
std::string demo_authinfo(const DemoFacts& facts, const std::string& password);
// Header and body, lines ending in CR LF. Includes what mail programs get wrong: lines that begin with dots,
// non-ASCII text.
std::string demo_message(WallTime now);

// The input of sendmail from a script: lines ending in LF, a header with only To and Subject.
std::string demo_script_message();
// The content of the .eml file that contains this text; empty if there is none.
std::string mail_with(const std::string& directory, std::string_view text);

// Prints numbered steps, dialogues and files as plain text; headings are bold if that is wanted.
class DemoScreen {
 public:
  using Print = std::function<void(std::string_view)>;
  // `print` receives whole lines with their line ends.
  explicit DemoScreen(Print print, bool has_bold) : print_(std::move(print)), has_bold_(has_bold) {}

  void title(std::string_view text);
  void step(std::string_view text);  // numbered automatically
  void line(std::string_view text);  // indented; foreign bytes made printable
  void text(std::string_view text);  // several lines
  // One long line, broken at blanks; continuation lines are indented.
  void wrapped(std::string_view text);
  void remark(std::string_view text);  // at the margin, after an empty line

 private:
  void bold(std::string_view text);

  Print print_;
  bool has_bold_;
  int steps_ = 0;
};

}  // namespace hikyaku::tryout
