// SPDX-License-Identifier: MIT
// `hikyaku sink`: a smarthost for trying things out and for tests. Takes mail as it is told to, with or
// without TLS and log-in, refuses on demand, and stores or prints what it got. The loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/base/exit.h"
#include "daemon/base/secret.h"
#include "daemon/io/loop.h"
#include "daemon/io/tls.h"
#include "daemon/mail/smarthost.h"
#include "daemon/system/temporary_directory.h"
#include "daemon/tryout/mail_folder.h"
#include "daemon/tryout/sink_refusals.h"
#include "smtpd/acceptor.h"

namespace hikyaku::tryout {

struct SinkOptions {
  Endpoint listen;  // port 0: a free one
  std::string hostname = "sink.example.com";
  mail::TlsMode tls = mail::TlsMode::none;  // none, starttls or implicit
  std::string cert_file;                    // both or neither; neither: one that signs itself is made
  std::string key_file;
  std::optional<smtpd::AuthOptions> auth;
  std::vector<SinkRefusal> refusals;
  std::string directory;          // where mails are stored; empty: they are printed
  std::optional<unsigned> count;  // leave after so many
};

class Sink final : private smtpd::Observer {
 public:
  // `print` gets text for people, whole lines. Loop outlives it.
  using Print = std::function<void(std::string_view)>;
  static Result<std::unique_ptr<Sink>, StartError> open(io::Loop& loop, SinkOptions options, Print print);
  ~Sink() override;

  Endpoint local() const { return local_; }
  // Until a signal comes (SIGTERM, SIGINT) or `count` mails have. Once.
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
  io::Cancel full_;  // `count` mails are there
  std::optional<smtpd::Acceptor> acceptor_;
};

}  // namespace hikyaku::tryout
