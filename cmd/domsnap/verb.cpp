#include "verb.h"

#include "adopt.h"
#include "groups.h"

namespace domsnap::cli {

Option flag(std::string name, std::string help) {
    return {Kind::flag, Place::named, std::move(name), std::move(help)};
}
Option value(std::string name, std::string help) {
    return {Kind::value, Place::named, std::move(name), std::move(help)};
}
Option argument(std::string name, std::string help) {
    return {Kind::value, Place::argument, std::move(name), std::move(help)};
}
Option required(std::string name, std::string help) {
    return {Kind::value, Place::required, std::move(name), std::move(help)};
}
Option required_list(std::string name, std::string help) {
    return {Kind::list, Place::required, std::move(name), std::move(help)};
}
Option argument_list(std::string name, std::string help) {
    return {Kind::list, Place::argument, std::move(name), std::move(help)};
}
Option domain_argument() { return required("domain", "domain name, id or uuid"); }

Rule exclusive_short(const std::string& a, const std::string& b) {
    return {{a, b}, "--" + a + " and --" + b + " are mutually exclusive"};
}
Rule exclusive(const std::string& a, const std::string& b) {
    return {{a, b}, "Options --" + a + " and --" + b + " are mutually exclusive"};
}

std::string Arguments::get(const std::string& name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? std::string() : found->second.front();
}

std::vector<std::string> Arguments::list(const std::string& name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? std::vector<std::string>() : found->second;
}

static std::vector<Verb> joined(std::vector<std::vector<Verb>> parts) {
    std::vector<Verb> all;
    for (auto& part : parts)
        for (auto& verb : part)
            all.push_back(std::move(verb));
    return all;
}

const std::vector<VerbGroup>& verb_groups() {
    static const std::vector<VerbGroup> groups = {
        {"Domains", joined({define_verbs(), adopt_verbs(), power_verbs(), list_verbs(), job_verbs(),
                            device_verbs()})},
        {"Snapshots",
         joined({create_verbs(), change_verbs(), warm_verbs(), tree_verbs(), fork_verbs()})},
        {"XML without a domain", xml_verbs()},
        {"domsnap itself", own_verbs()}};
    return groups;
}

const Verb* find_verb(const std::string& name) {
    for (const auto& group : verb_groups())
        for (const auto& verb : group.verbs)
            if (verb.name == name) return &verb;
    return nullptr;
}

} // namespace domsnap::cli
