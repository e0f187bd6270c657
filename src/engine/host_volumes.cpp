// Volumes made, copied, resized, wiped and removed; never one that somebody needs.
#include "base/error.h"
#include "base/text.h"
#include "engine/files_in_use.h"
#include "engine/volume_file.h"
#include "image/header.h"
#include "image/qemu_img.h"
#include "os/file.h"

#include <algorithm>
#include <domsnap/storage.h>
#include <fmt/format.h>
#include <vector>

namespace domsnap {

using namespace engine;

namespace {

void check_name(const std::string& name) {
    const bool hidden = name.empty() || name.front() == '.';
    const bool bad = std::any_of(name.begin(), name.end(), [](char c) {
        return c == '/' || static_cast<unsigned char>(c) < ' ' || c == 0x7f;
    });
    if (hidden || bad || name.size() > 255)
        throw Error(ErrorCode::invalid_request,
                    fmt::format("'{}' cannot be a volume's name", text::printable(name)),
                    "one that is a file's name, and does not begin with a dot");
}

void check_capacity(const std::string& name, uint64_t bytes) {
    if (bytes == 0 || bytes > largest_volume)
        throw Error(ErrorCode::invalid_request,
                    fmt::format("volume '{}' cannot have {} bytes", text::printable(name), bytes));
}

/// Its path.
std::string check_new(const Folders& folders, const std::string& pool_folder, const NewVolume& wanted) {
    check_name(wanted.name);
    auto path = pool_folder + "/" + wanted.name;
    refuse_state_folder(folders, path);
    static_cast<void>(space_of_pool(pool_folder));
    if (wanted.format != "raw" && wanted.format != "qcow2")
        throw Error(ErrorCode::unsupported,
                    fmt::format("a volume of format '{}' is not had", text::printable(wanted.format)),
                    "qcow2 or raw");
    if (wanted.capacity > 0) check_capacity(wanted.name, wanted.capacity);
    if (os::file_info(path, false))
        throw Error(ErrorCode::conflict, fmt::format("storage volume '{}' exists already", wanted.name));
    return path;
}

void create_on_backing(const Folders& folders, const std::string& path, const NewVolume& wanted) {
    if (wanted.format != "qcow2")
        throw Error(ErrorCode::invalid_request, "only a qcow2 volume can rest on another file");
    if (files_of_guests(folders).contains(wanted.backing))
        throw Error(
            ErrorCode::conflict,
            fmt::format("{} is written to by a domain: what rests on it would be destroyed", wanted.backing),
            "take an external snapshot of that domain, and rest on what it froze");
    image::create_overlay(path, wanted.backing, wanted.backing_format, wanted.capacity);
}

Volume existing(const Folders& folders, const std::string& path) {
    if (auto found = volume(folders, path)) return *std::move(found);
    throw Error(ErrorCode::not_found, fmt::format("there is no volume {}", path));
}

/// Its own bytes may say qcow2 where a guest wrote them; then they must lead nowhere (docs/security.md, S13).
void refuse_unsaid_backing(const Volume& source) {
    if (source.known || source.alone) return;
    throw Error(
        ErrorCode::conflict,
        fmt::format("{} looks like qcow2 that rests on another file, and no domain says that it is: a "
                    "guest could have written that",
                    source.path),
        fmt::format("if it is yours: qemu-img convert -f qcow2 -O qcow2 {} COPY", source.path));
}

} // namespace

Volume create_volume(const Folders& folders, const std::string& pool_folder, const NewVolume& wanted) {
    const auto path = check_new(folders, pool_folder, wanted);
    if (wanted.backing.empty()) {
        check_capacity(wanted.name, wanted.capacity);
        image::create(path, wanted.format, wanted.capacity);
    } else {
        create_on_backing(folders, path, wanted);
    }
    return existing(folders, path);
}

Volume copy_volume(const Folders& folders, const std::string& pool_folder, const NewVolume& wanted,
                   const std::string& from, const Control& control) {
    const auto path = check_new(folders, pool_folder, wanted);
    refuse_state_folder(folders, from);
    const auto source = existing(folders, from);
    if (!wanted.backing.empty() && wanted.backing != source.backing)
        throw Error(ErrorCode::unsupported,
                    fmt::format("a copy of {} rests on nothing, and not on {}", from,
                                text::printable(wanted.backing)),
                    "leave <backingStore> out, or make an overlay: vol-create-as --backing-vol");
    refuse_unsaid_backing(source);
    image::copy(from, source.format, path, wanted.format, wanted.capacity, control);
    return existing(folders, path);
}

void resize_volume(const Folders& folders, const std::string& path, uint64_t capacity, bool shrink) {
    const auto old = existing(folders, path);
    check_capacity(old.name, capacity);
    refuse_to_change(folders, path, "resized");
    refuse_unsaid_backing(old);
    if (capacity < old.capacity && !shrink)
        throw Error(ErrorCode::invalid_request,
                    fmt::format("{} has {} bytes, and {} are fewer: what is beyond them would be lost", path,
                                old.capacity, capacity),
                    "virsh vol-resize --shrink, if that is meant");
    image::resize(path, old.format, capacity, capacity < old.capacity);
}

void wipe_volume(const Folders& folders, const std::string& path) {
    const auto file = open_to_overwrite(folders, path, "wiped");
    const auto end = os::end_of(file, path);
    const std::vector<char> zeros(1 << 20);
    for (uint64_t at = 0; at < end;) {
        const auto data = os::next_data(file.get(), at, end);
        if (!data) break;
        for (at = data->start; at < data->start + data->size;) {
            const auto size = std::min<uint64_t>(zeros.size(), data->start + data->size - at);
            os::write_at(file.get(), zeros.data(), size, at, path);
            at += size;
        }
    }
    os::sync_file(file, path);
}

void delete_volume(const Folders& folders, const std::string& path) {
    const auto info = os::file_info(path, false);
    if (!info) throw Error(ErrorCode::not_found, fmt::format("there is no volume {}", path));
    if (!info->is_regular && !info->is_symlink)
        throw Error(ErrorCode::conflict, fmt::format("{} is no file that could be deleted", path));
    refuse_if_needed(folders, path, "deleted");
    os::remove_file_durably(path);
}

} // namespace domsnap
