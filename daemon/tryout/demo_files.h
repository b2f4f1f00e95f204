// SPDX-License-Identifier: MIT
// What `hikyaku demo` writes for its two programs: a configuration and credentials as an operator would, and
// the message that makes the journey. Texts are pure.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "daemon/base/clock.h"

namespace hikyaku::tryout {

struct DemoFacts {
  std::string directory;  // where everything is
  std::uint16_t smarthost_port = 0;
  std::string certificate;  // the smarthost's, a file
  bool as_root = false;     // then hikyakud is to become `nobody`
};

inline constexpr const char* kDemoCertificateName = "smtp.example.com";
inline constexpr const char* kDemoAccount = "demo@example.com";
inline constexpr const char* kDemoUser = "nobody";  // whom a demo of root's becomes
inline constexpr const char* kDemoSender = "app@example.com";
inline constexpr const char* kDemoRecipient = "you@example.net";

std::string demo_configuration(const DemoFacts& facts);
std::string demo_authinfo(const DemoFacts& facts, const std::string& password);
// Header and body, lines ending in CR LF. Has what mail programs get wrong: lines that begin with dots, text
// beyond ASCII.
std::string demo_message(WallTime now);

// What a script pipes into sendmail: lines ending in LF, a header with To and Subject only.
std::string demo_script_message();
// Of the .eml files there, the one that has this text in it; empty if none has.
std::string mail_with(const std::string& directory, std::string_view text);

// What `hikyaku demo` shows: numbered steps, dialogues, files. Plain text; headings stand out on a terminal
// only.

class DemoScreen {
 public:
  using Print = std::function<void(std::string_view)>;
  // `print` gets whole lines with their ends.
  explicit DemoScreen(Print print, bool is_terminal) : print_(std::move(print)), is_terminal_(is_terminal) {}

  void title(std::string_view text);
  void step(std::string_view text);  // numbers itself
  void line(std::string_view text);  // indented; foreign bytes made printable
  void text(std::string_view text);  // each of its lines
  // One long line, broken at blanks and indented where it goes on.
  void wrapped(std::string_view text);
  void remark(std::string_view text);  // at the margin, after an empty line

 private:
  void bold(std::string_view text);

  Print print_;
  bool is_terminal_;
  int steps_ = 0;
};

}  // namespace hikyaku::tryout
