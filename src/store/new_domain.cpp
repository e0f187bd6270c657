#include "store/new_domain.h"

#include "base/error.h"
#include "base/text.h"
#include "os/file.h"

#include <fmt/format.h>

namespace domsnap::store {

void begin_domain(const DomainFolder& folder) {
    if (folder.defined())
        throw Error(ErrorCode::conflict,
                    fmt::format("domain '{}' is defined already", text::printable(folder.name())));
    os::remove_tree(folder.path()); // what was cut short before
    os::make_folders(folder.path() + "/snapshots");
    os::make_folders(folder.memory_folder());
}

void finish_domain(const DomainFolder& folder, std::string_view xml) {
    os::write_file_durably(folder.path() + "/definition.xml", wrap("definition", xml));
}

} // namespace domsnap::store
