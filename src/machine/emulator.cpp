// Which QEMU, and what it can do: asked once of each binary, and remembered.
#include "machine/launch.h"
#include "machine/process.h"

#include "base/error.h"
#include "base/text.h"
#include "os/file.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace domsnap::machine {

namespace {

using Json = nlohmann::json;
constexpr int cache_format = 1;

std::string named_emulator(const model::Domain& domain) {
    if (!domain.emulator.empty()) return domain.emulator;
    const char* chosen = std::getenv("DOMSNAP_QEMU");
    if (chosen && *chosen) return chosen;
    return "qemu-system-" + (domain.arch == "i686" ? "i386" : domain.arch.empty() ? "x86_64" : domain.arch);
}

/// What changes when another QEMU is installed in its place.
Json identity_of(const std::string& emulator) {
    const auto info = os::file_info(emulator);
    if (!info)
        throw Error(ErrorCode::not_found, fmt::format("there is no QEMU '{}'", text::printable(emulator)),
                    "apt install qemu-system-x86");
    return {
        {"format", cache_format}, {"emulator", emulator}, {"size", info->size}, {"modified", info->modified}};
}

std::string cache_path(const std::string& folder, const std::string& emulator) {
    // FNV-1a of the path: short enough for a file's name, and the path itself is compared when it is read.
    uint64_t hash = 0xcbf29ce484222325;
    for (const char c : emulator)
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return fmt::format("{}/emulator-{:016x}.json", folder, hash);
}

Json to_json(const EmulatorFacts& facts) {
    return {{"version", facts.capabilities.version},
            {"major", facts.capabilities.major},
            {"minor", facts.capabilities.minor},
            {"commands", facts.capabilities.commands},
            {"migration", facts.capabilities.migration},
            {"aliases", facts.machine_aliases},
            {"machines", facts.machines}};
}

EmulatorFacts from_json(const Json& json) {
    EmulatorFacts facts;
    json.at("version").get_to(facts.capabilities.version);
    json.at("major").get_to(facts.capabilities.major);
    json.at("minor").get_to(facts.capabilities.minor);
    json.at("commands").get_to(facts.capabilities.commands);
    json.at("migration").get_to(facts.capabilities.migration);
    json.at("aliases").get_to(facts.machine_aliases);
    json.at("machines").get_to(facts.machines);
    return facts;
}

/// Nothing for a cache that is missing, damaged, or of another binary: then QEMU is asked again.
std::optional<EmulatorFacts> remembered(const std::string& path, const Json& identity) {
    try {
        if (!os::exists(path)) return std::nullopt;
        const auto json = Json::parse(os::read_file(path, 1 << 20));
        if (json.at("of") != identity) return std::nullopt;
        return from_json(json.at("facts"));
    } catch (const std::exception&) {
        return std::nullopt;
    }
}

void remember(const std::string& path, const Json& identity, const EmulatorFacts& facts) {
    try {
        os::write_file(path, Json{{"of", identity}, {"facts", to_json(facts)}}.dump());
    } catch (const Error&) {
        // A cache that cannot be written costs time, nothing else.
    }
}

void read_machines(qmp::Client& qemu, EmulatorFacts& facts, Deadline deadline) {
    for (const auto& machine : qemu.run("query-machines", deadline)) {
        const auto name = machine.at("name").get<std::string>();
        facts.machines.push_back(name);
        if (machine.contains("alias")) facts.machine_aliases[machine["alias"].get<std::string>()] = name;
    }
    std::sort(facts.machines.begin(), facts.machines.end());
}

std::vector<std::string> asking_argv(const std::string& emulator) {
    return {emulator,      "-S",
            "-nodefaults", "-no-user-config",
            "-display",    "none",
            "-machine",    "none",
            "-chardev",    "socket,id=charmonitor,fd=3",
            "-mon",        "chardev=charmonitor,id=monitor,mode=control"};
}

EmulatorFacts ask(const std::string& emulator, const std::string& scratch, Deadline deadline) {
    ShortLived qemu(asking_argv(emulator), {}, scratch,
                    fmt::format("a machine without devices ({})", emulator), deadline);
    EmulatorFacts facts;
    facts.capabilities = qmp::query_capabilities(qemu.monitor(), deadline);
    read_machines(qemu.monitor(), facts, deadline);
    return facts;
}

} // namespace

std::string find_emulator(const model::Domain& domain) {
    const auto name = named_emulator(domain);
    const auto path = os::find_program(name);
    if (!path.empty()) return path;
    const bool by_path = name.find('/') != std::string::npos;
    throw Error(ErrorCode::not_found,
                fmt::format("cannot run domain '{}': there is no program '{}'{}",
                            text::printable(domain.name), text::printable(name), by_path ? "" : " on PATH"),
                "apt install qemu-system-x86, or name QEMU in <emulator> or $DOMSNAP_QEMU");
}

EmulatorFacts emulator_facts(const std::string& emulator, const std::string& cache_folder,
                             Deadline deadline) {
    const auto identity = identity_of(emulator);
    const auto path = cache_path(cache_folder, emulator);
    if (auto known = remembered(path, identity)) return *std::move(known);
    os::make_folders(cache_folder);
    const auto facts = ask(emulator, scratch_log(cache_folder), deadline);
    remember(path, identity, facts);
    return facts;
}

std::string versioned_machine(const EmulatorFacts& facts, const std::string& machine) {
    const auto& name = machine.empty() ? "pc" : machine;
    if (const auto alias = facts.machine_aliases.find(name); alias != facts.machine_aliases.end())
        return alias->second;
    if (std::binary_search(facts.machines.begin(), facts.machines.end(), name)) return name;
    std::vector<std::string> known;
    for (const auto& candidate : facts.machines)
        if (candidate.starts_with("pc-")) known.push_back(candidate);
    throw Error(
        ErrorCode::unsupported,
        fmt::format("QEMU {} has no machine type '{}'", facts.capabilities.version, text::printable(name)),
        "it knows " + text::join(known, ", "));
}

} // namespace domsnap::machine
