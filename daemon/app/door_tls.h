// SPDX-License-Identifier: MIT
// The TLS of the addresses that offer it (config::Door): a certificate is read anew when its files have changed,
// without a reload, and a self-signed one is made when it is first needed. What was good stays in use until something
// better can be: a half-written file costs a warning, never a client. The loop's thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "daemon/config/problem.h"
#include "daemon/config/settings.h"
#include "daemon/io/tls.h"
#include "daemon/log/mail_log.h"

namespace hikyaku::app {

// One for each of `settings.listen.doors`; null where a door has no TLS.
using DoorTls = std::vector<std::shared_ptr<io::TlsServer>>;

// Reads the files as the daemon's user, who must be able to read them again later. Self-signed doors share a
// certificate in SPOOL/tls, for ten years; who removes that directory gets a new one at the next start or
// reload. Blocks, shortly. `log` outlives the result.
Result<DoorTls, config::Problems> open_door_tls(const config::Settings& settings, log::MailLog& log);

// Looks at the files before each handshake.
class RenewedTls final : public io::TlsServer {
 public:
  static Result<std::shared_ptr<io::TlsServer>, IoError> create(std::string cert_file, std::string key_file,
                                                                log::MailLog& log);
  Task<Result<io::StreamPtr, IoError>> accept(io::StreamPtr under, io::Until until) override;

 private:
  RenewedTls(std::string cert_file, std::string key_file, log::MailLog& log);
  void renew();
  std::string stamps() const;

  std::string cert_file_;
  std::string key_file_;
  log::MailLog& log_;
  std::string stamps_;  // of the files when they were last read
  std::shared_ptr<io::TlsServer> current_;
};

}  // namespace hikyaku::app
