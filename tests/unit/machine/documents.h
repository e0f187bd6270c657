// Domains for the tests of the machine room: the golden documents, and small ones made of a few elements.
#pragma once

#include "machine/command_line.h"
#include "os/file.h"
#include "xml/document.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <string>
#include <vector>

namespace domsnap::machine::test {

inline model::Domain domain_of(const std::string& text) {
    return model::domain_from(xml::parse_root(text, "domain", "test.xml"));
}

/// A guest of type 'qemu' with these elements in <devices>, and these beside it.
inline std::string document(const std::string& devices, const std::string& beside = "",
                            const std::string& machine = "q35") {
    return fmt::format("<domain type='qemu'><name>t</name><memory unit='MiB'>64</memory>\n"
                       "<os><type arch='x86_64' machine='{}'>hvm</type></os>\n"
                       "{}<devices>\n{}</devices></domain>",
                       machine, beside, devices);
}

inline std::filesystem::path golden_folder() { return std::filesystem::path(TEST_DATA) / "golden"; }

/// The golden documents' names, without ".xml".
inline std::vector<std::string> goldens() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(golden_folder()))
        if (entry.path().extension() == ".xml") names.push_back(entry.path().stem());
    std::sort(names.begin(), names.end());
    return names;
}

inline std::string golden_text(const std::string& name) {
    return os::read_file(golden_folder() / (name + ".xml"), 1 << 20);
}

/// The facts of the goldens: what a host would have told.
inline CommandLineFacts golden_facts(const std::string& name, int qemu_major) {
    CommandLineFacts facts;
    facts.emulator = "/usr/bin/qemu-system-x86_64";
    facts.qemu_major = qemu_major;
    facts.qemu_minor = qemu_major == 7 ? 2 : 0;
    facts.runtime_folder = "/run/domsnap/UUID";
    facts.events = "/run/domsnap/UUID/events";
    facts.now = 1'700'000'000;
    if (name == "chain")
        facts.chains["vda"] = {
            {"/srv/top.qcow2", "qcow2"}, {"/srv/middle.qcow2", "qcow2"}, {"/dev/vg/base", "raw"}};
    return facts;
}

/// The value behind the first option of that name; "" if there is none.
inline std::string value_of(const std::vector<std::string>& argv, const std::string& option) {
    const auto found = std::find(argv.begin(), argv.end(), option);
    return found == argv.end() || found + 1 == argv.end() ? "" : *(found + 1);
}

/// All values of that option that contain the text.
inline std::vector<std::string> values_of(const std::vector<std::string>& argv, const std::string& option,
                                          const std::string& containing = "") {
    std::vector<std::string> values;
    for (size_t i = 0; i + 1 < argv.size(); ++i)
        if (argv[i] == option && argv[i + 1].find(containing) != std::string::npos)
            values.push_back(argv[i + 1]);
    return values;
}

inline std::vector<std::string> argv_of(const std::string& text,
                                        CommandLineFacts facts = golden_facts("", 7)) {
    return command_line(domain_of(text), facts);
}

} // namespace domsnap::machine::test
