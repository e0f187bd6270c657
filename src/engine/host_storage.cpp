// Storage pools and volumes: folders and files, looked at, made and removed for libvirt's clients.
#include "base/error.h"
#include "base/text.h"
#include "engine/files_in_use.h"
#include "image/header.h"
#include "image/qemu_img.h"
#include "os/file.h"
#include "os/file_system.h"
#include "os/guard.h"

#include <algorithm>
#include <domsnap/storage.h>
#include <fmt/format.h>
#include <unistd.h>

namespace domsnap {

using namespace engine;

namespace {

constexpr const char* folder_of_libvirt = "/var/lib/libvirt/images";
constexpr uint64_t largest_capacity = uint64_t{1} << 60;

/// "NAME FOLDER"; a name has no blanks in it, a folder may.
void add_line(std::vector<FolderPool>& pools, std::string_view line, const std::string& where) {
    line = text::trim(line);
    if (line.empty() || line.front() == '#') return;
    const auto blank = line.find_first_of(" \t");
    const auto folder = blank == std::string_view::npos ? std::string_view() : text::trim(line.substr(blank));
    if (!folder.starts_with('/'))
        throw Error(ErrorCode::invalid_request,
                    fmt::format("{}: '{}' is not NAME FOLDER, with an absolute folder", where,
                                text::printable(line)));
    const std::string name(line.substr(0, blank));
    std::erase_if(pools, [&](const auto& pool) { return pool.name == name; });
    pools.push_back({name, std::string(folder)});
}

using Formats = std::map<std::string, std::string>;

std::optional<Volume> look(const std::string& path, const Formats& formats) {
    const auto info = os::file_info(path);
    if (!info || !info->is_regular) return std::nullopt;
    Volume volume{.name = text::base_name(path),
                  .path = path,
                  .format = "raw",
                  .capacity = info->size,
                  .allocation = info->allocated,
                  .backing = {},
                  .backing_format = {},
                  .known = false,
                  .alone = true,
                  .mode = info->mode,
                  .modified = info->modified};
    const auto known = formats.find(path);
    volume.known = known != formats.end();
    if (volume.known && known->second != "qcow2") return volume;
    try {
        if (const auto header = image::header(path)) {
            volume.format = "qcow2";
            volume.alone = header->backing.empty() && header->data_file.empty();
            volume.capacity = header->virtual_size;
            volume.backing =
                header->backing.empty() ? "" : image::named_file(header->backing, path, "backing file");
            volume.backing_format = header->backing_format;
        }
    } catch (const Error&) { // damaged, or resting on what is no file: whoever would use it is told so then
    }
    return volume;
}

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

/// What is in there is changed by domsnap's verbs alone.
void refuse_state_folder(const Folders& folders, const std::string& path) {
    for (const auto& folder : {folders.state, folders.runtime})
        if ((path + "/").starts_with(folder + "/"))
            throw Error(ErrorCode::conflict,
                        fmt::format("{} is domsnap's own, and no place for volumes", path));
}

[[noreturn]] void refuse_needed(const std::string& path, const std::string& who) {
    throw Error(ErrorCode::conflict, fmt::format("volume {} is not deleted: {} needs it", path, who),
                "domsnap's own verbs remove what they made: snapshot-delete, undefine --snapshots");
}

/// By what the paths lead to: a file may be reached under many.
void refuse_if_in_use(const Folders& folders, const std::string& path) {
    const auto own = os::file_info(path);
    for (const auto& [file, who] : files_in_use(folders)) {
        const auto other = os::file_info(file);
        if (file == path || (own && other && own->is_same_file(*other))) refuse_needed(path, who);
    }
}

/// The user may have made an overlay over it that no domain knows.
void refuse_if_a_base(const std::string& path) {
    const auto folder = text::folder_of(path);
    for (const auto& volume : volumes({}, folder))
        if (volume.backing == path) refuse_needed(path, fmt::format("{}, which rests on it,", volume.path));
}

} // namespace

std::vector<FolderPool> configured_pools(const Folders& folders) {
    os::guard_folder(folders.state);
    const auto file = folders.state + "/pools";
    const auto content = os::read_own_file(file, 1 << 20);
    std::vector<FolderPool> pools;
    if (!content && geteuid() == 0 && os::exists(folder_of_libvirt)) return {{"default", folder_of_libvirt}};
    const auto lines = text::split(content.value_or(""), '\n');
    for (size_t i = 0; i < lines.size(); ++i)
        add_line(pools, lines[i], fmt::format("{}, line {}", file, i + 1));
    return pools;
}

FolderSpace space_of_pool(const std::string& folder) {
    const auto info = os::file_info(folder);
    if (!info || !info->is_folder)
        throw Error(ErrorCode::not_found,
                    fmt::format("cannot open directory '{}': {}", folder,
                                info ? "Not a directory" : "No such file or directory"),
                    "make it, or let virsh pool-build do so");
    const auto system = os::file_system_of(folder);
    return {system.size, system.available};
}

void make_pool_folder(const std::string& folder) { os::make_folders(folder); }

std::vector<Volume> volumes(const Folders& folders, const std::string& pool_folder) {
    const auto formats = folders.state.empty() ? Formats{} : formats_in_use(folders);
    std::vector<Volume> found;
    for (const auto& name : os::list_folder(pool_folder))
        if (!name.starts_with('.'))
            if (auto one = look(pool_folder + "/" + name, formats)) found.push_back(std::move(*one));
    return found;
}

std::optional<Volume> volume(const Folders& folders, const std::string& path) {
    return look(path, formats_in_use(folders));
}

Volume create_volume(const Folders& folders, const std::string& pool_folder, const NewVolume& wanted) {
    check_name(wanted.name);
    const auto path = pool_folder + "/" + wanted.name;
    refuse_state_folder(folders, path);
    static_cast<void>(space_of_pool(pool_folder));
    if (wanted.format != "raw" && wanted.format != "qcow2")
        throw Error(ErrorCode::unsupported,
                    fmt::format("a volume of format '{}' is not had", text::printable(wanted.format)),
                    "qcow2 or raw");
    if ((wanted.capacity == 0 && wanted.backing.empty()) || wanted.capacity > largest_capacity)
        throw Error(ErrorCode::invalid_request,
                    fmt::format("volume '{}' cannot have {} bytes", wanted.name, wanted.capacity));
    if (os::file_info(path, false))
        throw Error(ErrorCode::conflict, fmt::format("storage volume '{}' exists already", wanted.name));
    if (wanted.backing.empty()) {
        image::create(path, wanted.format, wanted.capacity);
    } else {
        if (wanted.format != "qcow2")
            throw Error(ErrorCode::invalid_request, "only a qcow2 volume can rest on another file");
        if (files_of_guests(folders).contains(wanted.backing))
            throw Error(ErrorCode::conflict,
                        fmt::format("{} is written to by a domain: what rests on it would be destroyed",
                                    wanted.backing),
                        "take an external snapshot of that domain, and rest on what it froze");
        image::create_overlay(path, wanted.backing, wanted.backing_format, wanted.capacity);
    }
    return *look(path, {{path, wanted.format}});
}

void delete_volume(const Folders& folders, const std::string& path) {
    refuse_state_folder(folders, path);
    const auto info = os::file_info(path, false);
    if (!info) throw Error(ErrorCode::not_found, fmt::format("there is no volume {}", path));
    if (!info->is_regular && !info->is_symlink)
        throw Error(ErrorCode::conflict, fmt::format("{} is no file that could be deleted", path));
    refuse_if_in_use(folders, path);
    refuse_if_a_base(path);
    os::remove_file_durably(path);
}

} // namespace domsnap
