// SPDX-License-Identifier: MIT
// A whole session of the server, with any bytes for a client: at most one mail for each 354 and each last
// chunk, none without an end of its data, each stored mail told by a 250, and the same mails however the
// bytes are cut. That last is not so behind a refused DATA, where it matters who waits for a reply: there the
// whole at once brings no more mails than the pieces.
#include <algorithm>
#include <string>
#include <vector>

#include "daemon/base/text.h"
#include "daemon/io/line_reader.h"
#include "daemon/io/memory_stream.h"
#include "daemon/io/nursery.h"
#include "smtpd/session.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mails.h"
#include "tests/support/memory_sink.h"

using namespace hikyaku;

namespace {

struct Watcher final : smtpd::Observer {
  void accepted(const smtpd::Client&, const smtpd::Accepted&) override { ++told; }
  void broke_down(const std::string&) override { check(false, "an exception ended a session"); }
  void rejected(const smtpd::Client&, const smtpd::Rejected& rejected) override {
    refused_data = refused_data || rejected.stage == "DATA";
  }
  std::size_t told = 0;
  bool refused_data = false;
};

struct Spoken {
  std::vector<std::string> mails;  // envelope and body of each
  std::string replies;
  std::size_t told = 0;
  bool refused_data = false;
};

class Conversation {
 public:
  Conversation() {
    options_.hostname = "mx.test";
    options_.domain = "test";
    options_.token = "t0ken";
    options_.limits.max_size = 2000;
    options_.limits.max_recipients = 3;
    options_.peers = {*Network::parse("127.0.0.1")};
    wire_.first_address = Endpoint::parse("127.0.0.1:25");
    wire_.second_address = Endpoint::parse("127.0.0.1:40000");
  }

  Spoken run(std::string_view input, std::size_t piece, std::size_t largest_read) {
    wire_.largest_read = largest_read;
    loop_.run(play(input, piece));
    Spoken spoken{{}, replies_, watcher_.told, watcher_.refused_data};
    for (const test::StoredMail& mail : sink_.mails()) spoken.mails.push_back(text_of(mail));
    check(sink_.open_writers() == 0, "a message was begun and not given up");
    return spoken;
  }

 private:
  // Without the header, in which our time and ids stand.
  static std::string text_of(const test::StoredMail& mail) {
    std::string text = cat(mail.envelope.sender, "\n");
    for (const mail::Recipient& recipient : mail.envelope.recipients) text += cat(recipient.address, "\n");
    return text + mail.content.substr(std::min(mail.content.find("\r\n\r\n"), mail.content.size()));
  }

  Task<void> serve(io::StreamPtr stream) {
    smtpd::Session session({loop_, sink_, watcher_, stop_},
                           std::make_shared<const smtpd::SessionOptions>(options_), std::move(stream));
    co_await session.run();
  }

  Task<void> hear(io::Stream& stream) {
    io::LineReader reader(stream);
    for (;;) {
      auto bytes = co_await reader.some({});
      if (!bytes) co_return;
      replies_ += *bytes;
      reader.consume(bytes->size());
    }
  }

  // In pieces it waits after each for as long as any reply may take.
  Task<void> play(std::string_view input, std::size_t piece) {
    io::Nursery nursery(loop_);
    auto ends = io::make_memory_pair(loop_, wire_);
    nursery.spawn(serve(std::move(ends.first)));
    nursery.spawn(hear(*ends.second));
    for (std::size_t at = 0; at < input.size(); at += piece) {
      auto written = co_await ends.second->write(input.substr(at, piece), {});
      if (!written) break;
      if (piece < input.size()) co_await io::sleep_until(loop_, loop_.within(10ms));
    }
    [[maybe_unused]] auto closed = co_await ends.second->shut_down({});
    [[maybe_unused]] auto drained = co_await nursery.drained({});
  }

  ManualClock clock_;
  io::Loop loop_{clock_};
  smtpd::SessionOptions options_;
  io::MemoryPairOptions wire_;
  test::MemorySink sink_{loop_};
  Watcher watcher_;
  smtpd::Stop stop_;
  std::string replies_;
};

void check_spoken(std::string_view input, const Spoken& spoken) {
  const std::size_t chunks = test::last_chunks(input);
  const std::size_t asked = test::occurrences(spoken.replies, "\r\n354 ");
  check(spoken.mails.size() <= asked + chunks, "more mails than were asked for");
  check(spoken.mails.size() <= test::ends_of_data(input) + chunks, "a mail without the end of its data");
  check(spoken.mails.size() == spoken.told, "a stored mail that nobody was told of");
  check(test::occurrences(spoken.replies, "\r\n250 2.0.0 Ok: queued as ") == spoken.told,
        "250 without a mail");
}

bool may_depend_on_waiting(const Spoken& spoken) {
  return spoken.refused_data || spoken.replies.find("\r\n421 ") != std::string::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = test::as_text(data, std::min<std::size_t>(size, 3000));
  const Spoken whole = Conversation().run(input, SIZE_MAX, SIZE_MAX);
  check_spoken(input, whole);
  const std::size_t piece = 1 + size % 29;
  const Spoken cut = Conversation().run(input, SIZE_MAX, piece);
  check_spoken(input, cut);
  const Spoken slow = Conversation().run(input, std::max(piece, input.size() / 100), SIZE_MAX);
  check_spoken(input, slow);
  check(cut.mails == whole.mails, "other mails where the network cuts the same bytes");
  if (!may_depend_on_waiting(whole) && !may_depend_on_waiting(slow))
    check(slow.mails == whole.mails, "other mails where the client sends in pieces");
  check(whole.mails.size() <= slow.mails.size(), "who does not wait has more mails");
  return 0;
}
