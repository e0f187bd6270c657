#include "engine/verify.h"

#include "base/error.h"
#include "base/text.h"
#include "engine/known_files.h"
#include "engine/look.h"
#include "engine/memory_file.h"
#include "engine/memory_identity.h"
#include "image/qemu_img.h"
#include "image/vm_state.h"
#include "memory/capture.h"
#include "memory/save_file.h"
#include "os/identity.h"
#include "plan/points.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::engine {

namespace {

void add_new(std::vector<std::string>& lines, const std::vector<std::string>& more) {
    for (const auto& line : more)
        if (std::find(lines.begin(), lines.end(), line) == lines.end()) lines.push_back(line);
}

void require_going_on(const Control& control) {
    if (control.cancelled()) throw Error(ErrorCode::cancelled, "snapshot-verify was cancelled");
}

} // namespace

Verifier::Verifier(Session& session, const VerifyOptions& options)
    : session_(session), options_(options), tree_(session.readable_snapshots(unreadable_)) {
    facts_.definition = session.definition();
    facts_.live = session.live();
    if (session.process()) facts_.has_process = true;
    look_at_disks(facts_, facts_.live);
    look_at_disks(facts_, facts_.definition);
    look_at_points(facts_, tree_);
    look_at_made_files(facts_, session);
    look_at_images(session, facts_, tree_);
    frozen_ = plan::frozen_files(tree_.all(), facts_.files);
}

VerifyResult Verifier::run(const std::string& name) {
    VerifyResult result;
    if (!name.empty()) {
        result.verdicts.push_back(verdict_of(tree_.get(name)));
    } else {
        for (const auto& snapshot : tree_.all())
            result.verdicts.push_back(verdict_of(snapshot));
        result.verdicts.push_back(verdict_of_domain());
    }
    result.repaired = std::move(repaired_);
    return result;
}

Verdict Verifier::verdict_of(const model::Snapshot& snapshot) {
    Verdict verdict{snapshot.name, {}, {}};
    if (snapshot.domain.empty())
        verdict.problems.push_back("its record has no <domain>: the machine it was taken of is not known");
    if (!snapshot.parent.empty() && !tree_.find(snapshot.parent))
        verdict.notes.push_back(
            fmt::format("its parent '{}' is not there", text::printable(snapshot.parent)));
    for (const auto& point : snapshot.points())
        add_point(verdict, point);
    add_memory(verdict, snapshot);
    for (const auto& own : snapshot.own_files()) {
        if (own.file == snapshot.memory.file) continue;
        add_new(verdict.problems, look_at_known(own.file).problems);
        add_new(verdict.notes, look_at_known(own.file).notes);
    }
    return verdict;
}

void Verifier::add_point(Verdict& verdict, const model::DiskPoint& point) {
    add_chain(verdict, point.file);
    const auto* file = facts_.file(point.file);
    if (point.tag.empty() || !file || !file->problem.empty() || file->tags.contains(point.tag)) return;
    verdict.problems.push_back(fmt::format("{} does not hold the internal snapshot '{}' any more", point.file,
                                           text::printable(point.tag)));
}

void Verifier::add_memory(Verdict& verdict, const model::Snapshot& snapshot) {
    if (!snapshot.memory.file.empty()) {
        const auto& found = look_at_memory_image(snapshot);
        add_new(verdict.problems, found.problems);
        add_new(verdict.notes, found.notes);
    }
    if (!snapshot.memory_point) return;
    const auto& [file, format, tag] = *snapshot.memory_point;
    try {
        if (image::vm_state_size(file, tag) == 0)
            verdict.problems.push_back(
                fmt::format("the internal snapshot '{}' in {} holds no memory", text::printable(tag), file));
    } catch (const Error& error) {
        if (verdict.problems.empty()) verdict.problems.push_back(error.what());
    }
}

void Verifier::add_chain(Verdict& verdict, const std::string& top) {
    for (const auto& path : plan::chain_from(facts_.files, top)) {
        require_going_on(session_.control());
        const auto& found = look_at_image(path);
        add_new(verdict.problems, found.problems);
        add_new(verdict.notes, found.notes);
    }
}

Verdict Verifier::verdict_of_domain() {
    Verdict verdict{{}, unreadable_, {}};
    for (const auto* domain : {&facts_.definition, &facts_.live})
        for (const auto& disk : domain->disks)
            if (!disk.empty()) add_chain(verdict, disk.source);
    // Where a record cannot be read, nobody knows what it needs.
    const bool repair = options_.repair && unreadable_.empty();
    add_new(verdict.problems, look_for_leftovers(session_, facts_, tree_, repair, repaired_));
    return verdict;
}

const Verifier::Findings& Verifier::look_at_known(const std::string& path) {
    const auto [at, first] = known_.try_emplace(path);
    if (first) compare(at->second, path);
    return at->second;
}

const Verifier::Findings& Verifier::look_at_image(const std::string& path) {
    const auto [at, first] = images_.try_emplace(path);
    if (!first) return at->second;
    const auto* file = facts_.file(path);
    if (file && !file->problem.empty()) {
        at->second.problems.push_back(file->problem);
        return at->second;
    }
    compare(at->second, path);
    if (file) check(at->second, *file);
    return at->second;
}

/// The ledger's word on the file.
void Verifier::compare(Findings& findings, const std::string& path) {
    auto ledger = session_.ledger();
    std::optional<model::KnownFile> known;
    try {
        known = ledger.find(path);
    } catch (const Error&) {
        return; // look_for_leftovers says so
    }
    const bool there = os::file_identity(path).has_value();
    if (!known) {
        if (!there) findings.problems.push_back(path + " is not there");
        return;
    }
    const auto wrong = wrong_with(*known, frozen_.contains(path));
    if (wrong.empty() && !is_elsewhere(*known, look_again(*known))) return;
    if (wrong.empty() ? options_.repair : options_.accept && there) {
        ledger.renew(path);
        repaired_.push_back(fmt::format("{} is known as it is now", path));
    } else if (wrong.empty()) {
        findings.notes.push_back(fmt::format("{} was replaced by a copy of the same size and time", path));
    } else {
        findings.problems.push_back(fmt::format("{} {}", path, wrong));
    }
}

/// Inside: qemu-img check. It takes QEMU's own lock for it, so that an image which a guest writes to is left
/// out rather than called broken for what is only in the midst of a change.
void Verifier::check(Findings& findings, const plan::FileFacts& file) {
    try {
        session_.control().report("checking " + text::base_name(file.path), 0, 0);
        const auto result = image::check(file.path, file.format);
        if (result.errors || result.corruptions)
            findings.problems.push_back(fmt::format("{}: {}", file.path, result.words));
        else if (result.leaks)
            take_leaks(findings, file, result.leaks);
    } catch (const Error& error) {
        if (error.code() == ErrorCode::busy)
            findings.notes.push_back(fmt::format("{} is in use, and was not checked inside", file.path));
        else
            findings.problems.push_back(error.what());
    }
}

void Verifier::take_leaks(Findings& findings, const plan::FileFacts& file, uint64_t leaks) {
    if (!options_.repair || !findings.problems.empty()) {
        findings.problems.push_back(
            fmt::format("{} has {} leaked clusters: room that nothing uses, and no harm", file.path, leaks));
        return;
    }
    image::repair_leaks(file.path, file.format);
    session_.ledger().renew(file.path);
    repaired_.push_back(fmt::format("{} leaked clusters of {} were given back", leaks, file.path));
}

const Verifier::Findings& Verifier::look_at_memory_image(const model::Snapshot& snapshot) {
    const auto& path = snapshot.memory.file;
    const auto [at, first] = memories_.try_emplace(path);
    if (!first) return at->second;
    auto& findings = at->second;
    try {
        if (memory::capture_in_progress(path)) {
            findings.notes.push_back(path + " is still being written");
            return findings;
        }
        auto words = identity_problem(identity_of_memory(path), snapshot, session_.definition());
        if (!words.empty()) findings.problems.push_back(std::move(words));
        if (memory::SaveFile::is_one(path)) {
            verify_memory(path, session_.control());
            compare(findings, path);
            return findings;
        }
        const auto image = memory::ImageReader::open(path);
        for (const auto& layer : image.layers()) {
            add_new(findings.problems, look_at_layer(layer.path).problems);
            add_new(findings.notes, look_at_layer(layer.path).notes);
        }
    } catch (const Error& error) {
        if (error.code() == ErrorCode::cancelled) throw;
        findings.problems.push_back(error.what());
    }
    return findings;
}

/// One file of a chain. Each page is held by one file, and read once.
const Verifier::Findings& Verifier::look_at_layer(const std::string& path) {
    const auto [at, first] = layers_.try_emplace(path);
    if (!first) return at->second;
    const auto hooks = check_hooks(session_.control());
    try {
        const auto image = memory::ImageReader::open(path);
        memory::verify_pages(image, &hooks, memory::Pages::own);
        memory::verify_zeros(image, hooks.should_stop);
        compare(at->second, path);
    } catch (const Error& error) {
        if (error.code() == ErrorCode::cancelled) throw;
        at->second.problems.push_back(error.what());
    }
    return at->second;
}

} // namespace domsnap::engine

namespace domsnap {

bool VerifyResult::good() const {
    return std::all_of(verdicts.begin(), verdicts.end(), [](const auto& verdict) { return verdict.good(); });
}

} // namespace domsnap
