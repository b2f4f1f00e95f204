// SPDX-License-Identifier: MIT
// The content of a message on its way out, in canonical form and in pieces: what is in memory, what lies in a
// file, or what is still coming in. Memory stays bounded whatever the message.
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
  // Begins again at the first byte; false if that is gone.
  virtual bool rewind() = 0;
  // Bytes of the whole, if known.
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

// `size` bytes of a file from `offset`; `fd` stays its owner's.
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

// What has been read, and behind it what still comes. Once only.
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
