// All that a user can see of a world, without the names that domsnap chooses: two worlds are the same if
// their pictures are equal. And what must not be there: files that nothing needs.
#pragma once

#include "world.h"

#include <map>
#include <string>
#include <vector>

namespace crash {

struct SnapshotPicture {
    std::string parent, state, memory; ///< memory: where it is, and what it holds
    std::map<std::string, std::string> disks;
    std::map<std::string, std::string> firmware; ///< its copies of "nvram" and "tpm"
    bool operator==(const SnapshotPicture&) const = default;
};

struct DomainPicture {
    std::string current;
    std::map<std::string, SnapshotPicture> snapshots;
    std::map<std::string, std::string> disks;    ///< what the guest would read now
    std::map<std::string, std::string> firmware; ///< "nvram", "tpm"
    bool operator==(const DomainPicture&) const = default;
};

struct Picture {
    std::map<std::string, DomainPicture> domains;
    std::map<std::string, std::string> guests; ///< of each that runs: state, agent's, memory, what lies ready
    std::vector<std::string> libvirts;         ///< what libvirt still has
    std::vector<std::string> strays;           ///< files that nobody needs
    std::vector<std::string> problems;         ///< what could not be read, and guests on a wrong file
};

Picture look_at(const World& world);
std::string to_text(const Picture& picture);

} // namespace crash
