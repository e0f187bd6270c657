// What lies ready for going back, as a run-time file: docs/formats/warm.md. What does not fit any more is as
// if it were not there.
#include "base/error.h"
#include "base/text.h"
#include "engine/in_place.h"
#include "engine/steps.h"
#include "image/qemu_img.h"
#include "memory/image.h"
#include "os/file.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace domsnap::engine {

using nlohmann::json;

namespace {

constexpr uint64_t largest = 1 << 20;

struct Written {
    plan::WarmPoint point;
    std::string process, image;
};

Written parse(const std::string& text) {
    const auto warm = json::parse(text);
    if (warm.at("version").get<int>() != 1) throw Error(ErrorCode::unsupported, "of another version");
    Written written;
    written.process = warm.at("process");
    written.image = warm.at("image");
    written.point.text = text;
    written.point.snapshot = warm.at("snapshot");
    written.point.state_node = warm.at("state").at("node");
    written.point.state_path = warm.at("state").at("path");
    for (const auto& overlay : warm.at("overlays")) {
        const std::string target = overlay.at("target");
        written.point.overlays[target] = {target, overlay.at("node"), overlay.at("path"), "qcow2", {}, false};
    }
    return written;
}

std::optional<Written> read(const View& view) {
    const auto path = view.files().warm();
    if (!os::exists(path)) return std::nullopt;
    try {
        return parse(os::read_file(path, largest));
    } catch (const Error&) {
    } catch (const json::exception&) {
    }
    return std::nullopt;
}

std::optional<Written> read_of_this_process(const View& view) {
    const auto process = view.process();
    auto written = process ? read(view) : std::nullopt;
    if (!written || written->process != text::trim(os::to_text(*process))) return std::nullopt;
    return written;
}

/// Each file is open under its node, and no disk uses it.
bool lies_ready(const plan::Facts& facts, const plan::WarmPoint& point) {
    const auto is_idle = [&](const std::string& path, const std::string& node) {
        const auto open = facts.open_nodes.find(path);
        if (open == facts.open_nodes.end() || open->second != node) return false;
        for (const auto& disk : facts.disks)
            for (const auto& used : disk.nodes)
                if (used == node) return false;
        return true;
    };
    for (const auto& [target, overlay] : point.overlays)
        if (!is_idle(overlay.path, overlay.node)) return false;
    return is_idle(point.state_path, point.state_node);
}

/// The image that the overlays' memory is in is the very one.
bool is_of_image(const model::SnapshotTree& tree, const Written& written) {
    try {
        const auto& snapshot = tree.get(written.point.snapshot);
        return memory::image_hash(snapshot.memory.file) == written.image;
    } catch (const Error&) {
        return false;
    }
}

} // namespace

void look_for_warm(const Session& session, const model::SnapshotTree& tree, plan::Facts& facts) {
    auto written = read_of_this_process(session);
    if (written && lies_ready(facts, written->point) && is_of_image(tree, *written))
        facts.warm = std::move(written->point);
}

std::string warm_snapshot(const View& view) {
    const auto written = read_of_this_process(view);
    return written ? written->point.snapshot : "";
}

std::vector<std::string> ready_files(const View& view) {
    std::vector<std::string> paths;
    const auto written = read_of_this_process(view);
    if (!written) return paths;
    paths.push_back(written->point.state_path);
    for (const auto& [target, overlay] : written->point.overlays)
        paths.push_back(overlay.path);
    return paths;
}

/// Device states in the domain's run-time folder, by their nodes.
static std::map<std::string, std::string> states(const View& view) {
    static constexpr std::string_view suffix = ".qcow2";
    const auto& folder = view.files().folder;
    std::map<std::string, std::string> found;
    for (const auto& name : os::list_folder(folder))
        if (name.starts_with("state-") && name.ends_with(suffix))
            found[name.substr(0, name.size() - suffix.size())] = folder + "/" + name;
    return found;
}

/// A revert that fell over to a new process leaves the one that it used up.
static void remove_states(const View& view) {
    for (const auto& [node, path] : states(view))
        os::remove_file_durably(path);
}

void forget_warm(const View& view, const Control& control) {
    remove_states(view);
    const auto written = read(view);
    if (!written) return;
    os::remove_file_durably(view.files().warm());
    try {
        for (const auto& [target, overlay] : written->point.overlays) {
            const auto known = view.ledger().find(overlay.path);
            if (!known || !known->made || !os::exists(overlay.path) || !image::holds_nothing(overlay.path))
                continue;
            os::remove_file_durably(overlay.path);
            view.ledger().forget(overlay.path);
        }
    } catch (const Error& error) {
        control.warn(fmt::format("what lay ready for snapshot '{}' is left: {}",
                                 text::printable(written->point.snapshot), error.what()));
    }
}

void tidy_warm(Session& session) {
    if (!session.process()) return forget_warm(session, session.control());
    const auto ready = ready_files(session);
    for (const auto& [node, path] : states(session)) {
        if (std::find(ready.begin(), ready.end(), path) != ready.end()) continue;
        try {
            apply(session, plan::CloseNodes{{{node, path}}});
            os::remove_file_durably(path);
        } catch (const Error& error) { // it goes with its QEMU
            session.control().warn(fmt::format("{} is left: {}", path, error.what()));
        }
    }
}

static void put_warm(const Session& session, const std::string& text) {
    const auto path = session.files().warm();
    if (text.empty()) {
        os::remove_file_durably(path);
    } else {
        os::make_folders(session.files().folder);
        os::write_file(path, text);
    }
}

void apply(Session& session, const plan::PutWarm& step) {
    if (!step.text.empty()) session.running_process(); // nothing lies ready in one that has ended
    put_warm(session, step.text);
}

/// Whether QEMU has ended or not: by what stands there its overlays are found, and removed (forget_warm).
void undo(Session& session, const plan::PutWarm& step) { put_warm(session, step.old); }

} // namespace domsnap::engine
