// SPDX-License-Identifier: MIT
#include "daemon/log/address_mask.h"

#include <initializer_list>
#include <string>
#include <utility>

#include "doctest/doctest.h"

namespace hikyaku::log {
namespace {

using Rows = std::initializer_list<std::pair<const char*, const char*>>;

TEST_CASE("mask: of an address the first character of the local part and the domain remain") {
  for (auto [address, shown] : Rows{{"anna@example.com", "a***@example.com"},
                                    {"a@example.com", "a***@example.com"},
                                    {"\xc3\xa4nne@example.com", "\xc3\xa4***@example.com"},
                                    {"\"anna b\"@example.com", "***@example.com"},
                                    {"\"a@evil.test\"@example.com", "***@example.com"},
                                    {"anna@[192.0.2.1]", "a***@[192.0.2.1]"},
                                    {"anna", "a***"},
                                    {"", ""}})
    CHECK(mask_address(address) == shown);
}

TEST_CASE("mask: addresses in what servers say are masked, and the rest of it stays") {
  for (auto [text, shown] :
       Rows{{"550 5.1.1 <anna@example.com>: Recipient address rejected: User unknown",
             "550 5.1.1 <a***@example.com>: Recipient address rejected: User unknown"},
            {"550 5.7.60 SMTP; Client does not have permissions to send as 'anna@example.com'.",
             "550 5.7.60 SMTP; Client does not have permissions to send as 'a***@example.com'."},
            {"smtp; 550 rfc822;anna@example.com,berta@example.com",
             "smtp; 550 rfc822;a***@example.com,b***@example.com"},
            {"to (anna@x.test) mailto:anna@x.test [anna@x.test] \"anna@x.test\"",
             "to (a***@x.test) mailto:a***@x.test [a***@x.test] \"a***@x.test\""},
            {"from <\"anna b\"@example.com>", "from <***@example.com>"},
            {"from <\"anna\\\" b\"@example.com>", "from <***@example.com>"},
            {"bounce+anna=example.com@lists.example", "b***@lists.example"},
            {"anna@berta@example.com", "a***@b***@example.com"},
            {"anna@[192.0.2.1] anna@\xc3\xa4.example", "a***@[192.0.2.1] a***@\xc3\xa4.example"},
            {"anna@\\xff.example", "a***@\\xff.example"},
            {"<anna@example.com>\n<berta@example.com>", "<a***@example.com>\n<b***@example.com>"}})
    CHECK(mask_addresses(text) == std::string(shown));
}

TEST_CASE("mask: what is no address stays as it is") {
  for (const std::string text : {"", "@", "a@", "@example.com", "a @ b", "hikyaku 1@", "see \"@example.com\"",
                                 "\"@x", "250 2.0.0 Ok: queued as 1c", "*@ *@", "<>"})
    CHECK(mask_addresses(text) == text);
}

TEST_CASE("mask: once is as good as twice, and hostile texts cost no time") {
  for (const std::string text : {"<anna@example.com>", "\"a b\"@x.test", "a@b@c@d"})
    CHECK(mask_addresses(mask_addresses(text)) == mask_addresses(text));
  for (const std::string piece : {"@", "\"@a", "a@a", "'", "\"", "a"}) {
    std::string text;
    while (text.size() < 1'000'000) text += piece;
    CHECK(mask_addresses(text + "@").size() <= 4 * text.size());
  }
}

}  // namespace
}  // namespace hikyaku::log
