// <qemu:commandline>: words and variables that the document hands to QEMU unread.
#include "machine/build.h"

namespace domsnap::machine {

namespace {

constexpr std::string_view libvirt_namespace = "http://libvirt.org/schemas/domain/qemu/1.0";

const model::Element* passed_through(const model::Element& document) {
    const auto prefix = qemu_prefix(document);
    return prefix.empty() ? nullptr : document.child(prefix + "commandline");
}

} // namespace

std::string qemu_prefix(const model::Element& document) {
    for (const auto& [name, value] : document.attributes)
        if (name.starts_with("xmlns:") && value == libvirt_namespace) return name.substr(6) + ":";
    return {};
}

void add_passthrough(Build& build) {
    const auto* commandline = passed_through(build.document());
    if (!commandline || build.facts.trial) return;
    const auto prefix = qemu_prefix(build.document());
    only_children(*commandline, {prefix + "arg", prefix + "env"});
    for (const auto* arg : commandline->elements(prefix + "arg"))
        build.arguments.last(arg->attribute("value"));
}

std::vector<std::pair<std::string, std::string>> environment(const model::Domain& domain) {
    std::vector<std::pair<std::string, std::string>> variables;
    if (const auto* clock = domain.document.child("clock"); clock && clock->attribute("offset") == "timezone")
        variables.emplace_back("TZ", clock->attribute("timezone"));
    const auto* commandline = passed_through(domain.document);
    if (!commandline) return variables;
    for (const auto* env : commandline->elements(qemu_prefix(domain.document) + "env")) {
        const auto name = env->attribute("name");
        if (name.empty() || name.find('=') != std::string::npos) refuse(*env, "not a variable's name");
        variables.emplace_back(name, env->attribute("value"));
    }
    return variables;
}

} // namespace domsnap::machine
