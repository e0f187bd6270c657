#include "engine/outlines.h"

#include "base/clock.h"
#include "store/outlines.h"
#include "store/records.h"

#include <algorithm>
#include <future>
#include <thread>

namespace domsnap::engine {

namespace {

/// Where fewer records are, or were read, reading them takes a millisecond or two, and the file would not be
/// less.
constexpr size_t worth_a_file = 64;

struct Outlined {
    store::RecordFile file;
    std::optional<model::SnapshotOutline> outline; ///< nothing: not known, or gone meanwhile
};

std::vector<Outlined> look_up(const std::vector<store::RecordFile>& files, const store::Outlines& known) {
    std::vector<Outlined> all;
    all.reserve(files.size());
    for (const auto& file : files)
        all.push_back({file, known.find(file.name, file.stamp)});
    return all;
}

size_t read_others(const store::Records& records, std::vector<Outlined>& all) {
    std::vector<Outlined*> unread;
    for (auto& one : all)
        if (!one.outline) unread.push_back(&one);
    side_by_side(unread.size(), [&](size_t from, size_t to) {
        for (size_t i = from; i < to; ++i) {
            auto& [file, outline] = *unread[i];
            const auto record = records.read(file.name);
            if (!record) continue;
            file.stamp = record->stamp;
            outline = model::outline_of(parse_record_head(record->document, records.path_of(file.name)));
        }
    });
    return unread.size();
}

void keep(const View& view, const std::vector<Outlined>& all, uint64_t looked) {
    store::NewOutlines fresh;
    for (const auto& [file, outline] : all)
        if (outline) fresh.add(file.name, file.stamp, *outline, looked);
    fresh.write(view.folder());
}

} // namespace

model::OutlineTree outlines_of(const View& view) {
    const uint64_t looked = static_cast<uint64_t>(since_epoch<std::chrono::nanoseconds>());
    const store::Records records(view.folder());
    const auto files = records.files();
    const auto known = files.size() < worth_a_file ? store::Outlines() : store::Outlines(view.folder());
    auto all = look_up(files, known);
    const size_t read = read_others(records, all);
    const size_t useless = known.size() - (files.size() - read);
    if (std::max(read, useless) >= worth_a_file) keep(view, all, looked);
    std::vector<model::SnapshotOutline> outlines;
    outlines.reserve(all.size());
    for (auto& one : all)
        if (one.outline) outlines.push_back(*std::move(one.outline));
    return model::OutlineTree(std::move(outlines), view.folder().current());
}

void side_by_side(size_t count, const std::function<void(size_t, size_t)>& work) {
    constexpr size_t worth_a_thread = 1000;
    const size_t cpus = std::max(1U, std::thread::hardware_concurrency());
    const size_t parts = std::clamp<size_t>(count / worth_a_thread, 1, cpus);
    std::vector<std::future<void>> others;
    for (size_t part = 1; part < parts; ++part)
        others.push_back(
            std::async(std::launch::async, work, count * part / parts, count * (part + 1) / parts));
    work(0, count / parts);
    for (auto& other : others)
        other.get();
}

} // namespace domsnap::engine
