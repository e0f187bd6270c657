#include "store/records.h"

#include "store/checksum.h"

namespace domsnap::store {

Records::Records(const DomainFolder& folder) : path_(folder.records_folder()), folder_(path_) {}

std::vector<std::string> Records::names() const {
    auto names = folder_.names();
    std::erase_if(names, [](const auto& name) { return !is_hash_name(name); });
    return names;
}

std::vector<RecordFile> Records::files() const {
    std::vector<RecordFile> files;
    for (auto& name : names())
        if (const auto stamp = folder_.stamp(name)) files.push_back({std::move(name), *stamp});
    return files;
}

std::optional<Records::Read> Records::read(const std::string& name) const {
    const auto read = folder_.read(name, max_document + longest_header);
    if (!read) return std::nullopt;
    return Read{unwrap("record", read->content, path_of(name)), read->stamp};
}

} // namespace domsnap::store
