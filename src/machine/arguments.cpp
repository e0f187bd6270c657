#include "machine/arguments.h"

#include "base/error.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace domsnap::machine {

namespace {

std::string json_text(const Json& value) {
    try {
        return value.dump();
    } catch (const Json::exception&) {
        // QEMU's JSON is UTF-8 and has no way to name a file whose name is not.
        throw Error(ErrorCode::unsupported, "a file name or text for QEMU is not valid UTF-8",
                    "rename the file, then name it anew in the domain's XML");
    }
}

} // namespace

std::string escape_commas(std::string_view value) {
    std::string out;
    for (const char c : value)
        out.append(c == ',' ? 2 : 1, c);
    return out;
}

void Arguments::flag(std::string name) { words_.push_back(std::move(name)); }

void Arguments::option(std::string name, std::string value) {
    words_.push_back(std::move(name));
    words_.push_back(std::move(value));
}

void Arguments::json(std::string name, const Json& value) { option(std::move(name), json_text(value)); }

void Arguments::device(DeviceRank rank, const Json& device) {
    devices_.emplace_back(rank, json_text(device));
}

void Arguments::last(std::string word) { last_.push_back(std::move(word)); }

std::vector<std::string> Arguments::finish(const std::string& emulator) const {
    std::vector<std::string> argv{emulator};
    argv.insert(argv.end(), words_.begin(), words_.end());
    auto devices = devices_;
    std::stable_sort(devices.begin(), devices.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& [rank, device] : devices)
        argv.insert(argv.end(), {"-device", device});
    argv.insert(argv.end(), last_.begin(), last_.end());
    return argv;
}

} // namespace domsnap::machine
