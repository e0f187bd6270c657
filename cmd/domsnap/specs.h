// --memspec and --diskspec, and the <domainsnapshot> that snapshot-create-as makes of its options.
#pragma once

#include "model/element.h"

#include <string>
#include <vector>

namespace domsnap::cli {

/// Split at single commas; ",," is a comma.
std::vector<std::string> split_spec(const std::string& spec);

/// "[file=]/path[,snapshot=TYPE]". Throws Error in virsh's words: "unable to parse memspec: …".
model::Element memory_from_spec(const std::string& spec);
/// "DISK[,snapshot=TYPE][,driver=FORMAT][,stype=file|block][,file=PATH]"
model::Element disk_from_spec(const std::string& spec);

struct SnapshotOptions {
    std::string name, description, memory; ///< "" = not given
    std::vector<std::string> disks;
};
/// Only what was given, as --print-xml shows it. Ends in a newline.
std::string snapshot_document(const SnapshotOptions& options);

} // namespace domsnap::cli
