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
        for (const auto& file : files_that_are_read(view_))
            add(file, who_);
        const auto tree = view_.snapshot_heads();
        for (const auto& snapshot : tree.all())
            add_snapshot(snapshot);
        add(model::nvram_file(view_.definition(), firmware_folder(view_)), who_);
        for (const auto& known : view_.ledger().all({}))
            add(known.path, who_);
        return std::move(files_);
    }

  private:
    void add(const std::string& file, const std::string& who) {
        if (!file.empty()) files_.emplace(file, who);
    }
    void add_snapshot(const model::Snapshot& snapshot) {
        const auto who = fmt::format("snapshot '{}' of {}", text::printable(snapshot.name), who_);
        for (const auto& file : memory::files_of_image(snapshot.memory.file))
            add(file, who);
        for (const auto& point : snapshot.points())
            add(point.file, who);
        for (const auto& disk : snapshot.disks)
            add(disk.source, who);
    }

    const View& view_;
    std::string who_;
    std::map<std::string, std::string> files_;
};

} // namespace

std::map<std::string, std::string> files_in_use(const Folders& folders) {
    std::map<std::string, std::string> files;
    for (const auto& name : store::domain_names(folders.state))
        files.merge(Users(View(folders, name)).run());
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

std::map<std::string, std::string> formats_in_use(const Folders& folders) {
    std::map<std::string, std::string> formats;
    for (const auto& name : store::domain_names(folders.state)) {
        try {
            const View view(folders, name);
            for (const auto& domain : {view.live(), view.definition()})
                for (const auto& disk : domain.disks)
                    if (!disk.empty()) formats.emplace(disk.source, disk.format);
            const auto tree = view.snapshot_heads();
            for (const auto& snapshot : tree.all())
                for (const auto& point : snapshot.points())
                    formats.emplace(point.file, point.format);
        } catch (const Error&) { // what can be said of its files is said by its own verbs
        }
    }
    return formats;
}

} // namespace domsnap::engine
