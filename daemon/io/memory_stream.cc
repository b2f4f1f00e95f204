// SPDX-License-Identifier: MIT
#include "daemon/io/memory_stream.h"

#include <algorithm>

namespace hikyaku::io {
namespace {

// One direction. Shared by the end that writes and the end that reads.
struct Pipe {
  explicit Pipe(Loop& loop) : reader(loop), writer(loop) {}
  std::string bytes;
  bool finished = false;  // the writer shut down or went
  bool reader_gone = false;
  Waiter reader;
  Waiter writer;
};

class MemoryStream final : public Stream {
 public:
  MemoryStream(std::shared_ptr<Pipe> in, std::shared_ptr<Pipe> out, MemoryPairOptions options)
      : in_(std::move(in)), out_(std::move(out)), options_(std::move(options)) {}
  ~MemoryStream() override {
    finish();
    in_->reader_gone = true;
    in_->bytes.clear();
    in_->writer.wake();
  }

  Task<Result<std::size_t, IoError>> read_some(std::span<char> into, Until until) override {
    while (in_->bytes.empty()) {
      if (in_->finished) co_return fail(IoErrorKind::eof, "the peer closed the connection");
      Woken woken = co_await in_->reader.park(until);
      if (woken != Woken::ready) co_return std::unexpected(to_error(woken));
    }
    std::size_t taken = std::min({into.size(), in_->bytes.size(), options_.largest_read});
    std::copy_n(in_->bytes.begin(), taken, into.begin());
    in_->bytes.erase(0, taken);
    in_->writer.wake();
    co_return taken;
  }

  Task<Result<void, IoError>> write(std::string_view bytes, Until until) override {
    if (until.cancel != nullptr && until.cancel->is_requested())
      co_return std::unexpected(to_error(Woken::cancelled));
    while (!bytes.empty()) {
      if (out_->reader_gone || out_->finished)
        co_return fail(IoErrorKind::reset, "the peer closed the connection");
      std::size_t room = options_.capacity - std::min(options_.capacity, out_->bytes.size());
      std::size_t sent = std::min(room, bytes.size());
      out_->bytes.append(bytes.substr(0, sent));
      bytes.remove_prefix(sent);
      out_->reader.wake();
      if (bytes.empty()) break;
      Woken woken = co_await out_->writer.park(until);
      if (woken != Woken::ready) co_return std::unexpected(to_error(woken));
    }
    co_return Result<void, IoError>{};
  }

  Task<Result<void, IoError>> shut_down(Until) override {
    finish();
    co_return Result<void, IoError>{};
  }

  std::optional<Endpoint> peer() const override { return options_.second_address; }
  std::optional<Endpoint> local() const override { return options_.first_address; }
  std::string_view peer_name() const override { return options_.second_name; }
  std::optional<std::uint32_t> peer_uid() const override { return options_.uid; }

 private:
  void finish() {
    out_->finished = true;
    out_->reader.wake();
  }

  std::shared_ptr<Pipe> in_;
  std::shared_ptr<Pipe> out_;
  MemoryPairOptions options_;  // as this end sees it
};

}  // namespace

MemoryPair make_memory_pair(Loop& loop, MemoryPairOptions options) {
  auto forth = std::make_shared<Pipe>(loop);
  auto back = std::make_shared<Pipe>(loop);
  MemoryPairOptions mirrored = options;
  std::swap(mirrored.first_address, mirrored.second_address);
  mirrored.second_name.clear();
  return {std::make_unique<MemoryStream>(back, forth, std::move(options)),
          std::make_unique<MemoryStream>(forth, back, std::move(mirrored))};
}

}  // namespace hikyaku::io
