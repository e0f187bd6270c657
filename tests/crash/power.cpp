#include "power.h"

#include "base/text.h"

#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace crash {

namespace fs = std::filesystem;
using domsnap::os::Effect;
using domsnap::os::Fd;

namespace {

struct stat status_of(int fd) {
    struct stat status {};
    ::fstat(fd, &status);
    return status;
}

std::string read_all(int fd) {
    std::string bytes(static_cast<size_t>(status_of(fd).st_size), '\0');
    if (::pread(fd, bytes.data(), bytes.size(), 0) < 0) bytes.clear();
    return bytes;
}

std::string path_of(const Effect& effect) {
    if (effect.fd < 0) return effect.path;
    std::error_code none;
    return fs::read_symlink(fmt::format("/proc/self/fd/{}", effect.fd), none);
}

} // namespace

void Power::save_content(const std::string& path, bool perhaps) {
    Fd file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
    if (!file || !S_ISREG(status_of(file.get()).st_mode)) return;
    const auto inode = status_of(file.get()).st_ino;
    const auto is_it = [&](const auto& change) {
        const auto* content = std::get_if<Content>(&change);
        return content && content->inode == inode;
    };
    if (std::any_of(changes_.begin(), changes_.end(), is_it)) return; // what was last synced is kept already
    auto bytes = read_all(file.get());
    const auto modified = status_of(file.get()).st_mtim;
    changes_.emplace_back(Content{std::move(file), inode, std::move(bytes), modified, perhaps});
}

void Power::prepare_name(const Effect& effect, const std::string& replaced) {
    std::string saved;
    if (!replaced.empty()) {
        saved = fmt::format("{}.kept/lost-{}-{}", world_.path(), ::getpid(), saved_++);
        if (::link(replaced.c_str(), saved.c_str()) != 0) saved.clear();
    }
    const auto& last = effect.to.empty() ? effect.path : effect.to;
    prepared_.push_back(Name{effect, domsnap::text::folder_of(last), saved});
}

void Power::save_images() {
    for (const auto& entry : fs::directory_iterator(world_.path() + "/images"))
        save_content(entry.path(), true);
}

/// The program has ended by now. Images that it only looked at are QEMU's again, whose writes last.
void Power::forget_unchanged() {
    std::erase_if(changes_, [](auto& change) {
        auto* content = std::get_if<Content>(&change);
        if (!content || !content->perhaps) return false;
        content->perhaps = false;
        return read_all(content->file.get()) == content->bytes;
    });
}

void Power::before(const Effect& effect) {
    prepared_.clear();
    forget_unchanged();
    if (!path_of(effect).starts_with(world_.path()) && effect.kind != Effect::Kind::run) return;
    if (path_of(effect).starts_with(world_.folders().runtime)) return; // gone after a power failure anyway
    switch (effect.kind) {
    case Effect::Kind::write:
    case Effect::Kind::resize:
        return save_content(path_of(effect), false);
    case Effect::Kind::run:
        return save_images();
    case Effect::Kind::rename:
        return prepare_name(effect, effect.to);
    case Effect::Kind::remove:
        return prepare_name(effect, effect.path);
    case Effect::Kind::make_file:
    case Effect::Kind::make_folder:
    case Effect::Kind::remove_folder:
        return prepare_name(effect, {});
    default:
        return;
    }
}

void Power::forget_content(int fd) {
    const auto inode = status_of(fd).st_ino;
    std::erase_if(changes_, [&](const auto& change) {
        const auto* content = std::get_if<Content>(&change);
        return content && content->inode == inode;
    });
}

void Power::after(const Effect& effect) {
    for (auto& name : prepared_)
        changes_.emplace_back(std::move(name));
    prepared_.clear();
    if (effect.kind == Effect::Kind::sync) forget_content(effect.fd);
    if (effect.kind == Effect::Kind::sync_folder)
        std::erase_if(changes_, [&](const auto& change) {
            const auto* name = std::get_if<Name>(&change);
            return name && name->folder == effect.path;
        });
}

void Power::put_back(const Name& name) {
    const auto& path = name.effect.path;
    switch (name.effect.kind) {
    case Effect::Kind::make_file:
        ::unlink(path.c_str());
        break;
    case Effect::Kind::make_folder:
        fs::remove_all(path);
        break;
    case Effect::Kind::remove_folder:
        ::mkdir(path.c_str(), 0700);
        break;
    case Effect::Kind::rename:
        ::rename(name.effect.to.c_str(), path.c_str());
        if (!name.saved.empty()) ::link(name.saved.c_str(), name.effect.to.c_str());
        break;
    case Effect::Kind::remove:
        if (!name.saved.empty()) ::link(name.saved.c_str(), path.c_str());
        break;
    default:
        break;
    }
}

void Power::fail(bool names_too) {
    for (auto change = changes_.rbegin(); change != changes_.rend(); ++change) {
        if (const auto* name = std::get_if<Name>(&*change); name && names_too) put_back(*name);
        const auto* content = std::get_if<Content>(&*change);
        if (!content) continue;
        if (::ftruncate(content->file.get(), 0) != 0) continue;
        if (::pwrite(content->file.get(), content->bytes.data(), content->bytes.size(), 0) < 0) continue;
        set_modified(content->file.get(), content->modified);
    }
    fs::remove_all(world_.folders().runtime);
}

} // namespace crash
