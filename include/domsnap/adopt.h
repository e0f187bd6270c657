// Domains that come from libvirt: taken over with their snapshots from libvirt's own files, all of them or
// none. Images and memory stay where they are.
#pragma once

#include <domsnap/host.h>

#include <string>
#include <utility>
#include <vector>

namespace domsnap {

struct AdoptOptions {
    bool dry_run = false; ///< only say what would be taken
    bool take = false;    ///< libvirt is to forget the domain: its own files are renamed
    std::string from;     ///< a folder that stands for /, or for a home; "" = this host's libvirt
};
struct AdoptedSnapshot {
    std::string name;
    std::string what;    ///< what of it there is, in words
    std::string problem; ///< not empty: it cannot be taken, and why
};
/// A domain of libvirt's: what is taken over, or would be.
struct AdoptResult {
    std::string domain, uuid;
    std::vector<std::string> problems; ///< why the domain cannot be taken
    std::vector<std::string> notes;
    std::vector<AdoptedSnapshot> snapshots;
    /// With take: libvirt's files, and their new names.
    std::vector<std::pair<std::string, std::string>> renamed;
    bool managed_save = false; ///< libvirt saved its memory: the next start goes on from it
    bool known = false;        ///< domsnap has it already, and the same snapshots
    bool good() const;         ///< neither the domain nor a snapshot has a problem
};

/// Nothing of libvirt's is changed unless told to take. With a problem anywhere it throws conflict, naming
/// the first; with dry_run it is only said. domains: names or UUIDs, as libvirt has them.
std::vector<AdoptResult> adopt(const Folders& folders, const std::vector<std::string>& domains,
                               const AdoptOptions& options, const Control& control = {});

} // namespace domsnap
