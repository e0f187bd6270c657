#include "machine/firmware.h"

#include "base/error.h"
#include "base/text.h"
#include "machine/elements.h"
#include "os/file.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <fnmatch.h>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <unistd.h>

namespace domsnap::machine {

namespace {

using Json = nlohmann::json;

std::string word(const Json& object, const char* key, const char* fallback = "") {
    return object.value(key, std::string(fallback));
}

bool holds(const Json& list, const char* wanted) {
    return std::any_of(list.begin(), list.end(), [&](const Json& one) { return one == wanted; });
}

/// Nothing for other kinds (BIOS images, one file for both, memory, AMD SEV): they are somebody else's
/// choice.
std::optional<Firmware> firmware_from(const Json& json, const std::string& path) {
    const Json& mapping = json.at("mapping");
    if (!holds(json.at("interface-types"), "uefi") || word(mapping, "device") != "flash" ||
        word(mapping, "mode", "split") != "split")
        return std::nullopt;
    const Json &code = mapping.at("executable"), &variables = mapping.at("nvram-template");
    Firmware firmware{path,
                      code.at("filename"),
                      word(code, "format", "raw"),
                      variables.at("filename"),
                      word(variables, "format", "raw"),
                      {},
                      {}};
    for (const Json& target : json.at("targets"))
        for (const Json& machine : target.at("machines"))
            firmware.targets.emplace_back(target.at("architecture"), machine);
    for (const Json& feature : json.at("features"))
        firmware.features.insert(feature.get<std::string>());
    return firmware;
}

std::optional<Firmware> read_descriptor(const std::string& path) {
    const auto text = os::read_file(path, 1 << 20);
    if (text::trim(text).empty()) return std::nullopt; // "there is no such firmware here"
    try {
        return firmware_from(Json::parse(text), path);
    } catch (const Json::exception& error) {
        throw Error(ErrorCode::corrupt,
                    fmt::format("the firmware descriptor {} cannot be read: {}", path, error.what()),
                    "mend it, or hide it with an empty file of the same name in /etc/qemu/firmware");
    }
}

bool has(const Firmware& firmware, const char* feature) { return firmware.features.contains(feature); }

bool fits_machine(const Firmware& firmware, const model::Domain& domain) {
    const std::string arch = domain.arch.empty() ? "x86_64" : domain.arch == "i686" ? "i386" : domain.arch;
    return std::any_of(firmware.targets.begin(), firmware.targets.end(), [&](const auto& target) {
        return target.first == arch && fnmatch(target.second.c_str(), domain.machine.c_str(), 0) == 0;
    });
}

/// What <os> says of it: <firmware><feature enabled= name=>, and the secure= of a <loader> without a file.
bool fits_wishes(const Firmware& firmware, const model::Element& os) {
    if (const auto* wishes = os.child("firmware"))
        for (const auto* wish : wishes->elements("feature"))
            if (firmware.features.contains(wish->attribute("name")) !=
                switch_of(*wish, "enabled").value_or(true))
                return false;
    const auto* loader = os.child("loader");
    const auto secure = loader ? switch_of(*loader, "secure") : std::nullopt;
    return !secure || *secure == has(firmware, "requires-smm");
}

/// What the rest of the document needs of it, or keeps from it.
bool fits_features(const Firmware& firmware, const model::Domain& domain) {
    const auto enabled = [&](const char* path) {
        const auto* element = domain.document.at(path);
        return element && switch_of(*element, "enabled").value_or(false);
    };
    if (enabled("pm/suspend-to-mem") && !has(firmware, "acpi-s3")) return false;
    if (enabled("pm/suspend-to-disk") && !has(firmware, "acpi-s4")) return false;
    const auto* features = domain.document.child("features");
    const auto smm = features ? child_state(*features, "smm") : std::nullopt;
    return smm.value_or(true) || !has(firmware, "requires-smm");
}

const Firmware& choose(const model::Domain& domain, const std::vector<Firmware>& installed) {
    const auto& os = *domain.document.child("os");
    for (const auto& firmware : installed)
        if (fits_machine(firmware, domain) && fits_wishes(firmware, os) && fits_features(firmware, domain))
            return firmware;
    throw Error(
        ErrorCode::unsupported,
        fmt::format(
            "{}: Unable to find any firmware to satisfy 'efi': none of the {} that are installed fits "
            "machine '{}' and the features asked for",
            where(os, "firmware"), installed.size(), text::printable(domain.machine)),
        installed.empty() ? "apt install ovmf" : "name it yourself with <loader> and <nvram template=>");
}

/// The variables that belong to a code that the document names itself.
const Firmware* belonging_to(const model::Domain& domain, const std::vector<Firmware>& installed) {
    const auto code = domain.document.text_at("os/loader");
    const auto found = std::find_if(installed.begin(), installed.end(),
                                    [&](const Firmware& f) { return f.executable == code; });
    return found == installed.end() ? nullptr : &*found;
}

void complete_nvram(model::Domain& domain, const Firmware* firmware, const std::string& default_nvram) {
    auto nvram = model::nvram_of(domain);
    if (!nvram) return;
    const auto* element = domain.document.at("os/nvram");
    const bool says_format = element && element->find_attribute("format");
    if (nvram->template_file.empty() && firmware) {
        nvram->template_file = firmware->nvram_template;
        if (nvram->file.empty() && !says_format) nvram->format = firmware->template_format;
    }
    if (nvram->file.empty()) nvram->file = default_nvram;
    model::set_nvram(domain, *nvram);
}

} // namespace

std::vector<std::string> firmware_folders() {
    const auto environment = [](const char* name) -> std::string {
        const char* value = std::getenv(name);
        return value ? value : "";
    };
    if (const auto path = environment("DOMSNAP_FIRMWARE_PATH"); !path.empty()) return text::split(path, ':');
    std::vector<std::string> folders{"/etc/qemu/firmware", "/usr/share/qemu/firmware"};
    const auto base = environment("XDG_CONFIG_HOME");
    if (geteuid() != 0)
        folders.insert(folders.begin(),
                       (base.empty() ? environment("HOME") + "/.config" : base) + "/qemu/firmware");
    return folders;
}

std::vector<Firmware> installed_firmware(const std::vector<std::string>& folders) {
    std::map<std::string, std::string> paths;
    for (const auto& folder : folders)
        for (const auto& name : os::list_folder(folder))
            if (name.ends_with(".json") && !name.starts_with('.')) paths.emplace(name, folder + "/" + name);
    std::vector<Firmware> installed;
    for (const auto& [name, path] : paths)
        if (auto firmware = read_descriptor(path)) installed.push_back(*std::move(firmware));
    return installed;
}

void complete_firmware(model::Domain& domain, const std::vector<Firmware>& installed,
                       const std::string& default_nvram) {
    const Firmware* firmware = nullptr;
    if (model::leaves_firmware_open(domain)) {
        firmware = &choose(domain, installed);
        model::set_loader(
            domain, {firmware->executable, firmware->executable_format, has(*firmware, "requires-smm")});
    } else {
        firmware = belonging_to(domain, installed);
    }
    complete_nvram(domain, firmware, default_nvram);
}

} // namespace domsnap::machine
