// UEFI firmware as it is installed: QEMU's JSON descriptors (its docs/interop/firmware.json), and which of
// them a domain means that says only <os firmware='efi'/>. Starts nothing and writes nothing.
#pragma once

#include "model/firmware.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

namespace domsnap::machine {

/// One descriptor of a firmware that is split in code and variables: the kind that can be run.
struct Firmware {
    std::string descriptor; ///< its path
    std::string executable, executable_format, nvram_template, template_format;
    std::vector<std::pair<std::string, std::string>> targets; ///< architecture, pattern of machine types
    std::set<std::string> features; ///< "secure-boot", "enrolled-keys", "requires-smm", …
};

/// Where descriptors are looked for, the most important folder first: $XDG_CONFIG_HOME/qemu/firmware (not for
/// root), /etc/qemu/firmware, /usr/share/qemu/firmware; $DOMSNAP_FIRMWARE_PATH, if set, instead of all of
/// them (separated by ':').
std::vector<std::string> firmware_folders();
/// In the order in which they are tried: by file name, and of one name the first folder's; an empty file
/// hides those of its name in later folders. Throws corrupt, naming the file, for one that cannot be read.
std::vector<Firmware> installed_firmware(const std::vector<std::string>& folders);

/// Writes down what the document leaves open: the <loader> (by machine type, <firmware><feature>, secure=,
/// <smm> and <pm>), the template of its <nvram>, and the file, which is default_nvram. A document that leaves
/// nothing open stays as it is. Throws unsupported if no firmware fits.
void complete_firmware(model::Domain& domain, const std::vector<Firmware>& installed,
                       const std::string& default_nvram);

} // namespace domsnap::machine
