// SPDX-License-Identifier: MIT
#include "daemon/config/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <sstream>
#include <utility>

#include "daemon/base/text.h"

namespace hikyaku::config {
namespace {

constexpr std::string_view kNoAliases =
    "aliases (*name) are not supported; a value that begins with * needs quotes";

constexpr std::size_t kDeepest = 16;  // the configuration needs four

YamlPlace place_of(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {static_cast<unsigned>(mark.line) + 1, static_cast<unsigned>(mark.column) + 1};
}

// Collects one document. What it refuses becomes a problem and an empty node, so that reading goes on.
class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(const std::string& file, Problems& problems) : file_(file), problems_(problems) {}

  YamlNode take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { add(node(YamlNode::Kind::null, mark)); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse(mark, std::string(kNoAliases));
    add(node(YamlNode::Kind::null, mark));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& value) override {
    check_tag(mark, tag);
    YamlNode scalar = node(YamlNode::Kind::scalar, mark);
    scalar.scalar = value;
    add(std::move(scalar));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    open(node(YamlNode::Kind::sequence, mark), mark, tag);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    open(node(YamlNode::Kind::map, mark), mark, tag);
  }
  void OnMapEnd() override { close(); }

 private:
  static YamlNode node(YamlNode::Kind kind, const YAML::Mark& mark) { return {kind, place_of(mark), {}, {}}; }

  void refuse(const YAML::Mark& mark, std::string text) {
    YamlPlace place = place_of(mark);
    problems_.push_back({file_, place.line, place.column, "", std::move(text)});
  }

  // "?" and "!" are yaml-cpp's for plain and quoted values without a tag.
  void check_tag(const YAML::Mark& mark, const std::string& tag) {
    if (!tag.empty() && tag != "?" && tag != "!")
      refuse(mark, "tags (!name) are not supported; a value that begins with ! needs quotes");
  }

  void open(YamlNode node, const YAML::Mark& mark, const std::string& tag) {
    check_tag(mark, tag);
    if (open_.size() == kDeepest) refuse(mark, "nested too deeply");
    open_.push_back(std::move(node));
  }

  void close() {
    YamlNode done = std::move(open_.back());
    open_.pop_back();
    add(open_.size() < kDeepest ? std::move(done) : YamlNode{});
  }

  void add(YamlNode node) {
    open_.empty() ? void(root_ = std::move(node)) : open_.back().items.push_back(std::move(node));
  }

  const std::string& file_;
  Problems& problems_;
  YamlNode root_;
  std::vector<YamlNode> open_;
};

// An undefined alias is most probably a pattern without quotes.
std::string words_for(const YAML::Exception& error) {
  if (error.msg.starts_with("the referenced anchor is not defined")) return std::string(kNoAliases);
  return cat("this is not valid YAML: ", printable(error.msg, 200));
}

YamlNode parse(std::istream& stream, const std::string& file, Problems& problems) {
  YAML::Parser parser(stream);
  TreeBuilder first(file, problems);
  if (!parser.HandleNextDocument(first)) return {};
  Problems ignored;
  TreeBuilder second(file, ignored);
  if (parser.HandleNextDocument(second))
    problems.push_back(
        {file, second.take_root().place.line, 0, "", "a second document (---) is not supported"});
  return first.take_root();
}

}  // namespace

Result<YamlNode, Problems> read_yaml(std::string_view text, const std::string& file) {
  Problems problems;
  try {
    std::istringstream stream{std::string(text)};
    YamlNode root = parse(stream, file, problems);
    if (problems.empty()) return root;
  } catch (const YAML::Exception& error) {
    YamlPlace place = place_of(error.mark);
    problems.push_back({file, place.line, place.column, "", words_for(error)});
  } catch (const std::exception& error) {
    problems.push_back({file, 0, 0, "", cat("this cannot be read as YAML: ", printable(error.what(), 200))});
  }
  return std::unexpected(std::move(problems));
}

}  // namespace hikyaku::config
