// SPDX-License-Identifier: MIT
// What `hikyaku demo` writes for its two programs: a configuration and credentials as an operator would, and
// the message that makes the journey. Texts are pure.
#pragma once

#include <cstdint>
#include <string>

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

}  // namespace hikyaku::tryout
