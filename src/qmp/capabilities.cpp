#include "qmp/capabilities.h"

#include "base/text.h"
#include "qmp/answer.h"

namespace domsnap::qmp {

namespace {

std::set<std::string> texts(const char* command, const Json& answer, const char* member) {
    return read_answer(command, [&] {
        std::set<std::string> found;
        for (const Json& entry : answer)
            found.insert(entry.at(member));
        return found;
    });
}

} // namespace

Capabilities query_capabilities(Client& qemu, Deadline d) {
    Capabilities found;
    found.version = qemu.version();
    const auto numbers = text::split(found.version, '.');
    found.major = static_cast<int>(text::to_u64(numbers.at(0)).value_or(0));
    found.minor = static_cast<int>(text::to_u64(numbers.at(1)).value_or(0));
    found.commands = texts("query-commands", qemu.run("query-commands", d), "name");
    found.migration =
        texts("query-migrate-capabilities", qemu.run("query-migrate-capabilities", d), "capability");
    return found;
}

std::string resolve_machine(Client& qemu, const std::string& name, Deadline d) {
    const Json machines = qemu.run("query-machines", d);
    return read_answer("query-machines", [&] {
        for (const Json& machine : machines)
            if (machine.at("name") == name || machine.value("alias", std::string()) == name)
                return machine.at("name").get<std::string>();
        return std::string();
    });
}

} // namespace domsnap::qmp
