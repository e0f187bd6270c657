// Who may change the file of a volume: nobody, while a domain, a snapshot, a file beside it or a program
// needs it as it is.
#pragma once

#include "os/fd.h"

#include <cstdint>
#include <domsnap/host.h>
#include <string>

namespace domsnap::engine {

inline constexpr uint64_t largest_volume = uint64_t{1} << 60; ///< bytes

/// What is in there is changed by domsnap's verbs alone. Throws conflict.
void refuse_state_folder(const Folders& folders, const std::string& path);
/// Throws conflict, naming who needs it. done: what is not done to it then ("deleted").
void refuse_if_needed(const Folders& folders, const std::string& path, const std::string& done);
/// The same, and a link is refused: what it leads to has a name of its own.
void refuse_to_change(const Folders& folders, const std::string& path, const std::string& done);
/// The same; no QEMU opens the file while the descriptor is open. busy if a program has it open.
os::Fd open_to_overwrite(const Folders& folders, const std::string& path, const std::string& done);

} // namespace domsnap::engine
