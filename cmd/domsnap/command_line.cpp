#include "command_line.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <map>

namespace domsnap::cli {

static void add_globals(CLI::App& app, Globals& globals) {
    app.set_help_flag();
    app.add_option("--state-dir", globals.folders.state)->type_name("<string>");
    app.add_option("--runtime-dir", globals.folders.runtime)->type_name("<string>");
    app.add_flag("-q,--quiet", globals.quiet)->disable_flag_override();
    app.add_flag("--json", globals.json)->disable_flag_override();
    app.add_flag("--no-progress", globals.no_progress)->disable_flag_override();
    app.add_flag("-h,--help", globals.help)->disable_flag_override();
    app.add_flag("--version", globals.version)->disable_flag_override();
}

static void parse(CLI::App& app, std::vector<std::string> words, const std::string& who) {
    std::reverse(words.begin(), words.end()); // CLI11 takes them from the back
    try {
        app.parse(std::move(words));
    } catch (const CLI::ParseError& error) {
        throw UsageError(fmt::format("{}: {}", who, error.what()));
    }
}

/// Letters to change, add or drop to get from a to b.
static size_t distance(const std::string& a, const std::string& b) {
    std::vector<size_t> row(b.size() + 1);
    for (size_t j = 0; j <= b.size(); ++j)
        row[j] = j;
    for (size_t i = 1; i <= a.size(); ++i) {
        size_t diagonal = std::exchange(row[0], i);
        for (size_t j = 1; j <= b.size(); ++j) {
            const size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, changed}));
        }
    }
    return row[b.size()];
}

static std::string suggestion(const std::string& unknown) {
    const Verb* best = nullptr;
    size_t least = 4; // more than three slips are another word
    for (const auto& group : verb_groups())
        for (const auto& verb : group.verbs)
            if (const size_t slips = distance(unknown.substr(0, 64), verb.name);
                slips < std::min(least, verb.name.size()))
                best = &verb, least = slips;
    return best ? fmt::format("did you mean '{}'?", best->name) : "domsnap help shows the commands";
}

static const Verb& require_verb(const std::string& name) {
    const auto* verb = find_verb(name);
    if (!verb) throw UsageError(fmt::format("unknown command: '{}'", name), suggestion(name));
    return *verb;
}

namespace {
/// Where CLI11 puts what it reads, until it is known that all of it was good. A map's nodes stay where they
/// are.
struct Given {
    std::map<std::string, std::string> values;
    std::map<std::string, bool> flags;
    std::map<std::string, std::vector<std::string>> named, bare;
};
} // namespace

static void add_option(CLI::App& app, const Option& option, Given& given) {
    const std::string dashed = "--" + option.name;
    if (option.kind == Kind::flag) {
        app.add_flag(dashed, given.flags[option.name])->disable_flag_override();
    } else if (option.kind == Kind::value) {
        app.add_option(option.place == Place::named ? dashed : option.name + "," + dashed,
                       given.values[option.name])
            ->type_name("<string>");
    } else {
        // As virsh: with its name it takes one word each time, without it all that are left.
        app.add_option(dashed, given.named[option.name])->type_name("<string>")->allow_extra_args(false);
        if (option.place != Place::named) app.add_option(option.name, given.bare[option.name]);
    }
}

static void refuse_extras(const Verb& verb, std::vector<std::string> extras) {
    // CLI11 keeps the mark that ends the options among what it could not place.
    if (const auto mark = std::find(extras.begin(), extras.end(), "--"); mark != extras.end())
        extras.erase(mark);
    if (extras.empty()) return;
    const std::string& first = extras.front();
    if (first.size() > 1 && first.front() == '-')
        throw UsageError(
            fmt::format("command '{}' doesn't support option {}", verb.name, first),
            fmt::format("domsnap help {} shows its options; names that begin with '-' stand after '--'",
                        verb.name));
    throw UsageError(fmt::format("unexpected data '{}'", first),
                     fmt::format("domsnap help {} shows how it is used", verb.name));
}

static void take_over(const Option& option, const CLI::App& app, Given& given, Arguments& arguments) {
    if (option.kind == Kind::flag) {
        if (given.flags[option.name]) arguments.set_flag(option.name);
    } else if (option.kind == Kind::value) {
        if (app.get_option("--" + option.name)->count() == 0) return;
        if (given.values[option.name].empty())
            throw UsageError(fmt::format("Failed to get option '{}': Option argument is empty", option.name));
        arguments.add_value(option.name, given.values[option.name]);
    } else {
        for (const auto* list : {&given.bare[option.name], &given.named[option.name]})
            for (const auto& word : *list)
                arguments.add_value(option.name, word);
    }
}

static void check_rules(const Verb& verb, const Arguments& arguments) {
    for (const auto& option : verb.options)
        if (option.place == Place::required && !arguments.has(option.name))
            throw UsageError(fmt::format("command '{}' requires <{}> option", verb.name, option.name),
                             fmt::format("domsnap help {} shows how it is used", verb.name));
    const auto holds = [&](const std::string& condition) {
        return condition.starts_with('!') ? !arguments.has(condition.substr(1)) : arguments.has(condition);
    };
    for (const auto& rule : verb.rules)
        if (std::all_of(rule.when.begin(), rule.when.end(), holds)) throw UsageError(rule.message);
}

static void parse_verb(CommandLine& line, std::vector<std::string> words) {
    const Verb& verb = *line.verb;
    CLI::App app;
    Given given;
    add_globals(app, line.globals);
    for (const auto& option : verb.options)
        add_option(app, option, given);
    app.allow_extras();
    parse(app, std::move(words), fmt::format("command '{}'", verb.name));
    if (line.globals.help || line.globals.version) return;
    refuse_extras(verb, app.remaining());
    for (const auto& option : verb.options)
        take_over(option, app, given, line.arguments);
    check_rules(verb, line.arguments);
}

/// "snapshot-plan revert g s" is "snapshot-revert --dry-run g s"; without one of the three words it is a
/// create.
static void plan_to_dry_run(CommandLine& line, std::vector<std::string>& words) {
    std::string verb = "snapshot-create";
    for (const std::string word : {"create", "create-as", "revert", "delete"}) {
        if (words.empty() || (words.front() != word && words.front() != "snapshot-" + word)) continue;
        verb = "snapshot-" + word;
        words.erase(words.begin());
        break;
    }
    line.verb = find_verb(verb);
    words.insert(words.begin(), "--dry-run");
}

CommandLine parse_command_line(std::vector<std::string> words) {
    CommandLine line;
    CLI::App app;
    add_globals(app, line.globals);
    app.prefix_command(); // stops at the verb
    parse(app, std::move(words), "domsnap");
    auto rest = app.remaining();
    if (rest.empty()) {
        if (line.globals.help || line.globals.version) return line;
        throw UsageError("no command was given", "domsnap help shows the commands");
    }
    if (rest.front().starts_with('-'))
        throw UsageError(fmt::format("unsupported option '{}'", rest.front()),
                         "domsnap help shows the global options");
    line.verb = &require_verb(rest.front());
    rest.erase(rest.begin());
    const bool wants_help = !rest.empty() && (rest.front() == "--help" || rest.front() == "-h");
    if (line.verb->name == "snapshot-plan" && !wants_help) plan_to_dry_run(line, rest);
    parse_verb(line, std::move(rest));
    return line;
}

} // namespace domsnap::cli
