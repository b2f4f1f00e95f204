// SPDX-License-Identifier: MIT
#include "tests/support/disk/sim_pages.h"

#include <algorithm>
#include <cstring>

namespace hikyaku::test {
namespace {

bool is_zero(std::string_view bytes) {
  static const std::string zeros(4096, '\0');
  return bytes == std::string_view(zeros).substr(0, bytes.size());
}

}  // namespace

void SimPages::resize(std::uint64_t size) {
  std::size_t rest = size % kPage;
  pages_.resize(static_cast<std::size_t>((size + kPage - 1) / kPage));
  if (size < size_ && rest != 0 && pages_.back())
    std::fill(own(pages_.size() - 1).begin() + rest, pages_.back()->end(), '\0');
  size_ = size;
}

std::size_t SimPages::read(std::span<char> into, std::uint64_t offset) const {
  if (offset >= size_) return 0;
  into = into.first(static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), size_ - offset)));
  for (std::size_t done = 0; done < into.size();) {
    auto number = static_cast<std::size_t>((offset + done) / kPage);
    auto from = static_cast<std::size_t>((offset + done) % kPage);
    auto part = into.subspan(done, std::min(kPage - from, into.size() - done));
    if (pages_[number])
      std::memcpy(part.data(), pages_[number]->data() + from, part.size());
    else
      std::memset(part.data(), 0, part.size());
    done += part.size();
  }
  return into.size();
}

std::string SimPages::read(std::uint64_t offset, std::size_t length) const {
  std::string bytes(length, '\0');
  bytes.resize(read(std::span(bytes), offset));
  return bytes;
}

void SimPages::write(std::string_view bytes, std::uint64_t offset) {
  if (offset + bytes.size() > size_) resize(offset + bytes.size());
  while (!bytes.empty()) {
    auto from = static_cast<std::size_t>(offset % kPage);
    std::string_view part = bytes.substr(0, kPage - from);
    write_page(static_cast<std::size_t>(offset / kPage), from, part);
    bytes.remove_prefix(part.size());
    offset += part.size();
  }
}

void SimPages::write_page(std::size_t number, std::size_t offset, std::string_view bytes) {
  if (!pages_[number] && is_zero(bytes)) return;
  if (bytes.size() == kPage && is_zero(bytes))
    pages_[number].reset();
  else
    std::memcpy(own(number).data() + offset, bytes.data(), bytes.size());
}

SimPages::Page& SimPages::own(std::size_t number) {
  auto& page = pages_[number];
  if (!page)
    page = std::make_shared<Page>();
  else if (page.use_count() > 1)
    page = std::make_shared<Page>(*page);
  return *page;
}

}  // namespace hikyaku::test
