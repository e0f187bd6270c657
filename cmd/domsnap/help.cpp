#include "help.h"

#include <fmt/format.h>

namespace domsnap::cli {

static std::string synopsis(const Option& option) {
    const std::string& name = option.name;
    if (option.kind == Kind::flag) return fmt::format("[--{}]", name);
    if (option.kind == Kind::list)
        return option.place == Place::required ? fmt::format("{{[--{}] <string>}}...", name)
                                               : fmt::format("[[--{}] <string>]...", name);
    return option.place == Place::required ? fmt::format("<{}>", name) : fmt::format("[--{} <string>]", name);
}

static std::string syntax(const Option& option) {
    if (option.kind == Kind::flag) return "--" + option.name;
    const bool bare = option.place == Place::required || option.kind == Kind::list;
    return bare ? fmt::format("[--{}] <string>", option.name) : fmt::format("--{} <string>", option.name);
}

static constexpr const char* global_options =
    "    --state-dir <string>    where definitions and snapshots are kept ($DOMSNAP_STATE_DIR)\n"
    "    --runtime-dir <string>  where sockets and pids are kept ($DOMSNAP_RUNTIME_DIR)\n"
    "    -q | --quiet            results only: no messages, headings or empty lines\n"
    "    --json                  one JSON document from every verb that lists\n"
    "    --no-progress           no progress on standard error\n"
    "    -h | --help             this help, or that of the command\n"
    "    --version               the version\n";

std::string help_overview() {
    std::string out = "\ndomsnap [options]... <command> [args...]\n\n  options:\n";
    out += global_options;
    out += "  commands:\n";
    for (const auto& group : verb_groups()) {
        out += fmt::format("\n {}:\n", group.title);
        for (const auto& verb : group.verbs)
            out += fmt::format("    {:<30} {}\n", verb.name, verb.summary);
    }
    return out + "\n  (domsnap help <command> tells more about one; so does domsnap(1))\n";
}

std::string help_of(const Verb& verb) {
    std::string out =
        fmt::format("  NAME\n    {} - {}\n\n  SYNOPSIS\n    {}", verb.name, verb.summary, verb.name);
    for (const auto& option : verb.options)
        out += " " + synopsis(option);
    if (!verb.description.empty()) out += fmt::format("\n\n  DESCRIPTION\n    {}", verb.description);
    if (!verb.options.empty()) out += "\n\n  OPTIONS";
    for (const auto& option : verb.options)
        out += fmt::format("\n    {:<15}  {}", syntax(option), option.help);
    return out + "\n";
}

} // namespace domsnap::cli
