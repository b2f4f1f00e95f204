// SPDX-License-Identifier: MIT
// Messages by the hundred thousand pass through a spool on the real disk, by one that stays and is deferred
// now and then. In legs, each with a queue of another length, in whose order or across it the messages end;
// behind each leg the spool rests with the stayer alone, and at some of the rests it is closed and opened
// again. At every rest log/ must come down to within the bound; on the way its size is watched. Throws
// std::runtime_error where a promise is broken or the spool gives an error. One thread.
#pragma once

#include <memory>
#include <random>
#include <string>

#include "daemon/io/loop.h"
#include "spool/spool.h"
#include "tests/crash/passing/log_size.h"

namespace hikyaku::crash {

class Passing {
 public:
  // A new spool in `directory`, which is there and empty.
  explicit Passing(const std::string& directory);
  ~Passing();

  void pass(std::uint64_t messages);

  const Extremes& on_the_way() const { return on_the_way_; }
  const Extremes& at_rest() const { return at_rest_; }

 private:
  struct Message {
    mail::MailId id;
    std::uint64_t number = 0;  // determines its content
    mail::Progress progress;
  };
  struct Leg;

  void open();
  void close();
  void travel(std::uint64_t messages, std::size_t queue);
  Task<void> carry(Leg& leg);
  Task<void> write_on(Leg& leg);
  Task<Message> accept(std::uint64_t number);
  Task<void> end(Message message);
  Task<void> verify(Message message);
  Task<void> defer(Message& message);
  Sizes sizes() const;
  void rest();
  Task<void> settle();
  Task<void> check_stayer();

  std::string directory_;
  SystemClock clock_;
  io::Loop loop_{clock_};
  std::unique_ptr<spool::Disk> disk_;
  std::unique_ptr<spool::Spool> spool_;
  std::mt19937_64 dice_{1};
  std::string trouble_;  // the first, of a writer
  std::uint64_t accepted_ = 0;
  std::int64_t live_ = 0;  // of what is acknowledged and has not ended; a little less than counts
  Message stayer_;
  Extremes on_the_way_;
  Extremes at_rest_;
};

}  // namespace hikyaku::crash
