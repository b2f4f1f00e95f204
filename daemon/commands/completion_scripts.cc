// SPDX-License-Identifier: MIT
#include "daemon/commands/completion_scripts.h"

#include "daemon/base/text.h"

namespace hikyaku::commands {
namespace {

using Kind = Candidates::Kind;

// The pieces that bash and zsh share. `hikyaku` gets the -c of the command line that is being completed.
constexpr std::string_view kAsk =
    R"sh(_hikyaku_ask() { command hikyaku "$@" "${_hikyaku_config[@]}" 2> /dev/null; }
_hikyaku_mails() { _hikyaku_ask queue --json --limit 200 | sed -n 's/^{"id":"\([0-9a-z]*\)".*/\1/p'; }
_hikyaku_smarthosts() { _hikyaku_ask config show | sed -n 's/^ *- name: *\([^ ]*\).*/\1/p'; }
)sh";

// A word of the help within single quotes of a shell.
std::string in_single_quotes(std::string_view text) {
  std::string quoted = "'";
  for (char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::vector<std::string> dashed_names(const CompletedOption& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.long_names) names.push_back("--" + name);
  for (const std::string& name : option.short_names) names.push_back("-" + name);
  return names;
}

// A pattern of `case` for each way to a command, as "'queue show'".
std::string path_pattern(const std::string& path) { return in_single_quotes(path); }

// The paths of the commands inside others, which a script steps along: "'queue show'|'queue cat'".
std::string all_paths(const std::vector<CompletedCommand>& commands) {
  std::vector<std::string> patterns;
  for (const CompletedCommand& command : commands)
    if (!command.path.empty()) patterns.push_back(path_pattern(command.path));
  return join(patterns, "|");
}

// "'queue --by'|'queue show --by'": where an option's value is expected.
std::string value_pattern(const CompletedCommand& command, const CompletedOption& option) {
  std::vector<std::string> patterns;
  for (const std::string& name : dashed_names(option))
    patterns.push_back(path_pattern(cat(command.path, command.path.empty() ? "" : " ", name)));
  return join(patterns, "|");
}

// The candidates in bash and zsh, as they stand in double quotes or a list; empty: files, or nothing that is known.
std::string listed(const Candidates& candidates) {
  switch (candidates.kind) {
    case Kind::words: return join(candidates.words, " ");
    case Kind::mails: return "$(_hikyaku_mails)";
    case Kind::smarthosts: return "$(_hikyaku_smarthosts)";
    case Kind::files:
    case Kind::none: break;
  }
  return "";
}

std::string steps(const std::vector<CompletedCommand>& commands) {
  return cat("    case \"${at:+$at }$word\" in ", all_paths(commands), ") at=\"${at:+$at }$word\" ;; esac\n");
}

std::string value_cases(const std::vector<CompletedCommand>& commands) {
  std::string cases;
  for (const CompletedCommand& command : commands)
    for (const CompletedOption& option : command.options)
      if (option.takes_value) {
        const std::string words = listed(option.value);
        cases += cat("    ", value_pattern(command, option), ") ",
                     words.empty() ? std::string("_hikyaku_files") : cat("_hikyaku_offer \"", words, "\""),
                     "; return ;;\n");
      }
  return cases;
}

std::string bash_words(const CompletedCommand& command) {
  std::vector<std::string> words;
  for (const CompletedName& inner : command.commands) words.push_back(inner.name);
  if (const std::string argument = listed(command.argument); !argument.empty()) words.push_back(argument);
  std::vector<std::string> options;
  for (const CompletedOption& option : command.options)
    for (const std::string& name : dashed_names(option)) options.push_back(name);
  return cat("    ", path_pattern(command.path), ") options=", in_single_quotes(join(options, " ")),
             "\n      [[ $current == -* ]] || words=\"", join(words, " "), "\" ;;\n");
}

std::string bash_script(const std::vector<CompletedCommand>& commands) {
  std::string at_commands;
  for (const CompletedCommand& command : commands) at_commands += bash_words(command);
  return cat("# bash completion of hikyaku(1), printed by `hikyaku completion bash`\n", kAsk,
             R"sh(_hikyaku_files() { :; }  # bash's own completion of file names takes over
_hikyaku_offer() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current"); }
_hikyaku() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} at= word options= words= before=
  local -a _hikyaku_config=()
  COMPREPLY=()
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ $before == -c ]] && _hikyaku_config=(-c "$word")
    before=$word
)sh",
             steps(commands), "  done\n  case \"${at:+$at }$previous\" in\n", value_cases(commands),
             "  esac\n  case $at in\n", at_commands, R"sh(  esac
  if [[ $current == -* ]]; then _hikyaku_offer "$options"; else _hikyaku_offer "$words"; fi
}
complete -o default -F _hikyaku hikyaku
)sh");
}

// "'show:show one mail'": _describe splits at the first colon.
std::string described(const std::string& name, const std::string& description) {
  return in_single_quotes(cat(name, ":", description));
}

std::string zsh_words(const CompletedCommand& command) {
  std::string names;
  for (const CompletedName& inner : command.commands)
    names += cat(" ", described(inner.name, inner.description));
  std::string options;
  for (const CompletedOption& option : command.options)
    for (const std::string& name : dashed_names(option))
      options += cat(" ", described(name, option.description));
  return cat("    ", path_pattern(command.path), ")\n      options=(", options, ")\n      names=(", names,
             ")\n", "      words_here=(", listed(command.argument), ")\n      ;;\n");
}

std::string zsh_script(const std::vector<CompletedCommand>& commands) {
  std::string at_commands;
  for (const CompletedCommand& command : commands) at_commands += zsh_words(command);
  return cat("#compdef hikyaku\n# zsh completion of hikyaku(1), printed by `hikyaku completion zsh`\n", kAsk,
             R"sh(_hikyaku_offer() { compadd -- ${=1}; }
_hikyaku_files() { _files; }
_hikyaku() {
  local at= word before= previous=$words[CURRENT-1]
  local -a options names words_here _hikyaku_config
  for word in "${(@)words[2,CURRENT-1]}"; do
    [[ $before == -c ]] && _hikyaku_config=(-c "$word")
    before=$word
)sh",
             steps(commands), "  done\n  case \"${at:+$at }$previous\" in\n", value_cases(commands),
             "  esac\n  case $at in\n", at_commands, R"sh(  esac
  if [[ $words[CURRENT] == -* ]]; then _describe option options; return; fi
  (( $#names )) && _describe command names
  (( $#words_here )) && compadd -- $words_here
  (( $#names + $#words_here )) || _files
}
if [[ $funcstack[1] == _hikyaku ]]; then _hikyaku "$@"; else compdef _hikyaku hikyaku; fi
)sh");
}

std::string fish_candidates(const Candidates& candidates) {
  switch (candidates.kind) {
    case Kind::words: return cat(" -xa ", in_single_quotes(join(candidates.words, " ")));
    case Kind::mails: return " -xa '(__hikyaku_mails)'";
    case Kind::smarthosts: return " -xa '(__hikyaku_smarthosts)'";
    case Kind::files: return " -rF";
    case Kind::none: break;
  }
  return " -x";
}

std::string fish_option(std::string_view begin, const CompletedOption& option) {
  std::string line(begin);
  for (const std::string& name : option.long_names) line += cat(" -l ", name);
  for (const std::string& name : option.short_names) line += cat(" -s ", name);
  if (option.takes_value) line += fish_candidates(option.value);
  return cat(line, " -d ", in_single_quotes(option.description), "\n");
}

std::string fish_command(const CompletedCommand& command) {
  const std::string begin =
      cat("complete -c hikyaku -n \"__hikyaku_at ", in_single_quotes(command.path), "\"");
  std::string lines;
  for (const CompletedName& inner : command.commands)
    lines += cat(begin, " -xa ", inner.name, " -d ", in_single_quotes(inner.description), "\n");
  for (const CompletedOption& option : command.options) lines += fish_option(begin, option);
  if (command.argument.kind != Kind::none) lines += cat(begin, fish_candidates(command.argument), "\n");
  return lines;
}

std::string fish_script(const std::vector<CompletedCommand>& commands) {
  std::string script = cat("# fish completion of hikyaku(1), printed by `hikyaku completion fish`\n",
                           R"sh(function __hikyaku_ask
    set -l words (commandline -opc)
    set -l config
    if set -l at (contains -i -- -c $words)
        set config -c $words[(math $at + 1)]
    end
    command hikyaku $argv $config 2> /dev/null
end
function __hikyaku_mails
    __hikyaku_ask queue --json --limit 200 | string replace -rf '^\{"id":"([0-9a-z]*)".*' '$1'
end
function __hikyaku_smarthosts
    __hikyaku_ask config show | string replace -rf '^ *- name: *(\S+).*' '$1'
end
function __hikyaku_at
    set -l at
    for word in (commandline -opc)[2..-1]
        switch (string join ' ' -- $at $word)
            case)sh");
  for (const CompletedCommand& command : commands)
    if (!command.path.empty()) script += cat(" ", in_single_quotes(command.path));
  script += R"sh(
                set at $at $word
        end
    end
    test "$at" = "$argv[1]"
end
)sh";
  for (const CompletedCommand& command : commands) script += fish_command(command);
  return script;
}

}  // namespace

std::string completion_script(std::string_view shell, const std::vector<CompletedCommand>& commands) {
  if (shell == "bash") return bash_script(commands);
  return shell == "zsh" ? zsh_script(commands) : fish_script(commands);
}

}  // namespace hikyaku::commands
