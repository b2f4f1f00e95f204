// SPDX-License-Identifier: MIT
#include "spool/damage.h"

#include <algorithm>

#include "daemon/base/text.h"

namespace hikyaku::spool {
namespace {

// All of them are in the copy; a line is for people.
constexpr std::size_t kMostRecipients = 20;

std::string bracketed(std::string_view address) { return cat("<", printable(address, 320), ">"); }

std::string parties(const mail::Envelope& envelope) {
  std::string text = cat(" from ", bracketed(envelope.sender));
  std::size_t named = std::min(envelope.recipients.size(), kMostRecipients);
  for (std::size_t i = 0; i < named; ++i)
    text += cat(i == 0 ? " to " : ", ", bracketed(envelope.recipients[i].address));
  if (named < envelope.recipients.size())
    text += cat(" and ", std::to_string(envelope.recipients.size() - named), " others");
  return text;
}

std::string whose(const DamageReport& report) {
  if (!report.record) return "a mail";
  std::string text = cat("mail ", to_text(report.record->id));
  if (report.record->envelope) text += parties(*report.record->envelope);
  return text;
}

std::string_view broken_part(const DamageReport& report) {
  if (!report.record) return "";
  switch (report.record->broken) {
    case BrokenPart::header: return " (its record is damaged)";
    case BrokenPart::head: return " (its envelope is damaged)";
    case BrokenPart::content: return " (its content is damaged)";
  }
  return "";
}

std::string meaning(const DamageReport& report) {
  switch (report.loss) {
    case Loss::none: return "";
    case Loss::whatever: return ": mail that waited there is lost, mail that ended there may be sent again";
    case Loss::mail: return cat(": ", whose(report), " is lost", broken_part(report));
    case Loss::progress:
      return cat(": ", whose(report), " stands at an older state and may reach somebody twice");
    case Loss::end: return cat(": ", whose(report), " had ended and may be sent again");
    case Loss::nothing: return cat(": nothing is lost, ", whose(report), " stands elsewhere or had ended");
  }
  return "";
}

std::string fate_of_copy(const DamageReport& report) {
  switch (report.copy) {
    case Copy::none: return "";
    case Copy::made: return "; a copy is in corrupt/";
    case Copy::failed: return cat("; no copy could be kept in corrupt/: ", printable(report.copy_error));
  }
  return "";
}

}  // namespace

std::string to_line(const DamageReport& report) {
  return cat("spool damage: ", printable(report.file), " ", report.reason, meaning(report),
             fate_of_copy(report));
}

}  // namespace hikyaku::spool
