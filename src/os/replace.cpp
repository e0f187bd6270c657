// Replacing a file in one step: the temporary file beside it, the rename, and the syncs that make both last.
#include "base/text.h"
#include "os/effect.h"
#include "os/failure.h"
#include "os/file.h"
#include "os/place.h"

#include <cstdio>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

namespace domsnap::os {

void write_all(int fd, const void* data, size_t size, const std::string& path_for_messages) {
    auto from = static_cast<const char*>(data);
    while (size > 0) {
        const ssize_t wrote = effect({Effect::Kind::write, path_for_messages, {}, fd},
                                     [&] { return uninterrupted([&] { return ::write(fd, from, size); }); });
        if (wrote < 0 && errno == EAGAIN) {
            pollfd room{fd, POLLOUT, 0};
            ::poll(&room, 1, -1);
            continue;
        }
        if (wrote < 0) fail("write", path_for_messages);
        from += wrote;
        size -= static_cast<size_t>(wrote);
    }
}

static constexpr const char *temporary_prefix = ".domsnap-", *temporary_suffix = ".tmp";

// Its name does not hold the target's, which may already be as long as a name may be.
static std::string temporary_beside(const std::string& path) {
    std::string hex;
    for (const char c : random_bytes(8))
        hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
    return text::folder_of(path) + "/" + temporary_prefix + hex + temporary_suffix;
}

void remove_unfinished(const std::string& folder) {
    for (const auto& name : list_folder(folder))
        if (name.starts_with(temporary_prefix) && name.ends_with(temporary_suffix))
            remove_file_durably(folder + "/" + name);
}

static int rename_at(const std::string& from, const std::string& to, unsigned flags) {
    return at(from, [&](int old_folder, const char* old_name) {
        return at(to, [&](int folder, const char* name) {
            return ::renameat2(old_folder, old_name, folder, name, flags);
        });
    });
}

static int rename_entry(const std::string& from, const std::string& to) {
    return effect({Effect::Kind::rename, from, to}, [&] { return rename_at(from, to, 0); });
}

static int remove_entry(const std::string& path) {
    const auto remove = [](int folder, const char* name) { return ::unlinkat(folder, name, 0); };
    return effect({Effect::Kind::remove, path}, [&] { return at(path, remove); });
}

static void replace(const std::string& path, std::string_view content, bool durably,
                    const std::string& temporary) {
    Fd fd = create_exclusive(temporary);
    try {
        write_all(fd.get(), content.data(), content.size(), path);
        if (durably) sync_file(fd, path);
        fd.reset();
        if (rename_entry(temporary, path) != 0) fail("replace", path);
    } catch (...) {
        remove_entry(temporary);
        throw;
    }
    if (durably) sync_folder(text::folder_of(path));
}

void write_file_durably(const std::string& path, std::string_view content) {
    replace(path, content, true, temporary_beside(path));
}

void write_file(const std::string& path, std::string_view content) {
    replace(path, content, false, temporary_beside(path));
}

std::string temporary_of(const std::string& path) {
    constexpr size_t longest = 240; // of 255, with what is put around it
    return text::folder_of(path) + "/" + temporary_prefix + text::base_name(path).substr(0, longest) +
           temporary_suffix;
}

void write_file_durably_among_others(const std::string& path, std::string_view content) {
    const auto temporary = temporary_of(path);
    remove_file_durably(temporary);
    replace(path, content, true, temporary);
}

bool remove_file_durably(const std::string& path) {
    if (remove_entry(path) != 0) {
        if (errno == ENOENT) return false;
        fail("remove", path);
    }
    sync_folder(text::folder_of(path));
    return true;
}

void rename_durably(const std::string& from, const std::string& to) {
    if (rename_entry(from, to) != 0) fail("rename to '" + text::printable(to) + "' the file", from);
    sync_folder(text::folder_of(to));
    if (text::folder_of(from) != text::folder_of(to)) sync_folder(text::folder_of(from));
}

void exchange(const std::string& one, const std::string& other) {
    const auto swap = [&] { return rename_at(one, other, RENAME_EXCHANGE); };
    if (effect({Effect::Kind::rename, one, other}, swap) != 0)
        fail("exchange with " + text::printable(other) + " the folder", one);
}

} // namespace domsnap::os
