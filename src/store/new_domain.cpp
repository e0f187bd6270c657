#include "store/new_domain.h"

#include "base/error.h"
#include "base/text.h"
#include "os/file.h"
#include "store/going.h"

#include <fmt/format.h>

namespace domsnap::store {

void begin_domain(const DomainFolder& folder, const std::vector<std::string>& with) {
    if (folder.defined())
        throw Error(ErrorCode::conflict,
                    fmt::format("domain '{}' is defined already", text::printable(folder.name())));
    finish_removal(folder.path()); // what was cut short before
    os::make_folders(folder.path() + "/snapshots");
    os::make_folders(folder.memory_folder());
    if (!with.empty()) put_going(folder.path(), with);
}

void finish_domain(const DomainFolder& folder, std::string_view xml) {
    os::write_file_durably(folder.path() + "/definition.xml", wrap("definition", xml));
    remove_going(folder.path());
}

} // namespace domsnap::store
