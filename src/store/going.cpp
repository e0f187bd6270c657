#include "store/going.h"

#include "base/text.h"
#include "os/file.h"
#include "store/store.h"

namespace domsnap::store {

static constexpr const char* going_file = "/going";

/// A line for each path: percent-encoded, since paths may hold what they like.
void put_going(const std::string& folder, const std::vector<std::string>& paths) {
    std::string lines;
    for (const auto& path : paths)
        lines += text::percent_encode(path) + "\n";
    os::write_file_durably(folder + going_file, wrap("going", lines));
}

void remove_going(const std::string& folder) { os::remove_file_durably(folder + going_file); }

void finish_removal(const std::string& folder) {
    const auto file = folder + going_file;
    const auto content = os::read_own_file(file, max_document);
    for (const auto& line : text::split(content ? unwrap("going", *content, file) : "", '\n'))
        if (const auto path = text::percent_decode(line); path && path->starts_with('/'))
            os::remove_tree(*path);
    os::remove_tree(folder);
}

} // namespace domsnap::store
