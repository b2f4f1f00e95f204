// SPDX-License-Identifier: MIT
// A spool in a temporary directory, with the few deeds of a daemon, and the commands that look at it.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/base/error.h"
#include "daemon/commands/commands.h"
#include "daemon/io/loop.h"
#include "daemon/system/files.h"
#include "spool/spool.h"

namespace hikyaku::test {

struct Ran {
  int exit = 0;
  std::string out;
  std::string err;
};

// Standard output and standard error go into files while it lives.
class Captured {
 public:
  explicit Captured(const std::string& directory)
      : out_(1, directory + "/out"), err_(2, directory + "/err") {}
  std::string out() { return out_.end(); }
  std::string err() { return err_.end(); }

 private:
  class Stream {
   public:
    Stream(int fd, std::string path) : fd_(fd), path_(std::move(path)), saved_(::dup(fd)) {
      int file = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
      check(file >= 0 && saved_ >= 0 && ::dup2(file, fd_) == fd_, "a test can redirect its output");
      ::close(file);
    }
    Stream(const Stream&) = delete;
    ~Stream() { restore(); }
    std::string end() {
      restore();
      return system::read_whole_file(path_);
    }

   private:
    void restore() {
      if (saved_ < 0) return;
      ::dup2(saved_, fd_);
      ::close(saved_);
      saved_ = -1;
    }
    int fd_;
    std::string path_;
    int saved_;
  };
  Stream out_;
  Stream err_;
};

inline mail::Progress deferral(std::uint32_t attempts, std::vector<mail::RecipientProgress> recipients) {
  mail::Progress progress;
  progress.recipients = std::move(recipients);
  progress.attempts = attempts;
  progress.next_wait = 60s;
  progress.reason = "the smarthost said not now";
  progress.smarthost = "main";
  return progress;
}

class SpoolRig {
 public:
  SpoolRig() {
    std::filesystem::create_directory(directory());
    start();
  }
  ~SpoolRig() { stop(); }

  std::string directory() const { return place.file("spool"); }
  void start() {
    auto opened = spool::open_disk(directory());
    REQUIRE(opened);
    disk = std::move(*opened);
    spool::SpoolOptions options{.min_free = {0}, .segment_size = 64_KiB, .memory = 1_MiB};
    options.committer = spool::CommitterMode::inline_on_loop;
    auto made = loop.run(spool::Spool::open(loop, *disk, options));
    REQUIRE(made);
    spool = std::move(*made);
  }
  void stop() {
    if (spool != nullptr) loop.run(spool->close());
    spool.reset();
  }

  mail::MailId accept(std::string content, mail::Envelope envelope) {
    auto writer = spool->begin();
    REQUIRE(writer);
    REQUIRE(loop.run((*writer)->write(content)));
    REQUIRE(loop.run((*writer)->commit(std::move(envelope))));
    return (*writer)->id();
  }
  mail::MailId accept(std::string content, const std::string& sender, const std::string& recipient) {
    mail::Envelope envelope;
    envelope.sender = sender;
    envelope.recipients.resize(1);
    envelope.recipients[0].address = recipient;
    return accept(std::move(content), std::move(envelope));
  }
  void record(mail::MailId id, mail::Progress progress) {
    REQUIRE(loop.run(spool->record(id, std::move(progress), mail::MayGo::no)));
  }

  // One byte, where `text` stands, in whatever file it is.
  void damage(const std::string& text) {
    for (const auto& [path, bytes] : files()) {
      auto at = bytes.find(text);
      if (at == std::string::npos) continue;
      std::fstream file(directory() + "/" + path, std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(static_cast<std::streamoff>(at));
      file.put(static_cast<char>(text[0] ^ 1));
      return;
    }
    FAIL("no file holds what was to be damaged");
  }
  // Path below the spool, and content.
  std::map<std::string, std::string> files() const {
    std::map<std::string, std::string> all;
    for (const auto& file : std::filesystem::recursive_directory_iterator(directory()))
      if (file.is_regular_file())
        all[std::filesystem::relative(file.path(), directory()).string()] =
            system::read_whole_file(file.path().string());
    return all;
  }

  // `hikyaku` with these arguments and the spool's directory; nothing in the spool may change by it.
  Ran run(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--directory", directory()});
    auto before = files();
    Ran ran = run_as_it_is(std::move(arguments));
    CHECK(files() == before);
    return ran;
  }
  Ran run_as_it_is(std::vector<std::string> arguments) {
    Captured captured(place.path());
    int exit = static_cast<int>(commands::understand_command_line(std::move(arguments))());
    return {exit, captured.out(), captured.err()};
  }

  system::TemporaryDirectory place{"hikyaku-test"};
  ManualClock clock;
  io::Loop loop{clock};
  std::unique_ptr<spool::Disk> disk;
  std::unique_ptr<spool::Spool> spool;
};

}  // namespace hikyaku::test
