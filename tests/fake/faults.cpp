#include "faults.h"

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <unistd.h>

namespace fake {

namespace {

/// "stop" is any stop, "stop#2" the second one of this process.
bool concerns(const std::string& written, const std::string& event, unsigned seen) {
    const size_t hash = written.find('#');
    if (written.substr(0, hash) != event) return false;
    return hash == std::string::npos || written.substr(hash + 1) == std::to_string(seen);
}

} // namespace

std::optional<Fault> Faults::find(const std::string& kind, const std::string& event) const {
    const char* path = std::getenv("FAKE_QEMU_FAULTS");
    if (!path) return std::nullopt;
    const auto counted = seen_.find(event);
    const unsigned seen = counted == seen_.end() ? 0 : counted->second;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        std::string its_kind, its_event, argument;
        if (!(words >> its_kind >> its_event) || its_kind != kind || !concerns(its_event, event, seen))
            continue;
        std::getline(words >> std::ws, argument);
        return Fault{argument};
    }
    return std::nullopt;
}

void Faults::die_if(const std::string& kind, const std::string& event) const {
    if (find(kind, event)) ::kill(::getpid(), SIGKILL);
}

} // namespace fake
