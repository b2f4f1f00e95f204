// SPDX-License-Identifier: MIT
// The content of a message to send, in canonical form and in pieces: from memory, from a file, or still being
// read from standard input. Memory use is bounded for any message.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/sendmail/exit.h"
#include "daemon/sendmail/input.h"

namespace hikyaku::sendmail {

class Content {
 public:
  virtual ~Content() = default;
  // The next piece, empty at the end; valid until the next call.
  virtual Result<std::string_view, Failure> next() = 0;
  // Starts again at the first byte; returns false if the beginning is no longer available.
  virtual bool rewind() = 0;
  // The total size in bytes, if known.
  virtual std::optional<std::uint64_t> size() const = 0;
};

class MemoryContent final : public Content {
 public:
  explicit MemoryContent(std::string bytes) : bytes_(std::move(bytes)) {}
  Result<std::string_view, Failure> next() override;
  bool rewind() override;
  std::optional<std::uint64_t> size() const override { return bytes_.size(); }

 private:
  std::string bytes_;
  bool given_ = false;
};

// `size` bytes of a file from `offset`. Does not own `fd`.
class FileContent final : public Content {
 public:
  FileContent(int fd, std::uint64_t offset, std::uint64_t size) : fd_(fd), offset_(offset), size_(size) {}
  Result<std::string_view, Failure> next() override;
  bool rewind() override;
  std::optional<std::uint64_t> size() const override { return size_; }

 private:
  int fd_;
  std::uint64_t offset_;
  std::uint64_t size_;
  std::uint64_t given_ = 0;
  std::string piece_;
};

// The bytes that have been read, followed by the rest of the input. Can be read only once.
class LiveContent final : public Content {
 public:
  LiveContent(std::string read, Input& input) : piece_(std::move(read)), input_(input) {}
  Result<std::string_view, Failure> next() override;
  bool rewind() override { return !given_; }
  std::optional<std::uint64_t> size() const override { return std::nullopt; }

 private:
  std::string piece_;
  Input& input_;
  bool given_ = false;
};

}  // namespace hikyaku::sendmail
