#include "engine/volume_file.h"

#include "base/error.h"
#include "base/text.h"
#include "engine/files_in_use.h"
#include "image/header.h"
#include "os/file.h"
#include "os/image_lock.h"

#include <algorithm>
#include <domsnap/storage.h>
#include <fmt/format.h>

namespace domsnap::engine {

namespace {

std::string in_words(std::vector<std::string> users) {
    constexpr size_t most = 3; // a base of forks may have hundreds
    const auto others = users.size() - std::min(users.size(), most);
    users.resize(users.size() - others);
    return text::join(users, ", ") + (others ? fmt::format(" and {} others", others) : "");
}

[[noreturn]] void refuse_needed(const std::string& path, const std::string& done, const std::string& who) {
    throw Error(ErrorCode::conflict, fmt::format("volume {} is not {}: it is needed by {}", path, done, who),
                "domsnap's own verbs remove what they made: snapshot-delete, undefine --snapshots");
}

/// By what the paths lead to: a file may be reached under many.
void refuse_if_in_use(const Folders& folders, const std::string& path, const std::string& done) {
    const auto own = os::file_info(path);
    for (const auto& [file, users] : files_in_use(folders)) {
        const auto other = os::file_info(file);
        if (file == path || (own && other && own->is_same_file(*other)))
            refuse_needed(path, done, in_words(users));
    }
}

/// Empty too for what is damaged, or rests on what is no file: whoever would use it is told so then.
std::string backing_of(const std::string& path) {
    try {
        const auto header = image::header(path);
        if (header && !header->backing.empty())
            return image::named_file(header->backing, path, "backing file");
    } catch (const Error&) { // as said
    }
    return {};
}

/// The user may have made an overlay over it that no domain knows.
void refuse_if_a_base(const std::string& path, const std::string& done) {
    const auto folder = text::folder_of(path);
    for (const auto& name : volume_names(folder))
        if (const auto other = folder + "/" + name; backing_of(other) == path)
            refuse_needed(path, done, fmt::format("{}, which rests on it", other));
}

} // namespace

void refuse_state_folder(const Folders& folders, const std::string& path) {
    for (const auto& folder : {folders.state, folders.runtime})
        if ((path + "/").starts_with(folder + "/"))
            throw Error(ErrorCode::conflict,
                        fmt::format("{} is domsnap's own, and no place for volumes", path));
}

void refuse_if_needed(const Folders& folders, const std::string& path, const std::string& done) {
    refuse_state_folder(folders, path);
    refuse_if_in_use(folders, path, done);
    refuse_if_a_base(path, done);
}

void refuse_to_change(const Folders& folders, const std::string& path, const std::string& done) {
    const auto info = os::file_info(path, false);
    if (!info) throw Error(ErrorCode::not_found, fmt::format("there is no volume {}", path));
    if (!info->is_regular)
        throw Error(ErrorCode::conflict, fmt::format("{} is not {}: it is a link, and no file", path, done),
                    "name the file that it leads to");
    refuse_if_needed(folders, path, done);
}

os::Fd open_to_overwrite(const Folders& folders, const std::string& path, const std::string& done) {
    refuse_to_change(folders, path, done);
    auto file = os::open_read_write(path);
    if (!os::lock_image(file, os::ImageUse::writes, path))
        throw Error(ErrorCode::busy,
                    fmt::format("volume {} is not {}: a program (a QEMU?) has it open", path, done));
    return file;
}

} // namespace domsnap::engine
