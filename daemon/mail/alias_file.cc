// SPDX-License-Identifier: MIT
#include "daemon/mail/alias_file.h"

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/mail/address.h"
#include "daemon/mail/alias_lines.h"

namespace hikyaku::mail {
namespace {

// Bounds the report on a file that is not an aliases file at all.
constexpr std::size_t kMostProblems = 50;
constexpr std::size_t kShown = 80;
// In the file, a name and the same name at localhost are equivalent.
constexpr PathOptions kNames{.default_domain = "localhost"};

std::string quoting(std::string_view text) { return cat("`", printable(text, kShown), "`"); }

struct Refusal {
  std::string_view beginning;
  std::string_view what;
};

constexpr Refusal kRefusals[] = {
    {"|", "is a program: hikyaku relays all mail and runs no programs; write an address instead"},
    {"/", "is a file: hikyaku relays all mail and writes no files; write an address instead"},
    {":include:", "is a list in another file, which hikyaku does not read; write its addresses here"},
    {":", "is an instruction to another mail server; write an address instead"},
};

// Beginnings that are not addresses; also within quotes, as programs are often written.
const Refusal* refusal_of(std::string_view text) {
  if (text.starts_with('"')) text = trim(text.substr(1));
  for (const Refusal& refusal : kRefusals)
    if (starts_with_ignoring_case(text, refusal.beginning)) return &refusal;
  return nullptr;
}

// Outside quotes.
bool has_blank(std::string_view text) {
  bool is_quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\')
      ++i;
    else if (text[i] == '"')
      is_quoted = !is_quoted;
    else if (is_blank(text[i]) && !is_quoted)
      return true;
  }
  return false;
}

// "Name <address>": the address in the brackets, if there are any.
std::string_view without_display_name(std::string_view text) {
  std::size_t open = text.ends_with('>') ? text.rfind('<') : text.npos;
  return open == text.npos ? text : text.substr(open);
}

std::string explain(std::string_view text, PathErrorKind kind) {
  if (kind == PathErrorKind::too_long) return cat(quoting(text), " is too long for an address");
  if (kind == PathErrorKind::needs_smtputf8)
    return cat(quoting(text), " has non-ASCII letters, which are not supported; use an ASCII address");
  if (text.find('#') != text.npos && has_blank(text))
    return cat(quoting(text), ": a comment must be on a line of its own that begins with #");
  if (has_blank(text))
    return cat(quoting(text),
               ": separate addresses with commas; a new alias begins at the start of its line");
  return cat(quoting(text), " is not an address; write an address such as user@example.com, or a name");
}

// What is wrong with the text before the colon; empty if nothing is.
std::string complaint_about_name(const AliasParts& parts) {
  const std::string& name = parts.name.text;
  if (!parts.has_colon) return cat(quoting(name), ": an alias is written `name: address`, with a colon");
  if (name.empty()) return "has no name before its colon; an alias is written `name: address`";
  auto path = parse_path(name, kNames);
  if (!path || name.front() == '<')
    return cat(quoting(name), " is not a valid name; a name with blanks or special characters needs quotes");
  if (path->address != cat(name, "@", kNames.default_domain))
    return cat(quoting(name),
               " has a domain; write only the name, which applies to every name of this machine");
  return {};
}

Result<AliasTarget, std::string> read_target(const AliasPart& part, std::string_view name) {
  std::string_view text = part.text;
  if (const Refusal* refusal = refusal_of(text))
    return std::unexpected(cat(quoting(text), " ", refusal->what));
  if (part.is_open)
    return std::unexpected(cat(quoting(text), ": a quote, bracket or parenthesis is not closed"));
  bool is_final = text.starts_with('\\');
  auto path = parse_path(without_display_name(text.substr(is_final ? 1 : 0)), kNames);
  if (!path) return std::unexpected(explain(text, path.error().kind));
  if (!equals_ignoring_case(domain_of(path->address), kNames.default_domain))
    return AliasTarget{AliasTargetKind::address, std::move(path->address), part.line};
  std::string local(local_part_of(path->address));
  is_final = is_final || alias_key(local) == alias_key(name);
  return AliasTarget{is_final ? AliasTargetKind::final_name : AliasTargetKind::name, std::move(local),
                     part.line};
}

class Reader {
 public:
  void read(const AliasEntryText& entry) {
    AliasParts parts = parts_of(entry);
    std::string complaint = complaint_about_name(parts);
    if (!complaint.empty()) return problem(entry.line, std::move(complaint));
    std::size_t before = parsed_.problems.size();
    AliasTargets targets = targets_of(parts);
    if (!targets.empty()) return add(parts.name, std::move(targets));
    if (parsed_.problems.size() == before)
      problem(entry.line, cat(quoting(parts.name.text), " has no addresses; write one after the colon"));
  }
  void problem(unsigned line, std::string text) { parsed_.problems.push_back({line, std::move(text)}); }
  ParsedAliases finish() {
    take_out_loops(parsed_.aliases, parsed_.problems);
    std::ranges::sort(parsed_.problems);
    if (parsed_.problems.size() > kMostProblems) shorten();
    return std::move(parsed_);
  }

 private:
  AliasTargets targets_of(const AliasParts& parts) {
    AliasTargets targets;
    for (const AliasPart& part : parts.targets) {
      if (part.text.empty()) continue;  // an extra comma
      auto target = read_target(part, parts.name.text);
      if (target)
        targets.push_back(std::move(*target));
      else
        problem(part.line, std::move(target.error()));
    }
    return targets;
  }
  void add(const AliasPart& name, AliasTargets targets) {
    if (parsed_.aliases.add(name.text, std::move(targets))) return;
    problem(name.line, cat(quoting(name.text), " is defined twice; put all its addresses into one entry"));
  }
  void shorten() {
    std::size_t more = parsed_.problems.size() - kMostProblems;
    unsigned line = parsed_.problems[kMostProblems].line;
    parsed_.problems.resize(kMostProblems);
    problem(line, cat("and ", std::to_string(more), " more like these; is this an aliases file?"));
  }

  ParsedAliases parsed_;
};

}  // namespace

ParsedAliases parse_aliases(std::string_view file) {
  Reader reader;
  AliasLines lines = entries_of(file);
  if (lines.continues_nothing != 0)
    reader.problem(lines.continues_nothing,
                   "begins with a blank, but there is no entry before it to continue");
  for (const AliasEntryText& entry : lines.entries) reader.read(entry);
  return reader.finish();
}

}  // namespace hikyaku::mail
