// SPDX-License-Identifier: MIT
#include "daemon/tryout/demo_files.h"

#include <algorithm>
#include <filesystem>

#include "daemon/base/random.h"
#include "daemon/base/text.h"
#include "daemon/system/files.h"

namespace hikyaku::tryout {

std::string demo_configuration(const DemoFacts& facts) {
  std::string user = facts.as_root ? cat("user: ", kDemoUser,
                                         "                        # started as root, it becomes this user\n")
                                   : "";
  return cat("hostname: app1.example.com\n",  //
             "listen: [\"127.0.0.1:0\"]             # any free port\n", user,
             "smarthosts:\n",                                                                  //
             "  - name: demo\n",                                                               //
             "    host: 127.0.0.1\n",                                                          //
             "    port: ", std::to_string(facts.smarthost_port), "\n",                         //
             "    tls: starttls\n",                                                            //
             "    tls_hostname: ", kDemoCertificateName, "  # the name in its certificate\n",  //
             "    tls_ca_file: ", facts.certificate, "\n",                                     //
             "authinfo: ", facts.directory, "/authinfo\n",                                     //
             "aliases: ", facts.directory, "/aliases\n",                                       //
             "dkim: {directory: ", facts.directory, "/dkim}    # without keys\n",              //
             "runtime_directory: ", facts.directory, "/run\n",                                 //
             "spool: {directory: ", facts.directory, "/spool, segment_size: 1MiB, min_free: 1MiB}\n");
}

std::string demo_authinfo(const DemoFacts& facts, const std::string& password) {
  return cat("machine 127.0.0.1 port ", std::to_string(facts.smarthost_port), " login ", kDemoAccount,
             " password ", password, "\n");
}

std::string demo_message(WallTime now) {
  return cat("From: An app <", kDemoSender, ">\r\n",                      //
             "To: <", kDemoRecipient, ">\r\n",                            //
             "Subject: the parcel is on its way\r\n",                     //
             "Date: ", to_rfc5322_date(now), "\r\n",                      //
             "Message-ID: <", random_token(16), "@app.example.com>\r\n",  //
             "MIME-Version: 1.0\r\n",                                     //
             "Content-Type: text/plain; charset=utf-8\r\n",               //
             "Content-Transfer-Encoding: 8bit\r\n",                       //
             "\r\n",                                                      //
             "A courier (飛脚, hikyaku) runs with this.\r\n",             //
             "A line of one dot does not end it:\r\n",                    //
             ".\r\n",                                                     //
             "..and dots at the beginning of a line are all still there.\r\n");
}

std::string demo_script_message() {
  return cat("To: <", kDemoRecipient, ">\n",   //
             "Subject: the backup has run\n",  //
             "\n",                             //
             "All 3 couriers are back.\n",     //
             ".\n",                            //
             "(The line of one dot is ours.)\n");
}

std::string mail_with(const std::string& directory, std::string_view text) {
  for (const auto& file : std::filesystem::directory_iterator(directory)) {
    if (file.path().extension() != ".eml") continue;
    std::string mail = system::read_whole_file(file.path().string());
    if (mail.find(text) != mail.npos) return mail;
  }
  return {};
}

namespace {

constexpr std::string_view kIndent = "     ";
constexpr std::string_view kDeeper = "         ";
constexpr std::string_view kTab = "    ";
constexpr std::size_t kWidth = 110;

// Where to break a line of at most `width` bytes; the end of the text if there is no blank.
std::size_t break_point(std::string_view text, std::size_t width) {
  if (text.size() <= width) return text.size();
  std::size_t blank = text.rfind(' ', width);
  return blank == text.npos || blank == 0 ? std::min(text.find(' '), text.size()) : blank;
}

}  // namespace

void DemoScreen::bold(std::string_view text) {
  print_(has_bold_ ? cat("\x1b[1m", text, "\x1b[0m\n") : cat(text, "\n"));
}

void DemoScreen::title(std::string_view text) { bold(text); }

void DemoScreen::step(std::string_view text) {
  print_("\n");
  bold(cat(" ", std::to_string(++steps_), ". ", text));
  print_("\n");
}

void DemoScreen::line(std::string_view text) {
  std::vector<std::string> parts;
  for (std::string_view part : split(text, '\t')) parts.push_back(printable(part));
  std::string shown = join(parts, kTab);
  print_(shown.empty() ? "\n" : cat(kIndent, shown, "\n"));
}

void DemoScreen::text(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  for (std::string_view each : split(text, '\n')) line(each.substr(0, each.find_last_not_of('\r') + 1));
}

void DemoScreen::wrapped(std::string_view text) {
  std::string_view indent = kIndent;
  while (!text.empty()) {
    std::size_t end = break_point(text, kWidth - indent.size());
    print_(cat(indent, text.substr(0, end), "\n"));
    text.remove_prefix(std::min(text.size(), end + 1));
    indent = kDeeper;
  }
}

void DemoScreen::remark(std::string_view text) { print_(cat("\n", text, "\n")); }

}  // namespace hikyaku::tryout
