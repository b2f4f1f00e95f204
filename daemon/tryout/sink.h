// SPDX-License-Identifier: MIT
// `hikyaku sink`: a smarthost for tests. Accepts mail with or without TLS and log-in, refuses as configured,
// and stores or prints what it received. Loop thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/exit.h"
#include "daemon/base/secret.h"
#include "daemon/io/loop.h"
#include "daemon/io/tls.h"
#include "daemon/mail/smarthost.h"
#include "daemon/system/files.h"
#include "daemon/tryout/mail_folder.h"
#include "smtpd/acceptor.h"
#include "smtpd/options.h"

namespace hikyaku::tryout {

// A refusal, as written on the command line:
//   rcpt=550 5.1.1 no such user               every recipient
//   rcpt:you@example.com=450 4.2.1 busy       one of them
//   mail=…, data=…, message=552 5.2.2 full    the other stages; message is the reply after the content

struct SinkRefusal {
  smtpd::Stage stage = smtpd::Stage::rcpt;
  std::string address;  // empty: any
  smtpd::Reply reply;
};

// Returns nullopt if `text` does not have this form.
std::optional<SinkRefusal> parse_refusal(std::string_view text);
// For SessionOptions::refuse; the first refusal that applies counts.
std::function<std::optional<smtpd::Reply>(smtpd::Stage, std::string_view)> make_refuse(
    std::vector<SinkRefusal> refusals);

struct SinkOptions {
  Endpoint listen;  // port 0: a free one
  std::string hostname = "sink.example.com";
  mail::TlsMode tls = mail::TlsMode::none;  // none, starttls or implicit
  std::string cert_file;                    // both or neither; neither: a self-signed one is made
  std::string key_file;
  std::optional<smtpd::AuthOptions> auth;
  std::vector<SinkRefusal> refusals;
  std::string directory;          // where mails are stored; empty: they are printed
  std::optional<unsigned> count;  // exit after this many
};

class Sink final : private smtpd::Observer {
 public:
  // `print` receives text for people in whole lines. The loop must outlive this object.
  using Print = std::function<void(std::string_view)>;
  static Result<std::unique_ptr<Sink>, StartError> open(io::Loop& loop, SinkOptions options, Print print);
  ~Sink() override;

  Endpoint local() const { return local_; }
  // Serves until SIGTERM, SIGINT or the arrival of `count` mails. Call once.
  Task<void> run();

 private:
  Sink(io::Loop& loop, SinkOptions options, Print print);
  Result<std::shared_ptr<io::TlsServer>, StartError> make_tls();
  smtpd::AcceptorOptions acceptor_options(std::shared_ptr<io::TlsServer> tls) const;
  Result<void, StartError> start();

  void accepted(const smtpd::Client& client, const smtpd::Accepted& mail) override;
  void rejected(const smtpd::Client& client, const smtpd::Rejected& what) override;
  void broke_down(const std::string& what) override;
  void print_content(mail::MailId id);

  io::Loop& loop_;
  SinkOptions options_;
  Print print_;
  system::TemporaryDirectory temporary_;  // for a certificate, and for mails that are only printed
  MailFolder folder_;
  Endpoint local_;
  unsigned accepted_ = 0;
  io::Cancel full_;  // `count` mails have arrived
  std::optional<smtpd::Acceptor> acceptor_;
};

}  // namespace hikyaku::tryout
