// SPDX-License-Identifier: MIT
// The file `moving` in a spool's directory: there while `hikyaku spool move` brings mail into it or out of it, and after
// a crash until a second run has ended the move. Some of the mail may be at its other place as well, so that no daemon
// may start with the directory. Lines of text; each is on stable storage before add() returns. Blocking.
#pragma once

#include <unistd.h>

#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/error.h"
#include "daemon/base/fd.h"
#include "daemon/base/text.h"

namespace hikyaku::system {

class MoveMark {
 public:
  static std::string path_in(const std::string& directory) { return cat(directory, "/moving"); }
  static bool is_in(const std::string& directory) { return ::access(path_in(directory).c_str(), F_OK) == 0; }

  // Makes the file if there is none. The error is a system's, with the path.
  static Result<MoveMark, std::string> open(const std::string& directory);

  // Whole lines, as they were when it was opened: a line that a crash has cut off never counted.
  const std::vector<std::string>& lines() const { return lines_; }
  Result<void, std::string> add(std::string_view line);
  // The move has come to its end.
  Result<void, std::string> remove();

 private:
  MoveMark(std::string directory, Fd file) : directory_(std::move(directory)), file_(std::move(file)) {}
  std::unexpected<std::string> failed() const;
  Result<void, std::string> read();
  Result<void, std::string> flush_directory() const;

  std::string directory_;
  Fd file_;
  std::vector<std::string> lines_;
};

}  // namespace hikyaku::system
