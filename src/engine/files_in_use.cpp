#include "engine/files_in_use.h"

#include "base/error.h"
#include "base/text.h"
#include "engine/firmware.h"
#include "engine/others.h"
#include "memory/image_link.h"
#include "model/firmware.h"

#include <fmt/format.h>

namespace domsnap::engine {

namespace {

class Users {
  public:
    explicit Users(const View& view)
        : view_(view), who_(fmt::format("domain '{}'", text::printable(view.name()))) {}

    std::map<std::string, std::string> run() {
        const auto tree = view_.snapshot_heads();
        for (const auto& snapshot : tree.all())
            add_frozen(
                snapshot); // first: a domain reads them, too, and it is the snapshot that one can delete
        for (const auto& file : files_that_are_read(view_))
            add(file, who_);
        for (const auto& snapshot : tree.all())
            for (const auto& disk : snapshot.disks)
                add(disk.source, of(snapshot));
        add(model::nvram_file(view_.definition(), firmware_folder(view_)), who_);
        for (const auto& known : view_.ledger().all({}))
            add(known.path, who_);
        return std::move(files_);
    }

  private:
    void add(const std::string& file, const std::string& who) {
        if (!file.empty()) files_.emplace(file, who);
    }
    std::string of(const model::Snapshot& snapshot) const {
        return fmt::format("snapshot '{}' of {}", text::printable(snapshot.name), who_);
    }
    void add_frozen(const model::Snapshot& snapshot) {
        const auto who = of(snapshot);
        for (const auto& file : memory::files_of_image(snapshot.memory.file))
            add(file, who);
        for (const auto& point : snapshot.points())
            add(point.file, who);
    }

    const View& view_;
    std::string who_;
    std::map<std::string, std::string> files_;
};

} // namespace

FilesInUse files_in_use(const Folders& folders) {
    FilesInUse files;
    for (const auto& name : store::domain_names(folders.state))
        for (auto& [file, who] : Users(View(folders, name)).run())
            files[file].push_back(std::move(who));
    return files;
}

std::set<std::string> files_of_guests(const Folders& folders) {
    std::set<std::string> files;
    for (const auto& name : store::domain_names(folders.state)) {
        const View view(folders, name);
        for (const auto& domain : {view.definition(), view.live()})
            for (const auto& disk : domain.disks)
                if (!disk.empty() && !disk.readonly) files.insert(disk.source);
    }
    return files;
}

static std::optional<std::string> format_said(const View& view, const std::string& path) {
    for (const auto& domain : {view.live(), view.definition()})
        for (const auto& disk : domain.disks)
            if (disk.source == path) return disk.format;
    const auto tree = view.snapshot_heads();
    for (const auto& snapshot : tree.all())
        for (const auto& point : snapshot.points())
            if (point.file == path) return point.format;
    return std::nullopt;
}

std::optional<std::string> format_in_use(const Folders& folders, const std::string& path) {
    for (const auto& name : store::domain_names(folders.state)) {
        try {
            if (auto format = format_said(View(folders, name), path)) return format;
        } catch (const Error&) { // what can be said of its files is said by its own verbs
        }
    }
    return std::nullopt;
}

} // namespace domsnap::engine
