// A verb as data: its options, its help, what excludes what, and the function that does it. The tables in the
// verbs_* files are all there is to say about a verb; parsing, help and completion read them. Knows nothing
// of CLI11.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace domsnap::cli {

class Session;

/// named: only with its --name. argument: also without it, in the table's order. required: an argument that
/// must be there.
enum class Place { named, argument, required };
enum class Kind { flag, value, list };

struct Option {
    Kind kind;
    Place place;
    std::string name; ///< without "--"
    std::string help;
};

Option flag(std::string name, std::string help);
Option value(std::string name, std::string help);
Option argument(std::string name, std::string help);
Option required(std::string name, std::string help);
Option required_list(std::string name, std::string help);
Option argument_list(std::string name, std::string help);
/// The first argument of most verbs.
Option domain_argument();

/// Refused when every condition holds: "name" = given, "!name" = not given.
struct Rule {
    std::vector<std::string> when;
    std::string message;
};
/// "Options --a and --b are mutually exclusive"
Rule exclusive(const std::string& a, const std::string& b);
/// "--a and --b are mutually exclusive": where virsh words it so.
Rule exclusive_short(const std::string& a, const std::string& b);

/// What the user gave to a verb.
class Arguments {
  public:
    bool has(const std::string& name) const { return flags_.contains(name) || values_.contains(name); }
    /// The value; "" if it was not given.
    std::string get(const std::string& name) const;
    std::vector<std::string> list(const std::string& name) const;
    void set_flag(const std::string& name) { flags_.insert(name); }
    void add_value(const std::string& name, std::string text) { values_[name].push_back(std::move(text)); }

  private:
    std::set<std::string> flags_;
    std::map<std::string, std::vector<std::string>> values_;
};

struct Verb {
    std::string name, summary, description;
    std::vector<Option> options;
    std::vector<Rule> rules;
    std::function<void(Session&, const Arguments&)> run;
};

struct VerbGroup {
    std::string title;
    std::vector<Verb> verbs;
};

/// All of them, in the order that help shows.
const std::vector<VerbGroup>& verb_groups();
/// nullptr if there is none of that name.
const Verb* find_verb(const std::string& name);

/// A command line that is wrong in itself: exit 2.
struct UsageError : std::runtime_error {
    explicit UsageError(const std::string& message, std::string hint_text = {})
        : std::runtime_error(message), hint(std::move(hint_text)) {}
    std::string hint;
};

} // namespace domsnap::cli
