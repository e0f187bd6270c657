#include "model/snapshot.h"

#include "base/error.h"
#include "base/text.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::model {

bool Snapshot::external() const {
    if (memory.location == Location::external) return true;
    return std::any_of(disks.begin(), disks.end(),
                       [](const SnapshotDisk& disk) { return disk.location == Location::external; });
}

const SnapshotDisk* Snapshot::find_disk(std::string_view target) const {
    const auto found = std::find_if(disks.begin(), disks.end(),
                                    [&](const SnapshotDisk& disk) { return disk.name == target; });
    return found == disks.end() ? nullptr : &*found;
}

std::vector<DiskPoint> Snapshot::points() const {
    std::vector<DiskPoint> points;
    if (memory_point) points.push_back(*memory_point);
    for (const auto& disk : disks)
        if (disk.point) points.push_back(*disk.point);
    return points;
}

std::vector<OwnFile> Snapshot::own_files() const {
    std::vector<OwnFile> files;
    const auto add = [&](const std::string& file, const char* what) {
        if (!file.empty()) files.push_back({file, what});
    };
    add(memory.file, "memory image");
    if (nvram) add(nvram->file, "copy of the NVRAM");
    if (tpm) add(tpm->file, "copy of the TPM's state");
    return files;
}

bool Snapshot::operator==(const Snapshot& other) const {
    const FormatOptions all{.security_info = true, .points = true, .for_request = false};
    return same_content(to_element(*this, all), to_element(other, all));
}

void check_snapshot_name(const std::string& name) {
    const auto bad = [&](const char* reason) {
        throw Error(ErrorCode::invalid_request,
                    fmt::format("invalid snapshot name '{}': {}", text::printable(name), reason));
    };
    if (name.empty()) bad("name can't be empty");
    if (name.find('/') != std::string::npos) bad("name can't contain '/'");
    if (name == "." || name == "..") bad("name can't be '.' or '..'");
    if (std::any_of(name.begin(), name.end(),
                    [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
        bad("name can't contain control characters");
}

void check_new_snapshot_name(const std::string& name) {
    check_snapshot_name(name);
    const auto characters = std::count_if(
        name.begin(), name.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
    if (characters > 255)
        throw Error(ErrorCode::invalid_request,
                    fmt::format("invalid snapshot name '{}': name can't be longer than 255 characters",
                                text::printable(name)));
}

} // namespace domsnap::model
